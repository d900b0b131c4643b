"""Nodes of a step of changes from rest, for single precision: nothing is a difference of two large numbers.

    Y(t) exp(-iεt) = Y₀ + y,   F = F̃ + f,   F̃ Y₀ = Y₀ ε

    y ← [T(A₀ + B)(Y₀ + y) - T(A₀) Y₀] exp(i dt ε)

A₀ + B = -i (F̃ + f) over the spectrum's half width, T(A) Chebyshev's series of the exponential, whose terms
are formed as changes, too: e_n+1 = 2 (A₀ + B) e_n + e_n-1 + 2 B T_n(A₀) Y₀. F̃ is F₀ without what the SCF left
between orbitals of different occupation; that is in f from the start.
"""

from dataclasses import dataclass, replace

import numpy as np

from .differences import differences
from .expressions import Expression, evaluate, in_order
from .fock_matrix import (
    TWICE,
    density_at_rest,
    exchange_of_imaginary,
    field_matrix,
    joined,
    matrix_of,
    mean_field_of,
    of_formula,
)
from .magnus_step import CORRECTIONS, StateNames, both_parts, generator, series, spectrum
from .molecule import RolloutMatrices, RolloutPoints
from .nodes import Nodes

#: Largest number of a formula at rest: single precision ends at 3e38, and a moving density has larger ones.
LARGEST = 1e34
#: Occupations that differ by less are the same.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Rest:
    """A ground state that does not move.

    orbitals: Y₀ (n_spin, m, k) real; levels: ε (n_spin, k). fock: F̃ (n_spin, m, m); left: F₀ - F̃.
    """

    orbitals: np.ndarray
    levels: np.ndarray
    fock: np.ndarray
    left: np.ndarray


def rest_of(molecule: RolloutMatrices) -> Rest:
    """Orbitals of the same occupations, turned so that F₀ between them is diagonal."""
    n_spin, m, k = molecule.orbitals.shape
    orbitals, levels, fock = np.empty((n_spin, m, k)), np.empty((n_spin, k)), np.empty((n_spin, m, m))
    for spin in range(n_spin):
        numbers, vectors = np.linalg.eigh(molecule.density[spin])
        same = np.abs(numbers[:, None] - numbers) < _SAME
        inside = np.where(same, vectors.T @ molecule.fock[spin] @ vectors, 0.0)
        fock[spin] = vectors @ inside @ vectors.T
        # Sets of one occupation do not mix: their levels lie apart by more than any spectrum is wide.
        apart = 4.0 * (np.abs(inside).sum(axis=1).max() + 1.0)
        sets = np.cumsum(np.diff(numbers, prepend=numbers[0]) >= _SAME)
        shifted, turned = np.linalg.eigh(inside - np.diag(apart * sets))
        orbitals[spin] = (vectors @ turned)[:, :k]
        levels[spin] = (shifted + apart * np.rint(np.square(turned).T @ sets))[:k]
    return Rest(orbitals, levels, fock, molecule.fock - fock)


def start(nodes: Nodes, molecule: RolloutMatrices, field: str) -> tuple[StateNames, str]:
    """The ground state in a field E(0), (batch, 3), and by how much its dipole has moved: not at all."""
    n_spin, m, k = molecule.orbitals.shape
    acting = field_matrix(nodes, molecule, field)
    left = nodes.constant(rest_of(molecule).left[None])
    change = both_parts(nodes, nodes("Add", acting, left), None)
    batch = nodes("Shape", field, start=0, end=1)
    shape = nodes("Concat", batch, nodes.whole(n_spin, k, 2 * m), axis=0)
    orbitals = nodes("Expand", nodes.constant(np.zeros((1, n_spin, k, 2 * m))), shape)
    return StateNames(orbitals, change, change), nodes("Mul", field, nodes.constant(0.0))


def step(
    nodes: Nodes, molecule: RolloutMatrices, dt: float, state: StateNames, field: str
) -> tuple[StateNames, str]:
    """The state a step later, in a field E(t + dt), (batch, 3), and the dipole's change there (batch, 3)."""
    rest, acting = rest_of(molecule), field_matrix(nodes, molecule, field)
    half = nodes("Sub", nodes("Mul", state.fock, nodes.constant(2.0)), state.fock_half)
    orbitals, fock = _propagated(nodes, molecule, rest, (dt, half, state.orbitals)), state.fock
    for _ in range(CORRECTIONS):
        real, imaginary = _fock(nodes, molecule, rest, orbitals)
        fock = both_parts(nodes, nodes("Add", real, acting), imaginary)
        half = nodes("Mul", nodes("Add", state.fock, fock), nodes.constant(0.5))
        orbitals = _propagated(nodes, molecule, rest, (dt, half, state.orbitals))
    return StateNames(orbitals, fock, half), _dipole(nodes, molecule, rest, orbitals)


