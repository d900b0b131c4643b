"""Spectral elements for the radial half-line: Gauss-Lobatto nodes, a diagonal potential, an orthonormal basis
(FEDVR).

The radius is r = s^m and the elements are polynomials in s: m = 1 for the Schrödinger equation; m = 4 for the
relativistic ones, whose solutions start as r^γ with γ < 1 and become smooth in s. Element edges grow
geometrically in r.

A function u(r) with u(0) = u(r_max) = 0 is held as the vector c_i = √w_i u(r_i), w_i the quadrature weight of
dr, so that ∫u v dr = c·d and any local potential is the diagonal matrix V(r_i). A density is held as node
charges q_i = w_i 4π r_i² n(r_i), which sum to the number of electrons.

Rescigno and McCurdy, Phys. Rev. A 62, 032706 (2000).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Array = NDArray[np.float64]
Extended = NDArray[np.longdouble]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Nodes and element operators; E elements of polynomial order p, n = E p − 1 interior nodes.

    radius, weight: (n,) r_i and w_i, bohr.
    element_radius, element_weight, stretch: (E, p+1) r, weights of ds and dr/ds at the nodes of each element.
    derivative: (E, p+1, p+1) d/ds of the Lagrange polynomials: [e, k, i] is ℓ_i'(s_k).
    """

    radius: Array
    weight: Array
    element_radius: Array
    element_weight: Array
    stretch: Array
    derivative: Array
    r_max: float
    power: int

    @property
    def order(self) -> int:
        """Polynomial order p of the elements."""
        return self.element_radius.shape[1] - 1

    @cached_property
    def inverse_root_weight(self) -> Array:
        """(n,) 1/√w."""
        return np.power(self.weight, -0.5)

    @cached_property
    def kinetic(self) -> Array:
        """(n, n) −½ d²/dr² in the orthonormal basis. Only for m = 1: otherwise singular at r = 0."""
        if self.power != 1:
            raise InputError("the Schrödinger equation needs a mesh with power 1")
        return assemble(self, kinetic_blocks(self))

    @cached_property
    def kinetic_elements(self) -> Array:
        """(E, p+1, p+1) each element's share of `kinetic`; both ends' rows are zero."""
        return on_basis(self, kinetic_blocks(self))


@lru_cache(maxsize=256)
def spectral_mesh(
    z: float,
    relativistic: bool = False,
    r_max: float = 50.0,
    order: int | None = None,
    growth: float = 3.3,
    first: float | None = None,
) -> Mesh:
    """A mesh for a point nucleus of charge z.

    r_max: the last node, bohr. order: polynomial order p; when None, 18 for Schrödinger and 20 for
    relativistic meshes. growth: the largest ratio of neighbouring element edges. first: the first
    element's length times z, bohr; when None, 3 and 1.5. The defaults leave 1e-10 Ha in totals of LDA
    atoms to uranium, 3e-10 in levels. Raises InputError when the numbers cannot describe a mesh.
    """
    first = first if first is not None else (1.5 if relativistic else 3.0)
    order = order if order is not None else (20 if relativistic else 18)
    if not 0 < z <= 172:
        raise InputError(f"nuclear charge {z:g} is outside 0 < Z <= 172")
    if r_max < 5.0:
        raise InputError(f"r_max {r_max:g} bohr is too small for an atom: give at least 5, better 50")
    if order < 6 or growth <= 1.05 or growth > 8 or not 0 < first <= 10:
        raise InputError(
            f"a mesh of order {order}, growth {growth:g}, first element {first:g}/Z cannot resolve an atom: "
            "order >= 6, 1.05 < growth <= 8 and 0 < first <= 10 are needed"
        )
    power = 4 if relativistic else 1
    start = first / z
    elements = 1 + max(1, int(np.ceil(np.log(r_max / start) / np.log(growth))))
    edges = np.concatenate([[0.0], np.geomspace(start, r_max, elements)])
    return _build(edges, power, order)


