"""What varies at one geometry: levels of theory, each an item of its own, and the propagations of an item."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ...adapters.deck import Deck, GroundStateTask, PropagationTask, Task
from ...adapters.deck.deck import of_other_system
from ...adapters.deck.field import value_refused
from ...adapters.files.configuration import Source, Where
from ...adapters.system import Excitation, Field, RealTime, System
from ...adapters.system.basis_library import library_shells
from ..dataset.config import Level, check_level, functional_of
from .config import Axes, FieldSweep, Range

#: What a field's parameters are called in `Field`.
_NAMES = {"max": "maximum"}
_DIRECTIONS = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
#: More propagations of one geometry are a mistake.
_MOST = 10_000


@dataclass(frozen=True)
class Variation:
    """One propagation of an item.

    tag: for file names, `kick_x` or `pulse.max0.001_dt0.1`.
    task: number of the deck's propagation that it is made from.
    kick: axis of a kick that takes the place of the deck's fields; else empty.
    values: swept numbers and words by name, for tables: `dt`, `pulse.max`.
    """

    tag: str
    task: int
    kick: str
    values: dict[str, float | str]


def values_of(sweep: "tuple[float, ...] | Range", source: Source, where: Where) -> tuple[float, ...]:
    """The numbers of a list or a range. Raises the source's error for none, for one that stands twice."""
    if isinstance(sweep, Range):
        if sweep.spacing == "ratio":
            if sweep.first <= 0.0 or sweep.last <= 0.0:
                raise source.refused(where, "spacing ratio is for values above 0")
            found = np.geomspace(sweep.first, sweep.last, sweep.count)
        else:
            found = np.linspace(sweep.first, sweep.last, sweep.count)
        # Names of files show so many digits.
        sweep = tuple(float(f"{value:.6g}") for value in found)
    _refuse_empty_and_repeated(sweep, source, where)
    return sweep


def _refuse_empty_and_repeated(values: Sequence[object], source: Source, where: Where) -> None:
    if not values:
        raise source.refused(where, "no value; give one at least")
    for value in values:
        if values.count(value) > 1:
            raise source.refused(where, f"{value} stands twice: two items would have one name")


def levels_of(axes: Axes, deck: Deck, source: Source) -> list[tuple[str, dict[str, str], Deck]]:
    """Name for file names (empty for the deck's own level), values for tables, and the deck at that level."""
    names: list[tuple[str, tuple[str, ...]]] = []
    for name in ("functionals", "bases"):
        given = getattr(axes, name)
        if given is not None:
            _refuse_empty_and_repeated(given, source, ("axes", name))
        names.append((name, given or ("",)))
    if axes.bases is not None and any(task.system.ecp for task in deck.tasks):
        raise source.refused(
            ("axes", "bases"), "the deck has effective core potentials, which go with its basis"
        )
    numbers = {int(n) for n in deck.tasks[0].system.geometry.atomic_numbers if n}
    for name, values in names:
        for number, value in enumerate(values):
            level = Level(value if name == "bases" else "STO-3G", value if name == "functionals" else "hf")
            if value:
                where = ("axes", name, number)
                check_level(level, numbers if name == "bases" else set(), source, where)
    found = []
    for functional, basis in product(names[0][1], names[1][1]):
        words = [part.lower().replace(" ", "-").replace("*", "s") for part in (functional, basis) if part]
        values = {"functional": functional, "basis": basis}
        tasks = tuple(_at_level(task, functional, basis) for task in deck.tasks)
        found.append(("_".join(words), values, replace(deck, tasks=tasks)))
    return found


def _at_level(task: Task, functional: str, basis: str) -> Task:
    def there(system: System) -> System:
        if functional:
            system = replace(system, functional=functional_of(Level("", functional)))
        if basis:
            geometry = system.geometry
            shells = {
                tag: library_shells(basis, int(number)) or []
                for tag, number in zip(geometry.tags, geometry.atomic_numbers, strict=True)
            }
            system = replace(system, basis=shells)
        return system

    return of_other_system(task, there)


