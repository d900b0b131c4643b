"""Why a file cannot be read, in a few words."""

import os

from ..regular_file import RefusedFile


def reason(error: Exception) -> str:
    """The system's own words where it has a number for it, for HDF5 makes a paragraph of them."""
    if isinstance(error, RefusedFile):
        return str(error.strerror)
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else " ".join(str(error).split())
