"""The `field` block of `rt_tddft`."""

import math
from pathlib import Path
from typing import Any, get_args

from ..free_format.lines import Line, LineReader, read_text, suggestion
from ..system import Field
from ..system.field import Shape, Spin
from ..system.recorded_field import RecordedField, recorded_field

#: What each shape needs beside `max` and `polarization`, and what it must not be given.
_RULES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "delta": ((), ("frequency", "phase", "width", "start")),
    "cw": (("frequency",), ("center", "width", "start")),
    "gaussian": (("frequency", "center", "width"), ("start",)),
    "hann": (("frequency", "center", "width"), ("start",)),
    "sin2ramp": (("frequency", "width", "start"), ("center",)),
    "file": ((), ("max", "direction", "frequency", "phase", "center", "width", "start")),
}
#: What no field of any experiment lies outside of, au: 1e3 is 5e14 V/m, 1e6 is 27 MeV, 1e9 is 24 ns.
_RANGES = {
    "max": (-1e3, 1e3),
    "frequency": (-1e6, 1e6),
    "phase": (-1e6, 1e6),
    "center": (0.0, 1e9),
    "width": (0.0, 1e9),
    "start": (-1e9, 1e9),
}
#: Bytes of a file: two million rows.
_LARGEST = 2**27
_LEAST_WIDTH, _TURNS = 1e-6, 1e6
_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def read_field(opening: Line, reader: LineReader) -> tuple[Field, ...]:
    """Read the `field` block that `opening` starts, up to its `end`.

    Shapes, polarisations and spins are compared in lower case only, as NWChem does. A block of `type file`
    becomes a field a component, `<name>.x` and so on; those that are zero throughout are left out.
    """
    name = opening.take_name("name of the field", 16)
    opening.finish()
    values: dict[str, Any] = {}
    recorded: tuple[RecordedField, ...] = ()
    for row in reader.block(opening):
        with reader.noting(row):
            key = row.keyword
            if key == "type":
                values["shape"] = _shape(row)
                if values["shape"] == "file":
                    recorded = _recorded(row)
                    reader.notice(row, "field type file is carried out here alone: NWChem stops at it")
            elif key == "polarization":
                values["direction"], values["angles"] = _polarization(row)
            elif key == "spin":
                values["spin"] = _spin(row)
            elif key in _RANGES:
                values[key] = row.take_within(f"field {name!r}: {key}", *_RANGES[key])
            else:
                accepted = ("type", "polarization", "spin", *_RANGES)
                hint = suggestion(key, accepted) or f"; accepted: {' '.join(accepted)}"
                row.fail(f"unknown field directive {row.words[0]!r}{hint}")
            row.finish()
    _check(opening, name, values)
    if values["shape"] == "file":
        return tuple(
            Field(
                name=f"{name}.{axis}",
                direction=_AXES[axis],
                maximum=float(abs(component.values).max()),
                recorded=component,
                **values,
            )
            for axis, component in zip(_AXES, recorded, strict=True)
            if component.values.any()
        )
    return (Field(name=name, maximum=values.pop("max"), **values),)


def value_refused(shape: str, word: str, value: float) -> str | None:
    """Why a field of a shape cannot have this number; None where it can."""
    required, forbidden = _RULES[shape]
    lowest, highest = _RANGES[word]
    if word in forbidden:
        return f"cannot supply {word} if type is {shape}"
    if not lowest <= value <= highest:
        return f"{word} {value:g}: accepted: {lowest:g} to {highest:g}"
    if word == "width" and word in required and value < _LEAST_WIDTH:
        return f"width must be at least {_LEAST_WIDTH:g}"
    return None


def _shape(row: Line) -> str:
    word = row.take("type of the field")
    if word not in _RULES:
        row.fail(f"unknown field type {word!r}; accepted, in lower case: {' '.join(get_args(Shape))}")
    return word


def _recorded(row: Line) -> tuple[RecordedField, ...]:
    file = row.take("name of the file: rows of time Ex Ey Ez in au")
    try:
        found = recorded_field(file, read_text(Path(file), row.place, "file of the field", _LARGEST))
    except ValueError as error:
        row.fail(f"field type file: {file}: {error}")
    if not any(component.values.any() for component in found):
        row.fail(f"field type file: {file}: the field is zero throughout")
    return found


def _polarization(row: Line) -> tuple[tuple[float, float, float], tuple[float, float] | None]:
    word = row.take("polarization")
    if word in _AXES:
        return _AXES[word], None
    if word != "angle":
        row.fail(f"unknown polarization {word!r}; accepted, in lower case: x y z angle <theta> <phi>")
    theta, phi = (row.take_within(angle, -_TURNS, _TURNS) for angle in ("theta", "phi"))
    t, p = math.radians(theta), math.radians(phi)
    return (math.sin(t) * math.cos(p), math.sin(t) * math.sin(p), math.cos(t)), (theta, phi)


def _spin(row: Line) -> str:
    word = row.take("spin")
    if word not in get_args(Spin):
        row.fail(f"unknown spin {word!r}; accepted, in lower case: {' '.join(get_args(Spin))}")
    return word


def _check(opening: Line, name: str, values: dict[str, Any]) -> None:
    if "shape" not in values:
        opening.fail(f"field {name!r} must specify its type")
    required, forbidden = _RULES[values["shape"]]
    words = {"direction": "polarization"}
    for key in ("max", "direction", *required):
        if key not in values and key not in forbidden:
            opening.fail(f"field {name!r}: must specify {words.get(key, key)} if type is {values['shape']}")
    for key in forbidden:
        if key in values:
            word = words.get(key, key)
            opening.fail(f"field {name!r}: cannot supply {word} if type is {values['shape']}")
    if "width" in required and values["width"] < _LEAST_WIDTH:
        opening.fail(f"field {name!r}: width must be at least {_LEAST_WIDTH:g}")
