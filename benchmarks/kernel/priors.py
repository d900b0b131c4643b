"""Fock builds that the on-the-fly response needs for a trajectory error, by what it starts from.

    OMP_NUM_THREADS=1 python benchmarks/kernel/priors.py [--data FOLDER] [--xc xctpssh] [molecule ...]

At a geometry that nothing was trained on (the first of the data set's test split) a kick along (1, 1, 1) is
propagated by the reference alone, then by the hybrid at tolerances from 0.3 to 3e-5. A column says how many
builds the cheapest of these runs took whose true error, over all components, is at most that of the row.
Reuse: the response learned by a run at the training geometry nearest to it, over Coulomb and exact exchange,
and over the analytic kernel. Networks: the graphs that ship with the package. A dash: there is none.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from hybrid_propagate.adapters.system import Excitation, Field, RealTime
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.driver.dataset.trajectories import Sampler, point_problem
from hybrid_propagate.driver.loop.controller import Ledger, Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.problem import Problem, initial_state
from hybrid_propagate.driver.loop.progress import Progress, Tally
from hybrid_propagate.driver.loop.reference import EmbeddedReference
from hybrid_propagate.driver.loop.run import run
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.run.surrogates import OUTSIDE
from hybrid_propagate.surrogate.kernel.analytic import kernel_response
from hybrid_propagate.surrogate.kernel.coarse_grid import coarse_response
from hybrid_propagate.surrogate.matrices.kabsch import kabsch
from hybrid_propagate.surrogate.on_the_fly.earlier_run import EarlierRun, carried_prior, correction_of
from hybrid_propagate.surrogate.on_the_fly.first_guess import PRIOR_ERROR, FirstGuess
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse
from hybrid_propagate.surrogate.runtime.network_response import (
    SHIPPED,
    NetworkNotApplicable,
    NetworkResponse,
    check_applicable,
    open_graphs,
)
from hybrid_propagate.surrogate.samples.pairs_file import SPLITS, ResponsePairs, read_pairs
from hybrid_propagate.surrogate.samples.sampling import Point, solve_point
from hybrid_propagate.surrogate.surrogate import Prior

#: Expected relative error of a response carried over Coulomb and exchange alone.
CARRIED_ERROR = 0.05
MOLECULES = ("H2O", "NH3", "C2H4")
LEVEL = Level("6-31G", "pbe0")
ERRORS = (1e-2, 1e-3, 3e-4, 3e-5)
TOLERANCES = (0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
#: Steps of the benchmark, and size of the kick in au.
STEPS, DT, KICK = 400, 0.2, 1e-4


@dataclass(frozen=True, eq=False)
class Start:
    """What a run with a surrogate starts from; guess: None for Coulomb and exact exchange alone."""

    guess: FirstGuess | None


def main() -> None:
    """One table row a molecule and error, as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("molecules", nargs="*", default=MOLECULES)
    parser.add_argument("--data", type=Path, default=Path("datasets/training"))
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--xc", default=LEVEL.xc, help="functional; the geometries are the data set's")
    for name, folder in SHIPPED.items():
        parser.add_argument(f"--{name}", type=Path, default=folder, help="graphs, default: %(default)s")
    options = parser.parse_args()
    networks = {"neural prior": options.response, "neural correction": options.correction}
    header = None
    for name in options.molecules:
        pairs = read_pairs(options.data / "pairs" / f"{name}_{LEVEL.name}.h5")
        point, nearest, apart = _geometries(name, pairs, options.xc)
        starts = _starts(point, nearest, options.steps, networks)
        if header is None:
            header = ["molecule", "nearest, Å rms", "error", *starts]
            print("| " + " | ".join(header) + " |\n" + "| --- " * len(header) + "|", flush=True)
        reference, builds = _run(point, options.steps, None, None)
        print(f"{name}: reference, {builds} builds", file=sys.stderr, flush=True)
        found = {column: _sweep(point, options.steps, start, reference) for column, start in starts.items()}
        for error in ERRORS:
            cells = [_cheapest(found[column], error) for column in starts]
            print("| " + " | ".join([name, f"{apart:.3f}", f"{error:g}", *cells]) + " |", flush=True)


def _geometries(name: str, pairs: ResponsePairs, xc: str) -> tuple[Point, Point, float]:
    """The first test geometry, the training geometry nearest to it, and how far apart they are."""
    test = int(np.flatnonzero(pairs.geometries.split == SPLITS.index("test"))[0])
    wanted = pairs.geometries.positions[test] - pairs.geometries.positions[test].mean(0)
    best, apart = -1, np.inf
    for row in np.flatnonzero(pairs.geometries.split == SPLITS.index("train")):
        other = pairs.geometries.positions[row] - pairs.geometries.positions[row].mean(0)
        distance = np.sqrt(((other @ kabsch(other, wanted).T - wanted) ** 2).sum(-1).mean())
        if distance < apart:
            best, apart = int(row), float(distance)
    symbols = tuple(chemical_symbols[number] for number in pairs.atomic_numbers)
    points = []
    for row in (test, best):
        positions = pairs.geometries.positions[row]
        molecule = Molecule(name, symbols, positions, 0, 1, held_out=False)
        points.append(solve_point(system_of(molecule, Level(LEVEL.basis, xc), positions)))
    return points[0], points[1], apart