@lru_cache(maxsize=256)
def around_nucleus(mesh: Mesh, nuclear_edge: float) -> Mesh:
    """The mesh with further elements for a nucleus that ends at nuclear_edge (bohr); itself for a point, 0.

    Its power is 1: inside an extended nucleus every solution is analytic in r.
    """
    if not nuclear_edge:
        return mesh
    outer = mesh.element_radius[:, -1]
    # The charge falls to nothing within its own radius of the edge; beyond, edges grow up to sevenfold.
    near = max(2, 1 + int(np.ceil(np.log(outer[0] / (2 * nuclear_edge)) / np.log(6.6))))
    inner = np.array([0.0, 0.5 * nuclear_edge, nuclear_edge])
    edges = np.concatenate([inner, np.geomspace(2 * nuclear_edge, outer[0], near), outer[1:]])
    return _build(edges, 1, mesh.order)


def inner_part(mesh: Mesh, radius: float) -> Mesh:
    """Its elements up to the first that ends at or beyond the radius, bohr."""
    ends = mesh.element_radius[:, -1]
    count = min(int(np.searchsorted(ends, radius)) + 1, len(ends))
    nodes = count * mesh.order - 1
    return Mesh(
        radius=mesh.radius[:nodes],
        weight=mesh.weight[:nodes],
        element_radius=mesh.element_radius[:count],
        element_weight=mesh.element_weight[:count],
        stretch=mesh.stretch[:count],
        derivative=mesh.derivative[:count],
        r_max=float(ends[count - 1]),
        power=mesh.power,
    )


@lru_cache(maxsize=256)
def of_order(mesh: Mesh, order: int) -> Mesh:
    """The same elements with polynomials of another order."""
    edges = np.concatenate([[0.0], mesh.element_radius[:, -1]])
    return _build(edges, mesh.power, order)


def _build(edges: Array, power: int, order: int) -> Mesh:
    x, w, derivative = lobatto(order)
    s_edges = edges ** (1 / power)
    half = (np.diff(s_edges) / 2)[:, None]
    s = s_edges[:-1, None] + half * (1 + x).astype(np.float64)
    s[:, -1] = s_edges[1:]
    stretch = power * s ** (power - 1)
    measure = half * w * stretch
    return Mesh(
        radius=_shared(s)[1:-1] ** power,
        weight=sum_shared(measure)[1:-1],
        element_radius=s**power,
        element_weight=half * w,
        stretch=stretch,
        derivative=derivative / half[:, :, None],
        r_max=float(edges[-1]),
        power=power,
    )


@lru_cache(maxsize=32)
def lobatto(order: int) -> tuple[Extended, Array, Array]:
    """Gauss-Lobatto nodes (p+1,) on [−1, 1], weights (p+1,) and derivative matrix [k, i] = ℓ_i'(x_k).

    Computed in extended precision where the machine has it: neighbouring nodes near ±1 are 1/p² apart, and
    their difference is what the derivative matrix divides by.
    """
    inner = np.sort(np.polynomial.Legendre.basis(order).deriv().roots().real).astype(np.longdouble)
    for _ in range(4):  # Newton on P'(x) with (1 − x²) P'' = 2x P' − p(p+1) P
        value, slope = _legendre(order, inner)
        step = slope * (1 - inner**2) / (2 * inner * slope - order * (order + 1) * value)
        inner = (inner - step).astype(np.longdouble)
    one = np.ones(1, dtype=np.longdouble)
    x = np.concatenate([-one, 0.5 * (inner - inner[::-1]), one]).astype(np.longdouble)
    value = np.concatenate([(-one) ** order, _legendre(order, x[1:-1])[0], one])
    gap = x[:, None] - x[None, :] + np.eye(order + 1)
    derivative = value[:, None] / value[None, :] / gap
    np.fill_diagonal(derivative, 0.0)
    derivative[0, 0], derivative[-1, -1] = -order * (order + 1) / 4, order * (order + 1) / 4
    weights = 2 / (order * (order + 1) * value**2)
    return x, weights.astype(np.float64), derivative.astype(np.float64)


