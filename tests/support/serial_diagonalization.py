"""NWChem with two calls diverted: what Debian builds without lets `dipcontribs` and `moocc` stop.

Both want eigenvectors and call `ga_diag` and `ga_diag_std` of Global Arrays, which stop in a library without
PEIGS. Its own serial solvers `ga_diag_seq` and `ga_diag_std_seq` take the same arguments. So
the first five bytes of each become a jump there (x86-64).
"""

import struct

import numpy as np

#: What the functions say where something is amiss: they are found by it.
_PARALLEL, _SERIAL, _SERIAL_STANDARD = b"ga_diag:peigs not interfaced\0", b"ga_diag_seq a", b"ga_diag_std a"
_EXCEPTION_FRAMES = 0x6474E550
#: Loads of two arguments by reference ahead of a jump, and of a third before them: calls for Fortran.
_BY_REFERENCE, _THIRD = bytes.fromhex("488b36 488b3f e9"), bytes.fromhex("488b12")


def diverted(executable: bytes) -> bytes:
    """The executable that calls the serial solvers. Raises ValueError where a function is not found."""
    stops = set(_functions_with(executable, _PARALLEL))
    serial, standard = (_functions_with(executable, text)[0] for text in (_SERIAL, _SERIAL_STANDARD))
    changed, places = bytearray(executable), 0
    place = executable.find(_BY_REFERENCE)
    while place >= 0:
        jump = place + len(_BY_REFERENCE) - 1
        if jump + 5 + struct.unpack_from("<i", executable, jump + 1)[0] in stops:
            three = executable[place - len(_THIRD) : place] == _THIRD
            start, solver = (place - len(_THIRD), serial) if three else (place, standard)
            changed[start : start + 5] = b"\xe9" + struct.pack("<i", solver - start - 5)
            places += 1
        place = executable.find(_BY_REFERENCE, place + 1)
    if not places:
        raise ValueError("no ga_diag that hands its arguments on")
    return bytes(changed)


def _functions_with(executable: bytes, text: bytes) -> list[int]:
    """Addresses of the functions that use a text; addresses are places in the file."""
    target = executable.find(text)
    code = np.frombuffer(executable, np.uint8)
    # lea r64, [rip + distance]
    loads = np.flatnonzero((code[:-7] & 0xFB == 0x48) & (code[1:-6] == 0x8D) & (code[2:-5] & 0xC7 == 0x05))
    distances = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(code, 4)[loads + 3]).view("<i4")
    users = loads[loads + 7 + distances.ravel() == target]
    starts = _function_starts(executable)
    found = starts[np.searchsorted(starts, users, side="right") - 1]
    if target < 0 or not found.size:
        raise ValueError(f"nothing uses {text!r}")
    return found.tolist()


def _function_starts(executable: bytes) -> np.ndarray:
    """Sorted, from the table that exceptions are unwound by."""
    table = struct.unpack_from("<Q", executable, 32)[0]
    size, count = struct.unpack_from("<2H", executable, 54)
    headers = (struct.unpack_from("<2I2Q", executable, table + k * size) for k in range(count))
    offset, address = next((o, a) for kind, _, o, a in headers if kind == _EXCEPTION_FRAMES)
    number = struct.unpack_from("<I", executable, offset + 8)[0]
    pairs = np.frombuffer(executable, "<i4", 2 * number, offset + 12).reshape(number, 2)
    return np.sort(pairs[:, 0].astype(np.int64) + address)
