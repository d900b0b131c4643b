"""Runs one command and ends everything that it started, when it ends or whoever asked for it is gone.

Started as `python -I -S guard.py <process id of who asks> <command ...>`, on a terminal of its own. Processes
that leave their parents, terminals or sessions become its children, for it is their subreaper (Linux). It
ends as the command did. It imports nothing of the package, so that it is there in some milliseconds.
"""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
_STOP = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
#: Seconds for the command to end by itself when it is asked to, and for what it leaves to be gone.
_GRACE, _LONGEST = 1.0, 10.0


def main() -> None:
    """Run the command; never returns."""
    asking, command = int(sys.argv[1]), sys.argv[2:]
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    waited_for = {*_STOP, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    try:
        child = subprocess.Popen(command, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []))
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", flush=True)
        sys.exit(127)
    # The terminal is the command's alone: when it is done with it, that must be seen.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    status = _wait(child.pid, asking, waited_for)
    if status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        status = _ended_within(child.pid, _GRACE)
    _end_descendants()
    _end_like(status)


def _wait(pid: int, asking: int, waited_for: set[signal.Signals]) -> int | None:
    """The command's status; None when it should end before it does."""
    while True:
        found = signal.sigtimedwait(waited_for, 1.0)
        if (status := _reaped(pid)) is not None:
            return status
        if (found is not None and found.si_signo in _STOP) or os.getppid() != asking:
            return None


def _reaped(pid: int) -> int | None:
    """Reap whoever has ended; the status of `pid` if it is among them."""
    wanted = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == pid:
                wanted = ended[1]
    return wanted


def _ended_within(pid: int, seconds: float) -> int | None:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        if (status := _reaped(pid)) is not None:
            return status
        time.sleep(0.01)
    return None


def _end_descendants() -> None:
    last = time.monotonic() + _LONGEST
    while (alive := _descendants()) and time.monotonic() < last:
        for pid in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
        _reaped(0)


def _descendants() -> list[int]:
    """Processes that this one started, and those that they did, and so on."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdecimal():
            unreadable = contextlib.suppress(OSError, ValueError, IndexError)
            with unreadable, open(f"/proc/{name}/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    found: list[int] = []
    generation = {os.getpid()}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found += generation
    return found


def _end_like(status: int | None) -> None:
    if status is not None and os.WIFEXITED(status):
        sys.exit(os.WEXITSTATUS(status))
    number = signal.SIGKILL if status is None else os.WTERMSIG(status)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    main()
