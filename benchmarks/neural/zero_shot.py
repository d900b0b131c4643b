"""Trajectories without a single Fock build after the ground state, by what predicts them.

    OMP_NUM_THREADS=1 python benchmarks/neural/zero_shot.py [--data FOLDER] [--steps 1000] [molecule ...]

At a geometry that nothing was trained on (the first of the data set's test split) a kick along z of 1e-4 au
is propagated in steps of 0.2 au, by the reference and by each method; nothing is refined, nothing measured.
Two tables a molecule. The first: trajectory error; nRMSE of the spectrum below 20 eV (τ = 50 au) over its
range; the strongest line below 20 eV; the largest distance of one of the reference's lines there to the
nearest of the method's. The second: scaled L2 of the density up to a step,
√(Σ_t |P − P_ref|² / Σ_t |P_ref − P0|²).

pure network, correction: the graphs that ship, over Coulomb and exchange and over the analytic kernel.
nearest: the whole response of the training geometry nearest to it, turned onto it, in the Löwdin basis, from
that geometry's analytic kernel; as it is, or its exchange-correlation part over the geometry's own Coulomb
and exchange. autoregression: δP(t + dt) = A δP(t) in the Löwdin basis, A by least squares from the
reference's trajectory of the same kick at that nearest geometry (singular values above 1e-6 of the largest),
begun with one step in the frozen F0. direct-density head: weights that hybrid-train made with `target:
density` (`--density-head`); the memory predicts the tokens of the next density from its own last ones, begun
with two steps in the frozen F0, and what they stand for is projected.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from hybrid_propagate.adapters.system import Excitation, Field, RealTime
from hybrid_propagate.adapters.system.field import amplitude
from hybrid_propagate.driver.bench.score import make_truth, spectrum_distance, spectrum_of, trajectory_error
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.driver.dataset.trajectories import point_problem
from hybrid_propagate.driver.loop.problem import initial_state, make_step
from hybrid_propagate.driver.spectra.spectrum import Spectrum, peaks
from hybrid_propagate.surrogate.kernel.analytic import AuxiliaryKernel, build_auxiliary_kernel
from hybrid_propagate.surrogate.matrices.kabsch import kabsch
from hybrid_propagate.surrogate.matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)
from hybrid_propagate.surrogate.runtime.fitting_factors import (
    fitting_factors,
    lowdin_orbitals,
    mean_field_kernel,
)
from hybrid_propagate.surrogate.runtime.network_response import (
    SHIPPED,
    NetworkNotApplicable,
    NetworkResponse,
    open_graphs,
)
from hybrid_propagate.surrogate.samples.pairs_file import SPLITS, ResponsePairs, read_pairs
from hybrid_propagate.surrogate.samples.sampling import Point, lowdin, solve_point

LEVEL = Level("6-31G", "pbe0")
DT, KICK = 0.2, Field("kick", "delta", (0.0, 0.0, 1.0), 1e-4)
#: Highest energy of the lines and spectra compared, eV.
HIGHEST = 20.0
HORIZONS = (8, 16, 32, 64, 100)
#: Singular values of the trajectory that autoregression is fitted to, as a share of the largest.
KEPT = 1e-6
#: F' of P', (1, m, m) both.
Fock = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Linear:
    """A response on packed Löwdin pairs: real (p, p), imaginary (a, a)."""

    real: np.ndarray
    imaginary: np.ndarray


def main() -> None:
    """Two tables a molecule, as they come."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("molecules", nargs="*", default=["H2O"])
    parser.add_argument("--data", type=Path, default=Path("datasets/training"))
    parser.add_argument("--steps", type=int, default=1000)
    for name, folder in SHIPPED.items():
        parser.add_argument(f"--{name}", type=Path, default=folder, help="graphs, default: %(default)s")
    parser.add_argument("--density-head", type=Path, default=Path("training/density_head/weights.pt"))
    options = parser.parse_args()
    for name in options.molecules:
        point, nearest, apart = _geometries(
            name, read_pairs(options.data / "pairs" / f"{name}_{LEVEL.name}.h5")
        )
        print(f"\n{name}, nearest training geometry at {apart:.3f} Å rms\n", flush=True)
        reference = _propagate(point, _reference(point), options.steps)
        taught = _propagate(nearest, _reference(nearest), options.steps)
        networks = {
            "pure network": options.response,
            "network as correction of the kernel": options.correction,
        }
        found = {
            label: _propagate(point, _fock(point, linear), options.steps) if linear else None
            for label, linear in _responses(point, nearest, networks).items()
        }
        found["autoregression on P"] = _autoregression(point, nearest, taught)
        found["direct-density head"] = _density_head(point, options.density_head, options.steps)
        _report(point, reference, found)


