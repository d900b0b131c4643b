"""The sizes of the response network."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ...adapters.files.configuration import FORBID

Memory = Literal["mamba", "none"]


@dataclass(frozen=True)
class ModelConfig:
    """Sizes. elements: atomic numbers; the others as in the modules of their name."""

    __pydantic_config__ = FORBID
    elements: tuple[int, ...] = (1, 2, 3, 6, 7, 8, 9)
    irreps: str = "32x0e + 16x1o + 8x2e"
    layers: int = 2
    cutoff: float = 5.0
    members: Annotated[int, Field(ge=1)] = 5
    latents: int = 24
    width: int = 64
    memory_width: int = 16
    memory_state: int = 8
    memory_layers: int = 1
    context: int = 16
    memory: Memory = "mamba"
    film: bool = True
    bundle: Literal[1, 2, 4, 8] = 2
