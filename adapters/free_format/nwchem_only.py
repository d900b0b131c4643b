"""Directives of the `dft` block that change nothing here, but the last digits of NWChem's own numbers.

They are read word by word, refused where NWChem refuses them or would pass over a word in silence, and
written anew from what was read: NWChem's deck has no word of the user's.
"""

from dataclasses import dataclass

from .lines import Line, suggestion

#: Words that stand alone.
_FLAGS = ("direct", "incore", "noio", "cgmin", "nocgmin")
_SWITCHES = ("sym", "adapt")
#: `tolerances`: screening of integrals and of the grid.
_TOLERANCES = {
    "tight": None,
    "tol_rho": float,
    "accaofunc": int,
    "acccdfunc": int,
    "acccoul": int,
    "accqrad": int,
    "accxcfunc": int,
    "radius": float,
}
#: `convergence`: thresholds, and the path of the iterations; the number may be missing, save that of `nr`.
_CONVERGENCE = {
    **dict.fromkeys(("energy", "density", "gradient", "dampon", "dampoff", "diison", "diisoff"), float),
    **dict.fromkeys(("levlon", "levloff", "lshift", "hl_tol", "nr"), float),
    **dict.fromkeys(("ncydp", "ncyds", "ncysh", "damp", "diis"), int),
    **dict.fromkeys(("nodamping", "nodiis", "nolevelshifting", "fast", "stable"), None),
}
_MOST = 10_000
_REFUSED = ("rabuck", "pcglevl", "nrlevl")
_NEED_A_NUMBER = ("nr", "acccoul")

#: Words that stand alone in a line and have no effect here.
_ALONE = ("pause", "mulliken", "molden", "ecp", "diis", "profile")
_MEMORY_WORDS = ("verify", "noverify", "trace", "hardfail", "nohardfail")
_MEMORY_PARTS = ("heap", "stack", "global", "total")
_MEMORY_UNITS = ("double", "real", "integer", "byte", "kb", "mb", "mw", "gb", "gw")

NWCHEM_ONLY = (*_FLAGS, *_SWITCHES, "semidirect", "tolerances", "tol2e")


@dataclass(frozen=True)
class Word:
    """A word of a directive, in lower case, and the number behind it, if any."""

    name: str
    value: float | int | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name} {self.value!r}"


def nwchem_only_line(row: Line) -> str:
    """One directive of NWCHEM_ONLY as it is written for NWChem. Raises DeckError."""
    key = row.keyword
    if key in _FLAGS:
        text = key
    elif key in _SWITCHES:
        switch = (row.next() or "on").lower()
        if switch not in ("on", "off"):
            row.fail(f"{key}: unexpected {switch!r}; accepted: on off")
        text = f"{key} {switch}"
    elif key == "semidirect":
        text = _semidirect(row)
    elif key == "tol2e":
        text = f"tol2e {row.take_within('tol2e', 1e-30, 1.0)!r}"
    else:
        if row.peek() is None:
            row.fail("tolerances names none")
        text = f"tolerances {' '.join(map(str, _words(row, _TOLERANCES)))}"
    row.finish()
    return text


def pass_over(row: Line) -> None:
    """Take the fields of a directive that steers printing, memory or the path of an SCF, here to no effect.

    Raises DeckError for fields that NWChem would refuse, or pass over.
    """
    key = row.keyword
    if key in ("print", "noprint", "ecce_print", "echo"):
        row.rest()
    elif key == "scratch_dir":
        row.take("folder")
    elif key == "memory":
        _memory(row)
    elif key == "level":
        _level(row)
    elif key in ("nr", "thresh"):
        row.take_real(key)
    elif key in ("maxiter", "maxvecs", "algorithm"):
        row.take_integer(key)
    elif key == "trials":
        row.next()
    elif key not in _ALONE:
        nwchem_only_line(row)


def _memory(row: Line) -> None:
    """Sizes with their units, each led by what it is the size of, or not."""
    if row.peek() is None:
        row.fail("memory: a size is missing")
    while (word := row.peek()) is not None:
        if word.lower() in _MEMORY_WORDS:
            row.next()
            continue
        if word.lower() in _MEMORY_PARTS:
            row.next()
        row.take_within("size of the memory", 0.0, 1e15)
        unit = row.take("unit of the memory").lower()
        if unit not in _MEMORY_UNITS:
            row.fail(f"memory: unknown unit {unit!r}; accepted: {' '.join(_MEMORY_UNITS)}")


def _level(row: Line) -> None:
    while (word := row.next()) is not None:
        if word.lower() not in ("pcg", "nr"):
            row.fail(f"level: unexpected {word!r}; accepted: pcg nr")
        row.take_real("level shift")
        if row.maybe_real() is not None:
            row.take_real("final level shift")


def convergence_words(row: Line) -> tuple[Word, ...]:
    """The words of a `convergence` line. Raises DeckError."""
    return _words(row, _CONVERGENCE)


def _words(row: Line, kinds: dict[str, type | None]) -> tuple[Word, ...]:
    found: list[Word] = []
    while (word := row.next()) is not None:
        key = word.lower()
        if key in _REFUSED:
            row.fail(f"{row.keyword} {word} is not carried out")
        if key not in kinds:
            row.fail(f"unknown {row.keyword} option {word!r}{suggestion(key, kinds)}")
        kind = kinds[key]
        value = None
        if kind is not None:
            value = row.maybe_real() if kind is float else row.maybe_integer()
        if value is None and key in _NEED_A_NUMBER:
            row.fail(f"{row.keyword} {key}: its number is missing")
        if value is not None and not 0 <= value <= _MOST:
            row.fail(f"{row.keyword} {key} must lie between 0 and {_MOST:g}, not {value:g}")
        found.append(Word(key, value))
    return tuple(found)


def _semidirect(row: Line) -> str:
    """Without `filename`: NWChem runs in a folder of its own."""
    words = ["semidirect"]
    while (word := row.next()) is not None:
        key = word.lower()
        if key in ("filesize", "memsize"):
            words.append(f"{key} {row.take_integer(key)}")
        elif key == "filename":
            row.take("filename")
        else:
            row.fail(f"semidirect: unexpected {word!r}; accepted: filesize memsize filename")
    return " ".join(words)
