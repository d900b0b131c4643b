"""When the functional on few points joins a response, and when its points are learned anew.

It is made as soon as the motion is strong enough. Points learned from random rotations are good everywhere
and best nowhere: where a pass has not been good enough, they are learned again from the densities that the
run has come to, and a few of these, kept apart, say whether that was better. That takes no Fock build.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..matrices.packing import Packing, pack, unpack
from ..nonlinear.nonlinear_response import NonlinearResponse, NonlinearSource
from ..nonlinear.point_rows import PointRows, point_rows

#: |ΔF - linear| / |δP|², Hartree, as seen in water in strong fields.
CURVATURE = 0.06
#: Densities that are kept to learn from, fewest that are worth it.
MOST_VISITED, FEWEST_VISITED = 32, 8
#: They are learned from again after so many times as many visits.
LATER = 2.0


class NonlinearPart:
    """r(x) of a response, in packed coordinates; nothing before it is wanted.

    response: the functional on few points, once it is there.
    """

    def __init__(self, packing: Packing, source: NonlinearSource | None) -> None:
        self.response: NonlinearResponse | None = None
        # None: not made yet; False: the response is quicker by itself.
        self._rows: PointRows | Literal[False] | None = None
        self._packing, self._source, self._asked = packing, source, False
        self._visited = np.zeros((0, packing.n_real))
        # Visits in all, those between two that are kept, and visits when the points were learned.
        self._n_visits, self._spacing, self._n_learned = 0, 1, 0

    @property
    def whole(self) -> bool:
        """Whether r has the functional's first order in it."""
        return self.response is not None and self.response.whole

    def wanted(self, size: float) -> bool:
        """Whether |δP|² says that it is time to make it."""
        return self._source is not None and not self._asked and size > self._source.wanted_from**2

    def make(self) -> bool:
        """Make it, once; whether it is there."""
        self._asked = True
        assert self._source is not None
        self.response, self._rows = self._source.make(), None
        return self.response is not None

    def visit(self, x: np.ndarray) -> None:
        """Keep some of the changes (d,) that a run comes to, evenly over its visits."""
        if self.response is None:
            return
        if self._n_visits % self._spacing == 0:
            self._visited = np.concatenate([self._visited, x[None]])
            if len(self._visited) == MOST_VISITED:
                self._visited = self._visited[::2]
                self._spacing *= 2
        self._n_visits += 1

    def relearn(self) -> bool:
        """Learn the points from what was visited; whether other ones are there now."""
        few = len(self._visited) < FEWEST_VISITED or self._n_visits < LATER * self._n_learned
        if self.response is None or self._source is None or few:
            return False
        self._n_learned = self._n_visits
        nothing = np.zeros(self._packing.n_imag)
        visited = [unpack(self._packing, x, nothing) for x in self._visited]
        better = self._source.better(self.response, visited)
        if better is None:
            return False
        self.response, self._rows = better, None
        return True

    def of(self, x: np.ndarray) -> np.ndarray:
        """r (d,) of a packed change (d,)."""
        assert self.response is not None
        if self._rows is None and isinstance(self.response, NonlinearResponse):
            self._rows = point_rows(self.response, self._packing)
        if isinstance(self._rows, PointRows):
            return self._rows(x)
        change = unpack(self._packing, x, np.zeros(self._packing.n_imag))
        return pack(self._packing, self.response(change).astype(complex))[0]

    def all_of(self, changes: np.ndarray) -> np.ndarray:
        """r (k, d) of packed changes (k, d)."""
        return np.reshape([self.of(x) for x in changes], changes.shape)

    def missing(self, x: np.ndarray, beyond: np.ndarray | None) -> float:
        """Expected norm of what is wrong with `beyond`, r at x, before any anchor has shown it."""
        guessed = CURVATURE * float(x @ x)
        if self.response is None or beyond is None:
            return guessed
        return self.response.error * (float(np.linalg.norm(beyond)) if self.response.whole else guessed)

    def lacking(self, beyond: np.ndarray | None) -> float:
        """Expected norm of what the points lack of r, given as they have it."""
        if self.response is None or beyond is None:
            return 0.0
        return self.response.error * float(np.linalg.norm(beyond))

    def save(self) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        return {
            "nonlinear_points": np.zeros((0, 6)) if self.response is None else self.response.points(),
            "nonlinear_visited": self._visited.copy(),
            "nonlinear_counts": np.array([self._asked, self._n_visits, self._spacing, self._n_learned]),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        points = np.asarray(arrays["nonlinear_points"])
        self._visited = np.array(arrays["nonlinear_visited"])
        asked, self._n_visits, self._spacing, self._n_learned = np.asarray(
            arrays["nonlinear_counts"]
        ).tolist()
        self._asked = bool(asked)
        self.response = self._source.again(points) if self._source is not None and len(points) else None
        self._rows = None
