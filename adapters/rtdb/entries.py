"""NWChem's run-time database, `<start>.db`: names with arrays of numbers, truth values or characters.

    10 bytes: "hdbm v1.0" and a zero
    an entry: lengths of key and value, and 1 where it is in force (4-byte integers); the key; the value

Beside each entry `name` stands `!rtdb!name`: its type, the number of elements (4-byte integers), the date.
Byte order is the machine's. (NWChem, src/rtdb/hdbm.c and rtdb_seq.c.)
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput
from ..regular_file import RefusedFile, read_regular

_MAGIC = b"hdbm v1.0\0"
_TWIN = "!rtdb!"
#: Types as Global Arrays number them.
_TEXT, _WHOLE, _REAL = (1000,), (1001, 1010, 1011), (1004, 1013)
#: NWChem's own are 1 MB or less.
_MOST = 2**28


class RtdbError(BadInput):
    """A database that cannot be read. The text is one line: which file, and what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Entries:
    """A database in memory: texts, and arrays of int64 or float64, by name."""

    values: Mapping[str, str | np.ndarray]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """A text, empty where there is none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """A list of texts, which NWChem parts by line feeds."""
        value = self.text(name)
        return value.split("\n") if value else []

    def array(self, name: str) -> np.ndarray:
        """An array, empty where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, np.ndarray) else np.zeros(0)

    def number(self, name: str) -> float:
        """A number, 0 where there is none."""
        value = self.array(name)
        return float(value[0]) if value.size else 0.0

    def flag(self, name: str) -> bool:
        """A truth value, false where there is none."""
        return bool(self.number(name))


def read_entries(path: Path) -> Entries:
    """Everything in a database. Raises RtdbError."""
    try:
        data = read_regular(path, _MOST)
    except RefusedFile as error:
        raise RtdbError(f"{path} is {error.strerror}") from error
    except OSError as error:
        raise RtdbError(f"{path}: {error.strerror}") from error
    raw = _raw(data)
    if raw is None:
        raise RtdbError(f"{path} is no database of NWChem's, or cut short")
    values: dict[str, str | np.ndarray] = {}
    for name, value in raw.items():
        twin = raw.get(_TWIN + name, b"")
        if len(twin) >= 8:
            decoded = _decoded(*struct.unpack_from("=ii", twin), value)
            if decoded is not None:
                values[name] = decoded
    return Entries(values)


def _raw(data: bytes) -> dict[str, bytes] | None:
    """Entries in force, undecoded; None where the file is not what it should be."""
    if not data.startswith(_MAGIC):
        return None
    found: dict[str, bytes] = {}
    at = len(_MAGIC)
    while at < len(data):
        if at + 12 > len(data):
            return None
        key, value, in_force = struct.unpack_from("=iii", data, at)
        at += 12
        if key < 0 or value < 0 or at + key + value > len(data):
            return None
        if in_force:
            found[data[at : at + key].rstrip(b"\0").decode("latin-1")] = data[at + key : at + key + value]
        at += key + value
    return found


def _decoded(kind: int, count: int, value: bytes) -> str | np.ndarray | None:
    if kind in _TEXT:
        return value.split(b"\0")[0].decode("latin-1").rstrip()
    if kind in _REAL and len(value) == 8 * count:
        return np.frombuffer(value, np.float64)
    if kind in _WHOLE and count > 0 and len(value) in (4 * count, 8 * count):
        return np.frombuffer(value, np.int32 if len(value) == 4 * count else np.int64).astype(np.int64)
    return None
