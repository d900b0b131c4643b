"""The part of the response that is not linear, by the functional itself on few points.

    r(δP) = V_c[P0 + δP] - V_c[P0] - K_c δP

V_c: on the points; K_c: its own first derivative there, so that whatever the points get wrong of the linear
response does not enter. How much of r they get wrong is measured beforehand, on random rotations of the
occupied orbitals into the empty ones.

Where those show that the first order is further off than nothing, as in lithium hydride's wide tail, r is the
whole change V_c[P0 + δP] - V_c[P0]: the linear part is then that of Coulomb and exact exchange alone. Points
that are learned anew there have those of the grid beside them that a minimum of the density passes (`tail`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.linalg
from scipy.spatial import KDTree

from ...adapters.pyscf.beyond_first_order import (
    BeyondFirstOrder,
    beyond_first_order,
    energies_beyond,
    matrices_beyond,
    matrix_beyond,
)
from ...adapters.pyscf.quadrature import Quadrature, make_quadrature, quadrature_on
from ...adapters.working_basis import WorkingBasis
from .cubature import CANDIDATES, POOL, CellRows, cell_rows, chosen_points, training
from .nonnegative import NotSolved
from .tail import passed_by_minima

#: Points an atom, from the fewest on.
PER_ATOM = (100, 200, 350, 600)
#: From so many on the error may be as many times that wanted as the source says.
MANY = 350
#: Rotations that points are learned from; where the draw begins.
TRAINED, SEED = 40, 1
#: Rotations that points are learned from beside what a run has visited.
ANYWAY = 4
#: Share of the present error that points are to have that are learned anew.
BETTER = 0.2
#: Rotations that tell whether the first order is worth having.
LOOKED_AT = 4
#: Points of a larger error are not used.
USELESS = 0.2
#: Rotations on which points are measured, and the smallest and largest |δP| of them.
HELD_OUT, SMALLEST, LARGEST = 4, 0.05, 1.0
#: PySCF's level of the grid that points are learned on.
LEARNING_LEVEL = 2
#: What learning tells of itself; share of its time that the grid takes, in water.
_LEARNING, _CELLS_SHARE = "learning points", 0.6


@dataclass(frozen=True)
class Effort:
    """What learning may take.

    trained: rotations that points are learned from beforehand; level: PySCF's, of their grid.
    candidates: of a cell. better: share of the present error that points learned anew are to have.
    enough: many points are not added to where their error is so many times that wanted.
    """

    trained: int = TRAINED
    level: int = LEARNING_LEVEL
    candidates: int = CANDIDATES
    better: float = BETTER
    enough: float = 1.0


@dataclass(frozen=True, eq=False)
class NonlinearResponse:
    """r on some points.

    coords, weights: the points as they were given, (n, 3) bohr and (n,).
    error: ‖r - r_fine‖ over ‖r_fine‖ on held-out rotations, root mean square.
    """

    basis: WorkingBasis
    part: BeyondFirstOrder
    coords: np.ndarray
    weights: np.ndarray
    error: float

    @property
    def whole(self) -> bool:
        """Whether r has the functional's first order in it."""
        return self.part.kernel is None

    def points(self) -> np.ndarray:
        """What `NonlinearSource.again` takes, (n, 6): coordinates, weight, error, whether it is whole."""
        same = np.broadcast_to([self.error, self.whole], (len(self.weights), 2))
        return np.column_stack([self.coords, self.weights, same])

    def __call__(self, change: np.ndarray) -> np.ndarray:
        """r of a change of P', Hermitian, both (n_spin, m, m)."""
        return self.basis.fock_in(matrix_beyond(self.part, real_out(self.basis, change)))

    def energies(self, changes: np.ndarray) -> np.ndarray:
        """What belongs to r of the energy, (k,) Hartree, of changes (k, n_spin, m, m)."""
        return energies_beyond(self.part, real_out(self.basis, changes))


