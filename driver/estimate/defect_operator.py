"""What a surrogate lacks, as an operator through the defects met at a few points.

    L(δP) = Σ_kl D_k (G⁻¹)_kl k(x_l, δP),   G_kl = k(x_k, x_l) (over √G_kk √G_ll) + 1e-3 δ_kl,
    k(x, y) = ½ (s + s²),   s = ⟨x, y⟩ / mean |x_l|²

x_k, D_k: change of the density and defect at point k, both over √G_kk where G is. Of all operators
of first and second order it is the one of least norm that has those defects, but for the ridge. A defect of
second order does not change sign with the motion, and drives the dipole off by other frequencies. Where the
two were measured apart, each has an operator of its own, k = s and k = s². Between the
points L finds less than is there: `scaled` brings it to the size of the defects met, relative to the
response, over the whole pass. Not where it is of second order alone: all of that is stated apart (`swing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...surrogate.whole_steps import LearnedRows

#: Added to the correlation matrix: points may be nearly dependent.
RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Weigh:
    """k(s) = first s + second s², of s (..., k). Both are numbers, or (k,)."""

    first: float | np.ndarray
    second: float | np.ndarray

    def __call__(self, s: np.ndarray) -> np.ndarray:
        """k."""
        return s * (self.first + self.second * s)


#: k of the equation above; k of what changes sign with the motion; k of what does not.
FIRST_AND_SECOND, FIRST_ORDER, SECOND_ORDER = Weigh(0.5, 0.5), Weigh(1.0, 0.0), Weigh(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Defect:
    """What the reference has shown at one point, before it taught.

    change: P - P0, (n_spin, m, m).
    defect: F_ref - F_surrogate, the same shape, Hartree.
    response: |F_ref - F_ref(P0)|.
    even: the part of the defect that is the same at the mirrored change, where that was measured.
    """

    change: np.ndarray
    defect: np.ndarray
    response: float
    even: np.ndarray | None = None

    @property
    def residual(self) -> float:
        """|defect| over the response; 0 at rest."""
        return float(np.linalg.norm(self.defect)) / self.response if self.response > 1e-10 else 0.0


@dataclass(frozen=True, eq=False)
class DefectOperator:
    """L of the equation above.

    changes: (k, d) x_l over mean |x_l|², real and imaginary parts side by side.
    images: (k, n_spin, m, m), all that does not depend on δP.
    weigh: k(s) of s (..., k).
    """

    changes: np.ndarray
    images: np.ndarray
    weigh: Weigh

    def __call__(self, change: np.ndarray) -> np.ndarray:
        """L(δP), (n_spin, m, m)."""
        return np.tensordot(self.weigh(self.changes @ _flat(change)), self.images, axes=1)

    def rows(self, shape: tuple[int, ...]) -> LearnedRows:
        """The same as rows for a surrogate that makes steps; shape: (n_spin, m, m)."""
        real, imaginary = (part.reshape(-1, *shape) for part in np.split(self.changes, 2, axis=1))
        orders = [np.full(len(real), part) for part in (self.weigh.first, self.weigh.second, 0.0)]
        return LearnedRows(real + 1j * imaginary, self.images, np.stack(orders, axis=1))

    def scaled(self, factor: float) -> "DefectOperator":
        """The same, so many times as large."""
        return replace(self, images=factor * self.images)


def defect_operator(defects: Sequence[Defect], weigh: Weigh = FIRST_AND_SECOND) -> DefectOperator:
    """The operator through at least one defect; weigh: k, of first and second order by default."""
    changes = np.array([_flat(d.change) for d in defects])
    mean_square = float(np.mean(np.vecdot(changes, changes))) or 1.0
    gram = weigh(changes @ changes.T / mean_square)
    sizes = np.sqrt(gram.diagonal())
    sizes[sizes == 0.0] = 1.0
    gram = gram / np.outer(sizes, sizes) + RIDGE * np.eye(len(changes))
    images = np.array([d.defect / size for d, size in zip(defects, sizes, strict=True)])
    images = np.tensordot(np.linalg.inv(gram) / sizes[:, None], images, axes=1)
    return DefectOperator(changes / mean_square, images, weigh)


def sum_of(first: DefectOperator, second: DefectOperator) -> DefectOperator:
    """Both at once."""
    sizes = (len(first.changes), len(second.changes))
    orders = (
        np.concatenate([np.full(n, part) for n, part in zip(sizes, pair, strict=True)])
        for pair in ((first.weigh.first, second.weigh.first), (first.weigh.second, second.weigh.second))
    )
    changes, images = (
        np.concatenate(pair) for pair in ((first.changes, second.changes), (first.images, second.images))
    )
    return DefectOperator(changes, images, Weigh(*orders))


def by_order(defects: Sequence[Defect]) -> list[tuple[list[Defect], Weigh]]:
    """Defects of first order and of second, each with its k; all as they are where not told apart."""
    if any(d.even is None for d in defects):
        return [(list(defects), FIRST_AND_SECOND)]
    evens = [(d, d.even) for d in defects if d.even is not None]
    odd = [replace(d, defect=d.defect - even, even=None) for d, even in evens]
    return [(odd, FIRST_ORDER), ([replace(d, defect=even, even=None) for d, even in evens], SECOND_ORDER)]


def level(drawn: Sequence[Defect], others: Sequence[Defect]) -> float:
    """Relative defect over a pass: of the drawn points, or of all where the others raise it."""
    squares = [np.mean([d.residual**2 for d in some]) for some in (drawn, [*drawn, *others])]
    return float(np.sqrt(max(squares)))


def _flat(change: np.ndarray) -> np.ndarray:
    """Real and imaginary parts, one after the other, (d,)."""
    return np.concatenate([np.real(change).ravel(), np.imag(change).ravel()])
