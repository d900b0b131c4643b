"""From a configuration to weights: samples, the stages of training, and the file they end in."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ...atomic.whole_file import whole_file
from ..network.response_model import ResponseModel, saved
from ..samples.pairs_file import PairsError, read_pairs
from .config import DynamicsConfig, EnsembleConfig, FewShotConfig, ResponseConfig, TrainConfig
from .dynamics_task import DynamicsTask, TokenSequence, read_sequence
from .ensemble_task import EnsembleTask
from .few_shot_task import FewShotTask, molecules
from .kernel_samples import KernelSample, kernel_samples
from .response_task import ResponseTask
from .trainer import Report, Schedule, Task, csv_report, train

#: Rows of a log.
_LOG_ROWS = 200


@dataclass(frozen=True)
class TrainingLog:
    """Where a fit tells how it goes.

    config: names the loggers; say: takes lines; rank: of this process, of which the first alone logs.
    """

    config: TrainConfig
    say: Callable[[str], None]
    rank: int


def fit(config: TrainConfig, device: str, say: Callable[[str], None], rank: int = 0) -> Path:
    """Train everything the configuration asks for; the path of the weights. Goes on where it was cut off.

    Raises PairsError for data that is missing or cannot be read, OSError.
    """
    config.output.mkdir(parents=True, exist_ok=True)
    paths, log = pairs_paths(config), TrainingLog(config, say, rank)
    samples = all_samples(config, paths, "train")
    if not samples:
        raise PairsError(f"{_folders(config)}: no closed-shell density functional pairs to train on")
    say(f"{len(samples)} geometries of {len({s.molecule for s in samples})} molecules")
    torch.manual_seed(config.seed)
    model = ResponseModel(config.model).to(device)
    _stage(log, ResponseTask(model, samples, config.response), config.response, config.response.decay)
    if config.ensemble.steps:
        _stage(log, EnsembleTask(model, samples, config.ensemble, config.seed), config.ensemble)
    if config.dynamics.steps:
        _stage(log, DynamicsTask(model, _sequences(config, paths), config.dynamics), config.dynamics)
    content = saved(model)
    if config.few_shot.steps:
        trained = [path for path in paths if not read_pairs(path).attributes["held_out"]]
        adaptation = FewShotTask(model.decoder, molecules(model, trained, config.base), config.few_shot)
        _stage(log, adaptation, config.few_shot)
        content["few_shot"] = adaptation.saved()
    path = config.output / "weights.pt"
    if rank == 0:
        with whole_file(path) as part:
            torch.save({**content, "trained_on": _trained_on(config, paths, samples)}, part)
    return path


def _stage(
    log: TrainingLog,
    task: Task,
    settings: ResponseConfig | EnsembleConfig | DynamicsConfig | FewShotConfig,
    decay: float = 0.0,
) -> None:
    """Train one task to its end."""
    config = log.config
    schedule = Schedule(
        settings.steps, settings.rate, decay, config.precision, config.checkpoint, config.seed
    )
    with _reporting(log, task.name, settings.steps) as report:
        train(task, schedule, config.output, report)


def _sequences(config: TrainConfig, paths: list[Path]) -> list[TokenSequence]:
    """Trajectories of the molecules trained on. Raises PairsError where there is none."""
    sequences = [read_sequence(path, of) for path, of in _trajectories(config, paths)]
    if not sequences:
        raise PairsError(f"{_folders(config)}: no trajectories to train on")
    return sequences


def _trained_on(config: TrainConfig, paths: list[Path], samples: Sequence[KernelSample]) -> dict[str, object]:
    """What the file of weights says of where they come from."""
    return {
        "levels": list(config.levels),
        "base": config.base,
        "seed": config.seed,
        "elements": sorted({int(z) for sample in samples for z in sample.numbers}),
        "molecules": sorted({sample.molecule for sample in samples}),
        "geometries": len(samples),
        "data": hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest(),
    }


def pairs_paths(config: TrainConfig) -> list[Path]:
    """Files of response pairs of the configuration's levels. Raises PairsError."""
    found = [
        sorted(path for folder in config.data for path in (folder / "pairs").glob(f"*_{level}.h5"))
        for level in config.levels
    ]
    for level, paths in zip(config.levels, found, strict=True):
        if not paths:
            raise PairsError(f"{_folders(config)}: no pairs/*_{level}.h5; hybrid-dataset makes them")
    return sorted(path for paths in found for path in paths)


def all_samples(config: TrainConfig, paths: list[Path], split: str) -> list[KernelSample]:
    """Samples of all files."""
    return [s for path in paths for s in kernel_samples(path, split, config.seed, config.base)]


def _folders(config: TrainConfig) -> str:
    return ", ".join(map(str, config.data))


def _trajectories(config: TrainConfig, paths: list[Path]) -> list[tuple[Path, Path]]:
    """Trajectory files, each with the pairs file of its molecule; none of held-out molecules."""
    return [
        (path, pairs)
        for pairs in paths
        if not read_pairs(pairs).attributes["held_out"]
        for path in sorted((pairs.parent.parent / "trajectories").glob(f"{pairs.stem}_g*.h5"))
    ]


@contextmanager
def _reporting(log: TrainingLog, name: str, steps: int) -> Iterator[Report]:
    """What writes the logs asked for, until the stage ends."""
    config, reports = log.config, list[Report]()
    every = max(steps // _LOG_ROWS, 1)
    loggers = config.loggers if log.rank == 0 else ()
    with ExitStack() as stack:
        if "csv" in loggers:
            reports.append(csv_report(config.output / f"{name}.csv", every))
        if "tensorboard" in loggers:
            from torch.utils.tensorboard import SummaryWriter

            writer = stack.enter_context(SummaryWriter(str(config.output / "tensorboard")))

            def to_tensorboard(step: int, values: dict[str, float]) -> None:
                for key, value in values.items():
                    writer.add_scalar(f"{name}/{key}", value, step)

            reports.append(to_tensorboard)
        if "wandb" in loggers:
            import wandb

            # A run a stage: steps of one run may not start again.
            run = stack.enter_context(
                wandb.init(
                    project="hybrid-propagate", dir=str(config.output), name=f"{config.output.name}-{name}"
                )
            )
            reports.append(
                lambda step, values: run.log({f"{name}/{k}": v for k, v in values.items()}, step=step)
            )

        def report(step: int, values: dict[str, float]) -> None:
            for one in reports:
                one(step, values)
            if step % max(steps // 20, 1) == 0:
                log.say(f"{name} {step}/{steps}: " + ", ".join(f"{k} {v:.4g}" for k, v in values.items()))

        yield report
