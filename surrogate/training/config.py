"""What `hybrid-train` is to do: a YAML file as typed values. `examples/train.yaml` explains every entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ...adapters.regular_file import read_regular
from ...atomic.errors import BadInput
from ..network.config import ModelConfig

#: Of a configuration.
_MOST_BYTES = 2**24
Base = Literal["mean-field", "kernel"]
Precision = Literal["float32", "bfloat16"]
Logger = Literal["csv", "tensorboard", "wandb"]
Target = Literal["fock", "density"]


class ConfigError(BadInput):
    """A configuration that cannot be used. One line: file, what is wrong, what is accepted."""


@dataclass(frozen=True)
class ResponseConfig:
    """Training of the kernel. steps, batch: optimiser steps, geometries in each. rate, decay: of AdamW."""

    steps: int = 1000
    batch: int = 16
    rate: float = 5e-3
    decay: float = 1e-5


@dataclass(frozen=True)
class EnsembleConfig:
    """Training of what members read out on their own, after the kernel. steps, batch, rate: as of the
    kernel."""

    steps: int = 500
    batch: int = 16
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

    steps: int = 0
    batch: int = 8
    rate: float = 2e-3
    target: Target = "fock"
    derivative: float = 10.0
    hermiticity: float = 1.0
    trace: float = 5.0
    idempotency: float = 0.5
    variance: bool = True
    horizon: tuple[int, ...] = (16, 32, 48, 64)
    push_forward: float = 0.5


@dataclass(frozen=True)
class FewShotConfig:
    """Meta-training of the adaptation to one molecule, after the kernel. steps, batch: optimiser steps,
    molecules in each. updates: steps of an adaptation. rate: of AdamW."""

    steps: int = 0
    batch: int = 2
    updates: int = 5
    rate: float = 3e-3


@dataclass(frozen=True)
class TrainConfig:
    """The whole file. data: folders that `hybrid-dataset` wrote; levels: functional and basis as in their
    files' names, several for one model of all; output: folder of weights and logs. checkpoint: optimiser
    steps between two checkpoints."""

    data: tuple[Path, ...]
    output: Path
    levels: tuple[str, ...]
    seed: int = 0
    base: Base = "mean-field"
    precision: Precision = "float32"
    loggers: tuple[Logger, ...] = ("csv",)
    checkpoint: int = 200
    model: ModelConfig = field(default_factory=ModelConfig)
    response: ResponseConfig = field(default_factory=ResponseConfig)
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)
    few_shot: FewShotConfig = field(default_factory=FewShotConfig)


_T = TypeVar("_T")


def read_config(path: Path) -> TrainConfig:
    """Read a configuration; relative folders are taken from the working directory. Raises ConfigError."""
    import yaml

    try:
        content = yaml.safe_load(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    config = from_mapping(TrainConfig, content, f"{path}")
    counts = (
        *((stage, "batch") for stage in ("response", "ensemble", "dynamics", "few_shot")),
        ("few_shot", "updates"),
    )
    for section, name in (*counts, ("model", "members")):
        if getattr(getattr(config, section), name) < 1:
            raise ConfigError(f"{path}: {section}: {name} must be at least 1")
    if config.model.bundle not in (1, 2, 4, 8):
        raise ConfigError(f"{path}: model: bundle: accepted: 1, 2, 4, 8")
    return config


def from_mapping(kind: type[_T], content: Any, where: str) -> _T:
    """A dataclass from what YAML or JSON gave. Raises ConfigError, which starts with `where`."""
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: must be a table of names and values")
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)]  # pyright: ignore[reportArgumentType]
    for name in content:
        if name not in names:
            raise ConfigError(f"{where}: unknown entry {name!r}; accepted: {', '.join(names)}")
    try:
        return kind(
            **{name: _value(hints[name], value, f"{where}: {name}") for name, value in content.items()}
        )
    except TypeError:
        missing = [name for name in ("data", "output", "levels") if name in names and name not in content]
        raise ConfigError(f"{where}: missing: {', '.join(missing)}") from None


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return from_mapping(hint, value, where)  # pyright: ignore[reportArgumentType]
    if get_origin(hint) is tuple:
        entries = value if isinstance(value, list) else [value]
        return tuple(_value(get_args(hint)[0], entry, where) for entry in entries)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: {value!r}; accepted: {', '.join(map(str, get_args(hint)))}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: {value!r} is not of type {hint.__name__}")
    return value
