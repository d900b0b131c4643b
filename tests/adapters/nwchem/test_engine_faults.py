"""Ways in which NWChem can fail: each is one line of an NWChemError in seconds, and nothing is left."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.nwchem import process as nwchem_process
from hybrid_propagate.adapters.nwchem.process import NWChemError, NWChemProcess
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint

FAKE = Path(__file__).parents[2] / "support/fake_nwchem.py"
DENSITY = np.array([[[0.5, 0.25 + 0.125j], [0.25 - 0.125j, 0.75]]])
_SILENT = r"said nothing for \d+ s"
#: What the fake does (tests/support/fake_nwchem.py), and what is said of it.
FAULTS = {
    "nothing": "NWChem ended",
    "nothing, badly": "exit code 1",
    "binary": "exit code 1",
    "a line without end": "has said 16 MB and made no step",
    "lines without end": "has said 16 MB and made no step",
    "another program": "exit code 64",
    "few slots": "MPI has fewer slots than ranks",
    "deaf": _SILENT,
    "stopped": _SILENT,
    "scf": "exit code 255: its ground state did not converge",
    "segmentation fault": "killed by signal 11",
    "aborted": "killed by signal 6",
    "terminated": "killed by signal 15",
    "out of memory": "killed by signal 9: it ran out of memory",
    "no propagation": "NWChem ended",
    "closes its terminal": "closed its output and did not end",
    "silent SCF": _SILENT,
    "exit before pipe": "exit code 143: it could not get its memory",
    "hang at once": _SILENT,
    "quits before the state": "NWChem ended",
    "dies before the state": "killed by signal 9",
    "talks before the state": "has said 16 MB and made no step",
    "dies with the state": "exit code 4",
    "abort": "exit code 1: a Magnus step did not become self-consistent",
    "disk full": "exit code 2: the disk is full",
    "killed": "killed by signal 9",
    "quits": "NWChem ended",
    "hang": _SILENT,
    "no energy": "no number for Ecoul at a point",
    "no dipole": "no number for Dipole moment at a point",
    "stars": "no number for Enuc at a point",
    "NaN": "no number for Enuc at a point",
    "garbled": "no number for Enuc at a point",
    "unsaid": "NWChem's log is at",
    "garbage": "a density element is not a number",
    "NaN in the state": "a density element is not a number",
    "stars in the state": "a density element is not a number",
    "huge state": "a density element is not a number, or beyond",
    "other state": "no number for 'checksum'",
    "other title": "not an NWChem restart file",
    "other spin": "from a open-shell",
    "other basis": "for 3 basis functions",
    "no time": "no number for 't'",
    "no number": "it must be a whole number",
    "a point left out": r"sent point \d+ behind point",
    "cut short": "cannot be used",
    "cut short and gone": "NWChem ended",
    "more than a state": "more than the states that it was asked for|cannot be used",
}


def test_there_are_many() -> None:
    assert len(FAULTS) >= 40


@pytest.fixture
def process(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NWChemProcess:
    """With a fault, in a folder of the test's own, and with little patience."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("START_PATIENCE", "EARLY_PATIENCE", "SCF_PATIENCE", "LEAST_PATIENCE"):
        monkeypatch.setattr(nwchem_process, name, 1.5)
    monkeypatch.setattr(nwchem_process, "_LIVES_ON", 0.5)
    return NWChemProcess(f"{sys.executable} -S {FAKE} '{request.param}'", 1, 2)


def ten_points(process: NWChemProcess) -> list[float]:
    """Times of the states received."""
    process.start("a deck\n")
    process.send(RestartPoint(1_000_000 - 20, 0.0, DENSITY))
    return [process.receive()[0].time for _ in range(10)]


@pytest.mark.parametrize(("process", "said"), FAULTS.items(), indirect=["process"], ids=list(FAULTS))
def test_a_fault_is_one_line(process: NWChemProcess, said: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with process, pytest.raises(NWChemError, match=said) as caught:
        ten_points(process)
    assert "\n" not in str(caught.value)
    assert max(map(len, caught.value.tail), default=0) <= 300
    assert list(tmp_path.iterdir()) == []
    # By the clock, for a hang is what takes no processor seconds; far above what any of them takes.
    assert time.monotonic() - began < 60.0


@pytest.mark.parametrize("process", ["none", "garbled count"], indirect=True)
def test_what_is_no_fault(process: NWChemProcess) -> None:
    with process:
        assert (np.diff(ten_points(process)) > 0.0).all()
