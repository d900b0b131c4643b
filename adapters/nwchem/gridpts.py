"""NWChem's own quadrature points, from the file `<prefix>.gridpts.<rank>` that its DFT keeps in scratch_dir.

The file is a sequence of blocks of equal size (`Record size in doubles` in the log), each of rows of four
numbers:

    atom, rows in use, radius, boxes          one a block
    points, radius, 0, 0                      one a box, followed by its points:
    x, y, z, weight                           bohr; weights include the atoms' share of space

The number of rows stands once more, as an integer, at the end of each block. On these points our Fock matrix
of water (PBE0/6-31G) equals NWChem's to 1e-9 Hartree, on PySCF's own grid to 2e-7.
"""

from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput


class GridFileError(BadInput):
    """A file of quadrature points that is not as expected. One line."""


def read_grid(paths: list[Path], block: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) in bohr and weights (n,) of all ranks' files; block: their size in doubles.

    Raises GridFileError.
    """
    points: list[np.ndarray] = []
    for path in paths:
        try:
            data = np.fromfile(path)
        except OSError as error:
            raise GridFileError(f"{path}: {error.strerror}") from error
        if not data.size or data.size % block:
            raise GridFileError(f"{path}: {data.size} numbers, not a multiple of {block}")
        for record in data.reshape(-1, block):
            points.extend(_points_of(record, path))
    if not points:
        raise GridFileError("no file of quadrature points")
    rows = np.concatenate(points)
    # A rank whose share has become smaller leaves old blocks at the end of its file.
    _, first = np.unique(rows, axis=0, return_index=True)
    rows = rows[np.sort(first)]
    return np.ascontiguousarray(rows[:, :3]), np.ascontiguousarray(rows[:, 3])


def _points_of(record: np.ndarray, path: Path) -> list[np.ndarray]:
    used = int(record[1])
    if not 0 < 4 * used < record.size or record[-1:].view(np.int64)[0] != used:
        raise GridFileError(f"{path}: a block does not say how long it is")
    rows = record[: 4 * used].reshape(-1, 4)
    boxes, at = [], 1
    for _ in range(int(rows[0, 3])):
        count = int(rows[at, 0])
        boxes.append(rows[at + 1 : at + 1 + count])
        at += count + 1
    if at != used:
        raise GridFileError(f"{path}: boxes of a block do not add up")
    return boxes
