"""YAML files as typed values: file, line and names of whatever does not fit."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hybrid_propagate.adapters.files.configuration import FORBID, read_configuration
from hybrid_propagate.atomic.errors import BadInput
from pydantic import Field


@dataclass(frozen=True)
class Part:
    __pydantic_config__ = FORBID
    n: Annotated[int, Field(ge=1)] = 3
    x: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Whole:
    __pydantic_config__ = FORBID
    path: Path
    part: Part = Part()
    parts: tuple[Part, ...] = ()
    kind: Literal["u", "v"] = "u"
    either: Part | int | None = None


def read(folder: Path, text: str) -> Whole:
    file = folder / "a.yaml"
    file.write_text(text)
    return read_configuration(file, Whole, BadInput)[0]


def test_values_are_typed(tmp_path: Path) -> None:
    found = read(tmp_path, "path: a\npart: {n: 2, x: [1e-3, 2]}\nparts: [{n: 1}]\neither: 3\n")
    assert found == Whole(Path("a"), Part(2, (1e-3, 2.0)), (Part(1),), "u", 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path: a\npart: {n: 0}", "a.yaml:2: part: n: 0; accepted: greater than or equal to 1"),
        ("path: a\npart:\n  m: 3", "a.yaml:3: part: m: unknown 'm'; accepted: n, x"),
        ("part: {}", "a.yaml:1: missing: path"),
        ("path: a\nparts:\n- {n: 2}\n- {z: 3}", "a.yaml:4: parts: 2: z: unknown 'z'; accepted: n, x"),
        ("path: a\nkind: w", "a.yaml:2: kind: 'w'; accepted: 'u' or 'v'"),
        ("path: a\npath: b", "a.yaml:1: path: stands twice"),
        ('part: {n: 1}\npath: "a\\0b"', "a.yaml:2: path: has a NUL character"),
        ("path: a\npart: {n: true}", "a.yaml:2: part: n: True; accepted: a valid integer"),
        ("path: a\npart: {n: '3'}", "a.yaml:2: part: n: '3'; accepted: a valid integer"),
        ("path: a\neither: {n: x}", "a.yaml:2: either: n: 'x'; accepted: a valid integer"),
        ("a: &a [*a]", "a.yaml: not YAML: aliases (*name) are not taken"),
        ("[", "a.yaml: not YAML: "),
        ("3", "a.yaml: names with values expected, found 3"),
        ("", "a.yaml: names with values expected, found None"),
    ],
)
def test_what_does_not_fit_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
