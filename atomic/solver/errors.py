"""The two ways a calculation can refuse to give numbers."""


class InputError(ValueError):
    """Bad input. The text is one line: what is wrong and what is accepted."""


class ConvergenceError(RuntimeError):
    """The self-consistent cycle did not converge, or converged to something unbound. The text is one line."""
