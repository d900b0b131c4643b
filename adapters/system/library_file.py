"""Basis sets and effective core potentials in files of NWChem's library format.

basis "O_6-31G" SPHERICAL          ecp "Au_lanl2dz_ecp"
O    S                             Au nelec 60
   5484.67  0.00183                Au ul
end                                2  0.598  -10.0
                                   end
"""

import functools
import re
from pathlib import Path
from typing import Any

from ..regular_file import read_regular
from .elements import element_of_tag
from .system import Shells

#: Bytes of a library file; NWChem's largest has 6 MB.
_LARGEST = 2**25
_SECTION = re.compile(r'^\s*(basis|ecp)\s+"([^"_]+)_([^"]*)"', re.IGNORECASE)
_MOMENTA = {letter: momentum for momentum, letter in enumerate("spdfghiklm")}


def set_key(name: str) -> str:
    """The file of a set in NWChem's library: lower case, `*` as s, no brackets, `,` `/` and blank as `_`.

    The SV(P) sets, which share a file with the SVP ones, get a key of their own.
    """
    key = re.sub(r"[()\[\]]", "", name.strip().lower().replace("sv(p)", "sv_p"))
    return key.replace("*", "s").replace("/", "_").replace(",", "_").replace(" ", "_").replace("'", "p")


def set_file(where: Path, name: str) -> Path | None:
    """The file of a set: `where` itself, or the one of that name in a folder; None where there is none."""
    if where.is_file():
        return where
    found = (where / entry for entry in (set_key(name), name.replace("/", "_")))
    return next((path for path in found if path.is_file()), None)


def file_element(path: Path, name: str, atomic_number: int) -> tuple[Shells | None, Any | None]:
    """Shells and potential, in PySCF's format, of one element; None for what the file has not.

    Shells are in the file's order. Raises OSError, ValueError for numbers that are none.
    """
    sections = _sections(path.resolve(), path.stat().st_mtime_ns)
    key = set_key(name)
    shells = sections.get(("basis", atomic_number, key))
    potential = sections.get(("ecp", atomic_number, key))
    return _shells(shells) if shells else None, _potential(potential) if potential else None


@functools.cache
def _sections(path: Path, changed: int) -> dict[tuple[str, int, str], tuple[str, ...]]:
    """Lines of each section, by kind, element and set. changed: when the file was, for the cache."""
    found: dict[tuple[str, int, str], tuple[str, ...]] = {}
    lines: list[str] | None = None
    opened = ("", 0, "")
    for line in read_regular(path, _LARGEST).decode("latin-1").splitlines():
        bare = line.split("#")[0].strip()
        if opening := _SECTION.match(bare):
            lines, opened = [], (opening[1].lower(), element_of_tag(opening[2]) or 0, set_key(opening[3]))
        elif bare.lower() == "end" and lines is not None:
            found.setdefault(opened, tuple(lines))
            lines = None
        elif lines is not None and bare:
            lines.append(bare)
    return found


def _shells(lines: tuple[str, ...]) -> Shells:
    shells: Shells = []
    momenta: tuple[int, ...] = (0,)
    rows: list[list[float]] = []
    for line in (*lines, ""):
        words = line.split()
        if words and not words[0][0].isalpha():
            rows.append(_reals(words))
            continue
        for column in range(1, len(rows[0]) if rows else 0):
            momentum = momenta[column - 1] if len(momenta) > 1 else momenta[0]
            shells.append([momentum, *([row[0], row[column]] for row in rows if row[column] != 0.0)])
        if words:
            kind, rows = words[1].lower(), []
            momenta = (0, 1) if kind in ("sp", "l") else (_MOMENTA[kind],)
    return shells


def _potential(lines: tuple[str, ...]) -> Any:
    core, channels = 0, []
    for line in lines:
        words = line.split()
        if words[0][0].isalpha():
            kind = words[1].lower()
            if kind == "nelec":
                core = int(words[2])
            else:
                channels.append([-1 if kind == "ul" else _MOMENTA[kind], [[] for _ in range(7)]])
        else:
            power, exponent, coefficient = _reals(words)
            channels[-1][1][int(power)].append([exponent, coefficient])
    return [core, sorted(channels, key=lambda channel: channel[0])]


def _reals(words: list[str]) -> list[float]:
    return [float(word.lower().replace("d", "e")) for word in words]
