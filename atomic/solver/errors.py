"""The two ways a calculation can refuse to give numbers."""

from ..errors import BadInput, Failed


class InputError(BadInput):
    """Bad input. The text is one line: what is wrong and what is accepted."""


class ConvergenceError(Failed):
    """The self-consistent cycle did not converge, or converged to something unbound. The text is one line."""
