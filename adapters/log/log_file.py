"""The log as a file of its own: whole lines, and every point once, however often a run is stopped."""

import os
from pathlib import Path


class LogFile:
    """Takes log text; a callable. Each block is written at once, and whole or not at all.

    path: of the file; append: behind what is there, else the first block begins it anew: a run that is
    refused leaves it alone. Raises OSError.
    """

    def __init__(self, path: Path, *, append: bool) -> None:
        self.path = path.resolve()
        # A named pipe that nobody reads is not waited on.
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY
        self._descriptor, self._anew = os.open(self.path, flags, 0o666), not append
        os.set_blocking(self._descriptor, True)

    def __call__(self, text: str) -> None:
        """Add a block of lines. Raises OSError, and leaves no part of the block then."""
        self._begin()
        before, rest = self.position, memoryview(text.encode())
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self._cut(before)
            raise

    @property
    def position(self) -> int:
        """Bytes that the file holds; 0 for what is no plain file."""
        return 0 if self._anew else os.fstat(self._descriptor).st_size

    def go_back(self, path: str, position: int) -> bool:
        """Take back what was written behind a position; whether this is the file that it was noted of."""
        if str(self.path) != path or self.position < position:
            return False
        self._cut(position)
        return True

    def close(self) -> None:
        """No more comes."""
        os.close(self._descriptor)

    def _begin(self) -> None:
        if self._anew:
            self._anew = False
            self._cut(0)

    def _cut(self, position: int) -> None:
        if self.position > position:
            os.ftruncate(self._descriptor, position)
