"""A resident NWChem: one unmodified process that makes the steps of a whole run, segment after segment.

Its restart file is a named pipe. `load restart` waits there until a state is written; `nrestarts *` sends
every point's density back through it, and NWChem runs no further ahead than the pipe has room. A propagation
runs while it < nt and takes it and t from the state: it = nt - n gives n points, the first of them the state
itself, from any time on. The step from the last point is made too, and lost; it is the time in which the last
record must be read, for NWChem would take what is left of it for the next state. It is noticed if it does.

The log arrives line by line on a pseudo-terminal. A guard (`guard.py`) stands between, and ends the command
with everything that it started, also should this process die. Whatever goes wrong becomes an NWChemError: one
line, and NWChem's last lines.
"""

import contextlib
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from ...atomic.errors import Failed
from .printed_points import PointReader, PrintedPoint
from .rt_restart import RestartError, RestartPoint, parse_restart, restart_text
from .scratch import scratch_folder

#: Prefix of NWChem's files in its scratch folder.
NAME = "nw"
#: Seconds of silence that count as a hang: before its first line; while it reads its deck; at the start of an
#: SCF; then so many steps, or iterations of the SCF, but at least so long.
START_PATIENCE, EARLY_PATIENCE, SCF_PATIENCE, PATIENCE_STEPS, LEAST_PATIENCE = 120.0, 50.0, 1800.0, 30.0, 60.0
#: Seconds that a command may live on behind the end of its output, and that its end may take.
_LIVES_ON, _ENDS = 3.0, 15.0
#: Room asked of the pipe, bytes: all that Linux grants anyone for a state on its way in, and the least for
#: what comes out, so that NWChem does not run ahead.
_ROOM_IN, _ROOM_OUT, _F_SETPIPE_SZ = 1 << 20, 4096, 1031
#: NWChem writes numbers one by one; waiting this long (seconds) lets some gather.
_GATHER = 1e-3
_LOADED = "### Propagation successfully restarted ###"
_FINISHED = "### Propagation finished ###"
_SCF, _MODULE = "NWChem DFT Module", "NWChem Real-Time TDDFT Module"
_GUARD = Path(__file__).with_name("guard.py")
_ENERGY = re.compile(
    r"\s+(Total DFT|One electron|Coulomb|Exchange-Corr\.|Nuclear repulsion) energy\s*=\s*(\S+)\s*$"
)
_VERSION = re.compile(r".*\(NWChem\) (\d\S*)")
_BLOCK = re.compile(r"\s*Record size in doubles =\s*(\d+)\s+No\. of grid_pts")
_TAIL_LINES = 15
#: Times of a log, which has five decimals, and of a state are the same within this, au.
_SAME_TIME = 1e-3
#: Bytes that it may say without a step, or an end of its SCF, so many more for each line; of one line; of a
#: line that is shown.
_MOST_SAID, _OF_A_LINE, _MOST_OF_LINE, _MOST_SHOWN = 1 << 24, 48, 1 << 16, 300
#: Lines of the head of a restart file ahead of its numbers.
_HEAD_LINES = 7


