"""The `rt_tddft` block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from ..free_format.errors import Place
from ..free_format.lines import Line, LineReader, suggestion
from ..system import Excitation, Field, RealTime
from ..system.real_time import EVERY, EXTENSIONS, Load, PropagatorName, Quantity, Tolerances, Visualization
from .absorbing import read_mocap, read_spatial_cap
from .field import read_field

_DIRECTIVES = (
    *("tmax", "dt", "tag", "load", "nchecks", "nprints", "nrestarts", "checklvl", "tolerances", "propagator"),
    *("exp", "prof", "noprop", "static", "print", "field", "excite", "visualization"),
    *("mocap", "spatialcap", "end"),
)
_REFUSED = {
    "usedisk": "usedisk is disabled in NWChem",
    "matrix_checks": "matrix_checks is not carried out (it compares with files of NWChem's developers)",
    "tmin": "unknown directive 'tmin': propagations start at t = 0",
}
_LIMIT = 100
#: Times, au: a step of 1e-6 is a millionth of what core electrons need, 1e9 is 24 ns.
_LAST = 1e9
_TIMES = {"tmax": (1e-6, _LAST), "dt": (1e-6, 100.0)}


@dataclass(frozen=True)
class RealTimeBlock:
    """An `rt_tddft` block with the lines that a task has to come back to.

    load is None without a `load` line that names orbitals, a density or a restart.
    everything: `print *` was given.
    blocks_at: lines that open inner blocks, by keyword.
    """

    place: Place
    real_time: RealTime
    load: Load | None
    everything: bool
    fields_at: dict[str, Place]
    excitations_at: tuple[Place, ...]
    blocks_at: dict[str, Place]


def read_rt_tddft(line: Line, reader: LineReader, geometries: tuple[str, ...]) -> RealTimeBlock:
    """Read the block that `line` opens; NWChem's defaults stand for what it does not name.

    geometries: names of those defined so far; NWChem knows no others when it reads `excite`.
    """
    line.finish()
    values: dict[str, Any] = {}
    fields: dict[str, tuple[Field, ...]] = {}
    fields_at: dict[str, Place] = {}
    excitations: list[Excitation] = []
    excitations_at: list[Place] = []
    load: Load | None = None
    blocks_at: dict[str, Place] = {}
    everything = False
    for row in reader.block(line):
        with reader.noting(row):
            key = row.keyword
            if key == "field":
                parts = read_field(row, reader)
                name = row.words[1].rstrip()
                if name in fields:
                    row.fail(f"field {name!r} is defined twice (first at {fields_at[name]})")
                if len(fields) == _LIMIT:
                    row.fail(f"more than {_LIMIT} fields")
                fields[name], fields_at[name] = parts, row.place
                fields_at.update((part.name, row.place) for part in parts)
            elif key == "excite":
                rules = _excitation(row, fields, geometries, strict=not reader.refusals)
                excitations += rules
                excitations_at += [row.place] * len(rules)
                if len(set(excitations_at)) > _LIMIT:
                    row.fail(f"more than {_LIMIT} excite rules")
            elif key == "load":
                load = _load(row) or load
            elif key == "print":
                values["quantities"], everything = _quantities(row)
            elif key in _INNER:
                name, read = _INNER[key]
                values[name] = read(row, reader)
                blocks_at[key] = row.place
            elif key in _REFUSED:
                row.fail(_REFUSED[key])
            else:
                values.update(_simple(row))
                row.finish()
    for key in ("tmax", "dt"):
        if key not in values:
            line.fail(f"rt_tddft must supply {key}")
    if values["tmax"] / values["dt"] > EVERY:
        line.fail("tmax / dt is more than a thousand million steps")
    if values["tmax"] < values["dt"] and not values.get("no_propagation"):
        line.fail(
            f"tmax {values['tmax']:g} lies before the end of the first step of dt {values['dt']:g}; "
            "accepted: tmax of dt and more, or noprop"
        )
    made = tuple(part for parts in fields.values() for part in parts)
    real_time = RealTime(fields=made, excitations=tuple(excitations), **values)
    return RealTimeBlock(line.place, real_time, load, everything, fields_at, tuple(excitations_at), blocks_at)


def _simple(row: Line) -> dict[str, Any]:
    """Directives that fit one line, as keyword arguments of RealTime."""
    key = row.keyword
    if key in ("tmax", "dt"):
        return {key: row.take_within(key, *_TIMES[key])}
    if key == "tag":
        tag = row.take("tag").rstrip()
        if len(tag) > 24:
            row.fail(f"tag is too long ({len(tag)} characters); at most 24")
        return {"tag": tag or "<rt_tddft>:"}
    if key in ("nchecks", "nprints", "nrestarts"):
        if row.peek() == "*":
            row.next()
            return {f"n_{key[1:]}": EVERY}
        count = row.take_integer(key)
        if count < 0:
            row.fail(f"{key} must not be negative")
        if key == "nprints" and count == 0:
            row.fail("nprints: there must be at least 1 print point")
        return {f"n_{key[1:]}": min(count, EVERY)}
    if key == "checklvl":
        level = row.take_integer(key)
        if level not in (1, 2, 3):
            row.fail(f"checklvl must be 1, 2 or 3, not {level}")
        return {"check_level": level}
    if key == "tolerances":
        return {"tolerances": _tolerances(row)}
    if key == "propagator":
        return {"propagator": _choice(row, "propagator", get_args(PropagatorName))}
    if key == "exp":
        return {"exponential": _choice(row, "exp", ("pseries", "diag"))}
    flags = {"prof": "profile", "noprop": "no_propagation", "static": "static"}
    if key in flags:
        return {flags[key]: True}
    row.fail(f"unknown rt_tddft directive {row.words[0]!r}{suggestion(key, _DIRECTIVES)}")


def _choice(row: Line, what: str, accepted: tuple[str, ...]) -> str:
    """A word that NWChem compares in lower case only."""
    word = row.take(what)
    if word not in accepted:
        row.fail(f"unknown {what} {word!r}; accepted, in lower case: {' '.join(accepted)}")
    return word


def _tolerances(row: Line) -> Tolerances:
    tolerances = Tolerances()
    while row.peek() is not None:
        name = _choice(row, "tolerances option", ("zero", "series", "interpol"))
        value = row.take_real(f"tolerance {name}")
        if not 0.0 <= value <= 1e-2:
            row.fail(f"tolerance {name} must lie between 0 and 1e-2, not {value:g}")
        if name == "series" and value == 0.0:
            row.fail("tolerance series must be above 0: NWChem's power series does not reach it")
        tolerances = replace(tolerances, **{name: value})
    return tolerances


def _load(row: Line) -> Load | None:
    kind = _choice(row, "load option", ("scf", "vectors", "density", "restart"))
    files: list[str] = []
    if kind in ("vectors", "density"):
        files.append(row.take(f"file name of load {kind}"))
        if kind == "density" and (second := row.next()) is not None:
            files.append(second)
    row.finish()
    return None if kind == "scf" else Load(cast(Any, kind), tuple(files))


def _quantities(row: Line) -> tuple[frozenset[Quantity], bool]:
    words: list[str] = []
    while row.peek() is not None:
        words.append(_choice(row, "print option", (*get_args(Quantity), "*")))
    everything = "*" in words
    asked = cast(frozenset[Quantity], frozenset(get_args(Quantity) if everything else words))
    return asked - (EXTENSIONS - frozenset(words) if everything else frozenset()), everything


def _excitation(
    row: Line, fields: dict[str, tuple[Field, ...]], geometries: tuple[str, ...], *, strict: bool
) -> list[Excitation]:
    """A rule for each part of the field.

    strict: not where something is refused ahead of it, which may be what the rule names.
    """
    geometry = row.take_name("name of the geometry to excite")
    if strict and geometry not in geometries:
        row.fail(f"excite: unknown geometry {geometry!r}; defined: {' '.join(geometries)}")
    word = row.take("'with'")
    if word != "with":
        row.fail(
            f"excite: expected 'with' (in lower case), not {word!r}; accepted: excite <geometry> with <field>"
        )
    name = row.take_name("name of the field")
    row.finish()
    if strict and name not in fields:
        known = f"; fields so far: {' '.join(fields)}" if fields else "; a field must come before its excite"
        row.fail(f"excite: unknown field {name!r}{known}")
    return [Excitation(geometry, part.name) for part in fields.get(name, ())]


def _visualization(opening: Line, reader: LineReader) -> Visualization:
    times: dict[str, float] = {}
    dplot = False
    opening.finish()
    for row in reader.block(opening):
        key = row.keyword
        if key in ("tstart", "tend", "treference"):
            times[key] = row.take_within(key, -_LAST, _LAST)
        elif key == "dplot":
            dplot = True
        else:
            accepted = ("tstart", "tend", "treference", "dplot")
            row.fail(f"unknown visualization directive {row.words[0]!r}; accepted: {' '.join(accepted)}")
        row.finish()
    for key in ("tstart", "tend"):
        if key not in times:
            opening.fail(f"visualization must supply {key}")
    if times["tend"] < times["tstart"]:
        opening.fail("visualization: tend lies before tstart")
    return Visualization(times["tstart"], times["tend"], times.get("treference"), dplot)


#: Inner blocks of one kind each: what they set, and their readers.
_INNER: Mapping[str, tuple[str, Callable[[Line, LineReader], object]]] = {
    "visualization": ("visualization", _visualization),
    "mocap": ("mocap", read_mocap),
    "spatialcap": ("spatial_cap", read_spatial_cap),
}
