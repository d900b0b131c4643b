"""The seam to anything that stands in for the reference code between its evaluations.

Densities and Fock matrices are in the working basis, (n_spin, m, m) complex Hermitian, without the external
field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

#: A response below this (Hartree) is rounding of the Fock matrix.
AT_REST = 1e-10
#: Name among the arrays of a surrogate that forms its response anew. With more or less memory a run goes on
#: by the one that learns directions, or the other way round: what one has learned the other does not load.
FORMED = "formed"


Prior = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measurement:
    """What a reference evaluation said of a surrogate at one density.

    defect: ‖F_ref - F_surrogate‖; response: ‖F_ref - F_ref(P0)‖; Frobenius norms in the working basis,
    Hartree. force: ‖[F_ref - F_surrogate, P]‖, the rate at which the defect drives P astray.
    """

    defect: float
    response: float
    force: float

    @property
    def residual(self) -> float:
        """defect / response; 0 where the system is at rest."""
        return self.defect / self.response if self.response > AT_REST else 0.0


class Visit(NamedTuple):
    """What a surrogate says of a density that a run has come to.

    spread: expected ‖F_ref - F_surrogate‖ / ‖F_ref - F_ref(P0)‖, by what the surrogate knows now.
    learned: share of the response that it did not know of when it predicted, and has learned by the visit.
    """

    spread: float
    learned: float


class Surrogate(Protocol):
    """Predicts the Fock matrix and how far to trust it."""

    @property
    def mean_field_builds(self) -> int:
        """Coulomb-exchange builds made so far."""
        ...

    @property
    def nonlinear(self) -> bool:
        """Whether what is not linear in the density is there beforehand: what that lacks keeps one sign."""
        ...

    @property
    def first_order_fails(self) -> bool:
        """Whether that holds the functional's first order, since this is of no use, as in a wide tail."""
        ...

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P'."""
        ...

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """Take note of a P' that the run has come to; free of cost where it was predicted for last.

        last: of a segment, so that nothing of it may wait for a later visit.
        """
        ...

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Learn from a reference pair (P', field-free F'); returns how far off the prediction was."""
        ...

    def refine(self, target: float, most: int) -> int:
        """Bring the spread over the visits to `target` with up to `most` Fock builds; returns how many."""
        ...

    def sharpen(self) -> bool:
        """Leave out less, at the cost of processor time; False where there is nothing to sharpen."""
        ...

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """Core, Coulomb, exchange-correlation energies (k, 3), Hartree, of k densities (k, n_spin, m, m)."""
        ...

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        ...

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        ...


@runtime_checkable
class StepsFollowed(Protocol):
    """A surrogate that gains by knowing which predictions belong to one step of a pass."""

    def pass_begins(self) -> Callable[[int], None]:
        """A pass begins: what is to be told of every step, by the number of the point it starts from.

        A step's first prediction may then be off by little; one at the same P' behind it is not.
        """
        ...

    def nearby(self) -> Callable[[np.ndarray, int], np.ndarray]:
        """F' of P' close to the points of the last pass, by their numbers, one after the other.

        What is not linear is taken from the point itself; what it is off there is looked at now and then.
        """
        ...


@runtime_checkable
class EnergiesApart(Protocol):
    """A surrogate whose core and Coulomb energies take less than all three."""

    def core_and_coulomb(self, densities: np.ndarray) -> np.ndarray:
        """(k, 2), Hartree, of k densities (k, n_spin, m, m)."""
        ...
