"""The Hartree potential of a radial density on a spectral mesh.

    V(r) = (1/r) ∫_0^r q ds + ∫_r^r_max q/s ds,       q = 4π r² n

With the mesh's cardinal functions ℓ_k, q = Σ_k (q_k/w_k) ℓ_k: one matrix takes node charges to V at the
nodes. No term cancels another. Solving −(r² V')' = q instead loses four digits to the condition of that
matrix, others on every processor: some 1e-9 Ha in heavy atoms.
"""

from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from .mesh import Mesh, cardinal, lobatto, sum_shared

Array = NDArray[np.float64]


@lru_cache(maxsize=256)
def coulomb(mesh: Mesh) -> Array:
    """(n, n), Hartree per electron: the potential at the nodes is coulomb(mesh) @ node charges.

    Symmetric to the mesh's own error.
    """
    p, m, elements = mesh.order, mesh.power, len(mesh.element_radius)
    enclosed, points, beyond = _reference_integrals(p, m)
    edges = mesh.element_radius[:, [0, -1]] ** (1 / m)
    left, half = edges[:, 0], 0.5 * (edges[:, 1] - edges[:, 0])
    # dr = m s^(m−1) ds with s = left + half (1 + x): a sum of positive terms in powers of 1 + x.
    powers = [m * comb(m - 1, k) * left ** (m - 1 - k) * half ** (k + 1) for k in range(m)]
    inner = np.einsum("ke,kij->eij", np.array(powers), enclosed[:, :-1])
    over_r = m * half[:, None] / (left[:, None] + half[:, None] * (1 + points[:, None, :]))
    pieces = np.swapaxes(over_r @ beyond, 0, 1)
    outer = np.cumsum(pieces[:, ::-1], axis=1)[:, ::-1]
    # Row (e, i) is node i of element e, its last node being the next element's first; row (0, 0), the origin,
    # and column (0, 0) are dropped.
    radius = np.where(mesh.element_radius > 0, mesh.element_radius, 1.0)[:, :-1, None]
    charge = mesh.element_weight * mesh.stretch
    row, column = np.ogrid[:elements, :elements]
    matrix = np.where((row < column)[:, None, :, None], outer[None, None, :, 0], charge / radius[..., None])
    same = np.arange(elements)
    matrix[same, :, same] = inner / radius + outer
    return sum_shared(matrix.reshape(elements * p, elements, p + 1))[1:, 1:-1] / mesh.weight


@lru_cache(maxsize=32)
def _reference_integrals(order: int, power: int) -> tuple[Array, Array, Array]:
    """Integrals of the cardinal functions ℓ_j on [−1, 1], once for all elements of an order.

    Returns (power, p+1, p+1) [k, i, j] ∫_−1^x_i ℓ_j (1+x)^k dx, and for the p intervals between nodes the
    quadrature points (p, q) and (p, q, p+1) the weights times ℓ_j there.
    """
    x = lobatto(order)[0]
    y, w = np.polynomial.legendre.leggauss(order // 2 + 8)
    wide = 0.5 * (1 + x)[:, None]
    above = wide * (1 + y)  # 1 + x of the points from −1 to each node
    values = cardinal(x, (above - 1).astype(np.longdouble)) * (wide * w)[..., None]
    enclosed = np.array([(values * above[..., None] ** k).sum(axis=1) for k in range(power)])
    narrow = 0.5 * np.diff(x)[:, None]
    points = x[:-1, None] + narrow * (1 + y)
    beyond = cardinal(x, points) * (narrow * w)[..., None]
    return enclosed.astype(np.float64), points.astype(np.float64), beyond.astype(np.float64)
