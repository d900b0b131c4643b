"""Where the log goes: a file, a stream, or nowhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ...adapters.log.log_file import LogFile
from .options import OptionError


@contextmanager
def log_sink(log: Path | str | TextIO | None, *, append: bool) -> Iterator[Callable[[str], None]]:
    """What takes log text, as it comes.

    append: go on in a file that is there. Raises OptionError where it cannot be written.
    """
    if log is None:
        yield lambda _: None
    elif isinstance(log, Path | str):
        try:
            file = LogFile(Path(log), append=append)
        except OSError as error:
            raise OptionError(f"log {log}: cannot be written: {error.strerror}") from error
        try:
            yield file
        finally:
            file.close()
    else:
        yield _flushing(log)


def _flushing(stream: TextIO) -> Callable[[str], None]:
    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return write
