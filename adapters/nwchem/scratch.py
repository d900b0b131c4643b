"""Folders for NWChem to run in, and those that dead runs have left.

A run holds a lock on a file in its folder for as long as it lives, whatever ends it. A folder of the user's
own whose lock can be had belongs to nobody any more. Folders to be kept have no such file.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

PREFIX = "hybrid-propagate-nwchem-"
_LOCK = "alive"


@dataclass(frozen=True)
class ScratchFolder:
    """A private folder; lock: descriptor of its locked file, None for a folder that is kept."""

    path: Path
    lock: int | None

    def remove(self) -> None:
        """Remove the folder; one that is kept stays."""
        if self.lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self.lock)


def scratch_folder(*, keep: bool = False) -> ScratchFolder:
    """A new folder in the system's place for temporary ones, where what dead runs left is removed.

    Raises OSError.
    """
    remove_abandoned(Path(tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    if keep:
        return ScratchFolder(path, None)
    # It gets its name once it is locked: nobody ever finds it free.
    unnamed = path / f"{_LOCK}.new"
    descriptor = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unnamed.rename(path / _LOCK)
    return ScratchFolder(path, descriptor)


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove the folders of dead runs of this user; returns their paths. Raises nothing."""
    removed: list[Path] = []
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}*"):
            if _is_own(path) and _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
    return removed


def _is_own(path: Path) -> bool:
    """A folder of this user's, and no link to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _is_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Kept, or just being made.
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