def cardinal(nodes: Extended, x: Extended) -> Extended:
    """(..., p+1) values at x (...,) of the Lagrange polynomials of the nodes."""
    gaps = nodes[:, None] - nodes + np.eye(len(nodes))
    factors = np.repeat((x[..., None] - nodes)[..., None, :], len(nodes), axis=-2)
    index = np.arange(len(nodes))
    factors[..., index, index] = 1
    return (factors / gaps).prod(axis=-1)


def _legendre(order: int, x: Extended) -> tuple[Extended, Extended]:
    """P_order and its derivative inside (−1, 1), by recurrence."""
    before: Extended = np.ones_like(x)
    value: Extended = x
    for n in range(2, order + 1):
        after = ((2 * n - 1) * x * value - (n - 1) * before) / n
        before, value = value, after.astype(np.longdouble)
    slope: Extended = (order * (before - x * value) / (1 - x**2)).astype(np.longdouble)
    return value, slope


def kinetic_blocks(mesh: Mesh) -> Array:
    """(E, p+1, p+1) ½∫ℓ_i' ℓ_j' dr in each element, not normalised."""
    half_weight = 0.5 * mesh.element_weight / mesh.stretch
    return np.swapaxes(mesh.derivative, 1, 2) * half_weight[:, None, :] @ mesh.derivative


def on_elements(mesh: Mesh, vectors: Array) -> Array:
    """Function values (..., E, p+1) at every element's nodes, zero at both ends, of basis vectors (...,
    n).
    """
    padded = np.zeros((*vectors.shape[:-1], vectors.shape[-1] + 2))
    padded[..., 1:-1] = vectors * mesh.inverse_root_weight
    return spread(mesh, padded)


def spread(mesh: Mesh, padded: Array) -> Array:
    """(..., E, p+1) copies for each element of node values (..., n+2) that include both ends."""
    p = mesh.order
    index = np.arange(len(mesh.element_radius))[:, None] * p + np.arange(p + 1)
    return padded[..., index]


def charges(mesh: Mesh, local: Array) -> Array:
    """Node sums (..., n) of the contributions (..., E, p+1) of all elements."""
    return sum_shared(local)[..., 1:-1]


def assemble(mesh: Mesh, blocks: Array) -> Array:
    """(..., n, n) matrix in the orthonormal basis from element matrices (..., E, p+1, p+1)."""
    scale = mesh.inverse_root_weight
    return _assemble_all(mesh, blocks)[..., 1:-1, 1:-1] * scale[:, None] * scale


def on_basis(mesh: Mesh, blocks: Array) -> Array:
    """(..., E, p+1, p+1) in the orthonormal basis from element matrices; rows of both ends are zero."""
    padded = np.zeros(len(mesh.radius) + 2)
    padded[1:-1] = mesh.inverse_root_weight
    scale = spread(mesh, padded)
    return blocks * scale[:, :, None] * scale[:, None, :]


def _assemble_all(mesh: Mesh, blocks: Array) -> Array:
    p, elements = mesh.order, blocks.shape[-3]
    size = elements * p + 1
    matrix = np.zeros((*blocks.shape[:-3], size, size))
    for e in range(elements):
        window = slice(e * p, e * p + p + 1)
        matrix[..., window, window] += blocks[..., e, :, :]
    return matrix


def _shared(local: Array) -> Array:
    """(n+2,) node values from element values that agree where elements meet."""
    return np.append(local[:, :-1].ravel(), local[-1, -1])


def sum_shared(local: Array) -> Array:
    """(..., n+2) sums of element values, the two at a shared node added."""
    elements, nodes = local.shape[-2:]
    p = nodes - 1
    total = np.zeros((*local.shape[:-2], elements * p + 1))
    total[..., :-1] = local[..., :-1].reshape(*local.shape[:-2], elements * p)
    total[..., p::p] += local[..., -1]
    return total
