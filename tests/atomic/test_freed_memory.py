"""Memory that was freed between pieces in use does not stay with the process."""

import re
from pathlib import Path

import numpy as np
from hybrid_propagate.atomic.freed_memory import give_back


def resident() -> float:
    """Bytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024.0 * float(found[1])


def test_freed_pieces_go_back() -> None:
    # One piece too large to be kept teaches glibc to keep those that are smaller.
    large = np.ones(2**22 - 2**14)
    del large
    pieces = [np.ones(2**18) for _ in range(160)]
    del pieces[:-1]
    before = resident()
    give_back()
    assert resident() < before - 100 * 2**20
    assert pieces[0][0] == 1.0
