"""What a run of a name has left in a folder, as deck text: by us or by NWChem, whichever ran last."""

from dataclasses import dataclass
from pathlib import Path

from ..regular_file import RefusedFile, read_regular
from .entries import RtdbError, read_entries
from .functional import dft_parts
from .nuclei import nuclei_part
from .part import Part
from .real_time import real_time_part
from .shells import shells_parts

#: Settings of a run, in its own words; the first line of our record.
HEAD = "# Settings in force at the end of this run: what `restart` reads. Written by hybrid-propagate."
_MOST = 2**26


@dataclass(frozen=True)
class Recalled:
    """source: the file; parts: what it says."""

    source: Path
    parts: tuple[Part, ...]


def record_path(prefix: str, folder: Path) -> Path:
    """Where our own runs keep their settings."""
    return folder / f"{prefix}.settings.nw"


def database_path(prefix: str, folder: Path) -> Path:
    """Where NWChem keeps its own."""
    return folder / f"{prefix}.db"


def recall(prefix: str, folder: Path) -> Recalled | None:
    """The settings of the last run called `prefix`; None where there was none. Raises RtdbError."""
    paths = [path for path in (record_path(prefix, folder), database_path(prefix, folder)) if path.exists()]
    if not paths:
        return None
    source = max(paths, key=lambda path: path.stat().st_mtime)
    if source == database_path(prefix, folder):
        entries = read_entries(source)
        parts = [nuclei_part(entries), *shells_parts(entries), *dft_parts(entries, folder)]
        return Recalled(source, (*parts, real_time_part(entries)))
    try:
        text = read_regular(source, _MOST).decode("utf-8", errors="replace")
    except RefusedFile as error:
        raise RtdbError(f"{source} is {error.strerror}") from error
    except OSError as error:
        raise RtdbError(f"{source}: {error.strerror}") from error
    return Recalled(source, (Part((), tuple(text.splitlines())),))
