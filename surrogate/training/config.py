"""What `hybrid-train` is to do: a YAML file as typed values. `examples/train.yaml` explains every entry."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from ...adapters.files.configuration import FORBID, read_configuration
from ...atomic.errors import BadInput
from ..network.config import ModelConfig

Base = Literal["mean-field", "kernel"]
Precision = Literal["float32", "bfloat16"]
Logger = Literal["csv", "tensorboard", "wandb"]
Target = Literal["fock", "density"]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


def _several(value: Any) -> Any:
    """One entry stands for a list of it."""
    return tuple(value) if isinstance(value, list) else (value,)


_T = TypeVar("_T")
Several = Annotated[tuple[_T, ...], BeforeValidator(_several)]


class ConfigError(BadInput):
    """A configuration that cannot be used. One line: file, what is wrong, what is accepted."""


@dataclass(frozen=True)
class ResponseConfig:
    """Training of the kernel. steps, batch: optimiser steps, geometries in each. rate, decay: of AdamW."""

    __pydantic_config__ = FORBID
    steps: Count = 1000
    batch: AtLeastOne = 16
    rate: float = 5e-3
    decay: float = 1e-5


@dataclass(frozen=True)
class EnsembleConfig:
    """Training of what members read out on their own, after the kernel. steps, batch, rate: as of the
    kernel."""

    __pydantic_config__ = FORBID
    steps: Count = 500
    batch: AtLeastOne = 16
    rate: float = 3e-3


@dataclass(frozen=True)
class DynamicsConfig:
    """Training of the memory on trajectories, after the kernel. Each loss and curriculum can be switched off.

    target: fock, the response a half step ahead; density, the next density itself, projected.
    weights: of the derivative loss, and of Hermiticity, trace and idempotency, for the density.
    variance: whether the variance curriculum 0.3, 0.6, 1.0 is used; horizon: lengths of the sequences in
    turn, one length for no curriculum. push_forward: share of the sequences that go on from the network's own
    prediction.
    """

    __pydantic_config__ = FORBID
    steps: Count = 0
    batch: AtLeastOne = 8
    rate: float = 2e-3
    target: Target = "fock"
    derivative: float = 10.0
    hermiticity: float = 1.0
    trace: float = 5.0
    idempotency: float = 0.5
    variance: bool = True
    horizon: Several[int] = (16, 32, 48, 64)
    push_forward: float = 0.5


@dataclass(frozen=True)
class FewShotConfig:
    """Meta-training of the adaptation to one molecule, after the kernel. steps, batch: optimiser steps,
    molecules in each. updates: steps of an adaptation. rate: of AdamW."""

    __pydantic_config__ = FORBID
    steps: Count = 0
    batch: AtLeastOne = 2
    updates: AtLeastOne = 5
    rate: float = 3e-3


@dataclass(frozen=True)
class TrainConfig:
    """The whole file. data: folders that `hybrid-dataset` wrote; levels: functional and basis as in their
    files' names, several for one model of all; output: folder of weights and logs. checkpoint: optimiser
    steps between two checkpoints."""

    __pydantic_config__ = FORBID
    data: Several[Path]
    output: Path
    levels: Several[str]
    seed: int = 0
    base: Base = "mean-field"
    precision: Precision = "float32"
    loggers: Several[Logger] = ("csv",)
    checkpoint: int = 200
    model: ModelConfig = field(default_factory=ModelConfig)
    response: ResponseConfig = field(default_factory=ResponseConfig)
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)
    few_shot: FewShotConfig = field(default_factory=FewShotConfig)


def read_config(path: Path) -> TrainConfig:
    """Read a configuration; relative folders are taken from the working directory. Raises ConfigError."""
    return read_configuration(path, TrainConfig, ConfigError)[0]
