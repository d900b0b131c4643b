"""NWChem's molecular orbitals, `<prefix>.movecs`: Fortran unformatted records of native 8-byte numbers.

    0  basis, geometry and fitting sums (32 characters each), SCF type (20), date
    1  SCF type, 20 characters      2, 3  length of the title, title      4, 5  the same for the basis name
    6  number of orbital sets       7  basis functions                    8  orbitals of each set
    then per set: occupations, energies, and one record of coefficients per orbital
    last: total energy and nuclear repulsion

Each record is led and followed by its length in four bytes. Coefficients are those of NWChem's functions (see
`nwchem_order`): C_nw[i] = scale[i] C[permutation[i]].
"""

import struct
from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput
from ...atomic.whole_file import write_whole
from ..orbitals import Orbitals
from ..regular_file import read_regular

_HEADS = 9
#: Bytes of a file that is read whatever the system, to say whose it is.
_SMALL = 2**26
#: Bytes of the largest file whose header is asked for.
_LARGEST = 2**31


class MovecsError(BadInput):
    """A file of orbitals that cannot be used. The text is one line: which file, and what is wrong with it."""


def find_movecs(name: str, permanent_dir: Path) -> Path | None:
    """A file of orbitals that a deck names, where NWChem looks for it; None where there is none."""
    return next((p for p in (permanent_dir / name, Path.cwd() / name) if p.is_file()), None)


def read_movecs(path: Path, order: tuple[np.ndarray, np.ndarray], n_spin: int) -> Orbitals:
    """Orbitals (in PySCF's order) of a system whose functions are mapped by `order`; energies in Hartree.

    A closed-shell file serves an open-shell system: both spins take its orbitals, and half its occupations.
    Raises MovecsError when the file cannot be opened, is cut short, or belongs to another system.
    """
    permutation, scale = order
    n = len(permutation)
    records = _records(path, _SMALL + 32 * n_spin * n * (n + 3))
    try:
        n_sets, n_functions = (int(np.frombuffer(records[k], np.int64)[0]) for k in (6, 7))
        counts = np.frombuffer(records[8], np.int64)
        if n_functions != n:
            raise MovecsError(f"{path}: for {n_functions} basis functions; this system has {n}")
        if n_sets not in (1, 2) or (n_sets == 2 and n_spin == 1):
            raise MovecsError(f"{path}: {n_sets} sets of orbitals; this system needs {n_spin}")
        m = int(counts.min())
        inverse = np.argsort(permutation)
        sets, at = [], _HEADS
        for count in counts.tolist():
            occupations, energies = (np.frombuffer(r) for r in records[at : at + 2])
            rows = np.array([np.frombuffer(r) for r in records[at + 2 : at + 2 + count]])
            # Coefficients transform as the inverse of basis functions: P = C n C^T scales by `scale` twice.
            sets.append(((rows / scale)[:, inverse].T[:, :m], energies[:m], occupations[:m]))
            at += 2 + count
        total = float(np.frombuffer(records[at])[0])
    except (IndexError, ValueError) as error:
        raise MovecsError(f"{path}: not a file of NWChem's molecular orbitals, or cut short") from error
    if n_sets < n_spin:
        c, e, occupation = sets[0]
        sets = [(c, e, occupation / 2.0)] * 2
    coefficients, energies, occupations = (np.array(part) for part in zip(*sets, strict=True))
    return Orbitals(coefficients, energies, occupations, total, 0)


def orbital_sets(path: Path) -> int:
    """How many sets of orbitals a file holds: 1 of a closed shell, 2 of an open one. Raises MovecsError."""
    try:
        n_sets = int(np.frombuffer(_records(path, _LARGEST)[6], np.int64)[0])
    except (IndexError, ValueError):
        n_sets = 0
    if n_sets not in (1, 2):
        raise MovecsError(f"{path}: not a file of NWChem's molecular orbitals, or cut short")
    return n_sets


def write_movecs(
    path: Path, orbitals: Orbitals, order: tuple[np.ndarray, np.ndarray], nuclear_repulsion: float
) -> None:
    """Write orbitals (PySCF's order) for NWChem's `vectors input` and `load vectors`. Raises OSError."""
    permutation, scale = order
    n = len(permutation)
    n_spin, _, m = orbitals.coefficients.shape
    sums = " " * 96 + f"{'dft':20s}" + " " * 26
    records = [
        sums.encode(),
        f"{'dft':20s}".encode(),
        *(_integers(1), b" ", _integers(8), b"ao basis"),
        *(_integers(n_spin), _integers(n), _integers(*[m] * n_spin)),
    ]
    padding = np.zeros(n - m)
    for spin in range(n_spin):
        rows = (orbitals.coefficients[spin][permutation] * scale[:, None]).T
        records += [
            np.append(orbitals.occupations[spin], padding).tobytes(),
            np.append(orbitals.energies[spin], padding).tobytes(),
            *(np.ascontiguousarray(row).tobytes() for row in rows),
        ]
    records.append(np.array([orbitals.total_energy, nuclear_repulsion]).tobytes())
    write_whole(path, b"".join(_length(r) + r + _length(r) for r in records))


def _length(record: bytes) -> bytes:
    return struct.pack("<i", len(record))


def _integers(*values: int) -> bytes:
    return np.array(values, np.int64).tobytes()


def _records(path: Path, most: int) -> list[bytes]:
    try:
        data = read_regular(path, most)
    except OSError as error:
        raise MovecsError(f"{path}: {error.strerror}") from error
    records, at = [], 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<i", data, at)
        end = at + 4 + length
        if length < 0 or end + 4 > len(data) or data[at : at + 4] != data[end : end + 4]:
            break
        records.append(data[at + 4 : end])
        at = end + 4
    if at != len(data) or len(records) <= _HEADS:
        raise MovecsError(f"{path}: not a file of NWChem's molecular orbitals, or cut short")
    return records
