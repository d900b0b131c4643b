"""What a surrogate lacks, as a linear operator through the defects met at a few points.

    L(δP) = Σ_kl D_k (G⁻¹)_kl ⟨x_l, δP⟩,   G_kl = ⟨x_k, x_l⟩ (over |x_k| |x_l|) + 1e-3 δ_kl

x_k, D_k: change of the density and defect at point k. It is the operator of least norm that has those
defects, but for the ridge. Between the points it finds less than is there: `scaled` brings it to the size
of the defects met, relative to the response, over the whole pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

#: Added to the correlation matrix: points may be nearly dependent.
RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Defect:
    """What the reference has shown at one point, before it taught.

    change: P - P0, (n_spin, m, m).
    defect: F_ref - F_surrogate, the same shape, Hartree.
    response: |F_ref - F_ref(P0)|.
    """

    change: np.ndarray
    defect: np.ndarray
    response: float

    @property
    def residual(self) -> float:
        """|defect| over the response; 0 at rest."""
        return float(np.linalg.norm(self.defect)) / self.response if self.response > 1e-10 else 0.0


@dataclass(frozen=True, eq=False)
class DefectOperator:
    """L of the equation above.

    directions: (k, d) unit vectors, real and imaginary parts side by side.
    images: (k, n_spin, m, m), G⁻¹ applied.
    """

    directions: np.ndarray
    images: np.ndarray

    def __call__(self, change: np.ndarray) -> np.ndarray:
        """L(δP), (n_spin, m, m)."""
        return np.tensordot(self.directions @ _flat(change), self.images, axes=1)

    def scaled(self, factor: float) -> "DefectOperator":
        """The same, so many times as large."""
        return replace(self, images=factor * self.images)


def defect_operator(defects: Sequence[Defect]) -> DefectOperator:
    """The operator through at least one defect."""
    directions = np.array([_flat(d.change) for d in defects])
    sizes = np.linalg.norm(directions, axis=1)
    sizes[sizes == 0.0] = 1.0
    directions = directions / sizes[:, None]
    gram = directions @ directions.T + RIDGE * np.eye(len(directions))
    images = np.array([d.defect / size for d, size in zip(defects, sizes, strict=True)])
    return DefectOperator(directions, np.tensordot(np.linalg.inv(gram), images, axes=1))


def level(drawn: Sequence[Defect], others: Sequence[Defect]) -> float:
    """Relative defect over a pass: of the drawn points, or of all where the others raise it."""
    squares = [np.mean([d.residual**2 for d in some]) for some in (drawn, [*drawn, *others])]
    return float(np.sqrt(max(squares)))


def _flat(change: np.ndarray) -> np.ndarray:
    """Real and imaginary parts, one after the other, (d,)."""
    return np.concatenate([np.real(change).ravel(), np.imag(change).ravel()])
