"""The training loop: plain torch, one process or many under `torchrun`.

A loop, a checkpoint and an all-reduce are all that is needed, and each is ten lines here that a test can run;
a framework would own the loop that exact resume, curricula and two stages want to see. Data-parallel training
wraps the loss in DistributedDataParallel: every process draws the same indices and takes its own share of
them.
"""

import csv
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from ...atomic.whole_file import whole_file
from .tensor_file import TensorFileError, load_tensors

Report = Callable[[int, dict[str, float]], None]


class Task(Protocol):
    """What is trained: parameters, batches, a loss."""

    name: str
    module: torch.nn.Module

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[Any]:
        """Indices of one batch, the same in every process."""
        ...

    def loss(self, step: int, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """Loss to be minimised, and what is logged beside it."""
        ...


@dataclass(frozen=True)
class Schedule:
    """steps: optimiser steps; rate: the highest learning rate, reached after a twentieth of the steps and
    brought to zero along a cosine; decay: of weights; precision: bfloat16 for mixed precision; checkpoint:
    steps between two."""

    steps: int
    rate: float
    decay: float
    precision: str
    checkpoint: int
    seed: int


class _Loss(torch.nn.Module):
    """The loss as a module, which is what DistributedDataParallel wraps."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.inner = task.module
        self.task = task

    def forward(self, step: int, batch: Sequence[Any]) -> tuple[Tensor, dict[str, float]]:
        return self.task.loss(step, batch)


def train(task: Task, schedule: Schedule, folder: Path, report: Report, stop: int | None = None) -> None:
    """Train, going on from `<folder>/<task>.pt` where there is one. stop: end after this step, as if cut off.

    One resumed is bit for bit one that was never cut off (on the same number of processes).
    Raises TensorFileError for a file there that is none of its own.
    """
    torch.manual_seed(schedule.seed)
    rank, size = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    parameters = [p for p in task.module.parameters() if p.requires_grad]
    device = parameters[0].device
    optimiser = torch.optim.AdamW(parameters, lr=schedule.rate, weight_decay=schedule.decay)
    rng = np.random.default_rng(schedule.seed)
    path, start = folder / f"{task.name}.pt", 0
    if path.exists():
        saved = load_tensors(path, device)
        try:
            task.module.load_state_dict(saved["module"])
            optimiser.load_state_dict(saved["optimiser"])
            rng.bit_generator.state, start = saved["rng"], int(saved["step"])
            torch.set_rng_state(saved["torch_rng"].cpu())
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise TensorFileError(f"{path}: not a state of this training; remove it to start anew") from error
    module: torch.nn.Module = _Loss(task)
    if size > 1:
        module = DistributedDataParallel(module, find_unused_parameters=True)
    mixed = torch.autocast(device.type, torch.bfloat16) if schedule.precision == "bfloat16" else nullcontext()
    last = schedule.steps if stop is None else min(stop, schedule.steps)
    for step in range(start, last):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _share(step, schedule.steps)
        batch = task.draw(step, rng)
        with mixed:
            loss, parts = module(step, batch[rank::size])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if torch.isfinite(norm):
            optimiser.step()
        done = step + 1
        if rank == 0:
            report(done, {"loss": float(loss.detach()), "gradient": float(norm), **parts})
            if done % schedule.checkpoint == 0 or done == last:
                state = {
                    "module": task.module.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "rng": rng.bit_generator.state,
                    "torch_rng": torch.get_rng_state(),
                    "step": done,
                }
                with whole_file(path) as part:
                    torch.save(state, part)


def csv_report(path: Path, every: int) -> Report:
    """Every so many steps one row: step and everything logged. Appends where the file exists."""
    seen: dict[str, list[float]] = {}

    def report(step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            seen.setdefault(name, []).append(value)
        if step % every:
            return
        means = {name: sum(v) / len(v) for name, v in seen.items()}
        seen.clear()
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["step", *means])
            writer.writerow([step, *(f"{value:.6g}" for value in means.values())])

    return report


@contextmanager
def joined_processes(device: str) -> Iterator[int]:
    """This process's rank among those that `torchrun` started; 0 if it did not start this one."""
    if "RANK" not in os.environ:
        yield 0
        return
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield dist.get_rank()
    finally:
        dist.destroy_process_group()


def _share(step: int, steps: int) -> float:
    warm = max(steps // 20, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
