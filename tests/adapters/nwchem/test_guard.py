"""NWChem and all that its command starts end with the run, whatever ends the run; nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hybrid_propagate.adapters.nwchem import process as nwchem_process
from hybrid_propagate.adapters.nwchem import scratch
from hybrid_propagate.adapters.nwchem.process import NWChemError, NWChemProcess, guarded
from hybrid_propagate.adapters.nwchem.scratch import remove_abandoned, scratch_folder

#: Wrappers of NWChem that do not replace themselves by it; MARK is in the arguments of all they start.
WRAPPERS = {
    "plain": "sleep MARK",
    "in the background": "sleep MARK & sleep MARK & wait",
    "out of the session": "setsid sleep MARK & nohup sleep MARK > /dev/null 2>&1 & sleep MARK",
    "deaf": "trap '' HUP TERM INT; sleep MARK; sleep MARK",
    "a daemon": "(setsid bash -c 'sleep MARK & disown; sleep MARK') & sleep MARK",
    "gone": "setsid sleep MARK & setsid sleep MARK & exit 3",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary folders go where nobody else's are."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def wrapper(folder: Path, text: str) -> tuple[str, str]:
    """A script, and the number of seconds that marks its processes."""
    mark = f"6{os.getpid()}.{time.monotonic_ns() % 10**6}"
    path = folder / "wrapper.sh"
    path.write_text(f"#!/bin/bash\n{text.replace('MARK', mark)}\n")
    path.chmod(0o755)
    return str(path), mark


def alive(mark: str) -> list[str]:
    """Command lines of the processes that bear a mark."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(b" ".join(words).decode())
    return found


def wait_for(started: str, count: int) -> None:
    last = time.monotonic() + 20.0
    while len(alive(started)) < count:
        assert time.monotonic() < last
        time.sleep(0.02)


def gone(mark: str, seconds: float) -> bool:
    last = time.monotonic() + seconds
    while alive(mark) and time.monotonic() < last:
        time.sleep(0.05)
    return not alive(mark)


@pytest.mark.parametrize("kind", WRAPPERS)
def test_nothing_outlives_the_run(kind: str, place: Path) -> None:
    command, mark = wrapper(place, WRAPPERS[kind])
    began = time.monotonic()
    with NWChemProcess(command, 1, 2) as process, pytest.raises((KeyboardInterrupt, NWChemError)):
        process.start("a deck\n", lambda: time.monotonic() - began > 1.0)
    assert alive(mark) == []
    assert not process.folder.exists()


@pytest.mark.parametrize("kind", ["plain", "out of the session", "deaf", "a daemon"])
def test_nothing_outlives_a_killed_run(kind: str, place: Path) -> None:
    """SIGKILL; what the run left in the temporary folder is found by the next one."""
    command, mark = wrapper(place, WRAPPERS[kind])
    code = (
        "from hybrid_propagate.adapters.nwchem.process import NWChemProcess\n"
        f"with NWChemProcess({command!r}, 1, 2) as process:\n    process.start('a deck')\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(place)})
    wait_for(mark, 1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert gone(mark, 20.0)
    (left,) = place.glob(f"{scratch.PREFIX}*")
    folder = scratch_folder()
    assert not left.exists()
    folder.remove()
    assert list(place.glob(f"{scratch.PREFIX}*")) == []


def test_a_command_that_closes_its_terminal(place: Path) -> None:
    command, mark = wrapper(place, "echo 'NWChem DFT Module'; exec <&- >&- 2>&-; sleep MARK")
    began = time.monotonic()
    with NWChemProcess(command, 1, 2) as process, pytest.raises(NWChemError, match="closed its output"):
        process.start("a deck\n")
    assert time.monotonic() - began < 30.0
    assert alive(mark) == []


def test_a_banner_and_then_silence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a minute, by the constant; an SCF may take its time."""
    assert nwchem_process.EARLY_PATIENCE < 60.0
    monkeypatch.setattr(nwchem_process, "EARLY_PATIENCE", 1.0)
    command, mark = wrapper(
        place, "echo ' Northwest Computational Chemistry Package (NWChem) 7.0.2'; sleep MARK"
    )
    with NWChemProcess(command, 1, 2) as process, pytest.raises(NWChemError, match="said nothing for 1 s"):
        process.start("a deck\n")
    assert alive(mark) == []
    monkeypatch.setattr(nwchem_process, "SCF_PATIENCE", 4.0)
    command, mark = wrapper(place, "echo ' NWChem DFT Module'; sleep MARK")
    with NWChemProcess(command, 1, 2) as process, pytest.raises(NWChemError, match="said nothing for 4 s"):
        process.start("a deck\n")


@pytest.mark.parametrize(
    ("text", "code"), [("exit 7", 7), ("exit 0", 0), ("kill -SEGV $$", -11), ("kill -9 $$", -9)]
)
def test_the_guard_ends_as_the_command_did(text: str, code: int, place: Path) -> None:
    command, _ = wrapper(place, text)
    assert subprocess.run(guarded([command]), check=False).returncode == code


def test_the_guard_passes_words_and_output_on(place: Path) -> None:
    done = subprocess.run(
        guarded(["/bin/echo", "a b", "-I", "$HOME;"]), check=True, capture_output=True, text=True
    )
    assert done.stdout == "a b -I $HOME;\n"


def test_a_command_that_cannot_be_started(place: Path) -> None:
    path = place / "no_interpreter"
    path.write_text("#!/no/such/shell\n")
    path.chmod(0o755)
    with (
        NWChemProcess(str(path), 1, 2) as process,
        pytest.raises(NWChemError, match="exit code 127") as caught,
    ):
        process.start("a deck\n")
    assert any("cannot be started" in line for line in caught.value.tail)


def test_folders_of_the_living_and_of_others_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living, kept = scratch_folder(), scratch_folder(keep=True)
    (place / f"{scratch.PREFIX}link").symlink_to(living.path)
    (place / f"{scratch.PREFIX}older").mkdir()
    assert remove_abandoned(place) == []
    kept.remove()
    assert kept.path.is_dir()
    dead = place / f"{scratch.PREFIX}dead"
    (dead / "deep").mkdir(parents=True)
    (dead / "alive").touch()
    (dead / "deep/link").symlink_to(place)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert remove_abandoned(place) == []
    monkeypatch.undo()
    assert remove_abandoned(place) == [dead]
    assert living.path.is_dir()
    living.remove()
    assert not living.path.exists()
