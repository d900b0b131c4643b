"""A deck of the benchmark: its text, how many steps of it are made, and its text with another time step."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...adapters.deck import Deck, DeckError, Place
from ...adapters.deck.reader import read_deck
from ...adapters.free_format.lines import read_text
from ...atomic.errors import BadInput
from .reference import single_propagation

_TMAX = re.compile(r"^(\s*tmax\s+)\S+", re.MULTILINE | re.IGNORECASE)
_DT = re.compile(r"^(\s*dt\s+)\S+", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(r"^\s*field\s.*?^\s*end\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_MAXIMUM = re.compile(r"^(\s*max\s+)(\S+)", re.MULTILINE | re.IGNORECASE)


class BenchError(BadInput):
    """Bad input of the benchmark. One line."""


@dataclass(frozen=True)
class Case:
    """One deck.

    text: as it is run, with `tmax` for `n_steps` steps; prefix: of the files it leaves; n_basis: functions;
    dt: au; magnus: whether that is its propagator; kicked: whether every field is a delta kick.
    """

    name: str
    text: str
    title: str
    prefix: str
    n_basis: int
    n_steps: int
    dt: float
    magnus: bool
    kicked: bool


def read_case(argument: str, folder: Path) -> Case:
    """From `DECK` or `DECK:STEPS`; `folder` is where the deck is written as it is run.

    Raises BenchError, DeckError.
    """
    name, _, steps = argument.rpartition(":")
    path, n_steps = (Path(name), int(steps)) if name and steps.isdecimal() else (Path(argument), None)
    if n_steps is not None and n_steps < 8:
        raise BenchError(f"{argument}: {n_steps} steps; accepted: 8 or more")
    deck = read_deck(path)
    _, task = single_propagation(deck)
    if not task.real_time.excitations:
        raise BenchError(f"{task.place}: no field acts (`excite`); without one there is nothing to compare")
    text = read_text(path, Place(str(path), 1), "deck")
    dt = task.real_time.dt
    if n_steps is None:
        n_steps = task.real_time.n_points - 1
    else:
        text = with_steps(text, n_steps, dt, path)
    case = Case(
        path.stem,
        text,
        deck.title or path.stem,
        deck.prefix,
        task.system.n_basis,
        n_steps,
        dt,
        task.real_time.propagator == "magnus",
        all(field.shape == "delta" for field in task.real_time.fields),
    )
    _check(written(case.text, folder / f"{case.name}.nw"), case.n_steps, path)
    return case


def with_larger_step(case: Case, factor: int, folder: Path) -> str:
    """The case's text with a time step `factor` times as large, kicks keeping their impulse.

    Raises BenchError where the deck does not let that be done, DeckError.
    """
    path = Path(f"{case.name}.nw")
    n_steps = case.n_steps // factor
    text = _replaced(_DT, f"{case.dt * factor:.6f}", case.text, path, "dt")
    text = with_steps(text, n_steps, case.dt * factor, path)
    if case.kicked:
        text = _FIELD.sub(lambda block: _weakened(block[0], factor), text)
    _check(written(text, folder / f"{case.name}-{factor}.nw"), n_steps, path)
    return text


def with_steps(text: str, n_steps: int, dt: float, path: Path) -> str:
    """A deck's text with `tmax` for so many steps of dt (au). Raises BenchError, which starts with `path`."""
    return _replaced(_TMAX, f"{(n_steps + 0.5) * dt:.6f}", text, path, "tmax")


def written(text: str, path: Path) -> Deck:
    """The deck of a text, read from the file that it is written to. Raises DeckError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_deck(path)


def _weakened(block: str, factor: int) -> str:
    """A delta kick acts through its `max` times dt."""

    def smaller(match: re.Match[str]) -> str:
        return f"{match[1]}{float(match[2].lower().replace('d', 'e')) / factor:.10g}"

    return _MAXIMUM.sub(smaller, block)


def _replaced(pattern: re.Pattern[str], value: str, text: str, path: Path, what: str) -> str:
    text, count = pattern.subn(rf"\g<1>{value}", text)
    if count != 1:
        raise BenchError(f"{path}: {count} lines set {what}; to change it the benchmark needs exactly one")
    return text


def _check(deck: Deck, n_steps: int, path: Path) -> None:
    """Whether the changed deck does what was meant."""
    try:
        _, task = single_propagation(deck)
    except DeckError as error:
        raise BenchError(f"{path}: {error}") from error
    if task.real_time.n_points - 1 != n_steps:
        raise BenchError(
            f"{path}: {task.real_time.n_points - 1} steps where {n_steps} were meant; "
            "tmax and dt must each stand on a line of their own"
        )
