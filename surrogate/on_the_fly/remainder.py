"""What a linear response leaves over, interpolated between anchors by Gaussian-process regression.

    r(x) = ΔF(x) - K Qᵀ x,   r(x) ≈ k(x, X) C⁻¹ R,   C_ij = k(x_i, x_j),   k = a t + b t² + c t³,  t = x·x'

X, R: changes of the density and their remainders met at anchors. The polynomial kernel is the prior that r is
a Taylor series about P0 without constant term: the tangent that turns as the density moves (a), and the
second and third order of the functional (b, c). The prediction is exact at every anchor but for
the noise of the Fock builds. (Rasmussen & Williams, Gaussian Processes, ch. 2, 2006)

What points of a quadrature leave over is no short polynomial: interpolated exactly it came out a hundred
times too large between LiH's anchors. There λ is added to the correlations in C, so that the anchors
tell most of each other.
"""

from collections.abc import Mapping

import numpy as np

#: a, b, c; chosen by trajectory error of water in resonant pulses, where their ratio matters little.
KERNEL = (1e-2, 4e-2, 4e-2)
#: Added to the diagonal of the correlation matrix: anchors a step apart are nearly the same.
JITTER = 1e-8
#: Noise of an anchor's remainder over |δP|, Hartree: the quadrature is in single precision. Where the
#: remainder is no larger, to interpolate it exactly would magnify it wherever anchors are nearly dependent.
#: With 1e-6 water's pulse takes a quarter more Fock builds; with 1e-7 as many.
NOISE = 3e-7
#: Levels that λ is chosen from; the last leaves next to nothing of r.
LEVELS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e4)
#: Anchors kept; beyond, the oldest goes.
MOST_ANCHORS = 400


class Remainder:
    """Anchors (n_anchors, d) and the weights that interpolate them."""

    def __init__(self, d: int) -> None:
        self.changes = np.zeros((0, d))
        self.remainders = np.zeros((0, d))
        # λ over the correlations.
        self._rough, self._level = False, 0.0
        self._fit()

    @property
    def n_anchors(self) -> int:
        """Anchors held."""
        return len(self.changes)

    @property
    def weights(self) -> np.ndarray:
        """C⁻¹ R, (n_anchors, d)."""
        return self._weights

    def add(self, change: np.ndarray, remainder: np.ndarray) -> None:
        """One more anchor; both (d,)."""
        first = 1 if self.n_anchors == MOST_ANCHORS else 0
        self.changes = np.concatenate([self.changes[first:], change[None]])
        self.remainders = np.concatenate([self.remainders[first:], remainder[None]])
        self._fit()

    def shift(self, direction: np.ndarray, image_change: np.ndarray) -> None:
        """The linear map has changed by `image_change` along `direction`: take it out of the remainders."""
        if self.n_anchors:
            self.remainders -= (self.changes @ direction)[:, None] * image_change
            self._fit()

    def subtract(self, known: np.ndarray) -> None:
        """These parts of the anchors' remainders, (n_anchors, d), are known otherwise from now on."""
        if self.n_anchors:
            self.remainders = self.remainders - known
            self._fit()

    def leave_rough(self) -> None:
        """From now on what is left over is that of points: no interpolation is exact."""
        self._rough = True
        self._fit()

    def predict(self, change: np.ndarray) -> np.ndarray:
        """r at one change, (d,)."""
        return _kernel(self.changes @ change) @ self._weights

    def energies(self, changes: np.ndarray) -> np.ndarray:
        """∫ r(s x)·x ds over s in [0, 1], for k changes (k, d)."""
        a, b, c = KERNEL
        t = changes @ self.changes.T
        return np.vecdot(t * (a / 2 + t * (b / 3 + t * c / 4)), changes @ self._weights.T)

    def variance(self, change: np.ndarray) -> float:
        """Expected |r - r_predicted|² at one change."""
        k = _kernel(self.changes @ change) / self._scale
        prior = float(_kernel(change @ change))
        return self._size * max((1.0 + self._level) * prior - float(k @ self._inverse @ k), 0.0)

    def _fit(self) -> None:
        n = self.n_anchors
        gram = _kernel(self.changes @ self.changes.T)
        self._scale = np.sqrt(gram.diagonal())
        scaled = self.remainders / self._scale[:, None]
        noise = NOISE * np.linalg.norm(self.changes, axis=1) / self._scale
        # Over the size that the remainders would have were they independent.
        variance = JITTER + noise**2 * (n / max(float(np.vdot(scaled, scaled)), 1e-300))
        correlations = gram / self._scale[:, None] / self._scale + np.diag(variance)
        if self._rough and n:
            self._level = _most_telling(correlations, scaled)
            correlations[np.diag_indices(n)] += self._level
        self._inverse = np.linalg.inv(correlations)
        self._weights = (self._inverse @ scaled) / self._scale[:, None]
        # Maximum likelihood for the kernel's overall size.
        self._size = float(np.vdot(scaled, self._inverse @ scaled)) / n if n else 0.0

    def save(self) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        return {"anchor_changes": self.changes, "anchor_remainders": self.remainders}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self.changes = np.array(arrays["anchor_changes"])
        self.remainders = np.array(arrays["anchor_remainders"])
        self._fit()


def _most_telling(correlations: np.ndarray, remainders: np.ndarray) -> float:
    """The level λ at which the other anchors tell most of each one's remainder, (n, d)."""
    own, vectors = np.linalg.eigh(correlations)
    along = vectors.T @ remainders
    errors = []
    for level in LEVELS:
        inverse = 1.0 / (np.maximum(own, JITTER) + level)
        # What the others lack of each in one formula (Rasmussen & Williams, eq. 5.12).
        lacking = (vectors * inverse) @ along / (np.square(vectors) @ inverse)[:, None]
        errors.append(float(np.vdot(lacking, lacking)))
    return float(LEVELS[int(np.argmin(errors))])


def _kernel(t: np.ndarray) -> np.ndarray:
    a, b, c = KERNEL
    return t * (a + t * (b + t * c))
