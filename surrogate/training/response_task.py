"""Training the kernel: relative errors of ΔF over geometries, by the read-out that all members share."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..matrices.atom_pairs import atom_pairs
from ..network.response_model import ResponseModel
from .config import ResponseConfig
from .kernel_samples import KernelSample

#: Squared relative errors below this are rounding of single precision.
FLOOR = 1e-9


class ResponseTask:
    """Task of `trainer`: batches are geometries of equally many atoms."""

    name: str = "response"

    def __init__(self, model: ResponseModel, samples: list[KernelSample], config: ResponseConfig) -> None:
        self.model, self.samples, self.config = model, samples, config
        # Members' own read-outs are nothing yet, and stay so (`ensemble_task`); the memory comes last.
        for readout in (*model.decoder.own_readout, *model.decoder.bond_readout):
            readout.requires_grad_(False)
        self.module: torch.nn.Module = torch.nn.ModuleDict(
            {"encoder": model.encoder, "basis": model.basis, "decoder": model.decoder}
        )
        self.groups = of_one_size(samples)

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[int]:
        """Indices of samples of one size of molecule."""
        return draw_of_one_size(self.groups, self.config.batch, rng)

    def loss(self, step: int, batch: Sequence[int]) -> tuple[Tensor, dict[str, float]]:
        """Mean relative error."""
        squares = squared_errors(self.model, [self.samples[k] for k in batch], 0)
        loss = torch.sqrt(squares.clamp(min=FLOOR)).mean()
        return loss, {"error": float(loss.detach())}


def of_one_size(samples: Sequence[KernelSample]) -> list[np.ndarray]:
    """Indices of samples of equally many atoms."""
    sizes = np.array([len(sample.numbers) for sample in samples])
    return [np.flatnonzero(sizes == size) for size in np.unique(sizes)]


def draw_of_one_size(groups: list[np.ndarray], batch: int, rng: np.random.Generator) -> list[int]:
    """A batch of one group; groups as often as there are samples of them."""
    shares = np.array([len(group) for group in groups])
    group = groups[rng.choice(len(groups), p=shares / shares.sum())]
    return rng.choice(group, min(batch, len(group)), replace=False).tolist()


def squared_errors(
    model: ResponseModel, samples: Sequence[KernelSample], member: int | None = None
) -> Tensor:
    """|ΔF_model − ΔF|² / |ΔF|², averaged over pairs, (members, samples); all of equally many atoms.

    member: this one alone, (1, samples).
    """
    kernel = model.token_kernel(*network_inputs(model, samples), len(samples[0].numbers), member)
    # The form cancels: single precision, whatever the network runs in.
    return kernel_form(kernel.float(), *forms(model, samples))


def network_inputs(
    model: ResponseModel, samples: Sequence[KernelSample]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Atomic numbers, positions, pairs and basis moments, end to end."""
    like = model.context.weight
    pairs = torch.as_tensor(atom_pairs(np.array([len(s.numbers) for s in samples])), device=like.device)

    def joined(name: str) -> Tensor:
        return torch.as_tensor(np.concatenate([getattr(s, name) for s in samples]), device=like.device)

    return joined("numbers"), joined("positions").to(like.dtype), pairs, joined("moments").to(like.dtype)


def forms(model: ResponseModel, samples: Sequence[KernelSample]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """q (samples, A d, pairs), where a sample has fewer zeros; T, G (samples, A d, A d); c (samples,)."""
    device = model.context.weight.device
    q = np.zeros((len(samples), len(samples[0].q), max(s.q.shape[1] for s in samples)), np.float32)
    for row, sample in zip(q, samples, strict=True):
        row[:, : sample.q.shape[1]] = sample.q
    T, G = (torch.as_tensor(np.stack([getattr(s, x) for s in samples]), device=device) for x in "TG")
    return torch.as_tensor(q, device=device), T, G, torch.tensor([s.c for s in samples], device=device)


def kernel_form(kernel: Tensor, q: Tensor, T: Tensor, G: Tensor, c: Tensor) -> Tensor:
    """The quadratic form of `kernel_samples`, (members, samples)."""
    answers = kernel @ q
    return ((G @ answers) * answers).sum((-1, -2)) - 2 * (T * kernel).sum((-1, -2)) + c
