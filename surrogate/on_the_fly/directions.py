"""A linear map known on the directions met so far.

    ΔF ≈ K Qᵀ x,   Q: orthonormal directions of the density change x, K: their images

An image is either exact (a reference evaluation) or approximate (a prior's). The approximate directions keep
the second moment of the coordinates visited, so that the next reference evaluation goes to the direction that
matters most: the principal one.

The response is the second derivative of an energy: symmetric. An exact image therefore tells what every
other direction's has along it. With Δ what an exact image has changed, the other images gain Q Δᵀ: of all
symmetric maps that answer the exact directions right the one nearest to the prior (Powell 1970; Dennis and
Schnabel, SIAM Rev. 21, 443 (1979)). Without it the map would not be symmetric, and its normal modes could
grow.

The map is applied in single precision, whose rounding is relative to the response and far below every error
that is controlled here; it is bound by memory traffic, 8 k d bytes a product, or 4 d² once the map has
settled and that is less.
"""

from collections.abc import Mapping

import numpy as np

#: Products made without a new direction before the map is folded into one matrix.
SETTLED = 200
#: Visits gathered for one update of the second moment.
BATCH = 32


class Directions:
    """Q, K and J, (k, d) each; the first `n_exact` rows of K are exact. Grows by doubling its buffers.

    J, always exact, holds the images under the Coulomb operator, which the energies need apart.
    version: counts the changes.
    """

    def __init__(self, d: int) -> None:
        self.n = self.n_exact = self.version = 0
        self._q, self._k, self._j = np.zeros((3, 16, d))
        # Δ of the last of the exact rows: those that had approximate images first.
        self._shifts = np.zeros((0, d))
        self._moment = np.zeros((0, 0))
        self._visits: list[np.ndarray] = []
        self._changed()

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

    @property
    def n_approximate(self) -> int:
        """Directions with approximate images."""
        return self.n - self.n_exact

    def apply(self, x: np.ndarray) -> np.ndarray:
        """K Qᵀ x, (d,), single precision."""
        if self.n == 0:
            return np.zeros(x.shape)
        if self._folded is not None:
            return scaled_product(self._folded, x)
        if self._q32 is None or self._k32 is None:
            self._q32, self._k32 = self.q.astype(np.float32), self.k.astype(np.float32)
        self._products += 1
        if self._products > SETTLED and 2 * self.n > len(x):
            self._folded = (self.k.T @ self.q).astype(np.float32)
        size = float(np.abs(x).max())
        if size == 0.0:
            return np.zeros(x.shape)
        return ((self._q32 @ _scaled(x, size)) @ self._k32) * size

    def completed(self, direction: np.ndarray, image: np.ndarray) -> np.ndarray:
        """A prior's image of a direction orthogonal to all known, with what exact images tell of it."""
        return image + (self._shifts @ direction) @ self._refined

    def append(self, direction: np.ndarray, image: np.ndarray, coulomb: np.ndarray, *, exact: bool) -> None:
        """Add one direction, orthonormal to the others. Exact ones go before the approximate ones."""
        if exact and self.n_approximate:
            raise ValueError("an exact direction cannot follow approximate ones")
        self._flush()
        if self.n == len(self._q):
            self._q, self._k, self._j = (
                np.concatenate([rows, np.zeros_like(rows)]) for rows in (self._q, self._k, self._j)
            )
        self._q[self.n], self._k[self.n], self._j[self.n] = direction, image, coulomb
        self.n += 1
        if exact:
            self.n_exact += 1
        else:
            self._moment = np.pad(self._moment, (0, 1))
        self._changed()

    def outside(self, x: np.ndarray, coordinates: np.ndarray) -> tuple[np.ndarray, float]:
        """Unit vector of the part of x outside the span, and its length; zero vector where there is none."""
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
        sizes = self._sizes
        if sizes is None:
            sizes = self._sizes = np.linalg.norm(self._k[self.n_exact : self.n], axis=1)
        return sizes

    def visit(self, coordinates: np.ndarray) -> None:
        """Count one visited change, by its coordinates, in the second moment."""
        self._visits.append(coordinates[self.n_exact : self.n])
        if len(self._visits) == BATCH:
            self._flush()

    def sort_approximate(self) -> np.ndarray:
        """Turn the approximate directions into principal ones, largest first; return their second moments."""
        self._flush()
        variances, rotation = np.linalg.eigh(self._moment)
        variances, rotation = np.maximum(variances[::-1], 0.0), rotation[:, ::-1]
        rows = slice(self.n_exact, self.n)
        for vectors in (self._q, self._k, self._j):
            vectors[rows] = rotation.T @ vectors[rows]
        self._moment = np.diag(variances)
        self._changed()
        return variances

    def make_exact(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Replace the first approximate direction's image by its exact one.

        Returns Δ, what that has changed, (d,), and its part in the span of the approximate directions left,
        (d,), which is how their images have changed along the direction.
        """
        self._flush()
        row = self.n_exact
        shift = image - self._k[row]
        self._k[row] = image
        self._shifts = np.concatenate([self._shifts, shift[None]])
        self.n_exact += 1
        self._moment = self._moment[1:, 1:]
        rest = slice(self.n_exact, self.n)
        along = self._q[rest] @ shift
        self._k[rest] += along[:, None] * self._q[row]
        self._changed()
        return shift, along @ self._q[rest]

    def save(self, name: str) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        # Products since the last change decide when the map is folded, and folding changes the rounding.
        return {
            f"{name}_q": self.q.copy(),
            f"{name}_k": self.k.copy(),
            f"{name}_j": self.j.copy(),
            f"{name}_counts": np.array([self.n_exact, self._products, self._folded is not None]),
            f"{name}_moment": self._moment.copy(),
            f"{name}_shifts": self._shifts.copy(),
            f"{name}_visits": np.array(self._visits).reshape(len(self._visits), self.n_approximate),
        }

    def load(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved under `name`. Raises ValueError where its arrays do not fit one another."""
        self.n = len(arrays[f"{name}_q"])
        room = np.zeros((16, arrays[f"{name}_q"].shape[1]))
        self._q, self._k, self._j = (np.concatenate([arrays[f"{name}_{letter}"], room]) for letter in "qkj")
        self.n_exact, products, folded = np.asarray(arrays[f"{name}_counts"]).tolist()
        self._moment = np.array(arrays[f"{name}_moment"])
        self._shifts = np.array(arrays[f"{name}_shifts"])
        self._visits = list(np.array(arrays[f"{name}_visits"]))
        approximate = self.n_approximate
        if self._moment.shape != (approximate, approximate) or len(self._shifts) > self.n_exact:
            raise ValueError(f"{name}_moment or {name}_shifts does not fit {self.n} directions")
        self._changed()
        self._products = products
        if folded:
            self._folded = (self.k.T @ self.q).astype(np.float32)

    @property
    def _refined(self) -> np.ndarray:
        return self._q[self.n_exact - len(self._shifts) : self.n_exact]

    def _flush(self) -> None:
        if self._visits:
            rows = np.array(self._visits)
            self._moment = self._moment + rows.T @ rows
            self._visits.clear()

    def _changed(self) -> None:
        self.version += 1
        self._products = 0
        self._q32: np.ndarray | None = None
        self._k32: np.ndarray | None = None
        self._folded: np.ndarray | None = None
        self._sizes: np.ndarray | None = None


def scaled_product(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A x of a single-precision A, (k,); 0 where x is."""
    size = float(np.abs(x).max(initial=0.0))
    return np.zeros(len(matrix)) if size == 0.0 else (matrix @ _scaled(x, size)) * size


def _scaled(x: np.ndarray, size: float) -> np.ndarray:
    """x of order one: the smallest kicks stay clear of single precision's underflow."""
    return (x * (1.0 / size)).astype(np.float32)
