"""From a configuration to weights: samples, the stages of training, and the file they end in."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from ..network.response_model import ResponseModel, saved
from ..samples.pairs_file import PairsError, read_pairs
from .config import TrainConfig
from .dynamics_task import DynamicsTask, read_sequence
from .ensemble_task import EnsembleTask
from .few_shot_task import FewShotTask, molecules
from .kernel_samples import KernelSample, kernel_samples
from .response_task import ResponseTask
from .trainer import Report, Schedule, csv_report, train

#: Rows of a log.
_LOG_ROWS = 200


def fit(config: TrainConfig, device: str, say: Callable[[str], None], rank: int = 0) -> Path:
    """Train everything the configuration asks for; the path of the weights. Goes on where it was cut off.

    Raises PairsError for data that is missing or cannot be read, OSError.
    """
    config.output.mkdir(parents=True, exist_ok=True)
    paths = pairs_paths(config)
    samples = all_samples(config, paths, "train")
    if not samples:
        raise PairsError(f"{_folders(config)}: no closed-shell density functional pairs to train on")
    say(f"{len(samples)} geometries of {len({s.molecule for s in samples})} molecules")
    torch.manual_seed(config.seed)
    model = ResponseModel(config.model).to(device)
    response = config.response
    schedule = Schedule(
        response.steps, response.rate, response.decay, config.precision, config.checkpoint, config.seed
    )
    task = ResponseTask(model, samples, response)
    with _reporting(config, "response", response.steps, say, rank) as report:
        train(task, schedule, config.output, report)
    ensemble = config.ensemble
    if ensemble.steps:
        members = EnsembleTask(model, samples, ensemble, config.seed)
        schedule = Schedule(
            ensemble.steps, ensemble.rate, 0.0, config.precision, config.checkpoint, config.seed
        )
        with _reporting(config, "ensemble", ensemble.steps, say, rank) as report:
            train(members, schedule, config.output, report)
    dynamics = config.dynamics
    if dynamics.steps:
        sequences = [read_sequence(path, of) for path, of in _trajectories(config, paths)]
        if not sequences:
            raise PairsError(f"{_folders(config)}: no trajectories to train on")
        schedule = Schedule(
            dynamics.steps, dynamics.rate, 0.0, config.precision, config.checkpoint, config.seed
        )
        memory = DynamicsTask(model, sequences, dynamics)
        with _reporting(config, "dynamics", dynamics.steps, say, rank) as report:
            train(memory, schedule, config.output, report)
    learned: dict[str, object] = {}
    few_shot = config.few_shot
    if few_shot.steps:
        trained = [path for path in paths if not read_pairs(path).attributes["held_out"]]
        adaptation = FewShotTask(model.decoder, molecules(model, trained, config.base), few_shot)
        schedule = Schedule(
            few_shot.steps, few_shot.rate, 0.0, config.precision, config.checkpoint, config.seed
        )
        with _reporting(config, "few_shot", few_shot.steps, say, rank) as report:
            train(adaptation, schedule, config.output, report)
        learned["few_shot"] = adaptation.saved()
    path = config.output / "weights.pt"
    if rank == 0:
        trained_on = {
            "levels": list(config.levels),
            "base": config.base,
            "seed": config.seed,
            "elements": sorted({int(z) for sample in samples for z in sample.numbers}),
            "molecules": sorted({sample.molecule for sample in samples}),
            "geometries": len(samples),
            "data": hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest(),
        }
        part = path.with_suffix(".part")
        torch.save({**saved(model), **learned, "trained_on": trained_on}, part)
        part.replace(path)
    return path


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
def _reporting(
    config: TrainConfig, name: str, steps: int, say: Callable[[str], None], rank: int
) -> Iterator[Report]:
    """What writes the logs asked for, until the stage ends; of the first process alone."""
    reports: list[Report] = []
    every = max(steps // _LOG_ROWS, 1)
    loggers = config.loggers if rank == 0 else ()
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
                say(f"{name} {step}/{steps}: " + ", ".join(f"{k} {v:.4g}" for k, v in values.items()))

        yield report
