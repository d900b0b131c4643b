"""Nodes for the field-free Fock matrix and the dipole of a batch of orbitals.

Orbitals are rows, (batch, n_spin, k, 2m): real parts, then imaginary ones. So every product with what all
trajectories share is one product of two matrices, however many trajectories there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..matrices.symmetric_pairs import pair_indices
from .functionals import Formula, potential_at
from .learned_rows import RowNames, image_of
from .molecule import RolloutMatrices, RolloutPoints
from .nodes import Nodes

#: ∇ρ = 2 Σ a ∇a beside ρ = Σ a²; and half of V's first term, since V is added to its transpose.
TWICE = np.array([1.0, 2.0, 2.0, 2.0])[:, None]


@dataclass(frozen=True)
class Density:
    """Names of what follows from orbitals.

    rows: √occupation times real and imaginary parts, one below the other, (batch, n_spin, 2k, m).
    change: Re P - P0, (batch, n_spin, m, m). imaginary: Im P, the same; None where nothing asks for it.
    """

    rows: str
    change: str
    imaginary: str | None


def density_of(nodes: Nodes, molecule: RolloutMatrices, orbitals: str, *, complete: bool) -> Density:
    """P = Y n Y† of orbitals. complete: with its imaginary part."""
    n_spin, m, k = molecule.orbitals.shape
    roots = np.sqrt(np.maximum(molecule.occupations, 0.0)).reshape(1, n_spin, k, 1)
    scaled = nodes("Mul", orbitals, nodes.constant(roots))
    rows = nodes.reshape(scaled, 0, n_spin, 2 * k, m)
    real = nodes("MatMul", nodes("Transpose", rows, perm=[0, 1, 3, 2]), rows)
    change = nodes("Sub", real, nodes.constant(molecule.density[None]))
    if not complete:
        return Density(rows, change, None)
    a, b = nodes.split(scaled, 3, m, m)
    half = nodes("MatMul", nodes("Transpose", b, perm=[0, 1, 3, 2]), a)
    return Density(rows, change, nodes("Sub", half, nodes("Transpose", half, perm=[0, 1, 3, 2])))


def fock_of(
    nodes: Nodes, molecule: RolloutMatrices, orbitals: str, rows: RowNames | None = None
) -> tuple[str, str | None]:
    """Real and imaginary part of F, (batch, n_spin, m, m); None where there is no imaginary part.

    rows: what was learned beside the molecule's own.
    """
    exchanged = molecule.imaginary is not None
    density = density_of(nodes, molecule, orbitals, complete=exchanged or rows is not None)
    fock = nodes("Add", mean_field_of(nodes, molecule, density.change), nodes.constant(molecule.fock[None]))
    if molecule.points is not None:
        fock = nodes("Add", fock, _potential(nodes, molecule, molecule.points, density.rows))
    imaginary = None
    if density.imaginary is not None and molecule.imaginary is not None:
        imaginary = exchange_of_imaginary(nodes, molecule.imaginary, len(molecule.fock), density.imaginary)
    if density.imaginary is None or rows is None:
        return fock, imaginary
    real, more = image_of(nodes, rows, (density.change, density.imaginary), molecule.fock.shape)
    return nodes("Add", fock, real), more if imaginary is None else nodes("Add", imaginary, more)


def dipole_of(nodes: Nodes, molecule: RolloutMatrices, orbitals: str) -> str:
    """Nuclei and electrons, (batch, 3)."""
    n_spin, m, _ = molecule.orbitals.shape
    change = density_of(nodes, molecule, orbitals, complete=False).change
    flat = nodes.reshape(change, 0, n_spin * m * m)
    along = np.tile(molecule.dipole.reshape(3, -1), n_spin).T
    return nodes(
        "Add", nodes("MatMul", flat, nodes.constant(-along)), nodes.constant(dipole_at_rest(molecule))
    )


def dipole_at_rest(molecule: RolloutMatrices) -> np.ndarray:
    """Of nuclei and electrons at P0, (3,)."""
    return molecule.nuclear - molecule.density.sum(axis=0).ravel() @ molecule.dipole.reshape(3, -1).T


def field_matrix(nodes: Nodes, molecule: RolloutMatrices, field: str) -> str:
    """V (batch, 1 or n_spin, m, m) of a field (batch, f)."""
    flat = nodes("MatMul", field, nodes.constant(molecule.field.reshape(len(molecule.field), -1)))
    return nodes.reshape(flat, -1, *molecule.field.shape[1:])


def mean_field_of(nodes: Nodes, molecule: RolloutMatrices, change: str) -> str:
    """J and exact exchange of a real change."""
    n_spin, m, _ = molecule.orbitals.shape
    row, column, weight = pair_indices(m)
    flat = nodes.reshape(change, 0, n_spin, m * m)
    pairs = nodes("Gather", flat, nodes.indices(row * m + column), axis=2)
    J = molecule.coulomb
    if n_spin == 1:
        both = J if molecule.exchange is None else J + molecule.exchange
        image = nodes("MatMul", pairs, nodes.constant(_unscaled(both, weight)))
    else:
        image = nodes("MatMul", nodes.total(pairs, 1), nodes.constant(_unscaled(J, weight)))
        if molecule.exchange is None:
            image = nodes("Concat", image, image, axis=1)
        else:
            own = nodes("MatMul", pairs, nodes.constant(_unscaled(molecule.exchange, weight)))
            image = nodes("Add", own, image)
    return nodes.reshape(nodes("Gather", image, nodes.indices(_whole_matrix(m)), axis=2), 0, n_spin, m, m)


def exchange_of_imaginary(nodes: Nodes, exchange: np.ndarray, n_spin: int, imaginary: str) -> str:
    """Exact exchange of an antisymmetric matrix."""
    m = round((1 + np.sqrt(1 + 8 * len(exchange))) / 2)
    row, column = np.tril_indices(m, -1)
    flat = nodes.reshape(imaginary, 0, n_spin, m * m)
    pairs = nodes("Gather", flat, nodes.indices(row * m + column), axis=2)
    image = nodes("MatMul", pairs, nodes.constant(exchange))
    place, sign = np.zeros((m, m), int), np.zeros((m, m))
    place[row, column] = place[column, row] = np.arange(len(row))
    sign[row, column], sign[column, row] = 1.0, -1.0
    square = nodes.reshape(nodes("Gather", image, nodes.indices(place.ravel()), axis=2), 0, n_spin, m, m)
    return nodes("Mul", square, nodes.constant(sign[None, None]))


def _unscaled(kernel: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A kernel on plain elements of the lower triangle, for rows from the left."""
    return kernel * weight[:, None] / weight


