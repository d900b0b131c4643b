"""Training the ensemble: what each member reads out beyond the read-out that all share.

Where the data leave it open, members should differ. So each starts from read-outs of its own at random, which
training takes back only as far as the data reach (randomised priors: Osband et al., NeurIPS 2018), and weighs
the molecules, and each one's geometries, in its own way (the Bayesian bootstrap: Rubin, Ann. Stat. 9, 130
(1981)). The encoder and the common read-out are finished.
"""

# e3nn's modules come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..network.response_decoder import assemble_kernel
from ..network.response_model import ResponseModel
from .config import EnsembleConfig
from .kernel_samples import KernelSample
from .response_task import FLOOR, draw_of_one_size, forms, kernel_form, network_inputs, of_one_size

#: Size of the read-outs that members start from, as a share of the common one's.
START = 0.05


class EnsembleTask:
    """Task of `trainer`: batches are geometries of equally many atoms; members take turns."""

    name: str = "ensemble"

    def __init__(
        self, model: ResponseModel, samples: list[KernelSample], config: EnsembleConfig, seed: int
    ) -> None:
        self.model, self.samples, self.config = model, samples, config
        decoder, generator = model.decoder, torch.Generator().manual_seed(seed)
        for readouts, common in (
            (decoder.own_readout, decoder.own_common),
            (decoder.bond_readout, decoder.bond_common),
        ):
            # Finished: no gradient that nobody takes.
            common.requires_grad_(False)
            with torch.no_grad():
                size = START * common.weight.square().mean().sqrt()
                for readout in readouts:
                    readout.requires_grad_(True)
                    start = torch.randn(readout.weight.shape, generator=generator)
                    readout.weight.copy_(size * start.to(size.device))
        self.module: torch.nn.Module = torch.nn.ModuleDict(
            {"own": decoder.own_readout, "bond": decoder.bond_readout}
        )
        self.weights = bootstrap(samples, np.random.default_rng([seed, 1]), model.config.members)
        self.groups = of_one_size(samples)

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[int]:
        """Indices of samples of one size of molecule."""
        return draw_of_one_size(self.groups, self.config.batch, rng)

    def loss(self, step: int, batch: Sequence[int]) -> tuple[Tensor, dict[str, float]]:
        """Mean relative error of one member, weighted as its own."""
        member, samples = step % self.model.config.members, [self.samples[k] for k in batch]
        inputs = network_inputs(self.model, samples)
        _, positions, pairs, _ = inputs
        with torch.no_grad():
            latents = self.model.decoder.latents(self.model.features(*inputs), positions, pairs)
        blocks = self.model.decoder.read(*latents, member)
        kernel = assemble_kernel(*blocks, pairs, len(samples[0].numbers))
        squares = kernel_form(kernel.float(), *forms(self.model, samples))[0]
        errors = torch.sqrt(squares.clamp(min=FLOOR))
        weights = torch.as_tensor(self.weights[member, batch], dtype=errors.dtype, device=errors.device)
        return (weights * errors).mean(), {"error": float(errors.detach().mean())}


def bootstrap(samples: Sequence[KernelSample], rng: np.random.Generator, members: int) -> np.ndarray:
    """Weights of the samples for each member, (members, n), mean 1."""
    names = sorted({sample.molecule for sample in samples})
    of_molecules = rng.exponential(size=(members, len(names)))
    places = [names.index(sample.molecule) for sample in samples]
    weights = of_molecules[:, places] * rng.exponential(size=(members, len(samples)))
    return weights / weights.mean(1, keepdims=True)
