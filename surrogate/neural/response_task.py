"""Training the metric: relative errors of ΔF over geometries, each member with its own weights of them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..atom_pairs import atom_pairs
from .config import ResponseConfig
from .metric_samples import MetricSample, with_members
from .response_model import ResponseModel

#: Squared relative errors below this are rounding of single precision.
FLOOR = 1e-9


class ResponseTask:
    """Task of `trainer`: batches are geometries of equally many atoms."""

    name: str = "response"

    def __init__(
        self, model: ResponseModel, samples: list[MetricSample], config: ResponseConfig, seed: int
    ) -> None:
        self.model, self.samples, self.config = model, samples, config
        # The memory is trained later, on what this stage leaves.
        self.module: torch.nn.Module = torch.nn.ModuleDict(
            {"encoder": model.encoder, "basis": model.basis, "decoder": model.decoder}
        )
        members = model.config.members
        self.weights = with_members(samples, np.random.default_rng([seed, 1]), members)
        sizes = np.array([len(sample.numbers) for sample in samples])
        self.groups = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[int]:
        """Indices of samples of one size of molecule; sizes as often as there are samples of them."""
        shares = np.array([len(group) for group in self.groups]) / len(self.samples)
        group = self.groups[rng.choice(len(self.groups), p=shares)]
        return rng.choice(group, min(self.config.batch, len(group)), replace=False).tolist()

    def loss(self, step: int, batch: Sequence[int]) -> tuple[Tensor, dict[str, float]]:
        """Mean relative error, weighted by member."""
        squares = squared_errors(self.model, [self.samples[k] for k in batch])
        errors = torch.sqrt(squares.clamp(min=FLOOR))
        weights = torch.as_tensor(self.weights[:, batch], dtype=errors.dtype, device=errors.device)
        return (weights * errors).mean(), {"error": float(errors.detach().mean())}


def squared_errors(model: ResponseModel, samples: Sequence[MetricSample]) -> Tensor:
    """|ΔF_model − ΔF|² / |ΔF|², averaged over pairs, (members, samples); all of equally many atoms."""
    metric = model.metric(*network_inputs(model, samples), len(samples[0].numbers))
    # The form cancels: single precision, whatever the network runs in.
    return metric_form(metric.float(), *forms(model, samples))


def network_inputs(
    model: ResponseModel, samples: Sequence[MetricSample]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Atomic numbers, positions, pairs and basis moments, end to end."""
    like = model.context.weight
    pairs = torch.as_tensor(atom_pairs(np.array([len(s.numbers) for s in samples])), device=like.device)

    def joined(name: str) -> Tensor:
        return torch.as_tensor(np.concatenate([getattr(s, name) for s in samples]), device=like.device)

    return joined("numbers"), joined("positions").to(like.dtype), pairs, joined("moments").to(like.dtype)


def forms(model: ResponseModel, samples: Sequence[MetricSample]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """C, T, G (samples, A d, A d) and c (samples,)."""
    device = model.context.weight.device
    C, T, G = (torch.as_tensor(np.stack([getattr(s, x) for s in samples]), device=device) for x in "CTG")
    return C, T, G, torch.tensor([s.c for s in samples], device=device)


def metric_form(metric: Tensor, C: Tensor, T: Tensor, G: Tensor, c: Tensor) -> Tensor:
    """The quadratic form of `metric_samples`, (members, samples)."""
    return ((C @ metric @ G) * metric).sum((-1, -2)) - 2 * (T * metric).sum((-1, -2)) + c
