"""What a response that is learned on the fly takes for one that it has not met."""

from dataclasses import dataclass

from ..nonlinear.nonlinear_response import NonlinearSource
from ..surrogate import Prior

#: Relative error of an image before any has been measured: with the analytic kernel, without one.
PRIOR_ERROR, NO_PRIOR_ERROR = 2e-3, 0.3


@dataclass(frozen=True, eq=False)
class FirstGuess:
    """The response taken for one that has not been met.

    prior: Fock response of an AO change (n_spin, n, n).
    error: its relative error, until one has been measured.
    builds: whether it makes a Coulomb-exchange build for every change.
    nonlinear: makes the part that is not linear when it is wanted; None: that is left to anchors.
    """

    prior: Prior
    error: float = PRIOR_ERROR
    builds: bool = False
    nonlinear: NonlinearSource | None = None
