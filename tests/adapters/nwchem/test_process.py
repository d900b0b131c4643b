"""The resident NWChem: states in and out, and everything that can go wrong with it."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.nwchem.process import NWChemError, NWChemProcess
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint

FAKE = Path(__file__).parents[2] / "support/fake_nwchem.py"
DENSITY = np.array([[[0.5, 0.25 + 0.125j], [0.25 - 0.125j, 0.75]]])


def fake(fault: str, *, keep: bool = False) -> NWChemProcess:
    return NWChemProcess(f"{sys.executable} {FAKE} '{fault}'", 1, 2, keep=keep)


def state(n_points: int, t: float = 0.0) -> RestartPoint:
    return RestartPoint(1_000_000 - n_points, t, DENSITY)


@pytest.fixture
def folders() -> Iterator[list[Path]]:
    """Folders of processes; afterwards neither they nor a process working in them may be left."""
    made: list[Path] = []
    yield made
    for folder in made:
        assert not folder.exists()
        assert not _working_in(folder)


def _three_points(process: NWChemProcess) -> None:
    process.send(state(10))
    for _ in range(3):
        process.receive()


def _working_in(folder: Path) -> list[str]:
    """Processes whose working directory is `folder`, deleted or not."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            where = os.readlink(f"/proc/{pid}/cwd")
            dead = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z"
        except OSError:
            continue
        if where.removesuffix(" (deleted)") == str(folder) and not dead:
            found.append(pid)
    return found


def test_states_in_and_out(folders: list[Path]) -> None:
    """Segments of any length from any time; every point with its density and what the log says of it."""
    with fake("none") as process:
        folders.append(process.folder)
        process.start("a deck\n")
        assert process.energies == {"Total DFT": -1.25, "Nuclear repulsion": 0.5}
        for n_points, t in ((4, 0.0), (1, 7.25), (3, 2.0)):
            process.send(state(n_points, t))
            for k in range(n_points):
                point, printed = process.receive()
                assert point.time == pytest.approx(t + 0.5 * k)
                expected = DENSITY + np.array([[0.125 * k, 0], [0, 0]])
                np.testing.assert_allclose(point.densities, expected, rtol=0, atol=1e-10)
                assert printed.values["Dipole moment", "g", ""][0] == pytest.approx(0.5 + 0.125 * k)
                assert printed.energies.exchange_correlation == 2.0
            process.finish()
            assert printed.corrections == 2


def test_large_state(folders: list[Path]) -> None:
    """A state larger than the pipe has room for is fed as NWChem reads it."""
    with fake("none") as process:
        folders.append(process.folder)
        process.start("a deck\n")
        large = np.zeros((1, 200, 200), complex)
        process.send(RestartPoint(999_999, 0.0, large))
        assert (process.folder / "numbers").read_text() == str(2 * 200**2)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("scf", "exit code 255: its ground state did not converge"),
        ("exit before pipe", "exit code 143: it could not get its memory"),
    ],
)
def test_fails_before_the_first_step(fault: str, expected: str, folders: list[Path]) -> None:
    with fake(fault) as process:
        folders.append(process.folder)
        with pytest.raises(NWChemError, match=expected) as caught:
            process.start("a deck\n")
    assert any("failed" in line for line in caught.value.tail)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("abort", "exit code 1: a Magnus step did not become self-consistent"),
        ("disk full", "exit code 2: the disk is full"),
        ("killed", "killed by signal 9"),
        ("quits", "NWChem ended"),
        ("garbage", "a density element is not a number"),
    ],
)
def test_fails_in_a_segment(fault: str, expected: str, folders: list[Path]) -> None:
    """Points before the fault arrive; the fault is reported with NWChem's last lines."""
    with fake(fault) as process:
        folders.append(process.folder)
        process.start("a deck\n")
        process.send(state(10))
        process.receive()
        process.receive()
        with pytest.raises(NWChemError, match=expected) as caught:
            process.receive()
    assert "\n" not in str(caught.value)
    assert caught.value.tail


@pytest.mark.parametrize("fault", ["hang", "hang at once"])
def test_hangs(fault: str, folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence for longer than its steps explain ends the process."""
    monkeypatch.setattr("hybrid_propagate.adapters.nwchem.process.SCF_PATIENCE", 3.0)
    monkeypatch.setattr("hybrid_propagate.adapters.nwchem.process.LEAST_PATIENCE", 1.0)
    began = time.monotonic()
    with fake(fault) as process:
        folders.append(process.folder)
        process.start("a deck\n")
        with pytest.raises(NWChemError, match=r"said nothing for \d+ s"):
            _three_points(process)
    assert time.monotonic() - began < 30.0


def test_a_command_that_says_nothing_at_all(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets less time than an SCF: a wrapper that never comes to NWChem, for example."""
    monkeypatch.setattr("hybrid_propagate.adapters.nwchem.process.START_PATIENCE", 1.0)
    with NWChemProcess(f"{sys.executable} -c 'import time; time.sleep(500)'", 1, 2) as process:
        folders.append(process.folder)
        with pytest.raises(NWChemError, match="said nothing for 1 s"):
            process.start("a deck\n")


def test_command_is_missing() -> None:
    with pytest.raises(NWChemError, match="'nowhere-chem' was not found: install NWChem"):
        NWChemProcess("nowhere-chem -x", 1, 2)


def test_folder_is_kept() -> None:
    with fake("none", keep=True) as process:
        process.start("a deck\n")
    try:
        assert (process.folder / "nw.nw").read_text() == "a deck\n"
        assert "Real-Time TDDFT" in (process.folder / "nw.out").read_text()
        assert not (process.folder / "nw.rt_restart").exists()
    finally:
        for path in process.folder.iterdir():
            path.unlink()
        process.folder.rmdir()


def test_state_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scratch folder without room or rights is one line, not a traceback."""

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with fake("none") as process:
        monkeypatch.setattr(os, "mkfifo", no_space)
        with pytest.raises(NWChemError, match="No space left on device"):
            process.start("a deck\n")
    assert not process.folder.exists()