class NWChemError(Failed):
    """NWChem cannot be used, or ended badly. The text is one line; tail: the last lines of its output."""

    def __init__(self, message: str, tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.tail = tail


class NWChemProcess:
    """One process in a private folder; a context manager that leaves nothing behind, whatever happens.

    command: `nwchem`, `mpirun -np 4 nwchem`; keep: do not remove the folder.
    version: as its banner says, `7.0.2`; empty before that.
    energies: of the ground state, Hartree, by NWChem's own words (`Total DFT`, `One electron`, ...).
    grid_block: size of the blocks of its grid file, doubles; 0 without a grid.
    seconds: of each point received.
    """

    def __init__(self, command: str, n_spin: int, n_basis: int, *, keep: bool = False) -> None:
        self._words = _found(command)
        self._n_spin, self._n_basis, self._keep = n_spin, n_basis, keep
        self._scratch = scratch_folder(keep=keep)
        self.folder = self._scratch.path
        self.version = ""
        self.energies: dict[str, float] = {}
        self.grid_block = 0
        self.seconds: list[float] = []
        self._child: Any = None
        self._pipe = -1
        self._partial, self._tail = b"", deque[str](maxlen=_TAIL_LINES)
        self._log: TextIO | None = None
        self._scf_entered = self._module_entered = self._loaded = self._finished = False
        self._heard, self._longest_silence = 0.0, 0.0
        self._said, self._last_number = 0, -1
        self._sending = self._dead = False
        self._stream = bytearray()
        self._reader, self._taken = PointReader(n_spin), 0

    def __enter__(self) -> "NWChemProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def run_ahead(self) -> int:
        """Points that NWChem may have made and nobody has read: the last so many are read without a break."""
        return 2 + _ROOM_OUT // (40 * self._n_spin * self._n_basis**2)

    def start(self, deck: str, stopping: Callable[[], bool] = lambda: False) -> None:
        """Start NWChem on a deck; returns when its ground state is converged.

        stopping: asked twice a second; its yes becomes KeyboardInterrupt. Raises NWChemError.
        """
        import pexpect

        try:
            (self.folder / f"{NAME}.nw").write_text(deck)
            self._log = (self.folder / f"{NAME}.out").open("w") if self._keep else None
            pipe = self.folder / f"{NAME}.rt_restart"
            os.mkfifo(pipe)
            # Held open both ways, so that neither side ever meets an end of file.
            self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise NWChemError(f"{self.folder}: {error.strerror}") from error
        # Open MPI refuses root without the first two.
        environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        environment["OMP_NUM_THREADS"] = "1"
        try:
            first, *others = guarded(self._words)
            self._child = pexpect.spawn(
                first,
                [*others, f"{NAME}.nw"],
                cwd=str(self.folder),
                env=environment,  # type: ignore[arg-type]
                echo=False,
                dimensions=(24, 500),
            )
        except (pexpect.ExceptionPexpect, OSError) as error:
            raise NWChemError(f"{' '.join(self._words)} cannot be started: {error}") from error
        self._wait(lambda: self._module_entered, stopping)

    def send(self, point: RestartPoint) -> None:
        """Give NWChem a state (in its own order of functions); returns when it has been read.

        All points of the segment before must have been received. Raises NWChemError.
        """
        self._reader, self._taken = PointReader(self._n_spin), 0
        self._loaded, self._finished, self._sending = False, False, True
        self._said, self._last_number = 0, -1
        self._stream.clear()
        self._make_room(_ROOM_IN)
        rest = memoryview(restart_text(point).encode())
        while rest:
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._pipe, rest) :]
            if rest:
                self._listen(0.01)
            if self._dead:
                raise self._ended()
        self._wait(lambda: self._loaded)
        self._sending = False
        self._make_room(_ROOM_OUT)

    def receive(self) -> tuple[RestartPoint, PrintedPoint]:
        """The next point that NWChem streams, and what its log says there. Raises NWChemError.

        The log tells of the step that starts there (`PrintedPoint.corrections`) before the next point comes.
        """
        began = time.monotonic()
        # The log's line behind the record says that all of it has been written.
        self._wait(lambda: len(self._reader.points) > self._taken and self._record_end() > 0)
        end = self._record_end()
        text = self._stream[:end].decode("ascii", "replace").lstrip()
        del self._stream[:end]
        try:
            # A state sent with number 0 makes as many steps as the deck has points.
            path = self.folder / f"{NAME}.rt_restart"
            point = parse_restart(text, path, self._n_spin, self._n_basis, first=0)
        except RestartError as error:
            raise self._error(f"NWChem sent a state that cannot be used: {error}") from error
        if self._last_number >= 0 and point.point != self._last_number + 1:
            raise self._error(f"NWChem sent point {point.point} behind point {self._last_number}")
        printed = self._reader.points[self._taken]
        if abs(printed.time - point.time) > _SAME_TIME:
            raise self._error(f"NWChem's log is at {printed.time:g} au where its state is at {point.time:g}")
        if missing := printed.missing:
            raise self._error(f"NWChem's log has no number for {missing} at a point")
        self._taken += 1
        self._said, self._last_number = 0, point.point
        self.seconds.append(time.monotonic() - began)
        return point, printed

    def finish(self) -> None:
        """Wait until NWChem has made the step from the last point too, and its log told of it."""
        self._wait(lambda: self._finished)

    def close(self) -> None:
        """End NWChem and remove its folder, or only the pipe in it where the folder is kept."""
        if self._child is not None:
            with contextlib.suppress(Exception):
                self._child.kill(signal.SIGTERM)
                self._ends_within(_ENDS)
            with contextlib.suppress(Exception):
                self._child.close(force=True)
            self._child = None
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._keep:
            (self.folder / f"{NAME}.rt_restart").unlink(missing_ok=True)
        self._scratch.remove()

    def _make_room(self, size: int) -> None:
        # Refused while more than that is in the pipe, which does no harm.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._pipe, _F_SETPIPE_SZ, size)

    def _record_end(self) -> int:
        """Where the first whole record in the stream ends; 0 while there is none."""
        at = -1
        for _ in range(_HEAD_LINES):
            at = self._stream.find(b"\n", at + 1)
            if at < 0:
                return 0
            if not self._stream[: at + 1].strip():
                # What is left of the line that NWChem has read.
                return self._without_blank_lead()
        end = at + 1 + 40 * self._n_spin * self._n_basis**2
        return end if len(self._stream) >= end else 0

    def _without_blank_lead(self) -> int:
        del self._stream[: len(self._stream) - len(self._stream.lstrip())]
        return self._record_end() if self._stream else 0

    def _wait(self, ready: Callable[[], bool], stopping: Callable[[], bool] = lambda: False) -> None:
        """Listen until `ready`; silence for too long is a hang."""
        last = time.monotonic()
        while not ready():
            if self._dead:
                raise self._ended()
            if stopping():
                raise KeyboardInterrupt
            if self._listen(0.5):
                last = time.monotonic()
            elif time.monotonic() - last > (patience := self._patience()):
                raise self._error(
                    f"NWChem has said nothing for {patience:.0f} s: it hangs, or its restart file is blocked"
                )

    def _patience(self) -> float:
        """Seconds of silence that count as a hang, from what NWChem has said so far."""
        if self.seconds:
            return max(LEAST_PATIENCE, PATIENCE_STEPS * max(self.seconds))
        if self._module_entered and self._longest_silence:
            return max(LEAST_PATIENCE, PATIENCE_STEPS * self._longest_silence)
        if self._scf_entered or self._module_entered:
            return SCF_PATIENCE
        return EARLY_PATIENCE if self._heard else START_PATIENCE

    def _ends_within(self, seconds: float) -> bool:
        """Wait for the process to end; whether it has."""
        last = time.monotonic() + seconds
        while self._child.isalive() and time.monotonic() < last:
            time.sleep(0.01)
        return not self._child.isalive()

    def _listen(self, seconds: float) -> bool:
        """Take in what NWChem says within `seconds`; whether there was anything."""
        terminal = self._child.child_fd
        sources = [terminal] if self._sending else [terminal, self._pipe]
        readable, _, _ = select.select(sources, [], [], seconds)
        if self._pipe in readable:
            time.sleep(_GATHER)
            with contextlib.suppress(BlockingIOError):
                self._stream += os.read(self._pipe, _ROOM_IN)
            if len(self._stream) > 2 * _ROOM_IN + 80 * self._n_spin * self._n_basis**2:
                raise self._error("NWChem sent more than the states that it was asked for")
        if terminal in readable:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                # Linux reports the end of the other side of a terminal as an error.
                data = b""
            if not data:
                self._dead = True
                with contextlib.suppress(BlockingIOError):
                    self._stream += b"" if self._sending else os.read(self._pipe, _ROOM_IN)
            self._said += len(data) + _OF_A_LINE * data.count(b"\n")
            if self._said > _MOST_SAID:
                raise self._error(f"NWChem has said {_MOST_SAID >> 20} MB and made no step")
            *lines, self._partial = (self._partial + data).split(b"\n")
            if len(self._partial) > _MOST_OF_LINE:
                lines, self._partial = [*lines, self._partial], b""
            for line in lines:
                self._take(line.decode("utf-8", "replace").rstrip("\r"))
        return bool(readable)

    def _take(self, line: str) -> None:
        if self._log is not None:
            self._log.write(line + "\n")
        if line.strip():
            self._tail.append(line.rstrip()[:_MOST_SHOWN])
        now = time.monotonic()
        if self._scf_entered and not self._module_entered:
            self._longest_silence = max(self._longest_silence, now - self._heard)
        self._heard, self._scf_entered = now, self._scf_entered or _SCF in line
        if not self.version and (found := _VERSION.match(line)):
            self.version = found[1]
        elif found := _BLOCK.match(line):
            self.grid_block = int(found[1])
        elif not self._module_entered:
            self._module_entered = _MODULE in line
            found = _ENERGY.match(line)
            self._said = 0 if self._module_entered or found else self._said
            if found:
                with contextlib.suppress(ValueError):
                    self.energies[found[1]] = float(found[2])
        elif _LOADED in line:
            if not self._sending:
                raise self._error("NWChem read its own last state back: this process was too busy to take it")
            self._loaded = True
        elif self._loaded:
            self._finished = self._finished or _FINISHED in line
            self._reader.take(line)

    def _ended(self) -> NWChemError:
        """The error for a process that is no more."""
        if self._partial.strip():
            self._tail.append(self._partial.decode("utf-8", "replace").rstrip()[:_MOST_SHOWN])
        child = self._child
        if not self._ends_within(_LIVES_ON):
            return self._error("NWChem closed its output and did not end")
        how = "ended"
        if child.signalstatus is not None:
            how = f"was killed by signal {child.signalstatus}"
        elif child.exitstatus:
            how = f"stopped with exit code {child.exitstatus}"
        return self._error(f"NWChem {how}{_reason(self._tail)}")

    def _error(self, message: str) -> NWChemError:
        return NWChemError(message, tuple(self._tail))


