"""What `--restart` finds: a run to go on with, one that is done, none at all, or one with other settings."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import Contents, TrajectoryError, read_contents
from .changes import DeckSettings, changes, place_of
from .validity import check_contents


@dataclass(frozen=True)
class Wanted:
    """The run that goes on.

    now: what the deck says.
    tmax, dt: au.
    """

    now: DeckSettings
    tmax: float
    dt: float


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
    changed = changes(before, str(contents.attributes.get("functional", "")), wanted.now)
    if changed:
        told = "; ".join(changed)
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
    where = place_of("tmax", wanted.now.place)
    tmax = "" if end == wanted.tmax else f"; tmax was {end:g}, {where} says {wanted.tmax:g}"
    now = float(contents.checkpoint["state_time"])
    if is_done(contents, wanted):
        how = f"reaches {now:.2f} au" if goes_beyond(contents, wanted) else "is complete"
        _say(f"{path.name} {how}{tmax}: nothing is left to be done, and it stays as it is")
        return
    point = _reached(contents) + 1
    _say(f"{path.name}: goes on at point {point}, {now:.2f} au{tmax}")


def _say(text: str) -> None:
    print(f"hybrid-propagate: {text}", file=sys.stderr)
