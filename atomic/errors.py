"""The one family of errors. Their texts are one line: what is wrong, where, and what is accepted."""


class HybridPropagateError(Exception):
    """Anything that this package refuses or cannot carry out."""


class BadInput(HybridPropagateError):
    """A deck, file or option that cannot be used. Commands end with exit code 2."""


class Failed(HybridPropagateError):
    """A calculation, or a reference code, that came to no result. Commands end with exit code 1."""
