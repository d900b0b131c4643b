"""Observables of blocks of densities, in NWChem's definitions.

dipole [G]   Σ_{A in G} Z_A R_A - Tr D_G Re P       (D_G: both functions on atoms of G; origin 0)
charge [G]   -Σ_{μ in G} (P S)_μμ, gross population (Mulliken, J. Chem. Phys. 23, 1833, 1955)
magnetic     -½ Tr P L = -½ Tr Im P (r × ∇)  (electrons' orbital moment, L = -i r × ∇, origin 0)
quadrupole   Σ Z (R - O)(R - O) - Tr Re P (r - O)(r - O),  O the centre of mass, no trace removed
⟨S²⟩         ((Na - Nb)/2)² + (Na + Nb)/2 - Tr Re P_a S Re P_b S  (Na, Nb: electrons of the system)
occupations  diagonal of Re P' in the basis of the initial Fock matrix's eigenvectors
"""

from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Integrals
from ...adapters.system import DipoleContributions, System
from ...adapters.system.system import function_mask
from ...adapters.working_basis import WorkingBasis
from ..propagators.weak_points import WeakPoints

#: P' (k, n_spin, m, m), or what tells of it.
Points = np.ndarray | WeakPoints

#: Bytes of densities that are gone over at once: what a processor's cache holds.
_AT_ONCE = 2e6


@dataclass(frozen=True, eq=False)
class Observables:
    """Matrices ready for one product with a block of densities, all (…, n_spin m m) real.

    dipole: (n_geometries, 3, n_spin, m, m); nuclear_dipole: (n_geometries, 3);
    magnetic: (3, n_spin, m, m), antisymmetric, r × ∇;
    charge: (n_geometries, n_spin, m, m); quadrupole: (6, n_spin, m, m); nuclear_quadrupole: (6,);
    spin_overlap: C_a^† S C_b, or None for a closed shell.
    """

    system: System
    dipole: np.ndarray
    nuclear_dipole: np.ndarray
    magnetic: np.ndarray
    charge: np.ndarray
    quadrupole: np.ndarray
    nuclear_quadrupole: np.ndarray
    spin_overlap: np.ndarray | None


def make_observables(system: System, integrals: Integrals, basis: WorkingBasis) -> Observables:
    """Everything that a block of densities is multiplied with."""

    def inside(matrix: np.ndarray) -> np.ndarray:
        return basis.fock_in(np.broadcast_to(matrix, (system.n_spin, *matrix.shape)))

    masks = [function_mask(system, g) for g in system.geometries]
    geometry = system.geometry
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    relative = geometry.positions - integrals.center_of_mass
    return Observables(
        system=system,
        dipole=np.array([[inside(np.outer(m, m) * d) for d in integrals.dipole] for m in masks]),
        nuclear_dipole=np.array([g.charges @ g.positions for g in system.geometries]),
        magnetic=np.array([inside(along) for along in integrals.angular]),
        # Symmetric, as the density is: each fragment gets half of the overlap population that it shares.
        charge=np.array([inside(np.add.outer(m / 2, m / 2) * integrals.overlap) for m in masks]),
        quadrupole=np.array([inside(integrals.quadrupole[i, j]) for i, j in pairs]),
        nuclear_quadrupole=np.array([geometry.charges @ (relative[:, i] * relative[:, j]) for i, j in pairs]),
        spin_overlap=basis.dual[0] @ basis.coefficients[1] if system.open_shell else None,
    )


def dipoles(observables: Observables, points: Points) -> np.ndarray:
    """(k, n_geometries, spins, 3) of k points; spins: total, or alpha, beta, total.

    Alpha and beta lines each hold the whole nuclear dipole, as NWChem prints them.
    """
    nuclear = observables.nuclear_dipole[:, None, :]
    electronic = -_traces(observables.dipole, points)
    by_spin = nuclear + electronic.transpose(0, 1, 3, 2)
    return _with_total(by_spin, by_spin.sum(axis=2, keepdims=True) - nuclear)


def magnetic_dipoles(observables: Observables, points: Points) -> np.ndarray:
    """(k, 3) of the electrons, both spins together, au: half the angular momentum, turned round."""
    # Both factors are antisymmetric: the trace is minus the sum over their elements.
    return 0.5 * _traces(observables.magnetic, points, imaginary=True).sum(axis=2)


def charges(observables: Observables, points: Points) -> np.ndarray:
    """(k, n_geometries, spins), electronic, hence negative."""
    by_spin = -_traces(observables.charge, points)
    return _with_total(by_spin, by_spin.sum(axis=2, keepdims=True))


def quadrupoles(observables: Observables, points: Points) -> np.ndarray:
    """(k, 6): xx xy xz yy yz zz."""
    return observables.nuclear_quadrupole - _traces(observables.quadrupole, points).sum(axis=2)


def spin_squared(observables: Observables, points: Points) -> np.ndarray:
    """⟨S²⟩ (k,) of an open shell."""
    overlap = observables.spin_overlap
    if overlap is None:
        return np.zeros(len(points))
    densities = points(0, len(points)) if isinstance(points, WeakPoints) else points
    # Of the system, as in NWChem, also where an absorbing potential has taken some away.
    alpha, beta = observables.system.electrons
    turned = overlap @ np.real(densities[:, 1]) @ overlap.T
    common = np.einsum("kij,kji->k", np.real(densities[:, 0]), turned)
    return ((alpha - beta) / 2) ** 2 + (alpha + beta) / 2 - common


def orbital_occupations(densities: np.ndarray) -> np.ndarray:
    """(k, n_spin, m)."""
    return np.diagonal(np.real(densities), axis1=2, axis2=3)


def dipole_contributions(
    observables: Observables, densities: np.ndarray, asked: DipoleContributions
) -> np.ndarray:
    """μ_ia = D_ia P_ai + D_ai P_ia between windows of orbitals: (k, n_spin, 1, n_first, n_second)."""
    m = densities.shape[-1]
    first, second = (slice(*_window(w, m)) for w in (asked.first, asked.second))
    active = [g.name for g in observables.system.geometries].index(observables.system.geometry.name)
    matrix = observables.dipole[active, asked.axis]
    return 2.0 * (matrix[None, :, first, second] * np.real(densities[:, :, first, second]))[:, :, None]


def _window(window: tuple[int, int] | None, m: int) -> tuple[int, int]:
    return (0, m) if window is None else (window[0] - 1, min(window[1], m))


def _traces(matrices: np.ndarray, points: Points, *, imaginary: bool = False) -> np.ndarray:
    """Σ A Re P, or Im P, by spin: (…, n_spin, m, m) and k points -> (k, …, n_spin)."""
    lead, n_spin = matrices.shape[:-3], matrices.shape[-3]
    every = matrices.reshape(-1, *matrices.shape[-3:])
    if isinstance(points, WeakPoints):
        return points.traces(every, imaginary=imaginary).reshape(-1, *lead, n_spin)
    k = len(points)
    found = np.empty((k, len(every), n_spin))
    size = max(int(_AT_ONCE // max(points[0].nbytes, 1)), 1) if k else 1
    for s in range(n_spin):
        flat = every[:, s].reshape(len(every), -1).T
        for first in range(0, k, size):
            some = slice(first, first + size)
            part = np.imag(points[some, s]) if imaginary else np.real(points[some, s])
            found[some, :, s] = part.reshape(-1, len(flat)) @ flat
    return found.reshape(k, *lead, n_spin)


def _with_total(by_spin: np.ndarray, total: np.ndarray) -> np.ndarray:
    return by_spin if by_spin.shape[2] == 1 else np.concatenate([by_spin, total], axis=2)
