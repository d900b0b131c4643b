"""Few-shot adaptation of trained weights to one molecule, from the pairs that a few of its trajectories
visited.

Adapted are the members' linear read-outs, by a few gradient steps on the squared relative error of the
pairs known (the support); what they read, the latents, stays (ANIL: Raghu et al., ICLR 2020), so it is
computed once a geometry. Where the steps begin (MAML: Finn, Abbeel, Levine, ICML 2017), how far they go in
every single weight (Meta-SGD: Li et al., arXiv:1707.09835) and in every step is learned from the error that
they leave at other geometries of the same molecule, by the gradient through all of them, second derivatives
included.

The error is quadratic in the read-outs, θ: along d = rates ∘ gradient it is least at θ − (g·d) / (2 Q(d))
d, with Q the form's quadratic part. A step goes that far times its own learned factor: what was learned on
small errors of one molecule holds for large ones of another. With all rates and factors 1 this is steepest
descent, which needs no learning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from ..matrices.atom_pairs import atom_pairs
from ..network.response_decoder import ResponseDecoder, assemble_kernel
from ..network.response_model import ResponseModel
from .kernel_samples import KernelSample
from .response_task import forms, kernel_form, network_inputs

Form = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class GeometryLatents:
    """Geometries of one molecule, all that adaptation needs of them. own: latents of atoms, (g, A, hidden);
    bond: of ordered pairs, (g, A (A − 1), hidden); form: as `response_task.forms`."""

    own: Tensor
    bond: Tensor
    form: Form

    def __len__(self) -> int:
        return len(self.own)

    def take(self, chosen: Sequence[int]) -> "GeometryLatents":
        """Some of them."""
        rows = torch.as_tensor(chosen, device=self.own.device)
        first, second, third, fourth = (part[rows] for part in self.form)
        return GeometryLatents(self.own[rows], self.bond[rows], (first, second, third, fourth))


@dataclass(frozen=True, eq=False)
class Learned:
    """What meta-training learns. start: read-outs as `read_outs`, (members, weights); rates: same, positive;
    factors: one a step."""

    start: Tensor
    rates: Tensor
    factors: Tensor


def geometries(model: ResponseModel, samples: Sequence[KernelSample]) -> GeometryLatents:
    """Latents and forms of samples of one molecule."""
    n = len(samples)
    with torch.no_grad():
        inputs = network_inputs(model, samples)
        _, positions, pairs, *_ = inputs
        own, bond = model.decoder.latents(model.features(*inputs), positions, pairs)
    return GeometryLatents(own.unflatten(0, (n, -1)), bond.unflatten(0, (n, -1)), forms(model, samples))


def read_outs(decoder: ResponseDecoder) -> Tensor:
    """Weights of all members' read-outs, of atoms and then of pairs, with what members share added to each:
    (members, weights)."""
    found = {name: value.detach() for name, value in decoder.named_parameters()}
    members = [
        [found[f"{of}_readout.{k}.weight"] + found[f"{of}_common.weight"] for of in ("own", "bond")]
        for k in range(decoder.members)
    ]
    return torch.stack([torch.cat(parts) for parts in members])


def set_read_outs(decoder: ResponseDecoder, weights: Tensor) -> None:
    """The inverse of `read_outs`."""
    with torch.no_grad():
        for name, value in _named(decoder, weights).items():
            decoder.get_parameter(name).copy_(value)


def steepest(decoder: ResponseDecoder, steps: int) -> Learned:
    """What needs no learning: steepest descent from the read-outs as they are."""
    start = read_outs(decoder)
    return Learned(start, torch.ones_like(start), start.new_ones(steps))


def squared_errors(decoder: ResponseDecoder, weights: Tensor, known: GeometryLatents) -> Tensor:
    """|ΔF_model − ΔF|² / |ΔF|² with read-outs `weights`, (members, geometries)."""
    return kernel_form(_kernel(decoder, weights, known), *known.form)


def mean_error(decoder: ResponseDecoder, weights: Tensor, known: GeometryLatents) -> Tensor:
    """Squared relative error of the members' mean, which is what is used: (geometries,)."""
    with torch.no_grad():
        mean = _kernel(decoder, weights, known).mean(0, keepdim=True)
        return kernel_form(mean, *known.form)[0].clamp(min=0.0)


def adapted(
    decoder: ResponseDecoder, learned: Learned, support: GeometryLatents, graph: bool, rounds: int = 1
) -> list[Tensor]:
    """Read-outs (members, weights) after each step. graph: keep what gradients through the steps need.
    rounds: how often all learned steps are taken."""
    start = learned.start if learned.start.requires_grad else learned.start.detach().requires_grad_()
    path, weights = [], start
    for factor in learned.factors.repeat(rounds):
        with torch.enable_grad():
            # Members do not touch each other: the gradient of the sum is that of each.
            loss = squared_errors(decoder, weights, support).mean(1).sum()
            [gradient] = torch.autograd.grad(loss, weights, create_graph=graph)
            direction = learned.rates * gradient
            slope = (gradient * direction).sum(1)
            curvature = _quadratic_part(decoder, direction, support).mean(1)
            # No gradient left is no step.
            length = factor * slope / (2 * curvature).clamp(min=torch.finfo(slope.dtype).tiny)
            weights = weights - length[:, None] * direction
        if not graph:
            weights = weights.detach().requires_grad_()
        path.append(weights)
    return path


def _quadratic_part(decoder: ResponseDecoder, direction: Tensor, known: GeometryLatents) -> Tensor:
    changes, targets, gram, constants = known.form
    kernel = _kernel(decoder, direction, known)
    return kernel_form(kernel, changes, torch.zeros_like(targets), gram, torch.zeros_like(constants))


def _kernel(decoder: ResponseDecoder, weights: Tensor, known: GeometryLatents) -> Tensor:
    """(members, geometries, A d, A d)."""
    n_atoms = known.own.shape[1]
    pairs = torch.as_tensor(atom_pairs(np.full(len(known), n_atoms)), device=known.own.device)
    named = {f"decoder.{name}": value for name, value in _named(decoder, weights).items()}
    inputs = (known.own.flatten(0, 1), known.bond.flatten(0, 1))
    of_atoms, of_pairs = functional_call(_Read(decoder), named, inputs)
    return assemble_kernel(of_atoms, of_pairs, pairs, n_atoms)


def _named(decoder: ResponseDecoder, weights: Tensor) -> dict[str, Tensor]:
    """Rows of weights by the names of the decoder's parameters; what members share is nothing beside them."""
    parameters = decoder.named_parameters()
    named = {name: torch.zeros_like(value) for name, value in parameters if "_common." in name}
    for member, row in enumerate(weights):
        own, bond = row.chunk(2)
        named |= {f"own_readout.{member}.weight": own, f"bond_readout.{member}.weight": bond}
    return named


class _Read(torch.nn.Module):
    """`ResponseDecoder.read` as what a module computes, for `functional_call`."""

    def __init__(self, decoder: ResponseDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, own: Tensor, bond: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.read(own, bond)
