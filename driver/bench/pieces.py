"""Pieces of a benchmark: one process each, its time and memory measured, its result kept and found again.

A piece lives in a folder of the work folder that gets its name when the process has ended well, so that a
benchmark killed at any moment loses the piece that was running and nothing else.
"""

import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...atomic.errors import Failed

#: What a piece's folder says of itself.
_RECORD = "piece.json"
#: Seconds between two looks at a process's memory.
POLL = 0.05


class PieceFailed(Failed):
    """A process that did not end well. One line: the last of its standard error."""


@dataclass(frozen=True)
class Piece:
    """What is run. key: its folder, under the work folder; files: texts that the process finds in its folder;
    command: the process; the word `{folder}` in it stands for the work folder."""

    key: str
    files: Mapping[str, str]
    command: Sequence[str]


@dataclass(frozen=True)
class Done:
    """A finished piece.

    folder: what it left; wall, cpu: seconds; peak: bytes; sources: the package's state when it ran.
    """

    folder: Path
    wall: float
    cpu: float
    peak: int
    sources: str


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this package's driver."""
    return (sys.executable, "-m", f"hybrid_propagate.driver.{module}", *arguments)


def run_piece(work: Path, piece: Piece, sources: str, say: Callable[[str], None]) -> Done:
    """The piece's result: kept from before, where the same was run, else measured now, in one thread.

    sources: see `sources_digest`. Raises PieceFailed, OSError.
    """
    folder, identity = work / piece.key, _identity(piece)
    kept = _kept(folder, identity)
    if kept is not None:
        return kept
    say(f"{piece.key} …")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name, text in piece.files.items():
        (part / name).write_text(text, encoding="utf-8")
    command = [word.replace("{folder}", str(work.resolve())) for word in piece.command]
    wall, cpu, peak = _measured(command, part, piece.key)
    done = Done(folder, wall, cpu, peak, sources)
    record = {name: value for name, value in asdict(done).items() if name != "folder"}
    (part / _RECORD).write_text(json.dumps(record | {"identity": identity}), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    say(f"{piece.key}: {wall:.1f} s, {cpu:.1f} of the processor, {peak / 2**20:.0f} MiB")
    return done


def sources_digest() -> str:
    """Eight letters that change with any source file of the package."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in ("atomic", "adapters", "surrogate", "driver"):
        for path in sorted((root / room).glob("**/*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _identity(piece: Piece) -> str:
    told = json.dumps([dict(piece.files), list(piece.command[1:])], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _kept(folder: Path, identity: str) -> Done | None:
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record.pop("identity", None) != identity:
        return None
    return Done(folder, **record)


def _measured(command: Sequence[str], folder: Path, key: str) -> tuple[float, float, int]:
    """Wall and processor seconds and peak bytes of a process run in a folder. Raises PieceFailed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    began = time.perf_counter()
    with open(folder / "log", "wb") as log, open(folder / "errors", "wb") as errors:
        try:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=errors)
        except OSError as error:
            raise PieceFailed(f"{key}: {command[0]}: {error.strerror}") from error
        resident = 0
        try:
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                resident = max(resident, _resident(process.pid))
                time.sleep(POLL)
            wall = time.perf_counter() - began
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = (folder / "errors").read_text(errors="replace").strip().splitlines()
        last = said[-1] if said else "nothing on standard error"
        raise PieceFailed(f"{key}: exit code {process.returncode}: {last}")
    # The kernel's own figure counts its descendants, but also this process, which it was forked from.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = 1024 * usage.ru_maxrss if usage.ru_maxrss > own else resident
    return wall, usage.ru_utime + usage.ru_stime, peak


def _resident(pid: int) -> int:
    """Largest resident memory of a running process so far, bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
