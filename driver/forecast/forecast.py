"""A deck before it is run: what it asks for, what it takes, what may go wrong, or why it is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...adapters.deck import PropagationTask, Task
from ...adapters.deck.reader import read_deck
from ...adapters.system.formula import formula
from ...atomic.errors import BadInput
from ..run.check import refusals

if TYPE_CHECKING:
    from ...adapters.deck import Deck
    from .cost import Asked, Cost
    from .work import SystemSize


@dataclass(frozen=True)
class Refusal:
    """Why a deck is not carried out.

    file, line: where; the deck's own name and None where no line is to blame.
    message, hint: what is wrong, and what is accepted, which may be empty.
    """

    file: str
    line: int | None
    message: str
    hint: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class TaskForecast:
    """One task.

    kind: `ground state`, `linear response`, `density plot` or `propagation`. line: of the deck.
    size: of its system.
    kernel: bytes that the analytic kernel holds; 0 where none is made.
    weak_motion: whether that between pairs of orbitals gives all steps.
    driven_steps: of these, while a field lasts.
    formed_anew: whether the response is, at every density.
    steps, dt, tmax: of a propagation, else 0. advice, risk: of a propagation, else empty.
    """

    kind: str
    line: int
    formula: str
    functional: str
    charge: int
    multiplicity: int
    size: SystemSize
    kernel: int
    weak_motion: bool = False
    driven_steps: int = 0
    formed_anew: bool = False
    tag: str = ""
    steps: int = 0
    dt: float = 0.0
    tmax: float = 0.0
    advice: str = ""
    risk: str = ""


@dataclass(frozen=True)
class Forecast:
    """All that is known of a deck before it runs.

    refusals: why it is not carried out; where there are any, tasks and cost may be missing.
    """

    deck: str
    title: str
    refusals: tuple[Refusal, ...]
    notices: tuple[str, ...] = ()
    tasks: tuple[TaskForecast, ...] = ()
    cost: Cost | None = None


def forecast(
    path: Path,
    engine: str,
    prior: Path | None,
    asked: Asked,
    serves: Callable[[Deck], object] = lambda _: None,
) -> Forecast:
    """Read a deck and tell what it would take; serves: raises BadInput where what is asked for cannot."""
    try:
        deck = read_deck(path)
    except BadInput as error:
        return Forecast(str(path), "", tuple(_refusal(part, path) for part in _parts(error)))
    refused = tuple(_refusal(str(error), path) for error in refusals(deck, engine, prior))
    if not refused:
        try:
            serves(deck)
        except BadInput as error:
            refused = tuple(_refusal(part, path) for part in _parts(error))
    return _told(deck, path, refused, asked)


def _told(deck: Deck, path: Path, refused: tuple[Refusal, ...], asked: Asked) -> Forecast:
    from .advice import largest_risk
    from .cost import cost_of
    from .work import size_of

    sizes: dict[int, SystemSize] = {}
    tasks = []
    for number, task in enumerate(deck.tasks):
        sizes[number] = size_of(task.system)
        tasks.append(_task(task, sizes[number], asked))
    cost = cost_of(deck, sizes, asked)
    there = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    told = [
        replace(told, risk=largest_risk(task, sizes[number], cost.memory, asked.memory, there))
        if isinstance(task, PropagationTask)
        else told
        for number, (task, told) in enumerate(zip(deck.tasks, tasks, strict=True))
    ]
    return Forecast(str(path), deck.title, refused, deck.notices, tuple(told), cost)


def _task(task: Task, size: SystemSize, asked: Asked) -> TaskForecast:
    from .advice import step_advice
    from .cost import by_pairs, forms_anew
    from .motion import driven_steps
    from .work import kernel_bytes

    system = task.system
    told = TaskForecast(
        kind=_KINDS[type(task).__name__],
        line=task.place.line,
        formula=formula(system.geometry.atomic_numbers),
        functional=system.functional.directive,
        charge=system.charge,
        multiplicity=system.multiplicity,
        size=size,
        kernel=kernel_bytes(system, size, asked.memory),
    )
    if not isinstance(task, PropagationTask):
        return told
    real_time, pairs = task.real_time, by_pairs(task, size, asked)
    return replace(
        told,
        kernel=0 if pairs else told.kernel,
        weak_motion=pairs,
        driven_steps=driven_steps(real_time) if pairs else 0,
        formed_anew=forms_anew(task, size, asked.memory),
        tag=real_time.tag,
        steps=0 if real_time.no_propagation else real_time.n_points - 1,
        dt=real_time.dt,
        tmax=real_time.tmax,
        advice=step_advice(task),
    )


_KINDS = {
    "GroundStateTask": "ground state",
    "LinearResponseTask": "linear response",
    "ExcitedDensityTask": "excited state",
    "DensityPlotTask": "density plot",
    "PropagationTask": "propagation",
}


def _parts(error: BadInput) -> tuple[str, ...]:
    """The refusals that one error stands for: a reader gathers several."""
    return (str(error), *getattr(error, "further", ()))


def _refusal(text: str, path: Path) -> Refusal:
    """One from its line, which is led by file:line, or by the file where no line is to blame."""
    place = re.match(r"(?P<file>.*?):(?P<line>\d+): ", text)
    message, _, hint = text.removeprefix(place[0] if place else f"{path}: ").partition("; ")
    if place is None:
        return Refusal(str(path), None, message, hint)
    return Refusal(place["file"], int(place["line"]), message, hint)
