"""Z-matrix input of a `geometry` block to Cartesian coordinates, in NWChem's frame.

The first atom is the origin, the second lies on +z, the third in the xz plane on the side of +x.
"""

import numpy as np

from ..free_format.lines import Line, LineReader, integer, real
from ..system.elements import element_of_tag

_FARTHEST = 1e5
_SYMBOLS_NEXT = ("variables", "constants")


def zmatrix_positions(opening: Line, reader: LineReader) -> tuple[list[str], list[np.ndarray]]:
    """Read the `zmatrix` block of `opening`; returns tags and positions (3,) in units of the lengths.

    Angles in degrees. A row is `tag [i r [j a [k t [±1]]]]`; with a trailing ±1 `t` is a second bond angle.
    Values may be names that `variables` and `constants` define.
    """
    atoms: list[Line] = []
    values: dict[str, float] = {}
    section = "atoms"
    for row in reader.block(opening):
        key = row.keyword
        if key in _SYMBOLS_NEXT:
            section = key
        elif section == "atoms":
            atoms.append(Line(row.place, row.words))
            row.rest()
        else:
            values[key] = row.take_within(f"value of {row.words[0]}", -_FARTHEST, _FARTHEST)
    return _place(atoms, values)


def _place(atoms: list[Line], values: dict[str, float]) -> tuple[list[str], list[np.ndarray]]:
    tags: list[str] = []
    positions: list[np.ndarray] = []
    for n, row in enumerate(atoms):
        tag = row.words[0]
        if element_of_tag(tag) is None:
            row.fail(f"unknown element {tag!r} in zmatrix")
        row.check_tag(tag)
        references: list[int] = []
        numbers: list[float] = []
        for what in ("bond", "angle", "torsion")[: min(n, 3)]:
            reference = _reference(row, tags, references, what)
            references.append(reference)
            numbers.append(_value(row, values, what))
        flip = row.next() if n >= 3 else None
        if flip not in (None, "1", "-1", "+1"):
            row.fail(f"zmatrix: unexpected {flip!r}")
        row.finish()
        if numbers and numbers[0] <= 0.0:
            row.fail(f"zmatrix: bond length of {tag} must be positive")
        tags.append(tag)
        positions.append(_position(row, positions, references, numbers, flip))
    return tags, positions


def _reference(row: Line, tags: list[str], used: list[int], what: str) -> int:
    word = row.take(f"{what} partner of {row.words[0]}")
    named = tags.index(word) if tags.count(word) == 1 else -1
    number = integer(word)
    index = named if number is None else number - 1
    if not 0 <= index < len(tags) or index in used:
        row.fail(f"zmatrix: {what} of {row.words[0]} refers to {word!r}, which is no other earlier atom")
    return index


def _value(row: Line, values: dict[str, float], what: str) -> float:
    word = row.take(f"{what} of {row.words[0]}")
    value = real(word)
    if value is None:
        sign = -1.0 if word.startswith("-") else 1.0
        name = word.lstrip("+-").lower()
        if name not in values:
            row.fail(f"zmatrix: {what} {word!r} is neither a number nor a variable")
        value = sign * values[name]
    return value


def _position(
    row: Line, positions: list[np.ndarray], references: list[int], numbers: list[float], flip: str | None
) -> np.ndarray:
    if not references:
        return np.zeros(3)
    origin = positions[references[0]]
    r = numbers[0]
    if len(references) == 1:
        return origin + np.array([0.0, 0.0, r])
    toward = _unit(positions[references[1]] - origin)
    angle = np.radians(numbers[1])
    if len(references) == 2:
        return origin + r * (np.cos(angle) * toward + np.sin(angle) * np.array([1.0, 0.0, 0.0]))
    if flip is not None:
        return origin + r * _two_angles(
            row, toward, _unit(positions[references[2]] - origin), angle, numbers[2], flip
        )
    torsion = np.radians(numbers[2])
    across = np.cross(positions[references[2]] - positions[references[1]], toward)
    if np.linalg.norm(across) < 1e-8:
        row.fail(f"zmatrix: torsion of {row.words[0]} refers to three atoms on a line")
    normal = _unit(across)
    in_plane = np.cross(toward, normal)
    direction = np.cos(angle) * toward + np.sin(angle) * (
        np.cos(torsion) * in_plane + np.sin(torsion) * normal
    )
    return origin + r * direction


def _two_angles(
    row: Line, u: np.ndarray, v: np.ndarray, angle: float, second: float, flip: str
) -> np.ndarray:
    """Unit vector at `angle` from u and `second` degrees from v; `flip` picks the side of the plane u, v."""
    c, a, b = float(u @ v), np.cos(angle), np.cos(np.radians(second))
    if 1.0 - c * c < 1e-10:
        row.fail(f"zmatrix: the angles of {row.words[0]} refer to three atoms on a line")
    x, y = (a - b * c) / (1.0 - c * c), (b - a * c) / (1.0 - c * c)
    rest = 1.0 - (x * x + y * y + 2.0 * x * y * c)
    if rest < -1e-8:
        row.fail(f"zmatrix: no point has the two angles given for {row.words[0]}")
    side = -1.0 if flip.startswith("-") else 1.0
    return x * u + y * v + side * np.sqrt(max(rest, 0.0)) * _unit(np.cross(u, v))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
