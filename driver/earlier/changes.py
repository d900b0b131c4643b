"""What has changed since an earlier run, in the deck's words: old value, place in the deck, new value."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...adapters.deck import Place
from ...adapters.regular_file import read_regular
from ...adapters.system.formula import shell_words

#: Name of the settings of the SCF, or the file, that a propagation starts from.
START = "start"
#: The deck's word for a setting, or for a part of a field, where it is another.
_WORDS = {
    "excitations": "excite",
    "n_checks": "nchecks",
    "n_prints": "nprints",
    "n_restarts": "nrestarts",
    "check_level": "checklvl",
    "exponential": "exp",
    "profile": "prof",
    "no_propagation": "noprop",
    "spatial_cap": "spatialcap",
    "multiplicity": "mult",
}
_FIELD_WORDS = {"shape": "type", "direction": "polarization", "maximum": "max"}
#: Of a deck.
_MOST_BYTES = 2**26
#: Characters of a value that a message shows, and of those before the first one that differs.
_SHOWN, _BEFORE = 60, 12


@dataclass(frozen=True)
class DeckSettings:
    """What the deck says now.

    settings: what shapes the trajectory, as JSON by name.
    functional: in the deck's words.
    place: of the task in the deck.
    grounds: of the ground states it comes from, by the file they leave; the last one is called "".
    """

    settings: Mapping[str, str]
    functional: str
    place: Place
    grounds: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class _Changed:
    """what: name of the setting; word: that begins its line in the deck; old, new: values.

    place: of the task that its line stands above, where that is not the propagation.
    field: name of the field whose block its line stands in.
    """

    what: str
    word: str
    old: Any
    new: Any
    place: Place | None = None
    field: str = ""


def changes(before: Mapping[str, str], functional: str, now: DeckSettings) -> list[str]:
    """`xc was pbe0, water.nw:12 says b3lyp`, for each setting that is not as it was; empty where none is.

    before: the earlier run's settings, as JSON by name; functional: its own, in its deck's words.
    """
    said = []
    for name in dict.fromkeys((*now.settings, *before)):
        old, new = before.get(name), now.settings.get(name)
        # What an earlier version did not know was not set.
        if _value(old) == _value(new):
            continue
        if name == START:
            found = _start_changes(old, new, (before, functional), now)
        elif name == "xc" and functional != now.functional:
            found = [_Changed("xc", "xc", functional, now.functional)]
        else:
            found = _changes(name, _value(old), _value(new))
        said += [_words(change, now.place) for change in found]
    return said


def place_of(word: str, place: Place, *, field_name: str = "") -> str:
    """The deck's last line above the task that begins with the word, of a field the first one in its block;
    else the task's."""
    try:
        text = read_regular(Path(place.file), _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return str(place)
    lines = [line.lower().replace('"', " ").split() for line in text.splitlines()[: place.line]]
    found = [number for number, words in enumerate(lines, 1) if words[:1] == [word]]
    if field_name:
        blocks = [n for n, words in enumerate(lines, 1) if words[:2] == ["field", field_name.lower()]]
        # What the block does not name any more is missed where it begins.
        found = [number for number in found if blocks and number >= blocks[-1]][:1] or blocks
    return f"{place.file}:{found[-1]}" if found else str(place)


def _value(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _changes(name: str, old: Any, new: Any) -> list[_Changed]:
    if name == "geometry" and _alike(old, new):
        atoms = zip(old, new, strict=True)
        return [
            _Changed(f"geometry, bohr: atom {n}", "geometry", was, is_)
            for n, (was, is_) in enumerate(atoms, start=1)
            if was != is_
        ][:1]
    if name == "geometry" and isinstance(old, list) and isinstance(new, list):
        return [_Changed(name, name, f"of {len(old)} atoms", f"{len(new)}")]
    if name == "fields":
        return _field_changes(_fields(old), _fields(new))
    word = _WORDS.get(name, name)
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in dict.fromkeys((*new, *old)) if old.get(key) != new.get(key)]
        return [_Changed(f"{word}: {key}", word.split()[0], old.get(key), new.get(key)) for key in keys]
    return [_Changed(word, "basis" if name == "spherical" else word, old, new)]


def _start_changes(
    old: str | None, new: str | None, before: tuple[Mapping[str, str], str], now: DeckSettings
) -> list[_Changed]:
    """Of the ground states; what an earlier version, or one of both runs, does not tell is not compared.

    before: the earlier run's settings and functional. A setting of the SCF without a value is as in the
    propagation, where that has one.
    """
    was, is_ = _value(old), _value(new)
    if not (isinstance(was, dict) and isinstance(is_, dict)):
        return []
    found = []
    for key in was.keys() & is_.keys():
        if was[key] == is_[key]:
            continue
        lead, _, name = key.rpartition(": ")
        values = [
            _propagated(name, *of) if value is None and not lead else value
            for value, of in ((was[key], before), (is_[key], (now.settings, now.functional)))
        ]
        what = f"{lead or 'SCF'}: "
        place = now.grounds.get(lead)
        for change in _changes(name, *values):
            word = change.word.split()[0]
            found.append(replace(change, what=what + change.what, word=word, place=place))
    return sorted(found, key=lambda change: change.what)


def _propagated(name: str, settings: Mapping[str, str], functional: str) -> Any:
    return functional if name == "xc" else _value(settings.get(name))


def _alike(old: Any, new: Any) -> bool:
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def _fields(texts: Any) -> dict[str, dict[str, Any]]:
    """Parts of each field by its name, from `Field(name='kick', …)`; what is no plain value stays text."""
    found = {}
    for text in texts if isinstance(texts, list) else []:
        try:
            call = ast.parse(str(text), mode="eval").body
            keywords = call.keywords if isinstance(call, ast.Call) else []
            values = {part.arg or "": _plain(part.value) for part in keywords}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            values = {}
        found[str(values.pop("name", text))] = values or {"field": text}
    return found


def _plain(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def _field_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[_Changed]:
    found = []
    for name in dict.fromkeys((*new, *old)):
        was, is_ = old.get(name), new.get(name)
        if was is None or is_ is None:
            found.append(
                _Changed(
                    f"field {name}",
                    "field",
                    "there" if was else None,
                    "there" if is_ else None,
                    field=name if is_ else "",
                )
            )
            continue
        for key in dict.fromkeys((*is_, *was)):
            if was.get(key) != is_.get(key):
                word = _FIELD_WORDS.get(str(key), str(key))
                found.append(_Changed(f"field {name}: {word}", word, was.get(key), is_.get(key), field=name))
    return found


def _words(change: _Changed, place: Place) -> str:
    old, new = _shown(change.old), _shown(change.new)
    if old == new and old != "not set":
        new = f"{new} with other numbers"
    elif max(len(old), len(new)) > _SHOWN:
        same = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
        old, new = _part(old, same), _part(new, same)
    if change.what.startswith("--"):
        return f"{change.what} was {old}, now {new}"
    line = place_of(change.word, change.place or place, field_name=change.field)
    return f"{change.what} was {old}, {line} says {new}"


def _part(text: str, same: int) -> str:
    """So much of a long text as shows where it begins to differ."""
    first = max(same - _BEFORE, 0) if len(text) > _SHOWN else 0
    end = first + _SHOWN
    return f"{'…' if first else ''}{text[first:end]}{'…' if len(text) > end else ''}"


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list) and value and all(_is_shell(shell) for shell in value):
        return shell_words(value)
    if isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value):
        return " ".join(f"{x:.10g}" for x in value)
    if isinstance(value, list) and all(isinstance(x, dict) for x in value):
        return ", ".join(" ".join(str(part) for part in x.values()) for x in value) or "not set"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _is_shell(shell: Any) -> bool:
    """`[l, [exponent, coefficient, …], …]`, in PySCF's format."""
    return (
        isinstance(shell, list)
        and len(shell) > 1
        and isinstance(shell[0], int)
        and isinstance(shell[-1], list)
    )
