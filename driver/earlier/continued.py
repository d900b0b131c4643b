"""What `--restart` finds: a run to go on with, one that is done, none at all, or one with other settings."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck import Place
from ...adapters.files.trajectory import Contents, TrajectoryError, read_contents
from ...adapters.regular_file import read_regular
from .validity import check_contents

#: The deck's word for a setting, where it is another.
_WORDS = {"fields": "field", "excitations": "excite", "n_checks": "nchecks", "n_restarts": "nrestarts"}
#: Of a deck.
_MOST_BYTES = 2**26
#: Characters of a value that a message shows.
_SHOWN = 60


@dataclass(frozen=True)
class Wanted:
    """The run that goes on.

    settings: what shapes its trajectory, as text by name.
    tmax, dt: au.
    place: of its task in the deck.
    """

    settings: Mapping[str, str]
    tmax: float
    dt: float
    place: Place


def continued(path: Path, wanted: Wanted) -> Contents | None:
    """The trajectory file to go on from, None where there is none; says on standard error what is done.

    Raises TrajectoryError for a file that cannot be used, or of other settings.
    """
    if not path.exists():
        _say(f"{path.name} is not there: --restart has nothing to go on from, the run begins at its start")
        return None
    contents = read_contents(path, to_go_on=True)
    check_contents(path, contents)
    before = json.loads(str(contents.attributes["settings"]))
    names = dict.fromkeys((*wanted.settings, *before))
    changed = [name for name in names if before.get(name) != wanted.settings.get(name)]
    if changed:
        told = "; ".join(_change(name, before.get(name), wanted) for name in changed)
        raise TrajectoryError(
            f"{path}: made with other settings: {told}; restore them, or leave out --restart"
        )
    _say_how_far(path, contents, wanted)
    return contents


def is_done(contents: Contents, wanted: Wanted) -> bool:
    """Whether the file has all that the deck asks for now."""
    same_end = float(np.asarray(contents.attributes["tmax"])) == wanted.tmax
    return (bool(contents.attributes["complete"]) and same_end) or goes_beyond(contents, wanted)


def goes_beyond(contents: Contents, wanted: Wanted) -> bool:
    """Whether the file was to be longer than the deck asks for now, and has come as far."""
    end = float(np.asarray(contents.attributes["tmax"]))
    return wanted.tmax < end and _reached(contents) >= int(np.ceil(wanted.tmax / wanted.dt)) - 1


def _reached(contents: Contents) -> int:
    return int(contents.checkpoint["state_step"])


def _say_how_far(path: Path, contents: Contents, wanted: Wanted) -> None:
    end = float(np.asarray(contents.attributes["tmax"]))
    where = _place(wanted, "tmax")
    tmax = "" if end == wanted.tmax else f"; tmax was {end:g}, {where} says {wanted.tmax:g}"
    now = float(contents.checkpoint["state_time"])
    if is_done(contents, wanted):
        how = f"reaches {now:.2f} au" if goes_beyond(contents, wanted) else "is complete"
        _say(f"{path.name} {how}{tmax}: nothing is left to be done, and it stays as it is")
        return
    point = _reached(contents) + 1
    _say(f"{path.name}: goes on at point {point}, {now:.2f} au{tmax}")


def _change(name: str, old: str | None, wanted: Wanted) -> str:
    new = wanted.settings.get(name)
    who = "now" if name.startswith("--") else f"{_place(wanted, name)} says"
    return f"{name} was {_shown(old)}, {who} {_shown(new)}"


def _shown(value: str | None) -> str:
    text = "not set" if value is None else value.strip('"')
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _place(wanted: Wanted, name: str) -> str:
    """The deck's last line above the task that begins with the word; else the task's."""
    word, place = _WORDS.get(name, name), wanted.place
    try:
        text = read_regular(Path(place.file), _MOST_BYTES).decode("utf-8", "replace")
        lines = text.splitlines()[: place.line]
    except OSError:
        return str(place)
    found = [number for number, line in enumerate(lines, 1) if line.lower().split()[:1] == [word]]
    return f"{place.file}:{found[-1]}" if found else str(place)


def _say(text: str) -> None:
    print(f"hybrid-propagate: {text}", file=sys.stderr)
