"""What each loss, curriculum and part of the memory is worth: one flag changed at a time.

    OMP_NUM_THREADS=1 python benchmarks/neural/ablations.py training/shipped/weights.pt datasets/training

Trains the memory anew for every variant, from the same geometry encoder and seed, on the training
molecules' trajectories, and prints a Markdown table of errors on the held-out molecules': of the tokens a
half step ahead, over their change in that half step, and of 8, 16 and 32 whole steps on the network's own
predictions, over the tokens' size; the mean over trajectories. The last row is the straight line through the
last two points.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hybrid_propagate.surrogate.network.config import ModelConfig
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.config import DynamicsConfig
from hybrid_propagate.surrogate.training.dynamics_task import DynamicsTask, TokenSequence, read_sequence
from hybrid_propagate.surrogate.training.evaluate import load_model
from hybrid_propagate.surrogate.training.trainer import Schedule, train

HORIZONS = (8, 16, 32)
VARIANTS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "all": ({}, {}),
    "no derivative loss": ({}, {"derivative": 0.0}),
    "no horizon curriculum (64 throughout)": ({}, {"horizon": (64,)}),
    "no variance curriculum": ({}, {"variance": False}),
    "no push-forward": ({}, {"push_forward": 0.0}),
    "bundle of 1": ({"bundle": 1}, {}),
    "bundle of 8": ({"bundle": 8}, {}),
    "no FiLM": ({"film": False}, {}),
    "no memory": ({"memory": "none"}, {}),
    "density head": ({}, {"target": "density"}),
    "linear prediction, untrained": ({"memory": "none"}, {"steps": 0}),
}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--only", nargs="+", choices=tuple(VARIANTS), default=tuple(VARIANTS))
    options = parser.parse_args()
    trained, about = load_model(options.weights)
    levels = about["levels"]
    assert isinstance(levels, list)
    known, held_out = [], []
    for pairs in sorted(p for level in levels for p in (options.data / "pairs").glob(f"*_{level}.h5")):
        into = held_out if read_pairs(pairs).attributes["held_out"] else known
        paths = sorted((options.data / "trajectories").glob(f"{pairs.stem}_g*.h5"))
        into += [read_sequence(path, pairs) for path in paths]
    print(f"{len(known)} trajectories to train on, {len(held_out)} held out", file=sys.stderr)
    print("| variant | half step | " + " | ".join(f"{n} steps" for n in HORIZONS) + " |")
    print("|---|---|" + "---|" * len(HORIZONS), flush=True)
    for name in options.only:
        of_model, of_training = VARIANTS[name]
        model = _variant(trained, replace(trained.config, **of_model))
        config = replace(DynamicsConfig(steps=options.steps), **of_training)  # pyright: ignore
        with tempfile.TemporaryDirectory() as folder:
            schedule = Schedule(config.steps, config.rate, 0.0, "float32", 10**6, 0)
            if config.steps:
                task = DynamicsTask(model, known, config)
                train(task, schedule, Path(folder), lambda step, values: None)
        _print_row(name, [_errors(model, sequence) for sequence in held_out])
    _print_row("straight line", [_straight_errors(sequence) for sequence in held_out])
    return 0


def _print_row(name: str, errors: list[list[float]]) -> None:
    mean = np.mean(errors, axis=0)
    print(f"| {name} | " + " | ".join(f"{e:.3f}" if e == e else "–" for e in mean) + " |", flush=True)


def _variant(trained: ResponseModel, config: ModelConfig) -> ResponseModel:
    """A fresh memory on the trained geometry encoder."""
    torch.manual_seed(0)
    model = ResponseModel(config)
    for name in ("encoder", "basis", "decoder"):
        getattr(model, name).load_state_dict(getattr(trained, name).state_dict())
    return model


def _errors(model: ResponseModel, sequence: TokenSequence) -> list[float]:
    """Half a step ahead, then on its own from the middle of the trajectory."""
    task = DynamicsTask(model, [sequence], DynamicsConfig())
    dynamics, bundle = model.dynamics, model.config.bundle
    with torch.no_grad():
        context, coupling = model.conditions(task.features[0])
        tokens = torch.as_tensor(sequence.tokens).transpose(0, 1)
        seen = torch.einsum("adx,tx->atd", coupling, torch.as_tensor(sequence.field))
        now, half, whole = tokens[:, :-2:2], tokens[:, 1:-1:2], tokens[:, 2::2]
        now, half, whole = (part[:, : whole.shape[1]] for part in (now, half, whole))
        drive = seen[:, :-2:2][:, : now.shape[1]]
        change, _ = dynamics(now, drive, context, dynamics.start(len(now)))
        late = slice(now.shape[1] // 4, None)
        wrong = (now + change[0] - half)[:, late]
        errors = [float(torch.linalg.vector_norm(wrong) / torch.linalg.vector_norm((half - now)[:, late]))]
        if bundle < 2:
            return errors + [float("nan")] * len(HORIZONS)
        start = now.shape[1] // 2
        _, state = dynamics(now[:, :start], drive[:, :start], context, dynamics.start(len(now)))
        current, size = now[:, start], torch.linalg.vector_norm(now) / now.shape[1] ** 0.5
        for step in range(max(HORIZONS)):
            change, state = dynamics(current[:, None], drive[:, start + step, None], context, state)
            current = current + change[1, :, 0]
            if step + 1 in HORIZONS:
                errors.append(float(torch.linalg.vector_norm(current - whole[:, start + step]) / size))
    return errors


def _straight_errors(sequence: TokenSequence) -> list[float]:
    """The same errors of the straight line through the last two whole steps."""
    now, half, whole = sequence.tokens[:-2:2], sequence.tokens[1:-1:2], sequence.tokens[2::2]
    slope = now - np.concatenate([np.zeros_like(now[:1]), now[:-1]])
    late = slice(len(now) // 4, None)
    wrong, change = (now + slope / 2 - half)[late], (half - now)[late]
    errors = [float(np.linalg.norm(wrong) / np.linalg.norm(change))]
    start, size = len(now) // 2, np.linalg.norm(now) / len(now) ** 0.5
    for n in HORIZONS:
        end = now[start] + n * slope[start]
        errors.append(float(np.linalg.norm(end - whole[start + n - 1]) / size))
    return errors


if __name__ == "__main__":
    sys.exit(main())
