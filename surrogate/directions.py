"""A linear map known on the directions met so far.

    ΔF ≈ K Qᵀ x,   Q: orthonormal directions of the density change x, K: their images

An image is either exact (a reference evaluation) or approximate (a prior's). The approximate directions keep the
covariance of the coordinates visited, so that the next reference evaluation goes to the direction that matters most:
the principal one.
"""

from collections.abc import Mapping

import numpy as np


class Directions:
    """Q, K and J, (k, d) each; the first `n_exact` rows of K are exact. Grows by doubling its buffers.

    J, always exact, holds the images under the Coulomb operator, which the energies need apart.
    """

    def __init__(self, d: int) -> None:
        self.n = self.n_exact = 0
        self._q, self._k, self._j = np.zeros((3, 16, d))
        self.second_moment = np.zeros((0, 0))

    @property
    def q(self) -> np.ndarray:
        """Directions, (k, d)."""
        return self._q[: self.n]

    @property
    def k(self) -> np.ndarray:
        """Images under the response, (k, d)."""
        return self._k[: self.n]

    @property
    def j(self) -> np.ndarray:
        """Images under the Coulomb operator, (k, d)."""
        return self._j[: self.n]

    def append(self, direction: np.ndarray, image: np.ndarray, coulomb: np.ndarray, *, exact: bool) -> None:
        """Add one direction, orthonormal to the others. Exact ones go before the approximate ones."""
        if self.n == len(self._q):
            self._q, self._k, self._j = (
                np.concatenate([rows, np.zeros_like(rows)]) for rows in (self._q, self._k, self._j)
            )
        self._q[self.n], self._k[self.n], self._j[self.n] = direction, image, coulomb
        self.n += 1
        if exact:
            if self.n_exact != self.n - 1:
                raise ValueError("an exact direction cannot follow approximate ones")
            self.n_exact += 1
        else:
            self.second_moment = np.pad(self.second_moment, (0, 1))

    def outside(self, x: np.ndarray, coordinates: np.ndarray) -> tuple[np.ndarray, float]:
        """The unit vector of the part of x outside the span, and its length; zero vector where there is none."""
        rest = x - coordinates @ self.q
        rest -= (self.q @ rest) @ self.q
        length = float(np.linalg.norm(rest))
        if length == 0.0:
            return rest, 0.0
        # Once more at unit length: a nearly dependent vector loses its orthogonality to rounding.
        rest /= length
        rest -= (self.q @ rest) @ self.q
        return rest / np.linalg.norm(rest), length

    @property
    def approximate_size(self) -> np.ndarray:
        """|K_j| of the approximate directions."""
        return np.linalg.norm(self._k[self.n_exact : self.n], axis=1)

    def approximate_response(self, coordinates: np.ndarray) -> float:
        """|K c| over the approximate directions alone."""
        rows = slice(self.n_exact, self.n)
        return float(np.linalg.norm(coordinates[rows] @ self._k[rows]))

    def visit(self, coordinates: np.ndarray) -> None:
        """Add the approximate coordinates of one visited change to their second moment."""
        c = coordinates[self.n_exact : self.n]
        self.second_moment += c[:, None] * c

    def sort_approximate(self) -> np.ndarray:
        """Turn the approximate directions into principal ones, largest first; returns their variances (unnormalised)."""
        variances, rotation = np.linalg.eigh(self.second_moment)
        variances, rotation = variances[::-1], rotation[:, ::-1]
        rows = slice(self.n_exact, self.n)
        for vectors in (self._q, self._k, self._j):
            vectors[rows] = rotation.T @ vectors[rows]
        self.second_moment = np.diag(np.maximum(variances, 0.0))
        return self.second_moment.diagonal()

    def make_exact(self, image: np.ndarray) -> None:
        """Replace the first approximate direction's image by its exact one."""
        self._k[self.n_exact] = image
        self.n_exact += 1
        self.second_moment = self.second_moment[1:, 1:]

    def save(self, name: str) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        return {
            f"{name}_q": self.q.copy(),
            f"{name}_k": self.k.copy(),
            f"{name}_j": self.j.copy(),
            f"{name}_n_exact": np.array(self.n_exact),
            f"{name}_second_moment": self.second_moment.copy(),
        }

    def load(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved under `name`."""
        self.n = len(arrays[f"{name}_q"])
        room = np.zeros((16, arrays[f"{name}_q"].shape[1]))
        self._q, self._k, self._j = (np.concatenate([arrays[f"{name}_{letter}"], room]) for letter in "qkj")
        self.n_exact = int(arrays[f"{name}_n_exact"])
        self.second_moment = np.array(arrays[f"{name}_second_moment"])