def variations_of(axes: Axes, deck: Deck, source: Source) -> tuple[Variation, ...]:
    """The propagations of every item. Raises the source's error."""
    tasks = deck.propagations
    if not tasks:
        raise source.refused(("deck",), f"{deck.path}: has no task dft rt_tddft")
    steps = (None,) if axes.dt is None else values_of(axes.dt, source, ("axes", "dt"))
    for step in steps:
        if step is not None and step <= 0.0:
            raise source.refused(("axes", "dt"), f"{step:g}: accepted: above 0")
    kicks: tuple[str, ...] = ("",)
    if axes.kicks is not None:
        kicks = axes.kicks.along
        _refuse_empty_and_repeated(kicks, source, ("axes", "kicks", "along"))
        # They take the place of all fields: the deck's propagations would be one.
        tasks = tasks[:1]
    swept = list(_sweeps(axes, tasks, source))
    count = len(steps) * len(kicks) * len(tasks) * math.prod(len(values) for _, values in swept)
    if count > _MOST:
        raise source.refused(("axes",), f"{count} propagations of each geometry; at most {_MOST}")
    found = []
    for number, task in enumerate(tasks):
        own = [(name, values) for name, values in swept if _has(task, name.rpartition(".")[0])]
        for step, kick, rest in product(steps, kicks, product(*(values for _, values in own))):
            values: dict[str, float | str] = {} if step is None else {"dt": step}
            values.update((name, value) for (name, _), value in zip(own, rest, strict=True))
            words = [f"kick_{kick}"] if kick else []
            if not kick and (len(tasks) > 1 or not values):
                words.append(_word(task.real_time.tag) or f"run{number + 1}")
            words += [
                f"{_word(name)}{value if isinstance(value, str) else f'{value:g}'}"
                for name, value in values.items()
            ]
            found.append(Variation("_".join(words), number, kick, values))
    tags = [variation.tag for variation in found]
    for tag in tags:
        if tags.count(tag) > 1:
            raise source.refused(("axes",), f"two propagations of one name, {tag}; give the deck's runs tags")
    return tuple(found)


def _word(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter in "._-"))


def _has(task: PropagationTask, name: str) -> bool:
    return any(field.name == name for field in task.real_time.fields)


def _sweeps(
    axes: Axes, tasks: Sequence[PropagationTask], source: Source
) -> "Iterator[tuple[str, tuple[float | str, ...]]]":
    for name, sweep in (axes.fields or {}).items():
        where = ("axes", "fields", name)
        known = {field.name for task in tasks for field in task.real_time.fields}
        if name not in known:
            raise source.refused(where, f"the deck has no such field; it has: {', '.join(sorted(known))}")
        shapes = {field.shape for task in tasks for field in task.real_time.fields if field.name == name}
        given = [word for word in FieldSweep.__dataclass_fields__ if getattr(sweep, word) is not None]
        if not given:
            raise source.refused(where, "nothing is swept; give max, frequency or another parameter")
        for word in given:
            value = getattr(sweep, word)
            if word == "polarization":
                _refuse_empty_and_repeated(value, source, (*where, word))
                yield f"{name}.{word}", value
            else:
                values = values_of(value, source, (*where, word))
                for shape, number in product(shapes, values):
                    if wrong := value_refused(shape, word, number):
                        raise source.refused((*where, word), wrong)
                yield f"{name}.{word}", values


def item_tasks(deck: Deck, axes: Axes, variations: Sequence[Variation]) -> tuple[Task, ...]:
    """The deck's tasks up to its first propagation, and the propagations of an item behind them."""
    start = []
    for task in deck.tasks:
        if isinstance(task, PropagationTask):
            break
        if isinstance(task, GroundStateTask):
            start.append(task)
    size = 0.0 if axes.kicks is None else axes.kicks.size
    runs = [_varied(deck.propagations[one.task], one, size) for one in variations]
    return (*start, *runs)


def _varied(task: PropagationTask, variation: Variation, size: float) -> PropagationTask:
    real_time: RealTime = replace(task.real_time, tag=variation.tag)
    if variation.kick:
        geometry = task.system.geometry.name
        kick = Field(variation.tag, "delta", _DIRECTIONS[variation.kick], size)
        real_time = replace(real_time, fields=(kick,), excitations=(Excitation(geometry, kick.name),))
    for name, value in variation.values.items():
        field, _, word = name.rpartition(".")
        if name == "dt":
            real_time = replace(real_time, dt=float(value))
            continue
        change = (
            {"direction": _DIRECTIONS[str(value)], "angles": None}
            if word == "polarization"
            else {_NAMES.get(word, word): float(value)}
        )
        fields = tuple(replace(one, **change) if one.name == field else one for one in real_time.fields)
        real_time = replace(real_time, fields=fields)
    return replace(task, real_time=real_time)
