"""A field given at points in time: a text file of rows `time Ex Ey Ez`, atomic units.

E(t) is linear between the points, and zero before the first and after the last.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

#: au, as `max` of a field.
_STRONGEST, _LATEST = 1e3, 1e9


@dataclass(frozen=True, eq=False)
class RecordedField:
    """One component of a field of a file.

    file: the name in the deck; digest: of what stands in the file, so that a changed file is seen.
    times: (k,) rising, au; values: (k,) au.
    """

    file: str
    digest: str
    times: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)

    def at(self, t: float) -> float:
        """E(t), au."""
        return float(np.interp(t, self.times, self.values, left=0.0, right=0.0))


def recorded_field(file: str, text: str) -> tuple[RecordedField, RecordedField, RecordedField]:
    """The three components of a file's text. Raises ValueError that says which line is wrong."""
    rows, numbers = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.split("#")[0].split():
            rows.append(_row(words, number))
            numbers.append(number)
    if len(rows) < 2:
        raise ValueError("fewer than two rows; accepted: rows of time Ex Ey Ez in au")
    table = np.array(rows)
    if (late := np.flatnonzero(np.diff(table[:, 0]) <= 0.0)).size:
        raise ValueError(f"line {numbers[late[0] + 1]}: times do not rise")
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    x, y, z = (RecordedField(file, digest, table[:, 0], table[:, k]) for k in (1, 2, 3))
    return x, y, z


def _row(words: list[str], number: int) -> list[float]:
    try:
        row = [float(word.lower().replace("d", "e")) for word in words]
    except ValueError:
        row = []
    if len(row) != 4:
        raise ValueError(f"line {number}: accepted: time Ex Ey Ez, four numbers in au")
    # Not a number compares false.
    if not (abs(row[0]) <= _LATEST and all(abs(value) <= _STRONGEST for value in row[1:])):
        raise ValueError(f"line {number}: a time beyond {_LATEST:g} au or a field beyond {_STRONGEST:g} au")
    return row
