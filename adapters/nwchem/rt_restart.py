"""NWChem's RT-TDDFT restart file, `<prefix>.rt_restart`: one time point and its AO densities, as text.

    RT-TDDFT restart file
    created   <date>
    nmats     1 (closed shell, total density) or 2 (alpha, beta)
    nbf_ao    number of basis functions
    it        1-based number of the point; 0 makes a run one step longer
    t         its time, au
    checksum  Σ over matrices of 1.67 Σ|Re P| + 0.12 √(max |Re P|), good to 1e-4
    Re P₁₁ Im P₁₁ Re P₁₂ … in fields of 20 columns, row by row, all matrices on one line

NWChem reads the numbers by column, so this writes them with 12 decimals where NWChem itself writes 10 digits.
"""

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput
from ...atomic.whole_file import write_whole
from ..regular_file import read_regular

TITLE = "RT-TDDFT restart file"
_NAMES = ("created", "nmats", "nbf_ao", "it", "t", "checksum")
_FIELD, _DIGITS = 20, 10
_CHECKSUM_TOLERANCE = 1e-4
#: No number in the file is larger: times are below 24 ns, counts and elements of densities far below.
_LARGEST = 1e9
#: Bytes of a file that is read whatever the system, to say whose it is.
_SMALL = 2**26
# Fortran's 1.67 and 0.12 are single precision: 1e-4 off the double where the sum exceeds 2000.
_SUM_WEIGHT, _MAX_WEIGHT = float(np.float32(1.67)), float(np.float32(0.12))


class RestartError(BadInput):
    """A restart file that cannot be used. The text is one line: which file, and what is wrong with it."""


@dataclass(frozen=True, eq=False)
class RestartPoint:
    """A saved point.

    point: its number, `it`, 1 at the start of a run; time: au.
    densities: (n_spin, n_basis, n_basis) complex, in NWChem's order and normalisation of the basis functions
        (see `nwchem_order`): the total density of a closed shell, alpha and beta of an open one.
    """

    point: int
    time: float
    densities: np.ndarray


def checksum(densities: np.ndarray) -> float:
    """NWChem's checksum of (n_spin, n_basis, n_basis) densities."""
    real = np.abs(np.real(densities)).reshape(len(densities), -1)
    return float((_SUM_WEIGHT * real.sum(axis=1) + _MAX_WEIGHT * np.sqrt(real.max(axis=1))).sum())


def rounding(densities: np.ndarray) -> np.ndarray:
    """Standard deviation of what NWChem's ten digits leave of each complex element."""
    variance = np.zeros(densities.shape)
    for part in (np.real(densities), np.imag(densities)):
        magnitude = np.floor(np.log10(np.maximum(np.abs(part), 1e-99))) + 1.0
        variance += 10.0 ** (2.0 * (magnitude - _DIGITS)) / 12.0
    return np.sqrt(variance)


def restart_text(point: RestartPoint) -> str:
    """The file's text."""
    n_spin, n_basis, _ = point.densities.shape
    numbers = np.ascontiguousarray(point.densities, complex).view(float).ravel()
    # An exponent of three digits would fill the field and run into its neighbour.
    numbers = np.where(np.abs(numbers) < 1e-98, 0.0, numbers)
    values = (
        time.ctime(),
        str(n_spin),
        str(n_basis),
        str(point.point),
        f"{point.time:20.12E}",
        f"{checksum(point.densities):20.12E}",
    )
    head = [f"{name:10s}{value}" for name, value in zip(_NAMES, values, strict=True)]
    return "\n".join((TITLE, *head, "%20.12E" * numbers.size % tuple(numbers.tolist()))) + "\n"


def write_restart(path: Path, point: RestartPoint) -> None:
    """Write the file so that a kill at any moment leaves the old one or the new one, whole.

    Raises OSError when the folder cannot be written.
    """
    write_whole(path, restart_text(point))


