"""Trained weights adapted to one molecule's own response pairs, and what that is worth at other geometries
of it.

How many steps of `few_shot` are taken is what answers each geometry best from the others. None of them:
adaptation would do harm, and is not done.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...atomic.errors import Failed
from ...atomic.whole_file import whole_file
from ..network.response_model import ResponseModel, saved
from ..samples.pairs_file import PairsError, read_pairs
from .evaluate import load_model
from .few_shot import (
    GeometryLatents,
    Learned,
    adapted,
    geometries,
    mean_error,
    read_outs,
    set_read_outs,
    steepest,
)
from .kernel_samples import LINEAR, KernelSample, linear_samples
from .tensor_file import load_tensors

#: Steps of weights that were not meta-trained, and how often all steps are taken at most: meta-training
#: affords few of them, and geometries left out tell how many more do good.
STEPS, ROUNDS = 5, 4
#: Most parts that geometries are left out in: up to so many, each by itself.
PARTS = 10
#: Bohr by which distances of one geometry may differ.
_SAME = 1e-3


class NoHelp(Failed):
    """Adaptation that makes errors at other geometries no smaller. One line."""


def adapt_weights(weights: Path, data: Sequence[Path], output: Path, say: Callable[[str], None]) -> None:
    """Adapt to the linear pairs of files, or of the files in folders, and write the adapted weights.

    Raises PairsError for weights and pairs that cannot be used, NoHelp, OSError.
    """
    model, trained_on = load_model(weights)
    name, n_pairs, samples = _samples(model, data, str(trained_on["base"]))
    known = geometries(model, samples)
    learned = learned_from(weights) or steepest(model.decoder, STEPS)
    say(f"{name}: {n_pairs} pairs of {len(samples)} geometries")
    path = adaptation(model, learned, known)
    errors = elsewhere(model, learned, samples, known, say)
    steps = len(path) - 1 if errors is None else int(errors.argmin())
    if errors is not None and not steps:
        raise NoHelp(
            f"{weights}: left as they are: geometry by geometry left out, adapted ones miss by "
            f"{_percent(errors[1:].min())} where these miss by {_percent(errors[0])}"
        )
    before, after = (_percent(_rms(mean_error(model.decoder, path[k], known))) for k in (0, steps))
    say(f"on these pairs: {before} before, {after} after {steps} steps")
    if errors is None:
        say("at other geometries: unknown, pairs of one geometry alone cannot tell")
    else:
        before, after = _percent(errors[0]), _percent(errors[steps])
        say(f"at other geometries, left out in turn: {before} before, {after} after")
    set_read_outs(model.decoder, path[steps])
    elements = {int(z) for z in trained_on["elements"]} | {int(z) for z in samples[0].numbers}  # pyright: ignore
    about = {**trained_on, "elements": sorted(elements), "adapted_to": name}
    with whole_file(output) as part:
        torch.save({**saved(model), "trained_on": about}, part)


def adaptation(model: ResponseModel, learned: Learned, known: GeometryLatents) -> list[torch.Tensor]:
    """Read-outs of the network as it is, and after each step."""
    return [read_outs(model.decoder), *adapted(model.decoder, learned, known, graph=False, rounds=ROUNDS)]


def elsewhere(
    model: ResponseModel,
    learned: Learned,
    samples: Sequence[KernelSample],
    known: GeometryLatents,
    say: Callable[[str], None],
) -> np.ndarray | None:
    """Relative errors at geometries left out in turn, after 0, 1, … steps on the others; None of one
    alone."""
    label = _labels(samples)
    different = np.unique(label)
    if len(different) < 2:
        return None
    squares = []
    parts = np.array_split(different, min(len(different), PARTS))
    for k, part in enumerate(parts):
        say(f"leaving out part {k + 1} of {len(parts)}")
        away = np.isin(label, part)
        out, others = (np.flatnonzero(keep).tolist() for keep in (away, ~away))
        path, left = adaptation(model, learned, known.take(others)), known.take(out)
        squares.append(torch.stack([mean_error(model.decoder, weights, left) for weights in path], 1))
    return np.sqrt(torch.cat(squares).mean(0).numpy())


def learned_from(weights: Path) -> Learned | None:
    """What meta-training left in a file of weights; None if there was none."""
    found: dict[str, Any] | None = load_tensors(weights).get("few_shot")
    return None if found is None else Learned(**found)


def _samples(model: ResponseModel, data: Sequence[Path], base: str) -> tuple[str, int, list[KernelSample]]:
    """Name of the one molecule, number of its linear pairs, and its geometries. Raises PairsError."""
    paths, samples, first = [path for given in data for path in _files(given)], [], None
    name, n_pairs = "", 0
    for path in paths:
        content = read_pairs(path)
        about = content.attributes
        unknown = sorted(set(content.atomic_numbers.tolist()) - set(model.config.elements))
        if unknown:
            raise PairsError(f"{path}: the network has no room for the element of number {unknown[0]}")
        kind = (
            sorted(content.atomic_numbers.tolist()),
            str(about["pyscf_xc"]),
            len(content.basis.atom_index),
        )
        if first is None:
            first, name = kind, str(about["molecule"])
        elif kind != first:
            raise PairsError(f"{path}: not the molecule, functional and basis of {paths[0]}: one at a time")
        samples += linear_samples(path, None, base).values()
        n_pairs += int((np.linalg.norm(content.pairs.density[:, 0], axis=(1, 2)) < LINEAR).sum())
    if not samples:
        raise PairsError(
            f"{data[0]}: no pairs to adapt to: closed shells, a density functional, |δP| below {LINEAR}"
        )
    return name, n_pairs, samples


def _files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = sorted((given / "pairs").glob("*.h5")) or sorted(given.glob("*_pairs.h5"))
    if not found:
        raise PairsError(f"{given}: no files of response pairs")
    return found


def _labels(samples: Sequence[KernelSample]) -> np.ndarray:
    """Equal numbers for equal geometries, turned or moved: two trajectories of one do not vouch for
    others."""
    distances = [np.linalg.norm(s.positions[:, None] - s.positions, axis=-1) for s in samples]
    same = [[a.shape == b.shape and np.abs(a - b).max() < _SAME for b in distances] for a in distances]
    return np.array(same).argmax(1)


def _rms(squares: torch.Tensor) -> float:
    return float(squares.mean().sqrt())


def _percent(error: float) -> str:
    return f"{100 * error:.2f} %"
