"""Points learned for one molecule: of a fine grid the few that give its functional's nonlinear response.

    Σ_g s_g w_g δv_k(g)·δρ_t(g) ≈ Tr V_k T_t   for training changes k and random matrices T_t,   s_g >= 0

Per Becke cell the points are the pivots of a QR factorisation of these rows; their weights follow by
non-negative least squares, a cell at a time and then all together (empirical cubature: An, Kim and James, ACM
Trans. Graph. 27, 165, 2008; Hernández, Caicedo and Ferrer, Comput. Methods Appl. Mech. Eng. 313, 687, 2017).
Nothing of the run is known to it: the training changes are random rotations of the ground state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ...adapters.pyscf.beyond_first_order import beyond_first_order, potential_beyond
from ...adapters.pyscf.quadrature import Quadrature, density_change, potential_matrix, quadrature_on
from .nonnegative import nonnegative_least_squares

#: Random matrices that a training change is tested on, drawn from a pool of so many.
TESTS, POOL = 40, 90
#: Points of a cell among which the pivots are looked for, drawn by what they contribute.
CANDIDATES = 1500
#: Most points of a cell.
MOST = 600
#: Rows of the sketch over the pivots wanted.
OVERSAMPLING = 1.15
#: Pivots below this share of the first add nothing that the others do not tell.
DEPENDENT = 1e-7
#: Added to the normal equations, relative to their mean diagonal; the second pulls to the cells' own weights.
RIDGE, PULL = 1e-8, 1e-6


@dataclass(frozen=True, eq=False)
class CellRows:
    """What one cell's points are chosen by, in the order of the factorisation's pivots.

    coords, weights: (g, 3) bohr and (g,), the grid's own.
    rows: (k t, g), with the weights in them.
    wanted: (k t,), by the whole cell.
    sizes: |R_jj|, (g,).
    """

    coords: np.ndarray
    weights: np.ndarray
    rows: np.ndarray
    wanted: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True, eq=False)
class Training:
    """What points are learned from, AO basis, real.

    density: P0, (n_spin, n, n).
    changes: δP, (k, n_spin, n, n).
    tests: T, (POOL, n_spin, n, n) symmetric.
    picks: (k, TESTS) of them.
    everything: S⁻¹, (1, n, n): the density of all orbitals.
    whole: whether the first order is left in.
    """

    density: np.ndarray
    changes: np.ndarray
    tests: np.ndarray
    picks: np.ndarray
    everything: np.ndarray
    whole: bool


def training(
    overlap: np.ndarray,
    density: np.ndarray,
    changes: np.ndarray,
    tests: np.ndarray,
    random: np.random.Generator,
    *,
    whole: bool,
) -> Training:
    """With the tests of every change drawn; overlap: S (n, n)."""
    n_tests = min(TESTS, len(tests))
    picks = np.array([random.choice(len(tests), n_tests, replace=False) for _ in changes])
    return Training(density, changes, tests, picks, np.linalg.inv(overlap)[None], whole)


def cell_rows(
    given: Training,
    cells: Iterable[Quadrature],
    random: np.random.Generator,
    candidates: int = CANDIDATES,
) -> list[CellRows]:
    """Rows and pivots of every cell; each change's potential has norm one over all cells together.

    cells: met one after the other, so that the grid's values are in memory for one cell at a time.
    candidates: points of each that the pivots are looked for among.
    """
    whole = np.zeros_like(given.changes)
    parts = []
    for cell in cells:
        found, rows, matrices = _evaluated_cell(given, cell, random, candidates)
        wanted = np.array(
            [np.einsum("sij,tsij->t", v, given.tests[p]) for v, p in zip(matrices, given.picks, strict=True)]
        )
        whole += matrices
        parts.append((cell.coords[found], cell.weights[found], rows, wanted))
    norms = np.linalg.norm(whole.reshape(len(whole), -1), axis=1)
    return [
        _factored(coords, weights, rows, wanted, norms, random) for coords, weights, rows, wanted in parts
    ]


def chosen_points(cells: Sequence[CellRows], n_points: int) -> tuple[np.ndarray, np.ndarray]:
    """At most so many points of all cells: coordinates (n, 3), bohr, and weights (n,). Raises NotSolved."""
    everything = np.sort(np.concatenate([cell.sizes for cell in cells]))[::-1]
    least = everything[min(n_points, len(everything)) - 1]
    columns, factors, coords, weights = [], [], [], []
    for cell in cells:
        n = max(int((cell.sizes >= least).sum()), 1)
        factor = _weights(cell.rows[:, :n], cell.wanted, np.zeros(n), RIDGE)
        points = np.flatnonzero(factor > 0.0)
        columns.append(cell.rows[:, points])
        factors.append(factor[points])
        coords.append(cell.coords[points])
        weights.append(cell.weights[points])
    wanted = np.sum([cell.wanted for cell in cells], axis=0)
    factor = _weights(np.concatenate(columns, axis=1), wanted, np.concatenate(factors), PULL)
    kept = factor > 0.0
    return np.concatenate(coords)[kept], (np.concatenate(weights) * factor)[kept]


def _factored(
    coords: np.ndarray,
    weights: np.ndarray,
    rows: np.ndarray,
    wanted: np.ndarray,
    norms: np.ndarray,
    random: np.random.Generator,
) -> CellRows:
    """A cell's candidates in the order of the pivots of a sketch of their rows, over the norms (k,)."""
    scaled = (rows / norms[:, None, None]).reshape(-1, len(weights))
    n_rows = min(int(OVERSAMPLING * MOST) + 20, len(scaled))
    # The order of the pivots does not need double precision.
    sketch = (random.standard_normal((n_rows, len(scaled))) / np.sqrt(n_rows)).astype(np.float32)
    sizes, first = _pivots(sketch @ scaled.astype(np.float32))
    kept = (coords[first], weights[first], scaled[:, first])
    return CellRows(*kept, (wanted / norms[:, None]).ravel(), sizes)


