"""Where the log goes: a file, a stream, or nowhere; never over what the run reads or leaves."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ...adapters.log.log_file import LogFile
from .options import OptionError

# Of what runs read and leave.
_OTHERS = (".nw", ".xyz", ".h5", ".json", ".png", ".html", ".gif", ".cube", ".movecs", ".rt_restart", ".lock")


def check_log(log: Path | str | TextIO | None, read: Iterable[object]) -> None:
    """Raises OptionError where the log would be written over something else.

    read: what the run reads; paths count, anything else is passed over.
    """
    if not isinstance(log, Path | str):
        return
    path = Path(log)
    if path.suffix.lower() in _OTHERS:
        raise OptionError(f"log {log}: {path.suffix} is no log's ending; accepted: such as .log, .out, .nwo")
    sources = [Path(one) for one in read if isinstance(one, Path | str)]
    if path.exists() and any(one.exists() and path.samefile(one) for one in sources):
        raise OptionError(f"log {log}: is read by the run, and would be written over; give another name")


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
