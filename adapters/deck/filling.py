"""Occupations of orbitals: the `occup` block, `smear` and `fon` of the `dft` block."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..free_format.errors import DeckError, Place
from ..free_format.lines import Line, LineReader
from ..system import System
from ..system.filling import Filling

_NOTICE = (
    "a closed shell's propagation starts with the SCF's occupations, "
    "an open shell's fills its first orbitals with one electron each, as in NWChem"
)
#: NWChem's default width, and the largest here, Hartree.
_WIDTH, _MOST_WIDTH = 1e-3, 10.0
_MOST_ORBITALS = 3000
#: NWChem stops where `occup` and the system have numbers of electrons further apart.
_OFF = 1e-2


@dataclass(frozen=True)
class PartlyFilled:
    """`fon`, of one spin or of a closed shell.

    filled: orbitals that are full; partial: orbitals above them, alike in part; electrons: in these.
    """

    filled: int
    partial: int
    electrons: float


def read_occupations(line: Line, reader: LineReader) -> tuple[tuple[float, ...], ...]:
    """Read `occup`: numbers of alpha and beta orbitals, then a row for each, `<alpha> <beta>`.

    Returns them by spin; one spin alone for a closed shell.
    """
    line.finish()
    counts: list[int] = []
    columns: list[list[float]] = [[], []]
    for row in reader.block(line):
        row.cursor = 0
        if not counts:
            counts = [row.take_integer("number of orbitals") for _ in range(2)]
            if not 1 <= counts[0] <= _MOST_ORBITALS or not 0 <= counts[1] <= counts[0]:
                row.fail(f"occup: expected <alpha> <beta>, 1 to {_MOST_ORBITALS} and not more")
            continue
        most = 1.0 if counts[1] else 2.0
        for column, count in zip(columns, counts, strict=True):
            if len(column) < count:
                column.append(row.take_within("occupation", 0.0, most))
    if not counts or [len(column) for column in columns] != counts:
        line.fail("occup has not as many rows as it says")
    return tuple(tuple(column) for column in columns if column)


def read_smear(row: Line, reader: LineReader) -> float:
    """`smear [sigma]`, Hartree; 0 is off."""
    sigma = row.maybe_real()
    if sigma is None:
        sigma = _WIDTH
    if not 0.0 <= sigma <= _MOST_WIDTH:
        row.fail(f"smear must lie between 0 and {_MOST_WIDTH:g} Hartree, not {sigma:g}")
    if sigma > 0.0:
        reader.notice(row, f"smear: {_NOTICE}")
    return sigma


def read_fon(row: Line, reader: LineReader) -> tuple[int, PartlyFilled, str]:
    """`fon [alpha|beta] partial <n> electrons <e> filled <n>`: the spin, 0 or 1; what it says; the line."""
    spin = 0
    if (row.peek() or "").lower() in ("alpha", "beta"):
        spin = ("alpha", "beta").index(row.take("spin").lower())
    found: dict[str, float] = {}
    for word in ("partial", "electrons", "filled"):
        if row.take(word).lower() != word:
            row.fail(
                "fon: accepted: fon [alpha|beta] partial <orbitals> electrons <number> filled <orbitals>"
            )
        found[word] = row.take_real(word) if word == "electrons" else row.take_integer(word)
    row.finish()
    partial, filled = int(found["partial"]), int(found["filled"])
    if not (1 <= partial <= _MOST_ORBITALS and 0 <= filled <= _MOST_ORBITALS):
        row.fail(f"fon: 1 to {_MOST_ORBITALS} partial and 0 to {_MOST_ORBITALS} filled orbitals")
    if not 0.0 <= found["electrons"] <= 2 * partial:
        row.fail(f"fon: {partial} orbitals hold 0 to {2 * partial} electrons")
    reader.notice(row, f"fon: {_NOTICE}")
    words = f"partial {partial} electrons {found['electrons']!r} filled {filled}"
    return spin, PartlyFilled(filled, partial, found["electrons"]), f"fon {('alpha', 'beta')[spin]} {words}"


def filling_of(
    smear: float,
    fon: Sequence[PartlyFilled | None],
    occup: Sequence[Sequence[float]],
    system: System,
    place: Place,
) -> Filling | None:
    """What is in force for the SCF of a system; occup: of that block. Raises DeckError."""
    parts = [part for part in fon[: system.n_spin] if part is not None]
    if (smear > 0.0) + bool(parts) + bool(occup) > 1:
        raise DeckError(place, "of smear, fon and occup one at a time is carried out")
    if occup:
        return Filling(occupations=_occupations(occup, system, place))
    if not parts:
        return Filling(smear) if smear > 0.0 else None
    if len(parts) != system.n_spin:
        raise DeckError(place, "fon: an open shell needs a line for alpha and one for beta")
    full = 2.0 / system.n_spin
    for part in parts:
        if part.filled + part.partial > system.n_basis or part.electrons > full * part.partial:
            raise DeckError(place, "fon: more orbitals than there are, or more electrons than they hold")
    return Filling(
        occupations=tuple(
            (*(full,) * part.filled, *(part.electrons / part.partial,) * part.partial) for part in parts
        )
    )


def _occupations(
    occup: Sequence[Sequence[float]], system: System, place: Place
) -> tuple[tuple[float, ...], ...]:
    if len(occup) != system.n_spin:
        raise DeckError(place, f"occup has {len(occup)} columns, the system {system.n_spin}")
    if max(map(len, occup)) > system.n_basis:
        raise DeckError(place, f"occup: there are {system.n_basis} orbitals")
    given, electrons = sum(map(sum, occup)), sum(system.electrons)
    if abs(given - electrons) > _OFF:
        raise DeckError(place, f"occup holds {given:g} electrons, the system {electrons}")
    return tuple(tuple(column) for column in occup)
