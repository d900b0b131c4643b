"""NWChem's database read entry by entry: one written here byte by byte, and broken ones."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.rtdb.entries import RtdbError, read_entries


def entry(name: str, kind: int, count: int, value: bytes, in_force: int = 1) -> bytes:
    """An entry and its twin."""
    twin = struct.pack("=ii26s", kind, count, b"Sat Nov 28 02:38:53 2026")
    parts = ((name, value), (f"!rtdb!{name}", twin))
    return b"".join(
        struct.pack("=iii", len(key) + 1, len(data), in_force) + key.encode() + b"\0" + data
        for key, data in parts
    )


WHOLE = b"".join(
    (
        b"hdbm v1.0\0",
        entry("geometry:m:tags", 1000, 6, b"O\nH\nH\0"),
        entry("dft:ipol", 1010, 1, struct.pack("=q", 2)),
        entry("dft:noscf", 1011, 1, struct.pack("=i", 1)),
        entry("dft:cam_omega", 1013, 2, struct.pack("=dd", 0.33, -1.0)),
        entry("dft:mult", 1010, 1, struct.pack("=q", 5), in_force=0),
        entry("dft:mult", 1010, 1, struct.pack("=q", 3)),
    )
)


def test_a_small_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(WHOLE)
    entries = read_entries(tmp_path / "a.db")
    assert entries.texts("geometry:m:tags") == ["O", "H", "H"]
    assert entries.number("dft:ipol") == 2.0
    assert entries.flag("dft:noscf")
    np.testing.assert_array_equal(entries.array("dft:cam_omega"), [0.33, -1.0])
    # What is out of force is passed over.
    assert entries.number("dft:mult") == 3.0
    assert "dft:xfac" not in entries
    assert (entries.text("none"), entries.texts("none"), entries.number("none")) == ("", [], 0.0)


@pytest.mark.parametrize(
    "data",
    [b"", b"hdbm v2.0\0" + WHOLE[10:], WHOLE[:-7], WHOLE[: 10 + 5], WHOLE + struct.pack("=iii", -1, 3, 1)],
)
def test_broken_databases(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(data)
    with pytest.raises(RtdbError, match=r"a\.db is no database of NWChem's, or cut short"):
        read_entries(tmp_path / "a.db")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RtdbError, match="is a folder, not a file"):
        read_entries(tmp_path)
    with pytest.raises(RtdbError, match="No such file"):
        read_entries(tmp_path / "a.db")