def read_restart(path: Path, n_spin: int, n_basis: int) -> RestartPoint:
    """Read the file of a system with n_spin density matrices and n_basis functions.

    Raises RestartError when it cannot be opened, is not a restart file, is cut short, belongs to another
    system, its checksum does not match, or its time lies before the start.
    """
    try:
        text = read_regular(path, _SMALL + 80 * n_spin * n_basis**2).decode("ascii", "replace")
    except OSError as error:
        raise RestartError(f"{path}: {error.strerror}") from error
    point = parse_restart(text, path, n_spin, n_basis, first=0)
    if point.time < 0.0:
        raise RestartError(f"{path}: t is {point.time:g}: propagations start at 0")
    return point


def parse_restart(text: str, path: Path, n_spin: int, n_basis: int, *, first: int = 1) -> RestartPoint:
    """`read_restart` of the file's text; `path` is named in errors, no point lies before number `first`."""
    lines = text.split("\n", len(_NAMES) + 1)
    if not text.strip():
        raise RestartError(f"{path}: the file is empty (a run killed while writing leaves it so)")
    if lines[0].strip() != TITLE:
        raise RestartError(f"{path}: not an NWChem restart file (its first line is not {TITLE!r})")
    if len(lines) < len(_NAMES) + 2:
        raise RestartError(f"{path}: cut short in its head ({len(lines) - 1} lines)")
    head = {line[:10].strip(): line[10:].strip() for line in lines[1:-1]}
    found_spin, found_basis = (_count(path, head, name, 1) for name in ("nmats", "nbf_ao"))
    point = _count(path, head, "it", first)
    if found_spin != n_spin:
        kinds = {1: "closed-shell (nmats 1)", 2: "open-shell (nmats 2)"}
        raise RestartError(
            f"{path}: from a {kinds.get(found_spin, f'nmats {found_spin}')} run; this one is {kinds[n_spin]}"
        )
    if found_basis != n_basis:
        raise RestartError(f"{path}: for {found_basis} basis functions; this system has {n_basis}")
    densities = _densities(path, lines[-1].rstrip("\n"), n_spin, n_basis)
    stated, found = _number(path, head, "checksum"), checksum(densities)
    if not abs(stated - found) <= _CHECKSUM_TOLERANCE:
        raise RestartError(f"{path}: checksum {found:.6f} of the densities, but the file states {stated:.6f}")
    return RestartPoint(point, _number(path, head, "t"), densities)


def _number(path: Path, head: dict[str, str], name: str) -> float:
    try:
        value = float(head[name])
    except (KeyError, ValueError):
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise RestartError(f"{path}: no number for {name!r} in its head, or one beyond {_LARGEST:g}")
    return value


def _count(path: Path, head: dict[str, str], name: str, least: int) -> int:
    value = _number(path, head, name)
    if value < least or not value.is_integer():
        raise RestartError(f"{path}: {name} must be a whole number of at least {least}, not {head[name]}")
    return int(value)


def _densities(path: Path, body: str, n_spin: int, n_basis: int) -> np.ndarray:
    n_numbers = 2 * n_spin * n_basis**2
    body = body.replace("\n", "")
    if len(body) < n_numbers * _FIELD:
        raise RestartError(f"{path}: cut short: {len(body) // _FIELD} of {n_numbers} numbers")
    fields = np.frombuffer(body[: n_numbers * _FIELD].encode("ascii", "replace"), f"S{_FIELD}")
    try:
        numbers = fields.astype(float)
    except ValueError:
        # Fortran drops the E of a three-digit exponent: 0.1-100.
        spelled = [re.sub(rb"(\d)([+-]\d{3})$", rb"\1E\2", field) for field in fields.tolist()]
        try:
            numbers = np.array(spelled).astype(float)
        except ValueError:
            raise RestartError(f"{path}: a density element is not a number") from None
    if not np.abs(numbers).max() <= _LARGEST:
        raise RestartError(f"{path}: a density element is not a number, or beyond {_LARGEST:g}")
    return numbers.view(complex).reshape(n_spin, n_basis, n_basis)