def _rows(nodes: Nodes, molecule: RolloutMatrices, rest: Rest, orbitals: str) -> tuple[str, np.ndarray]:
    """√occupation y, real and imaginary parts one below the other, (batch, n_spin, 2k, m); and of Y₀."""
    n_spin, m, k = molecule.orbitals.shape
    roots = np.sqrt(np.maximum(molecule.occupations, 0.0)).reshape(1, n_spin, k, 1)
    at_rest = np.zeros((1, n_spin, k, 2, m))
    at_rest[:, :, :, 0] = roots * rest.orbitals.swapaxes(1, 2)
    rows = nodes.reshape(nodes("Mul", orbitals, nodes.constant(roots)), 0, n_spin, 2 * k, m)
    return rows, at_rest.reshape(1, n_spin, 2 * k, m)


def _real_change(nodes: Nodes, rows: str, at_rest: np.ndarray) -> str:
    """Re P - P0, (batch, n_spin, m, m): rows y₀ + y of both."""
    middle = nodes("Add", nodes("Mul", rows, nodes.constant(0.5)), nodes.constant(at_rest))
    half = nodes("MatMul", nodes("Transpose", rows, perm=[0, 1, 3, 2]), middle)
    return nodes("Add", half, nodes("Transpose", half, perm=[0, 1, 3, 2]))


def _dipole(nodes: Nodes, molecule: RolloutMatrices, rest: Rest, orbitals: str) -> str:
    n_spin, m, _ = molecule.orbitals.shape
    change = _real_change(nodes, *_rows(nodes, molecule, rest, orbitals))
    along = np.tile(molecule.dipole.reshape(3, -1), n_spin).T
    return nodes("MatMul", nodes.reshape(change, 0, n_spin * m * m), nodes.constant(-along))


def _fock(nodes: Nodes, molecule: RolloutMatrices, rest: Rest, orbitals: str) -> tuple[str, str | None]:
    """Real and imaginary part of the field-free f, (batch, n_spin, m, m)."""
    n_spin, m, k = molecule.orbitals.shape
    rows, at_rest = _rows(nodes, molecule, rest, orbitals)
    real = mean_field_of(nodes, molecule, _real_change(nodes, rows, at_rest))
    real = nodes("Add", real, nodes.constant(rest.left[None]))
    if molecule.points is not None:
        potential = _potential(nodes, molecule, molecule.points, (rows, at_rest))
        real = nodes("Add", real, matrix_of(nodes, molecule.points, n_spin, potential))
    if molecule.imaginary is None:
        return real, None
    whole = nodes.reshape(nodes("Add", rows, nodes.constant(at_rest)), 0, n_spin, k, 2 * m)
    a, _ = nodes.split(whole, 3, m, m)
    _, b = nodes.split(nodes.reshape(rows, 0, n_spin, k, 2 * m), 3, m, m)
    half = nodes("MatMul", nodes("Transpose", b, perm=[0, 1, 3, 2]), a)
    imaginary = nodes("Sub", half, nodes("Transpose", half, perm=[0, 1, 3, 2]))
    return real, exchange_of_imaginary(nodes, molecule.imaginary, n_spin, imaginary)


def _potential(
    nodes: Nodes, molecule: RolloutMatrices, points: RolloutPoints, rows: tuple[str, np.ndarray]
) -> str:
    """v[P] - v[P0] at the points, (batch, n_spin, 1, n_components, n_points)."""
    n_components, n_points, m = points.orbitals.shape
    n_spin, two_k = rows[1].shape[1:3]
    flat, shape = points.orbitals.reshape(-1, m).T, (n_spin, two_k, n_components, n_points)
    at_rest = (rows[1] @ flat).reshape(1, *shape)
    values = nodes.reshape(nodes("MatMul", rows[0], nodes.constant(flat)), 0, *shape)
    first = values if n_components == 1 else nodes.split(values, 3, 1, n_components - 1)[0]
    whole = nodes("Add", first, nodes.constant(at_rest[:, :, :, :1]))
    product = nodes("Add", nodes("Mul", first, nodes.constant(at_rest)), nodes("Mul", whole, values))
    density = nodes("Mul", nodes.total(product, 2), nodes.constant(TWICE[:n_components]))
    made = points.formula
    moved, rests = _moved(molecule, points)
    inputs = {name: nodes.constant(x.reshape(1, 1, 1, 1, n_points)) for name, x in rests.items()}
    found = nodes.expressions(moved, inputs | of_formula(nodes, made, density))
    return joined(nodes, made, found)


