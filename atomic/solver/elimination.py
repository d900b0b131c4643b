"""(H − ε) x = b for many orbitals at once, by elimination inside the spectral elements.

Elements share single nodes. Each element's inner nodes are eliminated, in small dense matrices all alike;
what is left couples the shared nodes, E − 1 for each orbital (static condensation: Guyan, AIAA J. 3, 380
(1965)). It takes a third of a band solver's operations and no loop over orbitals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Eliminated:
    """S matrices H − ε with their inner nodes eliminated; E elements of order p, n = E p − 1 nodes.

    inverse: (S, E, p−1, p−1) of the inner blocks.
    edges: (S, E, p−1, 2) how inner nodes follow the left and the right end of their element, with minus.
    shared: (S, E−1, E−1) what is left for the shared nodes.
    """

    inverse: Array
    edges: Array
    shared: Array

    def response_factors(self) -> tuple[Array, Array]:
        """W (S, n, E−1) and T (S, E−1, E−1): the inverse is W T Wᵀ + the inner blocks' inverses."""
        count, elements, inner, _ = self.edges.shape
        p = inner + 1
        follow = np.zeros((count, elements, p, elements + 1))
        e = np.arange(elements)
        follow[:, e, :inner, e] = -np.swapaxes(self.edges[..., 0], 0, 1)
        follow[:, e, :inner, e + 1] = -np.swapaxes(self.edges[..., 1], 0, 1)
        follow[:, e, inner, e + 1] = 1.0
        whole = follow.reshape(count, elements * p, elements + 1)
        return whole[:, :-1, 1:-1], np.asarray(np.linalg.inv(self.shared), dtype=float)


def solve_shifted(blocks: Array, shifts: Array, vectors: Array) -> Array:
    """(S, n) solutions x of (H − ε) x = b.

    blocks: (S, E, p+1, p+1) from `mesh.on_basis`, the diagonal of a shared node split among its two elements.
    shifts: (S,) ε. vectors: (S, n) b.
    """
    inner, sides, corners = _parts(blocks, shifts)
    count, elements, nodes = inner.shape[:3]
    b = np.zeros((count, elements, nodes + 1))
    b.reshape(count, -1)[:, :-1] = vectors
    found = np.linalg.solve(inner, np.concatenate([sides, b[:, :, :-1, None]], axis=3))
    ends = np.swapaxes(sides, 2, 3) @ found
    shared = _shared_matrix(corners - ends[..., :2], shifts)
    right = b[:, :-1, -1] - ends[:, :-1, 1, 2] - ends[:, 1:, 0, 2]
    x = np.zeros((count, elements + 1))
    x[:, 1:-1] = np.linalg.solve(shared, right[..., None])[..., 0]
    solution = np.empty((count, elements, nodes + 1))
    solution[:, :, :-1] = found[..., 2] - found[..., 0] * x[:, :-1, None] - found[..., 1] * x[:, 1:, None]
    solution[:, :, -1] = x[:, 1:]
    return solution.reshape(count, -1)[:, :-1]


def eliminate(blocks: Array, shifts: Array) -> Eliminated:
    """The factors of (H − ε)⁻¹; shapes as in `solve_shifted`."""
    inner, sides, corners = _parts(blocks, shifts)
    inverse = np.asarray(np.linalg.inv(inner), dtype=float)
    edges = inverse @ sides
    return Eliminated(inverse, edges, _shared_matrix(corners - np.swapaxes(sides, 2, 3) @ edges, shifts))


def _parts(blocks: Array, shifts: Array) -> tuple[Array, Array, Array]:
    """Inner blocks less ε, their columns for both ends, and the ends' own 2 × 2."""
    inner = blocks[..., 1:-1, 1:-1].copy()
    np.einsum("seii->sei", inner)[...] -= shifts[:, None, None]
    p = blocks.shape[-1] - 1
    return inner, blocks[..., 1:-1, ::p], blocks[..., ::p, ::p]


def _shared_matrix(ends: Array, shifts: Array) -> Array:
    """(S, E−1, E−1) of the shared nodes from each element's (S, E, 2, 2)."""
    count, elements = ends.shape[:2]
    matrix = np.zeros((count, elements - 1, elements - 1))
    k = np.arange(elements - 1)
    matrix[:, k, k] = ends[:, :-1, 1, 1] + ends[:, 1:, 0, 0] - shifts[:, None]
    matrix[:, k[:-1], k[1:]] = ends[:, 1:-1, 0, 1]
    matrix[:, k[1:], k[:-1]] = ends[:, 1:-1, 1, 0]
    return matrix
