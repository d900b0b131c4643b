"""How many operations of D2h a molecule has: what keeps its orbitals apart in as many irreps.

Axes are looked for among the principal axes of inertia and the directions that atoms of one kind give:
themselves, and sums and differences of two. No import that takes long: a deck is to be checked in a second.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ...adapters.system import System

#: Atoms nearer than this to another's image, bohr, are that image: what is further connects irreps by more
#: than `working_basis.SYMMETRIC`.
_SAME = 1e-6
#: Beyond so many directions none is tried.
_MOST = 4000
_SIGNS = np.array(list(product((1.0, -1.0), repeat=3)))


@dataclass(frozen=True)
class Symmetry:
    """Of a molecule.

    operations: 1, 2, 4 or 8.
    polar: whether one direction is left as it is by all of them.
    """

    operations: int
    polar: bool


def symmetry(system: System, *, on_grid: bool) -> Symmetry:
    """A molecule's; on_grid: a quadrature's, too, which has only the axes of the coordinates."""
    geometry = system.geometry
    kinds = [
        str((int(z), system.basis[tag]))
        for z, tag in zip(geometry.atomic_numbers, geometry.tags, strict=True)
    ]
    masses = np.maximum(geometry.atomic_numbers, 1).astype(float)
    x = geometry.positions - masses @ geometry.positions / masses.sum()
    groups = [np.flatnonzero([kind == one for kind in kinds]) for one in dict.fromkeys(kinds)]
    if on_grid:
        return _by_signs(x, groups)
    axes = [u for u in _directions(x, masses, groups) if _is_axis(u, x, groups)]
    best = Symmetry(2, polar=False) if _maps(-x, x, groups) else Symmetry(1, polar=True)
    for k, u in enumerate(axes):
        perpendicular = [v for v in axes[k + 1 :] if abs(u @ v) < 1e-4] or [_across(u)]
        for v in perpendicular:
            frame = np.array([u, v, np.cross(u, v)])
            local = x @ frame.T
            best = max(best, _by_signs(local, groups), key=lambda found: found.operations)
        if best.operations == len(_SIGNS):
            break
    return best


def _by_signs(x: np.ndarray, groups: list[np.ndarray]) -> Symmetry:
    """Of operations that change signs of coordinates."""
    kept = np.array([signs for signs in _SIGNS if _maps(x * signs, x, groups)])
    return Symmetry(len(kept), polar=bool((kept > 0.0).all(axis=0).any()))


def _directions(x: np.ndarray, masses: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Unit vectors, (k, 3)."""
    inertia = np.eye(3) * (masses @ (x**2).sum(1)) - (masses[:, None] * x).T @ x
    found = [np.linalg.eigh(inertia)[1].T]
    for group in groups:
        here = x[group]
        first, second = np.triu_indices(len(here), 1)
        found += [here, here[first] + here[second], here[first] - here[second]]
        if sum(map(len, found)) > _MOST:
            break
    vectors = np.concatenate(found)
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors[lengths > 1e-3] / lengths[lengths > 1e-3, None]
    # One of each direction, whatever its sign.
    units *= np.sign(units[np.arange(len(units)), np.abs(units).argmax(1)])[:, None]
    return units[np.unique(units.round(4), axis=0, return_index=True)[1]]


def _is_axis(u: np.ndarray, x: np.ndarray, groups: list[np.ndarray]) -> bool:
    """Whether half a turn about u, or a reflection along it, maps the molecule onto itself."""
    mirrored = x - 2.0 * np.outer(x @ u, u)
    return _maps(mirrored, x, groups) or _maps(-mirrored, x, groups)


def _maps(image: np.ndarray, x: np.ndarray, groups: list[np.ndarray]) -> bool:
    return all(
        bool((np.linalg.norm(image[g][:, None] - x[g][None], axis=2).min(axis=1) < _SAME).all())
        for g in groups
    )


def _across(u: np.ndarray) -> np.ndarray:
    """A unit vector perpendicular to u."""
    v = np.cross(u, np.eye(3)[np.abs(u).argmin()])
    return v / np.linalg.norm(v)
