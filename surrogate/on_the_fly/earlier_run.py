"""The response that an earlier run learned, for a molecule at another geometry.

What a run learns beyond its linear base (the analytic kernel, or the response on a coarse grid where there is
none) is a correction C of rank k, known on the directions Q that its density has met, and symmetric:

    ΔF ≈ base(δP) + C Qᵀ δP + Q Cᵀ (1 − Q Qᵀ) δP,      C = K − base(Q)

Written in the Löwdin basis, which turns with the molecule, C hardly depends on geometry, and it is small: its
change with geometry is a small share of a small part. The base is always the new geometry's own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pyscf import gto
from pyscf.gto.mole import ao_rotation_matrix
from scipy.spatial import KDTree

from ...adapters.files.checksum import check_seal
from ...adapters.files.plain_hdf5 import open_hdf5
from ...adapters.files.read_errors import reason
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import make_engine
from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...adapters.working_basis import WorkingBasis
from ...atomic.errors import BadInput
from ..kernel.analytic import apply_auxiliary_kernel, build_auxiliary_kernel, building_bytes
from ..kernel.coarse_grid import coarse_response
from ..matrices.kabsch import kabsch
from ..matrices.lowdin import overlap_root
from ..matrices.packing import make_packing, pack, unpack
from ..surrogate import Prior
from .response import base_irreps

#: Settings that must be the same in both runs, by the names under which a trajectory file keeps them.
SAME = ("basis", "ecp", "spherical", "charge", "multiplicity", "odft", "xc")


class PriorError(BadInput):
    """A file that cannot serve as a prior. One line: which, and what does not match."""


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """What a trajectory file tells of a run.

    positions: (n_atoms, 3) bohr; density: P0, AO; learned: what its surrogate saved.
    """

    path: Path
    settings: Mapping[str, str]
    atomic_numbers: np.ndarray
    positions: np.ndarray
    density: np.ndarray
    basis: WorkingBasis
    learned: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Correction:
    """C and Q of a run, with the frame that they are written in.

    directions: Q, (k, d), orthonormal, and images: C, (k, d), packed real changes (without symmetry) between
    orbitals. orbitals: (n_spin, n, m), those orbitals in the Löwdin basis of the run's geometry, turned to
    lie as the new one does.
    """

    directions: np.ndarray
    images: np.ndarray
    orbitals: np.ndarray


def read_earlier_run(path: Path, settings: Mapping[str, str], system: System) -> EarlierRun:
    """The run of a trajectory file, of the same molecule and level as `system`.

    settings: those of the run to come. Raises PriorError.
    """
    names = ("coefficients", "dual", "to_canonical", "energies", "irreps")
    try:
        check_seal(path, needed=True)
        with open_hdf5(path) as file:
            ground = {name: np.asarray(file[f"ground/{name}"]) for name in file["ground"]}  # type: ignore[union-attr]
            saved = file.get("checkpoint/surrogate", {})
            run = EarlierRun(
                path,
                json.loads(str(file.attrs["settings"])),
                np.asarray(file["geometry/atomic_numbers"]),
                np.asarray(file["geometry/positions"]) / ANGSTROM_PER_BOHR,
                Orbitals(ground["coefficients"], ground["energies"], ground["occupations"], 0.0, 0).density(),
                WorkingBasis(*(ground[f"basis_{name}"] for name in names)),
                {name: np.asarray(file[f"checkpoint/surrogate/{name}"]) for name in saved},  # type: ignore[union-attr]
            )
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise PriorError(f"{path}: not the trajectory file of a run ({reason(error)})") from error
    if not np.array_equal(run.atomic_numbers, system.geometry.atomic_numbers):
        raise PriorError(f"{path}: a run of other atoms, or in another order, than the deck's")
    other = [name for name in SAME if run.settings.get(name) != settings.get(name)]
    if other:
        raise PriorError(f"{path}: a run with other {', '.join(other)} than the deck's")
    # A run whose motion was weak throughout has nothing to learn.
    if not {"x0_q", "pairs_residuals", "nonlinear_points"} & set(run.learned):
        raise PriorError(f"{path}: its run learned no response (--surrogate none, or NWChem alone)")
    return run


def correction_of(run: EarlierRun, system: System, memory: float, *, analytic: bool = True) -> Correction:
    """What `run` learned beyond its own base, turned to lie as `system` does (Kabsch).

    analytic: the base is the response of the whole functional (`kernel/analytic`, `coarse_response`); else
        of Coulomb and exact exchange alone.
    """
    then = replace(system, geometry=replace(system.geometry, positions=run.positions))
    mol = molecule(then)
    directions, images = _learned(run)
    changes = run.basis.density_out(directions)
    if len(directions):
        # Where the points have had the first order, the images are those of Coulomb and exact exchange.
        analytic = analytic and not _points_are_whole(run)
        base = _linear_base(then, mol, run.density, memory, analytic)
        images = images - run.basis.fock_in(np.real(base(changes)))
    packing = make_packing(np.zeros_like(run.basis.irreps))
    packed = [
        np.reshape([pack(packing, m.astype(complex))[0] for m in part], (-1, packing.n_real))
        for part in (directions, images)
    ]
    # PySCF's matrix for R is the one that turns orbitals by its transpose.
    turn = np.asarray(ao_rotation_matrix(mol, kabsch(run.positions, system.geometry.positions).T))
    C = turn @ run.basis.coefficients
    # The turned orbitals are orthonormal under the turned overlap.
    back = np.linalg.inv(turn)
    overlap = back.T @ mol.intor_symmetric("int1e_ovlp") @ back
    return Correction(packed[0], packed[1], overlap_root(overlap) @ C)


def carried_prior(correction: Correction, base: Prior, overlap: np.ndarray, basis: WorkingBasis) -> Prior:
    """The Fock response of an AO change (n_spin, n, n) at the new geometry: `base`, and the correction.

    base: the linear base there; overlap, basis: S and working basis of the new geometry.
    """
    turn = (overlap_root(overlap) @ basis.coefficients).transpose(0, 2, 1) @ correction.orbitals
    back = turn.transpose(0, 2, 1)
    packing = make_packing(np.zeros(correction.orbitals.shape[::2], int))
    nothing = np.zeros(packing.n_imag)

    def prior(change: np.ndarray) -> np.ndarray:
        inside = back @ np.real(basis.density_in(change)) @ turn
        x = pack(packing, inside.astype(complex))[0]
        along = correction.directions @ x
        across = correction.images @ (x - along @ correction.directions)
        packed = along @ correction.images + across @ correction.directions
        learned = np.real(unpack(packing, packed, nothing))
        return base(change) + basis.dual.transpose(0, 2, 1) @ (turn @ learned @ back) @ basis.dual

    return prior


def carried_points(run: EarlierRun, positions: np.ndarray) -> np.ndarray | None:
    """The points that `run` learned (`NonlinearResponse.points`), each moved with its nearest atom.

    positions: (n_atoms, 3) bohr, of the new geometry. None where it learned none.
    """
    points = _points(run)
    if not len(points):
        return None
    nearest = KDTree(run.positions).query(points[:, :3])[1]
    moved = points.copy()
    turn = kabsch(run.positions, positions)
    moved[:, :3] = (points[:, :3] - run.positions[nearest]) @ turn.T + positions[nearest]
    return moved


def _points(run: EarlierRun) -> np.ndarray:
    """(n, 6); files of earlier versions have none."""
    return run.learned.get("nonlinear_points", np.zeros((0, 6)))


def _points_are_whole(run: EarlierRun) -> bool:
    points = _points(run)
    return len(points) > 0 and bool(points[0, 5])


def _learned(run: EarlierRun) -> tuple[np.ndarray, np.ndarray]:
    """Directions and their images, (k, n_spin, m, m) real, of all irreps."""
    inside = run.basis.density_in(run.density).astype(complex)
    packing = make_packing(base_irreps(run.basis, inside))
    nothing = np.zeros(packing.n_imag)
    found: list[list[np.ndarray]] = [[], []]
    for k, block in enumerate(packing.real_blocks if "x0_q" in run.learned else ()):
        for rows, letter in zip(found, "qk", strict=True):
            for row in run.learned[f"x{k}_{letter}"][: _n_kept(run, k)]:
                x = np.zeros(packing.n_real)
                x[block] = row
                rows.append(np.real(unpack(packing, x, nothing)))
    shape = (-1, *packing.shape)
    return np.reshape(found[0], shape), np.reshape(found[1], shape)


def _n_kept(run: EarlierRun, block: int) -> int | None:
    """Directions that count: of a run that started from a network the exact ones alone, else all."""
    if run.settings.get("--surrogate") != '"hybrid"':
        return None
    return int(run.learned[f"x{block}_counts"][0])


def _linear_base(
    system: System, mol: gto.Mole, density: np.ndarray, memory: float, analytic: bool
) -> Callable[[np.ndarray], np.ndarray]:
    """Responses of AO changes (k, n_spin, n, n) by the base that a run at this system has."""
    xc = system.functional.pyscf
    fits = building_bytes(mol.nao, len(density)) <= memory
    kernel = build_auxiliary_kernel(mol, density, xc) if analytic and fits else None
    if kernel is not None:
        return lambda changes: apply_auxiliary_kernel(kernel, changes)
    engine = make_engine(system, memory)
    response = coarse_response(engine, density, memory) if analytic else engine.mean_field_response
    return lambda changes: np.array([response(change) for change in changes])
