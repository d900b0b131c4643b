"""Values of options, for argparse to read: what is no such value is refused in words."""

from argparse import ArgumentTypeError


def positive(text: str) -> float:
    """A number above 0, and finite. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def count(text: str) -> int:
    """A whole number from 1 on. Raises ArgumentTypeError."""
    return _whole(text, 1)


def count_or_none(text: str) -> int:
    """A whole number from 0 on. Raises ArgumentTypeError."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    # int() takes 1_000 and digits of other scripts as well.
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
    return int(text)
