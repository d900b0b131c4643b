"""The table of `options`, for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .options import Option


def add_options(parser: argparse._ActionsContainer, options: Sequence[Option]) -> None:
    """Options of the table to a parser, or to a group of one."""
    for option in options:
        accepts = option.accepts
        if accepts is None:
            parser.add_argument(option.flag, action="store_true", help=option.meaning)
        elif isinstance(accepts, tuple):
            parser.add_argument(option.flag, choices=accepts, default=option.default, help=option.meaning)
        else:
            parser.add_argument(
                option.flag, type=accepts, default=option.default, metavar=option.value, help=option.meaning
            )