def _whole_matrix(m: int) -> np.ndarray:
    """Where each element of a symmetric matrix is among its pairs, (m²,)."""
    row, column, _ = pair_indices(m)
    place = np.zeros((m, m), int)
    place[row, column] = place[column, row] = np.arange(len(row))
    return place.ravel()


def _potential(nodes: Nodes, molecule: RolloutMatrices, points: RolloutPoints, rows: str) -> str:
    """V_c[P] - V_c[P0], (batch, n_spin, m, m)."""
    n_spin, m, k = molecule.orbitals.shape
    n_components, n_points, _ = points.orbitals.shape
    flat = points.orbitals.reshape(-1, m)
    values = nodes("MatMul", rows, nodes.constant(flat.T))
    values = nodes.reshape(values, 0, n_spin, 2 * k, n_components, n_points)
    first = values if n_components == 1 else nodes.split(values, 3, 1, n_components - 1)[0]
    density = nodes("Mul", nodes.total(nodes("Mul", values, first), 2), nodes.constant(TWICE[:n_components]))
    change = nodes("Sub", at_points(nodes, points, density), nodes.constant(_at_rest(molecule, points)))
    return matrix_of(nodes, points, n_spin, change)


def matrix_of(nodes: Nodes, points: RolloutPoints, n_spin: int, potential: str) -> str:
    """V (batch, n_spin, m, m) of v at the points, (batch, n_spin, 1, n_components, n_points)."""
    n_components, n_points, m = points.orbitals.shape
    weighted = nodes("Mul", potential, nodes.constant(0.5 * TWICE[:n_components] * points.weights))
    left = nodes("Mul", weighted, nodes.constant(points.orbitals[0].T[:, None, :]))
    left = nodes.reshape(left, 0, n_spin, m, n_components * n_points)
    half = nodes("MatMul", left, nodes.constant(points.orbitals.reshape(-1, m)))
    return nodes("Add", half, nodes("Transpose", half, perm=[0, 1, 3, 2]))


def at_points(nodes: Nodes, points: RolloutPoints, density: str) -> str:
    """v of ρ and ∇ρ, both (batch, n_spin, 1, n_components, n_points)."""
    inputs = of_formula(nodes, points.formula, density)
    wanted = [each for of_spin in points.formula.potential for each in of_spin]
    return joined(nodes, points.formula, nodes.expressions(wanted, inputs))


def of_formula(nodes: Nodes, made: Formula, density: str) -> dict[str, str]:
    """Parts of ρ and ∇ρ, (batch, n_spin, 1, n_components, n_points), by the names of a formula's inputs."""
    inputs: dict[str, str] = {}
    n_spin = len(made.inputs)
    of_spins = nodes.split(density, 1, *[1] * n_spin) if n_spin > 1 else [density]
    for of_spin, names in zip(of_spins, made.inputs, strict=True):
        parts = nodes.split(of_spin, 3, *[1] * len(names)) if len(names) > 1 else [of_spin]
        inputs |= dict(zip(names, parts, strict=True))
    return inputs


def joined(nodes: Nodes, made: Formula, parts: Sequence[str]) -> str:
    """One array of such parts, in a formula's order."""
    n_spin, n = len(made.inputs), made.n_components
    of_spins = [
        nodes("Concat", *parts[k : k + n], axis=3) if n > 1 else parts[k] for k in range(0, n_spin * n, n)
    ]
    return nodes("Concat", *of_spins, axis=1) if n_spin > 1 else of_spins[0]


def _at_rest(molecule: RolloutMatrices, points: RolloutPoints) -> np.ndarray:
    """v of P0, (1, n_spin, 1, n_components, n_points)."""
    return potential_at(points.formula, density_at_rest(molecule, points))[None, :, None]


def density_at_rest(molecule: RolloutMatrices, points: RolloutPoints) -> np.ndarray:
    """ρ and ∇ρ of P0, (n_spin, n_components, n_points)."""
    psi = points.orbitals
    density = np.einsum("gi,sij,xgj->sxg", psi[0], molecule.density, psi, optimize=True)
    return TWICE[: len(psi)] * density
