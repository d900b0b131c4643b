"""`hybrid-propagate --check`: what a deck would take, or why it is refused, before any time is spent."""

import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...adapters.deck import Deck

#: Surrogates that do not serve every deck.
_BY_NAME = ("neural", "hybrid", "rollout")


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
    serves = partial(_surrogate, options) if options["surrogate"] in _BY_NAME else lambda _: None
    told = forecast(deck, options["engine"], options["prior"], asked, serves)
    if as_json:
        print(json.dumps(record(told), indent=1))
    else:
        print("\n".join(words(told)))
        for refusal in told.refusals:
            print(f"hybrid-propagate: {refusal}", file=sys.stderr)
    return 2 if told.refusals else 0


def _surrogate(options: Mapping[str, Any], deck: Deck) -> None:
    """Raises BadInput where the surrogate asked for does not serve a deck."""
    from ..front_door.deck_runs import run_options
    from ..run.surrogates import with_surrogate

    with_surrogate(run_options(options, 0.0, frames=False), deck)
