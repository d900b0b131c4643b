"""`pump_probe`: a deck with a pump and a probe, and delays in; the map of what the pump changes out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from ...adapters.deck import Deck
from ...adapters.deck.reader import read_deck
from ...atomic.interruption import ctrl_c_between_steps
from ...atomic.threads import limited_to
from .deck_runs import check_writable, run_options
from .options import OPTIONS, OptionError, all_options
from .thread_choice import threads_for

if TYPE_CHECKING:
    from ..pump_probe.change import PumpProbeMap

#: Those of a propagation that a pump and its probes take.
TAKEN = tuple(option for option in OPTIONS if option.name in ("tol", "surrogate", "memory", "threads"))
#: Surrogates that can be used as they are, without learning on.
SURROGATES = ("auto", "response", "none")


class PumpProbeKeywords(TypedDict, total=False):
    """The options of a propagation that `pump_probe` takes."""

    tol: float
    surrogate: Literal["auto", "response", "none"]
    memory: float | None
    threads: int | None


def pump_probe(
    deck: Deck | Path | str,
    delays: Sequence[float],
    *,
    probe: str = "probe",
    window: float | None = None,
    tau: float = 50.0,
    emax: float = 20.0,
    **options: Unpack[PumpProbeKeywords],
) -> PumpProbeMap:
    """Run the pump once and a short probe from its states at every delay; the files are those of
    `hybrid-pump-probe`.

    deck: one propagation, a pump and the field `probe`. delays: of the probe's centre behind the pump's, au.
    window: au that each probe is followed; None: what the deck's tmax leaves behind the last one.
    tau: damping of the spectra, au. emax: their highest energy, eV.
    Options as with `propagate`: tol (1e-3) of each probe's signal, surrogate ("auto", "response" or "none"),
    memory, threads. What an earlier call has made is taken from its files.

    Ctrl-C raises KeyboardInterrupt; the same call goes on.
    Raises BadInput for decks, delays and options that cannot be used, Failed for a calculation that fails.
    """
    with ctrl_c_between_steps() as asked:
        found = carry_out_pump_probe(deck, delays, (probe, window, tau, emax), all_options(options), asked)
        if found is None or asked():
            raise KeyboardInterrupt
    return found


def carry_out_pump_probe(
    deck: Deck | Path | str,
    delays: Sequence[float],
    asked_for: tuple[str, float | None, float, float],
    options: Mapping[str, Any],
    stopping: Callable[[], bool],
) -> PumpProbeMap | None:
    """What function and command share; asked_for: probe, window, tau, emax. None where stopped."""
    started = time.perf_counter()
    probe, window, tau, emax = asked_for
    if options["surrogate"] not in SURROGATES:
        accepted = ", ".join(SURROGATES)
        raise OptionError(f"surrogate {options['surrogate']} is for hybrid-propagate; accepted: {accepted}")
    for name, value in (("window", window), ("tau", tau), ("emax", emax)):
        if value is not None and not 0.0 < value < float("inf"):
            raise OptionError(f"{name}: {value!r} is not a positive number")
    deck = deck if isinstance(deck, Deck) else read_deck(deck)
    check_writable(deck.permanent_dir)
    for notice in deck.notices:
        print(f"hybrid-pump-probe: {notice}", file=sys.stderr)
    threads = options["threads"] or threads_for(max(task.system.n_basis for task in deck.tasks))
    with limited_to(threads):
        from ..pump_probe.plan import make_plan
        from ..pump_probe.run import Work, run_pump_probe, work_folder

        plan = make_plan(deck, probe, delays, window)
        surrogate = "none" if options["surrogate"] == "none" else "response"
        given = run_options({**options, "surrogate": surrogate}, started, frames=False)
        found = run_pump_probe(Work(plan, given, work_folder(plan), tau, emax, stopping))
    return found