class NonlinearSource(Protocol):
    """Makes the nonlinear part of one ground state's response."""

    @property
    def wanted_from(self) -> float:
        """|δP| from which on it is wanted."""
        ...

    def make(self) -> NonlinearResponse | None:
        """A new one, when it is wanted; None where none is good enough."""
        ...

    def better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        """One that does better on such changes of P', (n_spin, m, m) each; None where none was found."""
        ...

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """One that was made before, by its points."""
        ...


@dataclass(frozen=True, eq=False)
class PointSource:
    """Points chosen for an error on held-out rotations.

    fine: the reference's own quadrature. density: P0, AO basis, real; ground: P0', working basis.
    wanted, wanted_whole: error, without and with the first order.
    wanted_from: |δP| from which on what is not linear matters.
    tell: takes words and the share done, while points are learned.
    carried: points of an earlier run, (n, 6), moved to this geometry: used where they are good enough, or no
        worse than where they were learned.
    whole: the first order is left in, whatever it is worth. effort: what learning may take.
    """

    fine: Quadrature
    basis: WorkingBasis
    density: np.ndarray
    ground: np.ndarray
    wanted: float
    wanted_whole: float
    wanted_from: float
    tell: Callable[[str, float], None] = lambda *_: None
    carried: np.ndarray | None = None
    whole: bool = False
    effort: Effort = Effort()

    def make(self) -> NonlinearResponse | None:
        """The fewest points that are good enough, or the best; None where all are bad."""
        random = np.random.default_rng(SEED)
        turned = np.array(
            [real_out(self.basis, c) for c in rotations(self.ground, self.effort.trained, random)]
        )
        if not self.whole:
            thin = replace(self, fine=learning_grid(self.fine, self.effort.level))
            about = beyond_first_order(thin.fine, self.density)
            if not first_order_fails(about, turned[:LOOKED_AT]):
                return thin._made(about, turned, random)
        # Where the first order fails a thinner grid is 2 % off.
        return self._made(beyond_first_order(self.fine, self.density, whole=True), turned, random)

    def better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        """Points learned from changes of P' that a run visited; None where some held out say no better."""
        # Points of the reference's own grid may be kept beside them.
        grid = self.fine if response.whole else learning_grid(self.fine)
        return replace(self, fine=grid)._better(response, visited)

    def _made(
        self, fine: BeyondFirstOrder, turned: np.ndarray, random: np.random.Generator
    ) -> NonlinearResponse | None:
        """From rotations turned (k, n_spin, n, n), AO basis; fine: on this source's grid."""
        tests = self._tests(random)
        kept = self._kept(fine)
        if kept is not None:
            return kept
        rows = self._rows(turned, tests, fine.kernel is None, random, self._nothing())
        held_out = _measured(self.basis, fine, rotations(self.ground, HELD_OUT, random))
        wanted = self._wanted(fine)
        many = wanted if fine.kernel is None else self.effort.enough * wanted
        found = self._fewest(rows, fine, held_out, (wanted, many), self._nothing())
        return found if found is not None and found.error <= USELESS else None

    def _better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        random = np.random.default_rng(SEED)
        fine = beyond_first_order(self.fine, self.density, whole=response.whole)
        held_out = visited[HELD_OUT // 2 :: HELD_OUT]
        learned_from = [c for k, c in enumerate(visited) if k % HELD_OUT != HELD_OUT // 2]
        learned_from += rotations(self.ground, ANYWAY, random)
        changes = np.array([real_out(self.basis, change) for change in learned_from])
        kept = self._tail(visited) if response.whole else self._nothing()
        rows = self._rows(changes, self._tests(random), response.whole, random, kept)
        measured = _measured(self.basis, fine, held_out)
        error = _error(response, measured)
        wanted = self.effort.better * error
        found = self._fewest(rows, fine, measured, (wanted, wanted), kept)
        return found if found is not None and found.error < error else None

    def _kept(self, fine: BeyondFirstOrder) -> NonlinearResponse | None:
        """The points carried along; None where there are none, or they are not good enough here."""
        if self.carried is None:
            return None
        kept = self.again(self.carried)
        if kept.whole != (fine.kernel is None):
            return None
        # What learning reached there it is taken to reach here.
        learned = kept.error
        held_out = rotations(self.ground, HELD_OUT, np.random.default_rng(SEED + 1))
        kept = replace(kept, error=held_out_error(kept, fine, held_out))
        return kept if kept.error <= max(self._wanted(fine), min(learned, USELESS)) else None

    def _wanted(self, fine: BeyondFirstOrder) -> float:
        return self.wanted_whole if fine.kernel is None else self.wanted

    def _tests(self, random: np.random.Generator) -> np.ndarray:
        """Random symmetric matrices, AO basis, (POOL, n_spin, n, n)."""
        tests = random.standard_normal((POOL, *self.ground.shape))
        return np.array([real_out(self.basis, test + test.swapaxes(1, 2)) for test in tests])

    def _nothing(self) -> np.ndarray:
        return np.zeros(len(self.fine.weights), bool)

    def _tail(self, visited: Sequence[np.ndarray]) -> np.ndarray:
        """Points of the grid that are kept as they are, (n_grid,), on the way of visited changes."""
        first_order = beyond_first_order(self.fine, self.density)
        changes = [real_out(self.basis, change) for change in visited]
        fails = first_order_fails(first_order, np.array(changes[-LOOKED_AT:]))
        return passed_by_minima(first_order, changes) if fails else self._nothing()

    def _rows(
        self,
        changes: np.ndarray,
        tests: np.ndarray,
        whole: bool,
        random: np.random.Generator,
        kept: np.ndarray,
    ) -> list[CellRows]:
        """Of the grid without the points kept, (n_grid,)."""
        overlap = self.fine.mol.intor_symmetric("int1e_ovlp")
        learned_from = training(overlap, self.density, changes, tests, random, whole=whole)
        return cell_rows(learned_from, self._told_cells(kept), random, self.effort.candidates)

    def _fewest(
        self,
        rows: Sequence[CellRows],
        fine: BeyondFirstOrder,
        held_out: Sequence[tuple[np.ndarray, np.ndarray]],
        wanted: tuple[float, float],
        kept: np.ndarray,
    ) -> NonlinearResponse | None:
        """The fewest points of the error wanted on changes held out, or the best, beside those kept.

        held_out: see `_measured`. wanted: of fewer than MANY points an atom, and of so many.
        """
        whole = fine.kernel is None
        found: NonlinearResponse | None = None
        for number, per_atom in enumerate(PER_ATOM):
            share = _CELLS_SHARE + (1.0 - _CELLS_SHARE) * number / len(PER_ATOM)
            self.tell(f"{_LEARNING}, {per_atom} an atom", share)
            try:
                coords, weights = chosen_points(rows, per_atom * self.fine.mol.natm)
            except NotSolved:
                continue
            points = (
                np.concatenate([coords, self.fine.coords[kept]]),
                np.concatenate([weights, self.fine.weights[kept]]),
            )
            made = on_points(self.fine, self.basis, self.density, points, whole=whole)
            made = replace(made, error=_error(made, held_out))
            if found is None or made.error < found.error:
                found = made
            if made.error <= wanted[per_atom >= MANY]:
                break
        return found

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """Those points."""
        places, error, whole = (points[:, :3], points[:, 3]), float(points[0, 4]), bool(points[0, 5])
        return replace(on_points(self.fine, self.basis, self.density, places, whole=whole), error=error)

    def _told_cells(self, kept: np.ndarray) -> Iterator[Quadrature]:
        """The grid without the points kept, cut by the nearest atom."""
        fine = self.fine
        nearest = KDTree(fine.mol.atom_coords()).query(fine.coords)[1]
        atoms = np.unique(nearest)
        for number, atom in enumerate(atoms):
            said = f"{_LEARNING}, atom {number + 1} of {len(atoms)}"
            self.tell(said, _CELLS_SHARE * number / len(atoms))
            own = (nearest == atom) & ~kept
            yield quadrature_on(fine.mol, fine.xc, fine.coords[own], fine.weights[own], np.inf)


def learning_grid(fine: Quadrature, level: int = LEARNING_LEVEL) -> Quadrature:
    """The grid that points are learned on: r of level 2 is 1e-4 off, of level 1 and of learned points 3e-3.

    A meta-GGA's is the reference's own.
    """
    if fine.kind == "MGGA":
        return fine
    # Values of its functions take no more memory than those of the reference's grid do.
    found = make_quadrature(fine.mol, fine.xc, level, float(sum(ao.nbytes for ao in fine.aos)))
    return found if len(found.weights) < len(fine.weights) else fine


def on_points(
    fine: Quadrature,
    basis: WorkingBasis,
    density: np.ndarray,
    points: tuple[np.ndarray, np.ndarray],
    *,
    whole: bool = False,
) -> NonlinearResponse:
    """r on the points, its error not measured yet.

    density: P0, AO basis, (n_spin, n, n) real. fine: names molecule and functional.
    """
    part = beyond_first_order(quadrature_on(fine.mol, fine.xc, *points, np.inf), density, whole=whole)
    return NonlinearResponse(basis, part, *points, np.nan)


def first_order_fails(fine: BeyondFirstOrder, changes: np.ndarray) -> bool:
    """Whether f_xc δρ is further from V[P0 + δP] - V[P0] than nothing is, in root mean square.

    changes: δP (k, n_spin, n, n), AO basis, real.
    """
    sizes = [[np.linalg.norm(matrix) for matrix in matrices_beyond(fine, c)] for c in changes]
    beyond, whole = np.linalg.norm(sizes, axis=0)
    return bool(beyond > whole)


def real_out(basis: WorkingBasis, change: np.ndarray) -> np.ndarray:
    """The real part of a change of P', (..., n_spin, m, m), in the AO basis."""
    return np.ascontiguousarray(basis.density_out(np.real(change)))


def held_out_error(
    response: NonlinearResponse, fine: BeyondFirstOrder, rotations: Sequence[np.ndarray]
) -> float:
    """Root mean square of ‖r - r_fine‖ / ‖r_fine‖ over changes of P', (n_spin, m, m) each."""
    return _error(response, _measured(response.basis, fine, rotations))


def _measured(
    basis: WorkingBasis, fine: BeyondFirstOrder, rotations: Sequence[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Changes of P', each with its r_fine."""
    return [(c, basis.fock_in(matrix_beyond(fine, real_out(basis, c)))) for c in rotations]


def _error(response: NonlinearResponse, measured: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    errors = [np.linalg.norm(response(c) - wanted) / np.linalg.norm(wanted) for c, wanted in measured]
    return float(np.sqrt(np.mean(np.square(errors))))


def rotations(density: np.ndarray, n: int, random: np.random.Generator) -> list[np.ndarray]:
    """Changes U P0' U† - P0' by random rotations of occupied into empty orbitals.

    density: P0', (n_spin, m, m). |δP| is drawn evenly in its logarithm.
    """
    numbers, orbitals = np.linalg.eigh(density)
    holes = np.abs(numbers[:, :, None] - numbers[:, None, :])
    found = []
    for size in np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST), n)):
        turn = random.standard_normal((2, *density.shape))
        generator = orbitals @ ((turn[0] + 1j * turn[1]) * holes) @ orbitals.conj().swapaxes(1, 2)
        generator = generator + generator.conj().swapaxes(1, 2)
        first = np.linalg.norm(generator @ density - density @ generator)
        turned = np.array([scipy.linalg.expm(1j * size / first * g) for g in generator])
        found.append(turned @ density @ turned.conj().swapaxes(1, 2) - density)
    return found
