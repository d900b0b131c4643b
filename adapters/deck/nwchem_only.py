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
_REFUSED = ("rabuck", "pcglevl", "nrlevl")
_NEED_A_NUMBER = ("nr", "acccoul")

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
        value = row.take_real("tol2e")
        if value <= 0.0:
            row.fail("tol2e must be positive")
        text = f"tol2e {value!r}"
    else:
        text = f"tolerances {' '.join(map(str, _words(row, _TOLERANCES)))}"
    row.finish()
    return text


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