def _starts(
    point: Point, nearest: Point, steps: int, networks: Mapping[str, Path]
) -> Mapping[str, Start | None]:
    """Columns in order; None for what there is not: weights."""
    learned: list[OnTheFlyResponse] = []
    _run(nearest, steps, 1e-4, Start(FirstGuess(_analytic(nearest))), learned)
    geometry = nearest.system.geometry
    before = EarlierRun(
        *(Path("nearest"), {}, geometry.atomic_numbers, geometry.positions, nearest.orbitals.density()),
        nearest.basis,
        learned[0].save(),
    )

    def reused(base: Prior, error: float, *, analytic: bool) -> Start:
        correction = correction_of(before, point.system, 1e9, analytic=analytic)
        carried = carried_prior(correction, base, point.engine.integrals.overlap, point.basis)
        return Start(FirstGuess(carried, error))

    kernel = _analytic(point)
    return {
        "no prior": Start(None),
        "analytic prior": Start(FirstGuess(kernel)),
        "reuse": reused(point.engine.mean_field_response, CARRIED_ERROR, analytic=False),
        "reuse over the analytic prior": reused(kernel, PRIOR_ERROR, analytic=True),
        **{column: _network(point, folder) for column, folder in networks.items()},
    }


def _analytic(point: Point) -> Prior:
    """That of the kernel's matrix, or on a coarse grid where there is none."""
    if point.kernel is None:
        return coarse_response(point.engine, point.orbitals.density(), 1e9)
    return kernel_response(point.kernel)


def _network(point: Point, folder: Path) -> Start | None:
    if not (folder / "response.onnx").exists():
        return None
    graphs = open_graphs(folder, "cpu")
    try:
        check_applicable(graphs.metadata, point.system)
    except NetworkNotApplicable:
        return None
    density, xc = point.orbitals.density(), point.system.functional.pyscf
    network = NetworkResponse(graphs, point.engine.mol, density, xc)
    occupied = point.occupations[0] > 0.5
    couples = occupied[:, None] != occupied
    changes = point.basis.density_out((point.dipole[:, 0] * couples)[:, None])[:, 0]
    return Start(FirstGuess(network.prior(), network.typical_spread(changes)))


def _problem(point: Point, steps: int) -> Problem:
    kick = Field("kick", "delta", (3**-0.5, 3**-0.5, 3**-0.5), KICK)
    real_time = RealTime(
        (steps + 0.5) * DT, DT, fields=(kick,), excitations=(Excitation(point.system.geometry.name, "kick"),)
    )
    return point_problem(point, real_time)


def _run(
    point: Point,
    steps: int,
    tolerance: float | None,
    start: Start | None,
    keep: list[OnTheFlyResponse] | None = None,
) -> tuple[np.ndarray, int]:
    """Dipole (steps, 3) and Fock builds of a run; start None: reference steps alone."""
    problem = _problem(point, steps)
    target = Target(tolerance or 1.0, 500, problem.n_steps * DT)
    surrogate = None
    if start is not None:
        outside = float(np.clip(target.residual, *OUTSIDE))
        surrogate = OnTheFlyResponse(
            *(point.engine, point.basis, problem.ground_density, point.ground_build, start.guess, outside)
        )
        if keep is not None:
            keep.append(surrogate)
    at_rest = point.basis.fock_in(point.ground_build.fock).astype(complex)
    state = initial_state(problem, problem.ground_density, at_rest, 0, 0.0)
    progress = Progress(state, point.ground_build.energies, Ledger(length=500), Tally())
    sampler = Sampler()
    limits = replace(Limits(), uncertainty=1.0)
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, limits, (sampler,))
    run(hybrid, progress, lambda _: False)
    densities = np.concatenate(sampler.densities)
    return np.einsum("xsij,psji->px", point.dipole, densities).real, progress.tally.fock_builds


def _sweep(
    point: Point, steps: int, start: Start | None, reference: np.ndarray
) -> list[tuple[float, int]] | None:
    """True error and builds at every tolerance."""
    if start is None:
        return None
    signal = np.sqrt(np.mean((reference - reference[0]) ** 2))
    found = []
    for tolerance in TOLERANCES:
        dipole, builds = _run(point, steps, tolerance, start)
        found.append((float(np.sqrt(np.mean((dipole - reference) ** 2)) / signal), builds))
    print("  ", " ".join(f"{error:.1e}:{builds}" for error, builds in found), file=sys.stderr, flush=True)
    return found


def _cheapest(found: list[tuple[float, int]] | None, error: float) -> str:
    if found is None:
        return "–"
    builds = [count for reached, count in found if reached <= error]
    return str(min(builds)) if builds else f"more than {found[-1][1]}"


if __name__ == "__main__":
    main()
