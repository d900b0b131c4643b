"""Runs that are killed (SIGKILL) at random moments and go on with --restart, until so many kills are made.

OMP_NUM_THREADS=1 python benchmarks/runs/kills.py --kills 1000 --record kills.json

Counts are added to those in the record; stopped, the script goes on. Each run is a child of this process,
which has everything imported: a kill costs tenths of a second. After each kill the trajectory file is absent
or whole; in the end every point is there once, in the file and in the log of `--log`, the dipole is that of a
run that nobody disturbed, and the folder holds its files and no others.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.files.trajectory import TrajectoryError, read_contents
from hybrid_propagate.atomic.whole_file import write_whole
from hybrid_propagate.driver.commands.propagate import main as propagate
from hybrid_propagate.driver.loop import run as loop
from hybrid_propagate.driver.run import propagation

DECK = """start h
geometry "w" units angstroms nocenter noautosym noautoz
  H 0 0 0
  H 0 0 0.74
end
set geometry "w"
basis
  * library STO-3G
end
dft
  xc pbe0
end
task dft energy
rt_tddft
  tmax 2.0
  dt 0.1
  nrestarts 10
  field "k"
    type gaussian
    polarization z
    frequency 0.4
    center 0.8
    width 0.5
    max 0.02
  end
  excite "w" with "k"
  print dipole
end
task dft rt_tddft
"""
ARGUMENTS = ["h.nw", "--surrogate", "response", "--max-ml-steps", "5", "--log", "h.log"]
COUNTS = (
    *("kills", "runs", "starts", "files_unreadable", "failed", "points_wrong", "dipoles_wrong"),
    *("logs_wrong", "files_left", "hangs"),
)
#: Of a run's seconds, within which it is killed.
SHARES = (0.05, 0.05, 0.1, 0.5)
#: Seconds until a run that nobody kills must have ended.
LONGEST = 120.0


def main() -> None:
    """One line for every hundred kills, and the counts at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="in all, with those of the record")
    parser.add_argument("--record", type=Path, default=Path("kills.json"))
    given = parser.parse_args()
    # Many commits, as in a long run.
    propagation.CHECKPOINT_SECONDS = propagation.CHECKPOINT_SHARE = 0.0
    loop.HAND_OVER = 0.02
    counts = dict.fromkeys(COUNTS, 0)
    if given.record.exists():
        counts |= json.loads(given.record.read_text())
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name, "whole")
        took = _undisturbed(whole)
        while counts["kills"] < given.kills:
            before = counts["kills"]
            _one_run(Path(name, f"run{counts['runs']}"), whole / "h.h5", took, counts)
            write_whole(given.record, json.dumps(counts))
            if before // 100 != counts["kills"] // 100:
                print(counts, flush=True)
    print(counts)


def _undisturbed(folder: Path) -> float:
    """Imports everything here, and makes the run to compare with; returns the seconds of a run by then."""
    folder.mkdir()
    for _ in range(2):
        (folder / "h.nw").write_text(DECK)
        began = time.monotonic()
        if _started(folder, [], here=True):
            sys.exit("the undisturbed run failed")
    return time.monotonic() - began


def _started(folder: Path, further: list[str], *, here: bool = False) -> int:
    """The run's exit code where it is made here, else the number of its process."""
    pid = 0 if here else os.fork()
    if pid:
        return pid
    os.chdir(folder)
    out, errors = (os.dup(number) for number in (1, 2))
    log = os.open("said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 3
    try:
        code = propagate([*ARGUMENTS, *further])
    finally:
        if not here:
            os._exit(code)
        sys.stdout.flush()
        os.dup2(out, 1)
        os.dup2(errors, 2)
    return code


def _one_run(folder: Path, whole: Path, took: float, counts: dict[str, int]) -> None:
    folder.mkdir()
    (folder / "h.nw").write_text(DECK)
    chance, path, further = random.Random(counts["kills"]), folder / "h.h5", list[str]()
    counts["runs"] += 1
    for _ in range(chance.randint(1, 24)):
        counts["starts"] += 1
        pid = _started(folder, further)
        # Often soon, so that few seconds make many kills, and sometimes late.
        time.sleep(chance.uniform(0.0, took * chance.choice(SHARES)))
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            counts["failed"] += status != 0
            break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        counts["kills"] += 1
        further = ["--restart"]
        counts["files_unreadable"] += not _is_whole(path)
    _to_the_end(folder, counts)
    counts["logs_wrong"] += not np.array_equal(_printed(folder), _printed(whole.parent))
    counts["files_left"] += _names(folder) != _names(whole.parent)
    a, b = (read_contents(file).series for file in (path, whole))
    if not np.array_equal(a["time"], b["time"]):
        counts["points_wrong"] += 1
    elif np.abs(a["dipole"] - b["dipole"]).max() > 1e-10:
        counts["dipoles_wrong"] += 1


def _printed(folder: Path) -> np.ndarray:
    """The times of the log's points."""
    lines = (folder / "h.log").read_text().splitlines()
    return np.array([float(line.split()[1]) for line in lines if "Dipole moment [w]" in line])


def _names(folder: Path) -> set[str]:
    return {found.name for found in folder.iterdir()}


def _to_the_end(folder: Path, counts: dict[str, int]) -> None:
    counts["starts"] += 1
    pid, last = _started(folder, ["--restart"]), time.monotonic() + LONGEST
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > last:
            counts["hangs"] += 1
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return
        time.sleep(0.02)
    counts["failed"] += found[1] != 0


def _is_whole(path: Path) -> bool:
    try:
        return not path.exists() or bool(read_contents(path, to_go_on=True).attributes)
    except TrajectoryError:
        return False


if __name__ == "__main__":
    main()
