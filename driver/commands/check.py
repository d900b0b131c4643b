"""`hybrid-propagate --check`: what a deck would take, or why it is refused, before any time is spent."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def check(deck: Path, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Print the forecast of a deck; 2 where it is refused. Raises OptionError."""
    from ..forecast.cost import Asked
    from ..forecast.forecast import forecast
    from ..forecast.record import record
    from ..forecast.words import words
    from ..front_door.options import check_use
    from ..run.machine import half_of_memory

    check_use(options)
    memory = half_of_memory() if options["memory"] is None else 1e6 * options["memory"]
    asked = Asked(memory, options["tol"], options["surrogate"] != "none")
    told = forecast(deck, options["engine"], options["prior"], asked)
    if as_json:
        print(json.dumps(record(told), indent=1))
    else:
        print("\n".join(words(told)))
        for refusal in told.refusals:
            print(f"hybrid-propagate: {refusal}", file=sys.stderr)
    return 2 if told.refusals else 0