def _moved(
    molecule: RolloutMatrices, points: RolloutPoints
) -> tuple[list[Expression], dict[str, np.ndarray]]:
    """The potential's change as expressions, and values at rest (n_points,) by name that these ask for."""
    made, density = points.formula, density_at_rest(molecule, points)
    moved, rests = differences([each for of_spin in made.potential for each in of_spin])
    given = dict(zip(np.ravel(made.inputs).tolist(), density.reshape(-1, density.shape[-1]), strict=True))
    values = evaluate(list(rests.values()), given)
    return moved, {
        name: np.broadcast_to(x, density.shape[-1:]) for name, x in zip(rests, values, strict=True)
    }


def in_range(molecule: RolloutMatrices) -> RolloutMatrices:
    """The same without points in the far tail, where the formula's numbers leave single precision."""
    points = molecule.points
    if points is None:
        return molecule
    moved, rests = _moved(molecule, points)
    still = dict.fromkeys(np.ravel(points.formula.inputs).tolist(), np.zeros(1))
    with np.errstate(all="ignore"):
        values = evaluate(in_order(moved), rests | still)
        kept = np.all([np.broadcast_to(np.abs(x) < LARGEST, points.weights.shape) for x in values], axis=0)
    fewer = replace(
        points,
        coords=points.coords[kept],
        weights=points.weights[kept],
        orbitals=points.orbitals[:, kept],
    )
    return replace(molecule, points=fewer)


def _propagated(nodes: Nodes, molecule: RolloutMatrices, rest: Rest, given: tuple[float, str, str]) -> str:
    """y a step later. given: dt, f at the middle of the step, (batch, n_spin, 2, m, m), and y."""
    dt, fock, orbitals = given
    n_spin, m, k = molecule.orbitals.shape
    centre, radius = spectrum(molecule)
    at_rest = np.zeros((1, n_spin, 2, m, m))
    at_rest[:, :, 0] = (rest.fock - centre * np.eye(m)) / radius
    moved = nodes("Mul", fock, nodes.constant(1.0 / radius))
    total = generator(nodes, nodes("Add", moved, nodes.constant(at_rest)))
    once = nodes.reshape(total, 0, n_spin, 2 * m, 2 * m)
    twice = nodes("Mul", once, nodes.constant(2.0))
    only = nodes.reshape(generator(nodes, moved), 0, n_spin, 2 * m, 2 * m)
    real = np.concatenate([rest.orbitals.swapaxes(1, 2), np.zeros((n_spin, k, m))], axis=2)[None]
    sources = [nodes("MatMul", nodes.constant(part), only) for part in (real, np.roll(real, m, axis=3))]
    x = ((rest.levels - centre) / radius)[None, :, :, None]
    coefficients = series(radius * dt)
    before, now = orbitals, nodes("Add", nodes("MatMul", orbitals, once), sources[0])
    terms = [nodes("Mul", e, nodes.constant(c)) for e, c in zip((before, now), coefficients, strict=False)]
    for n, coefficient in enumerate(coefficients[2:], start=1):
        # (-i)^n T_n(x) Y₀: real where n is even, else imaginary.
        size = 2.0 * (1.0, -1.0, -1.0, 1.0)[n % 4] * np.cos(n * np.arccos(x))
        source = nodes("Mul", sources[n % 2], nodes.constant(size))
        before, now = now, nodes("Sum", nodes("MatMul", now, twice), before, source)
        terms.append(nodes("Mul", now, nodes.constant(coefficient)))
    result = nodes("Sum", *terms)
    a, b = nodes.split(result, 3, m, m)
    turned = nodes("Concat", nodes("Neg", b), a, axis=3)
    angle = dt * radius * x
    cosine, sine = (nodes.constant(f(angle)) for f in (np.cos, np.sin))
    return nodes("Add", nodes("Mul", result, cosine), nodes("Mul", turned, sine))