def _pivots(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|R_jj| and numbers of the first columns that a pivoted QR factorisation takes, at most MOST."""
    factored = scipy.linalg.qr(rows, mode="r", pivoting=True, check_finite=False)
    r, order = np.asarray(factored[0]), np.asarray(factored[-1])
    sizes = np.abs(np.diagonal(r))[:MOST].astype(float)
    sizes = sizes[: max(int((sizes > DEPENDENT * sizes[0]).sum()), 1)]
    return sizes, order[: len(sizes)]


def _weights(rows: np.ndarray, wanted: np.ndarray, start: np.ndarray, ridge: float) -> np.ndarray:
    """Factors s >= 0 of the points' weights, near `start` by the ridge, in units of the columns' length."""
    lengths = np.linalg.norm(rows, axis=0)
    lengths[lengths == 0.0] = 1.0
    scaled = rows / lengths
    gram = scaled.T @ scaled
    pull = ridge * float(np.trace(gram)) / len(gram)
    gram[np.diag_indices(len(gram))] += pull
    # Most that the cells' own weights keep, all together keep.
    positive = start > 0.0 if start.any() else None
    return nonnegative_least_squares(gram, scaled.T @ wanted + pull * start * lengths, positive) / lengths


def _evaluated_cell(
    given: Training, cell: Quadrature, random: np.random.Generator, candidates: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A cell's candidates (g,), rows (k, t, g) at them, and every change's potential (k, n_spin, n, n)."""
    at = beyond_first_order(cell, given.density, whole=given.whole)
    potentials = [potential_beyond(at, density_change(cell, change)) for change in given.changes]
    matrices = np.array([potential_matrix(cell, v * cell.weights) for v in potentials])
    # The largest that any test can make of a point: all orbitals' density there.
    room = np.abs(cell.weights * density_change(cell, given.everything)[0, 0])
    sizes = room * np.sqrt(sum(np.square(v[:, 0]).max(axis=0) for v in potentials))
    shares = np.sqrt(sizes) + 1e-300
    n = min(candidates, len(sizes))
    found = np.sort(random.choice(len(sizes), n, replace=False, p=shares / shares.sum()))
    few = quadrature_on(cell.mol, cell.xc, cell.coords[found], cell.weights[found], np.inf)
    tests = np.array([density_change(few, test) for test in given.tests])
    rows = np.array(
        [
            np.einsum("svg,tsvg->tg", v[..., found] * cell.weights[found], tests[pick])
            for v, pick in zip(potentials, given.picks, strict=True)
        ]
    )
    return found, rows, matrices
