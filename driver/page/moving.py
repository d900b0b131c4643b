"""What moves in a pulse, for its page: occupations and charges over time, transitions in stretches of it."""

from dataclasses import dataclass

import numpy as np

from ...adapters.files.trajectory import Contents
from ...adapters.system import System
from ...adapters.system.elements import SYMBOLS
from ..spectra.parts import AtomShare
from ..spectra.response import StoredResponse
from ..spectra.spectrum import SpectrumError
from ..spectra.window import Moved, atom_charges, moved, populations
from .lines import below, transition_words
from .spectrum import OVER
from .tables import table
from .words import number

#: Curves of a figure: those that change most.
MOST_CURVES = 6
#: What changes less than this share of the largest is not drawn; less than the second number is rounding of
#: the single precision that is stored.
AT_REST, NOTHING = 0.02, 1e-9
#: Charges are made at so many points at most, or at fewer where that is more than so many operations.
MOST_POINTS, MOST_OPERATIONS = 1000, 2e9


@dataclass(frozen=True, eq=False)
class Moving:
    """Curves (T,) over all points of the run by name, and a table as HTML; empty where nothing is kept.

    occupations: change of the electrons in orbitals. charges: change of those of fragments or atoms, e.
    """

    occupations: dict[str, np.ndarray]
    charges: dict[str, np.ndarray]
    table: str


def moving(contents: Contents, system: System, response: StoredResponse | None) -> Moving:
    """From what the deck printed, else from the response, to second order in the field."""
    return Moving(
        _most(_occupations(contents, response)),
        _most(_charges(contents, system, response)),
        "" if response is None else _table(contents, system, response),
    )


def _most(curves: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those that change most, in their order."""
    size = {name: float(np.abs(values).max(initial=0.0)) for name, values in curves.items()}
    kept = sorted(curves, key=lambda name: -size[name])[:MOST_CURVES]
    least = max(AT_REST * max(size.values(), default=0.0), NOTHING)
    return {name: curves[name] for name in curves if name in kept and size[name] > least}


def _occupations(contents: Contents, response: StoredResponse | None) -> dict[str, np.ndarray]:
    time = np.asarray(contents.series["time"])
    if "occupations" in contents.series:
        stored = np.asarray(contents.series["occupations"])
        changes, at = stored - stored[0], time
    elif response is not None:
        changes, at = populations(response), response.time
    else:
        return {}
    marks = "αβ" if changes.shape[1] == 2 else ("",)
    return {
        f"{orbital + 1}{mark}": np.interp(time, at, changes[:, spin, orbital])
        for spin, mark in enumerate(marks)
        for orbital in range(changes.shape[2])
    }


def _charges(contents: Contents, system: System, response: StoredResponse | None) -> dict[str, np.ndarray]:
    time = np.asarray(contents.series["time"])
    if "charges" in contents.series:
        stored = np.asarray(contents.series["charges"])
        return {geometry.name: stored[:, k] - stored[0, k] for k, geometry in enumerate(system.geometries)}
    if response is None:
        return {}
    n_spin, n, m = response.orbitals.shape
    most = int(min(MOST_POINTS, max(MOST_OPERATIONS / (n_spin * n * m * m), 100)))
    rows = np.unique(np.linspace(0, len(response.time) - 1, most).round().astype(int))
    found = atom_charges(response, rows)
    at = response.time[rows]
    named = zip(atom_names(system), found.T, strict=False)
    return {name: np.interp(time, at, values) for name, values in named}


def atom_names(system: System) -> list[str]:
    """`O1`, `H2`, `H3`: symbols with the numbers of the geometry's atoms."""
    return [f"{SYMBOLS[z] if z else 'X'}{k}" for k, z in enumerate(system.geometry.atomic_numbers, start=1)]


def _table(contents: Contents, system: System, response: StoredResponse) -> str:
    """A row for the time in which the field acts, and one for what is left of the run."""
    time = np.asarray(contents.series["time"])
    field = np.abs(np.asarray(contents.series["field"])).max(axis=1)
    acting = np.flatnonzero(field > OVER * field.max())
    if not acting.size:
        return ""
    begin, end = float(time[acting[0]]), float(time[acting[-1]])
    windows = [("while the field acts", begin, end), ("after it", end, float(time[-1]))]
    rows = []
    for name, start, stop in windows:
        try:
            found = moved(response, start, stop)
        except SpectrumError:
            continue
        if stop > start:
            rows.append(_row(name, found, atom_names(system), open_shell=len(response.orbitals) == 2))
    return table(("electrons", "transitions", "from atoms", "to atoms"), rows, "tttt") if rows else ""


def _row(name: str, found: Moved, names: list[str], *, open_shell: bool) -> tuple[str, ...]:
    words = [transition_words(part, open_shell=open_shell) for part in found.transitions[:3]]
    return (
        number(found.electrons) + below(f"{name}, {number(found.start, 4)} to {number(found.end, 4)} au"),
        "<br>".join(words),
        atom_words([(one, one.leaves) for one in found.atoms], names),
        atom_words([(one, one.arrives) for one in found.atoms], names),
    )


def atom_words(shares: list[tuple[AtomShare, float]], names: list[str]) -> str:
    """The three atoms with the largest shares, HTML: `O1 93 %`."""
    largest = sorted(shares, key=lambda one: -one[1])[:3]
    return "<br>".join(
        f"{names[one.atom - 1]}\u00a0{100 * share:.0f}\u00a0%" for one, share in largest if share >= 0.005
    )
