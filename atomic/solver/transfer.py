"""Functions taken from one mesh to another with the same elements and polynomials of another order."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .mesh import Mesh, cardinal, lobatto, on_elements, spread

Array = NDArray[np.float64]


def potential_on(mesh: Mesh, other: Mesh, potential: Array) -> Array:
    """(n_spin, n) on `mesh` of a potential on `other`, constant beyond its outer nodes."""
    padded = np.pad(potential, ((0, 0), (1, 1)), mode="edge")
    return _values(mesh, other, spread(other, padded))


def vectors_on(mesh: Mesh, other: Mesh, vectors: Array) -> Array:
    """(S, n) normalised basis vectors on `mesh` of those on `other`."""
    found = _values(mesh, other, on_elements(other, vectors)) / mesh.inverse_root_weight
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _values(mesh: Mesh, other: Mesh, local: Array) -> Array:
    """(S, n) at the nodes of `mesh` from values (S, E, p+1) at those of `other`."""
    found = local @ _interpolation(other.order, mesh.order).T
    return found[..., :-1].reshape(len(local), -1)[:, 1:]


@lru_cache(maxsize=32)
def _interpolation(order: int, wanted: int) -> Array:
    """(wanted+1, order+1): values at the nodes of one order from those at the nodes of the other."""
    return cardinal(lobatto(order)[0], lobatto(wanted)[0]).astype(np.float64)
