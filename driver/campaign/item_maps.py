"""Pump and probe as an axis: an item then has a map over delays for every choice of what else is swept."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...adapters.deck import Deck, PropagationTask
from ...adapters.files.configuration import Source
from ...adapters.regular_file import read_regular
from ..pump_probe.model import pump_file, teaching_deck
from ..pump_probe.plan import DelayError, PumpPlan, make_plan
from ..pump_probe.run import Work, run_pump_probe, work_folder
from ..pump_probe.told import table
from ..run.job import file_names
from ..run.options import Options
from .axes import values_of
from .config import CampaignConfig

_MOST_BYTES = 2**26
_AXIS = ("axes", "pump_probe")


@dataclass(frozen=True)
class Probing:
    """What is asked of every map.

    probe: field that is moved. delays: au. window: au that each probe is followed; None: what tmax leaves.
    tau, emax: damping, au, and highest energy, eV, of the item's own map.
    """

    probe: str
    delays: tuple[float, ...]
    window: float | None
    tau: float
    emax: float


def probing_of(config: CampaignConfig, source: Source) -> Probing | None:
    """None where the campaign propagates. Raises the source's error."""
    asked = config.axes.pump_probe
    if asked is None:
        return None
    delays = values_of(asked.delays, source, (*_AXIS, "delays"))
    return Probing(asked.probe, delays, asked.window, config.spectrum.tau, config.spectrum.emax)


def plans_of(deck: Deck, probing: Probing) -> list[PumpPlan]:
    """One for each propagation of an item's deck, in order. Raises DeckError, DelayError."""
    start = [task for task in deck.tasks if not isinstance(task, PropagationTask)]
    return [
        make_plan(
            replace(deck, prefix=name, tasks=(*start, task)), probing.probe, probing.delays, probing.window
        )
        for name, task in zip(file_names(deck), deck.propagations, strict=True)
    ]


def check_probing(deck: Deck, probing: Probing, source: Source) -> None:
    """Refuse an item's deck that no map can be made of. Raises the source's error, DeckError."""
    try:
        plans_of(deck, probing)
    except DelayError as error:
        raise source.refused(_AXIS, str(error)) from error


def map_file(plan: PumpPlan, folder: Path, suffix: str = ".h5") -> Path:
    """A file of a map, in an item's folder wherever that is."""
    return folder / f"{work_folder(plan).name}{suffix}"


def last_pump(deck: Deck, probing: Probing) -> Path:
    """The trajectory of an item's last pump, whose orbitals its neighbours start from."""
    plan = plans_of(deck, probing)[-1]
    return pump_file(teaching_deck(plan, work_folder(plan)), ".h5")


def make_maps(
    deck: Deck,
    probing: Probing,
    options: Options,
    write: Callable[[str], None],
    stopping: Callable[[], bool],
) -> tuple[dict[str, Any], ...] | None:
    """Make or finish an item's maps; what a record tells of each, None where stopped.

    Raises what `run_pump_probe` raises.
    """
    found = []
    for plan in plans_of(deck, probing):
        work = Work(
            plan, replace(options, restart=False), work_folder(plan), probing.tau, probing.emax, stopping
        )
        made = run_pump_probe(work)
        if made is None:
            return None
        write(f"{plan.deck.prefix}\n{table(made)}\n")
        about = json.loads(read_regular(map_file(plan, deck.permanent_dir, ".json"), _MOST_BYTES))
        found.append(
            {
                "steps": about["pump_and_window_steps"] + (len(probing.delays) + 1) * about["window_steps"],
                "fock_builds": about["fock_builds"],
                "tolerance_met": about["tolerance_met"],
                "estimated_error": _largest(about, "estimated_error"),
                "estimated_change_error": _largest(about, "estimated_change_error"),
            }
        )
    return tuple(found)


def _largest(about: dict[str, Any], name: str) -> float:
    """Over the delays; infinite where nothing can be stated of one."""
    values = [one[name] for one in about["delays"]]
    return math.inf if None in values else max(values)
