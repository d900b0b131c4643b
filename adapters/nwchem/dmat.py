"""A real AO density that NWChem loads (`load density`), such as the `<prefix>.dmat` of `task tddft gradient`.

Fortran unformatted, one record of n native 8-byte numbers for each row, led and followed by its length in
four bytes; functions in NWChem's order and normalisation (see `nwchem_order`).
"""

from pathlib import Path

import numpy as np

from ..regular_file import read_regular
from .basis_order import density_from_nwchem
from .rt_restart import RestartError


def read_densities(paths: list[Path], order: tuple[np.ndarray, np.ndarray], n_spin: int) -> np.ndarray:
    """P (n_spin, n, n) in PySCF's order: one file for a closed shell, alpha's and beta's for an open one.

    Raises RestartError where there are too few files, or one cannot be opened or belongs to another system.
    """
    if len(paths) != n_spin:
        raise RestartError(
            f"load density names {len(paths)} files: one is needed for a closed shell, two for an open one"
        )
    n = len(order[0])
    return density_from_nwchem(np.array([_matrix(path, n) for path in paths], complex), order)


def _matrix(path: Path, n: int) -> np.ndarray:
    try:
        data = read_regular(path, 2**26 + 8 * (n + 1) * n)
    except OSError as error:
        raise RestartError(f"{path}: {error.strerror}") from error
    record = np.dtype([("length", "<i4"), ("row", "f8", (n,)), ("again", "<i4")])
    if len(data) != n * record.itemsize:
        raise RestartError(f"{path}: not a density of {n} basis functions, or cut short")
    rows = np.frombuffer(data, record)
    if not ((rows["length"] == 8 * n) & (rows["again"] == 8 * n)).all():
        raise RestartError(f"{path}: not a file of one of NWChem's densities")
    matrix = rows["row"]
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=1e-8 * np.abs(matrix).max()):
        raise RestartError(f"{path}: the density is not symmetric")
    return matrix