def _report(point: Point, reference: np.ndarray, found: Mapping[str, np.ndarray | None]) -> None:
    time = DT * np.arange(len(reference))
    applied = np.array([amplitude(KICK, t, DT) for t in time])[:, None] * np.array(KICK.direction)
    dipoles = {label: None if p is None else _dipole(point, p) for label, p in found.items()}
    expected = _dipole(point, reference)
    truth = make_truth(time, expected, applied, magnus=True)
    wanted = _spectrum(truth, expected)
    assert wanted is not None
    lines = _lines(wanted)
    print(f"reference: strongest line {lines[0]:.3f} eV of {len(lines)} below {HIGHEST:g} eV\n")
    print("| method | trajectory error | spectrum nRMSE | strongest line, eV | largest shift, eV |")
    print("| --- " * 5 + "|")
    for label, dipole in dipoles.items():
        cells = ["–"] * 4
        if dipole is not None:
            cells[0] = f"{trajectory_error(dipole, expected):.1e}"
            spectrum = _spectrum(truth, dipole)
            if spectrum is not None and (shown := _lines(spectrum)):
                shift = max(min(abs(line - other) for other in shown) for line in lines)
                nrmse = spectrum_distance(spectrum.cross_section, wanted.cross_section)[0]
                cells[1:] = [f"{nrmse:.4f}", f"{shown[0]:.3f}", f"{shift:.3f}"]
        print("| " + " | ".join([label, *cells]) + " |")
    print()
    print("| scaled L2 of P after | " + " | ".join(f"{n} steps" for n in HORIZONS) + " |")
    print("| --- " * (len(HORIZONS) + 1) + "|")
    for label, densities in found.items():
        if densities is not None:
            errors = (_scaled(densities[: n + 1], reference[: n + 1]) for n in HORIZONS)
            print(f"| {label} | " + " | ".join(f"{error:.1e}" for error in errors) + " |", flush=True)


def _geometries(name: str, pairs: ResponsePairs) -> tuple[Point, Point, float]:
    """The first test geometry, the training geometry nearest to it, turned onto it, and how far apart."""
    rows = {
        split: np.flatnonzero(pairs.geometries.split == SPLITS.index(split)) for split in ("test", "train")
    }
    wanted = pairs.geometries.positions[rows["test"][0]]
    wanted = wanted - wanted.mean(0)
    others = [place - place.mean(0) for place in pairs.geometries.positions[rows["train"]]]
    turned = [other @ kabsch(other, wanted).T for other in others]
    apart = [float(np.sqrt(((other - wanted) ** 2).sum(-1).mean())) for other in turned]
    best = int(np.argmin(apart))
    symbols = tuple(chemical_symbols[number] for number in pairs.atomic_numbers)
    points = [
        solve_point(system_of(Molecule(name, symbols, place, 0, 1, held_out=False), LEVEL, place))
        for place in (wanted, turned[best])
    ]
    return points[0], points[1], apart[best]


def _responses(point: Point, nearest: Point, networks: Mapping[str, Path]) -> Mapping[str, Linear | None]:
    """Rows of the table that are linear responses; None for what there are no weights of."""
    found = {label: _network(point, folder) for label, folder in networks.items()}
    here, there = _kernel(point), _kernel(nearest)
    own, others = (
        _linear(mean_field_kernel(p.engine.mol, p.system.functional.pyscf)) for p in (point, nearest)
    )
    return {
        "Coulomb and exchange alone": own,
        **found,
        "analytic kernel alone": here,
        "nearest, as it is": there,
        "nearest, over own Coulomb and exchange": Linear(
            own.real + there.real - others.real, own.imaginary + there.imaginary - others.imaginary
        ),
    }


