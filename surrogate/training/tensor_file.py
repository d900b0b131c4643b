"""Files of `torch.save`, read as tensors, numbers and text: nothing in one is ever run."""

import warnings
from pathlib import Path
from typing import Any

import torch

from ...adapters.files.read_errors import reason
from ...adapters.regular_file import check_regular
from ...atomic.errors import BadInput


class TensorFileError(BadInput):
    """A file that torch did not write, or that holds more than tensors. One line."""


def load_tensors(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What the file holds, by name. Raises TensorFileError."""
    try:
        check_regular(path)
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise TensorFileError(f"{path}: {reason(error)}") from error
    except Exception as error:
        # Of bytes that are not its own torch's reader raises nearly anything.
        raise TensorFileError(f"{path}: not a file of tensors") from error
    if not isinstance(content, dict):
        raise TensorFileError(f"{path}: not a file of tensors by name")
    return content
