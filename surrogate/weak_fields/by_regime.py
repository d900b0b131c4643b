"""Two surrogates for one run: the pairs' response while fields are weak, full matrices where they are not.

Each costs a kernel, and is made when it is first needed.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ..surrogate import Measurement, Surrogate, Visit
from .pair_response import PairResponse

_LEAD = "pairs"


class ByRegime:
    """Implements `Surrogate` by the one in force: that for full matrices, or after `weaken` the pairs'.

    make_pairs: makes the one for weak fields, or gives None where there is none. make_full: makes the other.
    full_is_dear: whether its directions cost a Coulomb-exchange build each.
    """

    def __init__(
        self,
        make_pairs: Callable[[], PairResponse | None],
        make_full: Callable[[], Surrogate],
        *,
        full_is_dear: bool = False,
    ) -> None:
        self._make_pairs, self._make_full = make_pairs, make_full
        self.full_is_dear = full_is_dear
        self._pairs: PairResponse | None = None
        self._full: Surrogate | None = None
        self._weak, self._asked = False, False

    @property
    def pairs(self) -> PairResponse | None:
        """The one for weak fields."""
        if not self._asked:
            self._pairs, self._asked = self._make_pairs(), True
        return self._pairs

    @property
    def full(self) -> Surrogate:
        """The one for full matrices."""
        if self._full is None:
            self._full = self._make_full()
        return self._full

    @property
    def weak(self) -> PairResponse | None:
        """The one for weak fields, where it is in force."""
        return self._pairs if self._weak else None

    def weaken(self) -> bool:
        """Put the pairs' response in force; whether there is one."""
        self._weak = self.pairs is not None
        return self._weak

    def strengthen(self) -> None:
        """Put full matrices in force."""
        self._weak = False

    @property
    def in_force(self) -> Surrogate:
        """The one that answers."""
        return self.full if self.weak is None else self.weak

    @property
    def mean_field_builds(self) -> int:
        """See `Surrogate`."""
        return sum(own.mean_field_builds for own in (self._pairs, self._full) if own is not None)

    @property
    def nonlinear(self) -> bool:
        """See `Surrogate`."""
        return self.in_force.nonlinear

    @property
    def first_order_fails(self) -> bool:
        """See `Surrogate`."""
        return self.in_force.first_order_fails

    def predict(self, density: np.ndarray) -> np.ndarray:
        """See `Surrogate`."""
        return self.in_force.predict(density)

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """See `Surrogate`."""
        return self.in_force.visit(density, last=last)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """See `Surrogate`."""
        return self.in_force.observe(density, fock)

    def refine(self, target: float, most: int) -> int:
        """See `Surrogate`."""
        return self.in_force.refine(target, most)

    def sharpen(self) -> bool:
        """See `Surrogate`."""
        return self.in_force.sharpen()

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """See `Surrogate`."""
        return self.in_force.energies(densities)

    def save(self) -> dict[str, np.ndarray]:
        """Arrays of both, under names of their own."""
        pairs = {} if self._pairs is None else self._pairs.save()
        return {**pairs, **({} if self._full is None else self._full.save())}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved, by this or by a surrogate for full matrices alone."""
        pairs = {name: array for name, array in arrays.items() if name.startswith(_LEAD)}
        if pairs and self.pairs is not None:
            self.pairs.load(pairs)
        if len(pairs) < len(arrays):
            self.full.load({name: array for name, array in arrays.items() if name not in pairs})
