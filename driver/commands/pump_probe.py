"""The command `hybrid-pump-probe`: a deck with a pump and a probe, and delays in; the map out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ...atomic.arguments import CommandParser
from ...atomic.interruption import asked
from ..front_door.option_table import add_options
from ..front_door.option_values import positive
from ..front_door.options import OPTIONS, THRESHOLDS
from .ending import carry_out

_NAME = "hybrid-pump-probe"
_DESCRIPTION = """Runs the pump of a deck once, and a short probe from its states at every delay. Writes
<prefix>_pump_probe.h5, .csv, .png and .json: the probe's absorption over energy and delay, and its change by
the pump, with a stated error for each delay. Started again, it goes on from what it has."""
#: Delays at most: each has a file.
_MOST = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 failed, 130 interrupted."""
    given = _parser().read(arguments)
    return carry_out(_NAME, lambda: _run(given), "interrupted; the same command goes on from here")


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("deck", type=Path, metavar="DECK", help="NWChem deck with two fields: pump and probe")
    parser.add_argument(
        "--delays",
        type=_delays,
        required=True,
        metavar="DELAYS",
        help="of the probe's centre behind the pump's, au: START:STOP:STEP without STOP, or A,B,C",
    )
    parser.add_argument(
        "--probe",
        default="probe",
        metavar="FIELD",
        help="field that is delayed (default %(default)s)",
    )
    parser.add_argument(
        "--window",
        type=positive,
        metavar="AU",
        help="time that each probe is followed (default: what tmax leaves behind the last one)",
    )
    parser.add_argument(
        "--tau",
        type=positive,
        default=50.0,
        metavar="AU",
        help="of the spectra (default %(default)g)",
    )
    parser.add_argument(
        "--emax", type=positive, default=20.0, metavar="EV", help="highest energy (default %(default)g)"
    )
    add_options(parser, [option for option in OPTIONS if option.name in ("tol", "memory", "threads")])
    parser.add_argument(
        "--surrogate",
        choices=("response", "none"),
        default="response",
        help="response: learned on the fly; none: reference steps alone (default %(default)s)",
    )
    return parser


def _run(given: argparse.Namespace) -> int:
    from ..front_door.pump_probe import carry_out_pump_probe
    from ..pump_probe.told import table

    defaults = {option.name: option.default for option in (*OPTIONS, *THRESHOLDS)}
    options = {name: vars(given).get(name, default) for name, default in defaults.items()}
    asked_for = (given.probe, given.window, given.tau, given.emax)
    made = carry_out_pump_probe(given.deck, given.delays, asked_for, options, asked)
    if made is None:
        raise KeyboardInterrupt
    print(table(made))
    return 0


def _delays(text: str) -> list[float]:
    """A range, or a list of numbers. Raises ArgumentTypeError."""
    try:
        parts = [Decimal(word) for word in text.split(":" if ":" in text else ",")]
        if not all(part.is_finite() for part in parts):
            raise InvalidOperation
    except InvalidOperation:
        parts = []
    if ":" not in text and parts:
        return [float(part) for part in parts]
    if len(parts) != 3 or parts[2] <= 0 or parts[1] <= parts[0]:
        raise argparse.ArgumentTypeError(f"{text!r}: neither START:STOP:STEP, ascending, nor A,B,C")
    start, stop, step = parts
    n = int((stop - start) / step)
    n += start + n * step < stop
    if n > _MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: {n} delays; accepted: up to {_MOST}")
    return [float(start + k * step) for k in range(n)]


if __name__ == "__main__":
    from . import start

    sys.exit(start.pump_probe())
