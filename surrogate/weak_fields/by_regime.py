"""Two surrogates for one run: the pairs' response while fields are weak, full matrices where they are not.

The one for full matrices costs a kernel of all pairs of orbitals: it is made when it is first needed.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ..surrogate import Measurement, Surrogate, Visit
from .pair_response import PairResponse

_LEAD = "pairs"


class ByRegime:
    """Implements `Surrogate` by the one in force.

    pairs: for weak fields, or None. make_full: makes the other one. weak: whether the first
    is in force.
    """

    def __init__(self, pairs: PairResponse | None, make_full: Callable[[], Surrogate]) -> None:
        self.pairs, self.weak = pairs, False
        self._make_full = make_full
        self._full: Surrogate | None = None if pairs is not None else make_full()

    @property
    def full(self) -> Surrogate:
        """The one for full matrices."""
        if self._full is None:
            self._full = self._make_full()
        return self._full

    @property
    def in_force(self) -> Surrogate:
        """The one that answers."""
        return self.pairs if self.weak and self.pairs is not None else self.full

    @property
    def mean_field_builds(self) -> int:
        """See `Surrogate`."""
        return 0 if self._full is None else self._full.mean_field_builds

    def predict(self, density: np.ndarray) -> np.ndarray:
        """See `Surrogate`."""
        return self.in_force.predict(density)

    def visit(self, density: np.ndarray) -> Visit:
        """See `Surrogate`."""
        return self.in_force.visit(density)

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
        pairs = {} if self.pairs is None else self.pairs.save()
        return {**pairs, **({} if self._full is None else self._full.save())}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved, by this or by a surrogate for full matrices alone."""
        pairs = {name: array for name, array in arrays.items() if name.startswith(_LEAD)}
        if pairs and self.pairs is not None:
            self.pairs.load(pairs)
        if len(pairs) < len(arrays):
            self.full.load({name: array for name, array in arrays.items() if name not in pairs})
