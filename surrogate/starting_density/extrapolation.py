"""The density at a new geometry from converged ones at others: scans, optimisations, trajectories.

Occupied orbitals in Löwdin's orthonormal basis, Y = S^(1/2) C, span a point of a Grassmann manifold. The
known points are mapped to the tangent space at the nearest one and combined there; the sum is mapped back, so
that the result is idempotent and holds the electrons whatever the weights: Polack, Mikhalev, Dusson,
Stamm, Lipparini, Mol. Phys. 118, e1779834 (2020).

The weights interpolate functions of the interatomic distances: a constant and a Gaussian kernel far wider
than the points are apart. In that limit the kernel goes over to polynomials, of as high a degree as the
points carry (Driscoll and Fornberg, Comput. Math. Appl. 43, 413 (2002)): along a scan the weights are
Lagrange's, along an irregular path those of the best hyperplane.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import gto

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import Geometry, System
from ...adapters.working_basis import LINEAR_DEPENDENCE
from ..matrices.kabsch import kabsch
from .predictor import NotApplicable
from .purification import purify

#: Points used, the nearest ones: beyond that nothing is gained (docs/warmstart/README.md).
MOST_POINTS = 8
#: Width of the kernel in units of the points' spread; what its diagonal gets for the noise of an SCF.
_WIDTH, _NOISE = 4.0, 1e-12


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A converged density somewhere: nuclei (bohr) and occupied orbitals C (n, k), one of each spin."""

    geometry: Geometry
    orbitals: tuple[np.ndarray, ...]


def snapshot(system: System, density: np.ndarray) -> Snapshot:
    """Keep the natural orbitals of the real part of a density (n_spin, n, n) of `system`."""
    mol = molecule(system)
    occupied = mol.nelec[: system.n_spin]
    orbitals = purify(np.real(density), mol.intor("int1e_ovlp"), occupied).orbitals
    return Snapshot(system.geometry, orbitals)


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """Predicts from snapshots of the same atoms, basis and electrons at other (or the same) geometries."""

    snapshots: Sequence[Snapshot]
    name: str = "extrapolated"

    def predict(self, system: System) -> np.ndarray:
        """Idempotent density (n_spin, n, n). Raises NotApplicable where atoms, basis or electrons differ."""
        mol = molecule(system)
        occupied = mol.nelec[: system.n_spin]
        here = system.geometry
        for other in self.snapshots:
            _check(other, here, mol.nao, occupied, self.name)
        distances = np.array([_distances(other.geometry) for other in self.snapshots])
        target = _distances(here)
        nearest = np.argsort(np.linalg.norm(distances - target, axis=1), kind="stable")[:MOST_POINTS]
        weights = interpolation_weights(distances[nearest], target)
        turned = [_turned(self.snapshots[k], mol) for k in nearest.tolist()]
        inverse = _power(mol.intor("int1e_ovlp"), -0.5)
        share = 2.0 / system.n_spin
        densities = []
        for spin in range(system.n_spin):
            points = [orbitals[spin] for orbitals in turned]
            C = inverse @ _combined(points, weights)
            densities.append(share * C @ C.T)
        return np.array(densities)


def interpolation_weights(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights (q,), adding up to one, of values known at `points` (q, d) for the value at `target` (d,)."""
    q = len(points)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    to_target = np.linalg.norm(points - target, axis=1)
    spread = max(gaps.max(), to_target.max())
    if q == 1 or spread == 0.0:
        return np.full(q, 1.0 / q)
    system = np.ones((q + 1, q + 1))
    system[:q, :q] = np.exp(-0.5 * (gaps / (_WIDTH * spread)) ** 2) + _NOISE * np.eye(q)
    system[q, q] = 0.0
    values = np.append(np.exp(-0.5 * (to_target / (_WIDTH * spread)) ** 2), 1.0)
    return np.linalg.solve(system, values)[:q]


def _combined(points: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The weighted mean of subspaces (n, k) in the tangent space at the first of them."""
    base = points[0]
    if base.shape[1] == 0:
        return base
    tangent = sum(
        (w * _logarithm(base, Y) for w, Y in zip(weights[1:], points[1:], strict=True)), np.zeros_like(base)
    )
    u, s, vt = np.linalg.svd(tangent, full_matrices=False)
    return base @ (vt.T * np.cos(s)) + u * np.sin(s)


def _logarithm(base: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The tangent vector at `base` whose geodesic leads to `other`."""
    overlap = base.T @ other
    u, s, vt = np.linalg.svd(np.linalg.solve(overlap.T, other.T).T - base, full_matrices=False)
    return (u * np.arctan(s)) @ vt


def _turned(other: Snapshot, mol: gto.Mole) -> list[np.ndarray]:
    """Löwdin orbitals S^(1/2) C of a snapshot turned so that its nuclei lie best on those of `mol`."""
    there = other.geometry.positions
    rotation = kabsch(there, mol.atom_coords())
    turned = mol.set_geom_(there @ rotation.T, unit="Bohr", inplace=False)
    root = _power(turned.intor("int1e_ovlp"), 0.5)
    # PySCF's matrix for R turns functions by R; coefficients turn with its inverse.
    turn = gto.mole.ao_rotation_matrix(mol, rotation.T)
    return [root @ turn @ C for C in other.orbitals]


def _check(other: Snapshot, here: Geometry, n_basis: int, occupied: tuple[int, ...], name: str) -> None:
    if not np.array_equal(other.geometry.atomic_numbers, here.atomic_numbers):
        raise NotApplicable(f"{name}: other atoms, or in another order")
    if tuple(C.shape for C in other.orbitals) != tuple((n_basis, k) for k in occupied):
        raise NotApplicable(f"{name}: another basis, charge or multiplicity")


def _distances(geometry: Geometry) -> np.ndarray:
    """Interatomic distances, bohr; one zero for an atom alone."""
    i, j = np.triu_indices(geometry.n_atoms, 1)
    return np.append(np.linalg.norm(geometry.positions[i] - geometry.positions[j], axis=1), 0.0)


def _power(overlap: np.ndarray, exponent: float) -> np.ndarray:
    """S^exponent, without the eigenvectors that a propagation drops."""
    s, u = np.linalg.eigh(overlap)
    keep = s > LINEAR_DEPENDENCE
    return (u[:, keep] * s[keep] ** exponent) @ u[:, keep].T