def _kernel(point: Point) -> Linear:
    mol, xc = point.engine.mol, point.system.functional.pyscf
    kernel = build_auxiliary_kernel(mol, point.orbitals.density(), xc, basis=lowdin_orbitals(mol))
    assert kernel is not None
    return _linear(kernel)


def _linear(kernel: AuxiliaryKernel) -> Linear:
    n = kernel.m
    imaginary = np.zeros((n * (n - 1) // 2,) * 2) if kernel.imaginary is None else kernel.imaginary
    return Linear(kernel.real, imaginary)


def _network(point: Point, folder: Path) -> Linear | None:
    if not (folder / "response.onnx").exists():
        return None
    mol, xc = point.engine.mol, point.system.functional.pyscf
    try:
        network = NetworkResponse(open_graphs(folder, "cpu"), mol, point.orbitals.density(), xc)
    except NetworkNotApplicable as error:
        print(f"{folder}: {error}", file=sys.stderr)
        return None
    return Linear(network.real, network.imaginary)


def _fock(point: Point, response: Linear) -> Fock:
    """F0' and a linear response."""
    at_rest, T, n = point.basis.fock_in(point.ground_build.fock), point.to_lowdin[0], point.engine.mol.nao

    def fock(density: np.ndarray) -> np.ndarray:
        change = T @ (density - point.density)[0] @ T.T
        x = pack_symmetric(change.real) @ response.real
        y = pack_antisymmetric(change.imag) @ response.imaginary
        return at_rest + T.T @ (unpack_symmetric(x, n) + 1j * unpack_antisymmetric(y, n)) @ T

    return fock


def _reference(point: Point) -> Fock:
    return lambda density: point.basis.fock_in(point.engine.fock(point.basis.density_out(density)).fock)


def _propagate(point: Point, fock: Fock, steps: int) -> np.ndarray:
    """P' at every point, (steps, 1, m, m)."""
    excitation = Excitation(point.system.geometry.name, KICK.name)
    real_time = RealTime((steps + 0.5) * DT, DT, fields=(KICK,), excitations=(excitation,))
    problem = point_problem(point, real_time)
    at_rest = point.basis.fock_in(point.ground_build.fock).astype(complex)
    state = initial_state(problem, problem.ground_density, at_rest, 0, 0.0)
    step, densities = make_step(problem), []
    for _ in range(steps):
        densities.append(state.density)
        state, _ = step(state, fock)
    return np.array(densities)


def _autoregression(point: Point, nearest: Point, taught: np.ndarray) -> np.ndarray:
    """P' at every point by the map fitted to `taught`, a trajectory at `nearest`."""
    rows = _packed(nearest, taught)
    U, sizes, V = np.linalg.svd(rows[1:-1], full_matrices=False)
    kept = sizes > KEPT * sizes[0]
    inside = (U[:, kept] / sizes[kept]).T @ rows[2:] @ V[kept].T
    at_rest = point.basis.fock_in(point.ground_build.fock)
    begun = _packed(point, _propagate(point, lambda _: at_rest, 2))
    point_in, found = begun[1] @ V[kept].T, list(begun)
    for _ in range(len(taught) - 2):
        point_in = point_in @ inside
        found.append(point_in @ V[kept])
    n, T = point.engine.mol.nao, point.to_lowdin[0]
    x, y = np.split(np.array(found), [n * (n + 1) // 2], axis=1)
    changes = unpack_symmetric(x, n) + 1j * unpack_antisymmetric(y, n)
    return point.density + (T.T @ changes @ T)[:, None]


def _density_head(point: Point, weights: Path, steps: int) -> np.ndarray | None:
    """P' at every point by the memory on its own tokens, their density projected; None without weights."""
    if not weights.exists():
        return None
    import torch
    from hybrid_propagate.surrogate.network.purify import purify
    from hybrid_propagate.surrogate.training.config import DynamicsConfig
    from hybrid_propagate.surrogate.training.dynamics_task import DynamicsTask, TokenSequence, density_of
    from hybrid_propagate.surrogate.training.evaluate import load_model

    model, _ = load_model(weights)
    mol = point.engine.mol
    known = fitting_factors(mol)
    at_rest = point.basis.fock_in(point.ground_build.fock)
    begun = lowdin(_propagate(point, lambda _: at_rest, 3) - point.density, point.to_lowdin)[:, 0]
    parts = pack_symmetric(begun.real) @ known.factors.T, pack_antisymmetric(begun.imag) @ known.currents.T
    tokens = np.concatenate([part.reshape(3, mol.natm, -1) for part in parts], axis=2)
    density = lowdin(point.density[None], point.to_lowdin)[0, 0].real
    sequence = TokenSequence(
        "density head",
        *(mol.atom_charges().astype(np.int64), mol.atom_coords().astype(np.float32)),
        *(known.basis_moments.astype(np.float32), tokens.astype(np.float32), np.zeros((3, 3), np.float32)),
        *(known.factors.astype(np.float32), known.currents.astype(np.float32)),
        *(density.astype(np.float32), DT),
    )
    features = DynamicsTask(model, [sequence], DynamicsConfig()).features[0]
    with torch.no_grad():
        context, coupling = model.conditions(features)
        seen = torch.as_tensor(sequence.tokens).transpose(0, 1)
        kick = coupling @ torch.tensor(KICK.direction, dtype=seen.dtype) * amplitude(KICK, 0.0, DT)
        rest = torch.zeros_like(kick)
        state, now = model.dynamics.start(mol.natm), seen[:, 0]
        points = [seen[:, 0], seen[:, 1]]
        for step in range((steps + 1) // 2):
            drive = kick if step == 0 else rest
            change, state = model.dynamics(now[:, None], drive[:, None], context, state)
            half, whole = (now + part[:, 0] for part in change[:2])
            # The first step is the frozen one, which shows the memory that anything moves at all.
            now = seen[:, 2] if step == 0 else whole
            points += [now] if step == 0 else [half, now]
        raw = density_of(sequence, torch.stack(points[:steps], dim=1), model.dynamics.n_tokens)
        electrons = torch.full((len(raw),), float(np.trace(density)))
        found = purify(raw, electrons, 2.0).numpy()
    T = point.to_lowdin[0]
    return (T.T @ found @ T)[:, None]


def _packed(point: Point, densities: np.ndarray) -> np.ndarray:
    """Changes as rows, real and imaginary parts in the Löwdin basis side by side."""
    changes = lowdin(densities - point.density, point.to_lowdin)[:, 0]
    return np.concatenate([pack_symmetric(changes.real), pack_antisymmetric(changes.imag)], axis=1)


def _dipole(point: Point, densities: np.ndarray) -> np.ndarray:
    # Electrons are negative.
    return -np.einsum("xsij,psji->px", point.dipole, densities).real


def _scaled(densities: np.ndarray, reference: np.ndarray) -> float:
    return float(np.linalg.norm(densities - reference) / np.linalg.norm(reference - reference[0]))


def _spectrum(truth, dipole: np.ndarray) -> Spectrum | None:
    """Up to `HIGHEST`."""
    whole = spectrum_of(truth, dipole)
    if whole is None:
        return None
    below = int(np.searchsorted(whole.energy, HIGHEST, side="right"))
    cut = {label: values[:below] for label, values in whole.polarisability.items()}
    return replace(whole, energy=whole.energy[:below], polarisability=cut)


def _lines(spectrum: Spectrum) -> list[float]:
    """Energies, the strongest first."""
    return [peak.energy for peak in sorted(peaks(spectrum), key=lambda peak: -peak.cross_section)]


if __name__ == "__main__":
    main()