def nwchem_command(asked: str | None = None) -> str:
    """How NWChem is run: as asked, else as the environment says."""
    return asked or os.environ.get("NWCHEM_COMMAND") or "nwchem"


def command_words(command: str) -> list[str]:
    """The words of a command, as a shell takes them. Raises NWChemError."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise NWChemError(f"{command}: not a command: {error}") from error


def guarded(words: list[str]) -> list[str]:
    """The words of a command that ends with all that it started, when it is done or this process is gone."""
    return [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *words]


def _found(command: str) -> list[str]:
    """The command's words; raises NWChemError when it cannot be found."""
    words = command_words(command)
    if not words or shutil.which(words[0]) is None:
        raise NWChemError(
            f"{words[0] if words else 'NWChem'!r} was not found: install NWChem (Debian, Ubuntu: "
            "apt-get install nwchem) or name it with --nwchem or NWCHEM_COMMAND"
        )
    return [shutil.which(words[0]) or words[0], *words[1:]]


#: What NWChem, MPI or the system say when they stop, and what that means.
_REASONS = (
    ("dft energy failed", "its ground state did not converge"),
    ("No space left on device", "the disk is full"),
    ("not enough slots", "MPI has fewer slots than ranks (mpirun --oversubscribe)"),
    ("ma_init", "it could not get its memory"),
    ("ga_create failed", "it ran out of memory"),
    ("failed to converge", "a Magnus step did not become self-consistent"),
)


def _reason(tail: deque[str]) -> str:
    text = "\n".join(tail)
    return next((f": {meaning}" for words, meaning in _REASONS if words in text), "")
