"""The `tddft` block, linear response: settings that stay in force until a later block changes them."""

from dataclasses import dataclass, replace
from typing import Any

from ..free_format.errors import DeckError
from ..free_format.lines import Line, LineReader, suggestion
from ..free_format.nwchem_only import pass_over

_MOST_ROOTS = 10**4
_WITHOUT_EFFECT = ("maxiter", "maxvecs", "thresh", "print", "noprint", "trials", "algorithm")
_CARRIED_OUT = (
    *("nroots", "notriplet", "nosinglet", "singlet", "triplet", "cis", "tda", "rpa"),
    *("target", "civecs", "grad"),
)


@dataclass(frozen=True)
class TddftSettings:
    """What `tddft` blocks have set so far. obstacles: lines that only a task of theirs would refuse.

    target, civecs: of the root that NWChem follows, and whether it keeps its vectors.
    gradient: lines of `grad`, as NWChem gets them.
    """

    n_roots: int = 1
    singlet: bool = True
    triplet: bool = True
    tamm_dancoff: bool = False
    target: int | None = None
    civecs: bool = False
    gradient: tuple[str, ...] = ()
    obstacles: tuple[DeckError, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The block, as NWChem's deck gets it."""
        return (
            "tddft",
            f"  nroots {self.n_roots}",
            f"  {'cis' if self.tamm_dancoff else 'rpa'}",
            *(() if self.singlet else ("  nosinglet",)),
            *(() if self.triplet else ("  notriplet",)),
            *(() if self.target is None else (f"  target {self.target}",)),
            *(("  civecs",) if self.civecs else ()),
            *(("  grad", *(f"    {line}" for line in self.gradient), "  end") if self.gradient else ()),
            "end",
        )


def read_tddft(line: Line, reader: LineReader, before: TddftSettings) -> TddftSettings:
    """Settings after the `tddft` block (linear response) that `line` opens.

    A block forgets the roots and the approximation of those before it, and keeps their spins, as in NWChem.
    """
    line.finish()
    settings = TddftSettings(singlet=before.singlet, triplet=before.triplet)
    for row in reader.block(line):
        key = row.keyword
        if key in _CARRIED_OUT:
            settings = replace(settings, **_directive(row, reader))
        elif key in _WITHOUT_EFFECT:
            pass_over(row)
        else:
            hint = suggestion(key, (*_CARRIED_OUT, *_WITHOUT_EFFECT))
            text = f"tddft directive {row.words[0]!r} is not carried out{hint}"
            settings = replace(settings, obstacles=(*settings.obstacles, DeckError(row.place, text)))
            row.rest()
    return settings


def _directive(row: Line, reader: LineReader) -> dict[str, Any]:
    """What a line sets."""
    key = row.keyword
    if key == "nroots":
        return {"n_roots": _root(row, "number of roots")}
    if key == "target":
        return {"target": _root(row, "number of a root")}
    if key == "grad":
        return {"gradient": _gradient(row, reader)}
    if key == "civecs":
        return {key: True}
    if key in ("cis", "tda", "rpa"):
        return {"tamm_dancoff": key != "rpa"}
    return {key.removeprefix("no"): not key.startswith("no")}


def _root(row: Line, what: str) -> int:
    number = row.take_integer(what)
    if not 1 <= number <= _MOST_ROOTS:
        row.fail(f"{row.keyword} must lie between 1 and {_MOST_ROOTS}")
    return number


def _gradient(line: Line, reader: LineReader) -> tuple[str, ...]:
    """The lines of a `grad` block: a root, and how tightly its response is solved."""
    line.finish()
    lines = []
    for row in reader.block(line):
        if row.keyword == "root":
            lines.append(f"root {_root(row, 'number of a root')}")
        elif row.keyword == "solve_thresh":
            lines.append(f"solve_thresh {row.take_within('threshold', 1e-15, 1.0):.10g}")
        elif row.keyword in ("print", "noprint"):
            row.rest()
        else:
            row.fail(f"grad directive {row.words[0]!r} is not carried out; accepted: root, solve_thresh")
    return tuple(lines)
