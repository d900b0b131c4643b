"""Training the memory on trajectories: tokens of the past to tokens of the next half steps.

A trajectory is read at every second of its points, so that the point between is the half step that a Magnus
step asks for. The geometry's part of the network is what the kernel's training left, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...adapters.files.plain_hdf5 import open_hdf5
from ..matrices.atom_pairs import atom_pairs
from ..matrices.symmetric_pairs import pack_antisymmetric, pack_symmetric
from ..network.purify import purify
from ..network.response_model import ResponseModel
from ..runtime.fitting_factors import fitting_factors
from ..samples.pairs_file import PairsError, read_pairs
from .config import DynamicsConfig
from .kernel_samples import molecule_of

#: Shares of the tokens' variance that training looks at, in thirds of the steps.
VARIANCE_CURRICULUM = (0.3, 0.6, 1.0)


@dataclass(frozen=True, eq=False)
class TokenSequence:
    """One trajectory. numbers, positions (bohr), moments: of the network. tokens: with currents, (t, A, d +
    d'), every half step; field: (t, 3); factors, currents: (A d, p), (A d', a); density: P0, (n, n); dt: of a
    half step."""

    name: str
    numbers: np.ndarray
    positions: np.ndarray
    moments: np.ndarray
    tokens: np.ndarray
    field: np.ndarray
    factors: np.ndarray
    currents: np.ndarray
    density: np.ndarray
    dt: float


def read_sequence(path: Path, pairs_path: Path) -> TokenSequence:
    """A trajectory file of `hybrid-dataset`, with the pairs file of its molecule. Raises PairsError."""
    content = read_pairs(pairs_path)
    try:
        with open_hdf5(path) as file:
            positions = np.asarray(file["geometry/positions"])
            overlap = np.asarray(file["matrices/overlap"])
            real, imaginary = (
                np.asarray(file[f"dynamics/density_{x}"])[:, 0].astype(float) for x in ("real", "imag")
            )
            field = np.asarray(file["dynamics/field"], np.float32)
            dt = float(np.asarray(file.attrs["dt"]))
    except (OSError, KeyError) as error:
        raise PairsError(f"{path}: not a trajectory with densities ({error})") from error
    apart = np.abs(content.geometries.positions - positions).max((1, 2))
    mol = molecule_of(pairs_path, content, int(apart.argmin()))
    if apart.min() > 1e-6:
        raise PairsError(f"{path}: its geometry is not among those of {pairs_path}")
    values, vectors = np.linalg.eigh(overlap)
    root = (vectors * np.sqrt(values)) @ vectors.T
    known = fitting_factors(mol)
    x = pack_symmetric(root @ (real - real[0]) @ root)
    y = pack_antisymmetric(root @ imaginary @ root)
    tokens, currents = (x @ known.factors.T, y @ known.currents.T)
    t, n_atoms = len(x), mol.natm
    return TokenSequence(
        path.stem,
        np.asarray(content.atomic_numbers, np.int64),
        mol.atom_coords().astype(np.float32),
        known.basis_moments.astype(np.float32),
        np.concatenate([tokens.reshape(t, n_atoms, -1), currents.reshape(t, n_atoms, -1)], axis=2).astype(
            np.float32
        ),
        field,
        known.factors.astype(np.float32),
        known.currents.astype(np.float32),
        (root @ real[0] @ root).astype(np.float32),
        dt,
    )


class DynamicsTask:
    """Task of `trainer`: stretches of trajectories, as long as the horizon curriculum has come to."""

    name: str = "dynamics"

    def __init__(self, model: ResponseModel, sequences: list[TokenSequence], config: DynamicsConfig) -> None:
        self.model, self.sequences, self.config = model, sequences, config
        self.module: torch.nn.Module = torch.nn.ModuleDict(
            {"dynamics": model.dynamics, "field": model.field, "context": model.context}
        )
        with torch.no_grad():
            self.features = [_features(model, sequence) for sequence in sequences]
        self.variances = [_variance_order(s) for s in sequences]
        self.scales = [_changes(s, model.config.bundle) for s in sequences]

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[tuple[int, int, bool]]:
        """Trajectory, first point, and whether to push forward, of each stretch."""
        length = self.horizon(step)
        chosen = rng.integers(len(self.sequences), size=self.config.batch)
        last = [max(len(self.sequences[k].tokens) - self._points(length), 0) for k in chosen]
        starts = [int(rng.integers(end + 1)) for end in last]
        pushed = rng.random(self.config.batch) < self.config.push_forward
        return [(int(k), start, bool(p)) for k, start, p in zip(chosen, starts, pushed, strict=True)]

    def loss(self, step: int, batch: Sequence[tuple[int, int, bool]]) -> tuple[Tensor, dict[str, float]]:
        """Mean of the losses of the stretches. To the memory they are atoms side by side."""
        dynamics, bundle = self.model.dynamics, self.model.config.bundle
        ends = [
            min(start + self._points(self.horizon(step)), len(self.sequences[k].tokens))
            for k, start, _ in batch
        ]
        steps = min((end - start - bundle) // 2 for end, (_, start, _) in zip(ends, batch, strict=True))
        parts = [self._stretch(k, start, steps) for k, start, _ in batch]
        inputs, truth, drive, context = (
            torch.cat(part, dim=axis)
            for part, axis in zip(zip(*parts, strict=True), (0, 1, 0, 0), strict=True)
        )
        # A stretch out of the middle has a past; side by side they are of the length of the longest.
        longest = max(start // 2 for _, start, _ in batch)
        state = dynamics.start(len(inputs), torch.cat([self._past(k, s, longest) for k, s, _ in batch]))
        sizes = [len(part[0]) for part in parts]
        pushed = torch.repeat_interleave(
            torch.tensor([p for *_, p in batch], device=inputs.device),
            torch.tensor(sizes, device=inputs.device),
        )
        if bundle >= 2 and any(p for *_, p in batch):
            # The second half goes on from the network's own tokens, without gradients through them.
            with torch.no_grad():
                change, _ = dynamics(inputs, drive, context, state)
            own = (inputs + change[1])[:, steps // 2 : -1]
            late = torch.where(pushed[:, None, None], own, inputs[:, steps // 2 + 1 :])
            inputs = torch.cat([inputs[:, : steps // 2 + 1], late], dim=1)
        change, _ = dynamics(inputs, drive, context, state)
        losses, errors = [], []
        found = zip((inputs + change).split(sizes, dim=1), truth.split(sizes, dim=1), strict=True)
        for (k, _, _), (predicted, wanted) in zip(batch, found, strict=True):
            loss, error = self._losses(step, k, predicted, wanted)
            losses.append(loss)
            errors.append(float(error.detach()))
        return torch.stack(losses).mean(), {"scaled_l2": float(np.mean(errors))}

    def horizon(self, step: int) -> int:
        """Steps of a sequence at this point of the curriculum."""
        horizons = self.config.horizon
        return horizons[min(step * len(horizons) // max(self.config.steps, 1), len(horizons) - 1)]

    def _points(self, length: int) -> int:
        return 2 * length + self.model.config.bundle

    def _stretch(self, k: int, start: int, steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Whole steps (A, steps, d), what follows each (bundle, A, steps, d), the field's share, context."""
        sequence, bundle = self.sequences[k], self.model.config.bundle
        device = self.model.context.weight.device
        part = slice(start, start + 2 * steps + bundle)
        tokens = torch.as_tensor(sequence.tokens[part], device=device).transpose(0, 1)
        field = torch.as_tensor(sequence.field[part], device=device)
        context, coupling = self.model.conditions(self.features[k])
        seen = torch.einsum("adx,tx->atd", coupling, field)
        truth = torch.stack([tokens[:, j + 1 : j + 1 + 2 * steps : 2] for j in range(bundle)])
        return tokens[:, : 2 * steps : 2], truth, seen[:, : 2 * steps : 2], context

    def _past(self, k: int, start: int, longest: int) -> Tensor:
        """Whole steps before a stretch, (A, longest, d); nothing before the trajectory."""
        tokens = self.sequences[k].tokens[start % 2 : start : 2]
        padded = np.concatenate([np.zeros((longest - len(tokens), *tokens.shape[1:]), np.float32), tokens])
        return torch.as_tensor(padded, device=self.model.context.weight.device).transpose(0, 1)

    def _losses(self, step: int, k: int, predicted: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of one stretch, and its scaled error; (bundle, A, steps, d)."""
        bundle, device = self.model.config.bundle, predicted.device
        scale = torch.as_tensor(self.scales[k], device=device)
        error = predicted - truth
        scaled = torch.sqrt((error.square().sum((1, 3)).mean(1) / scale).mean())
        if self.config.target == "density":
            return self._density_loss(k, predicted[min(1, bundle - 1)], truth[min(1, bundle - 1)]), scaled
        weights = self._variance_weights(step, k, device)
        loss = ((weights * error.square()).sum((1, 3)).mean(1) / scale).mean()
        if self.config.derivative:
            slope = ((weights * error.diff(dim=2).square()).sum((1, 3)).mean(1) / scale).mean()
            loss = loss + self.config.derivative * slope
        return loss, scaled

    def _variance_weights(self, step: int, k: int, device: torch.device) -> Tensor:
        order, cumulative = self.variances[k]
        share = 1.0
        if self.config.variance:
            share = VARIANCE_CURRICULUM[min(3 * step // max(self.config.steps, 1), 2)]
        kept = order[: int(np.searchsorted(cumulative, share)) + 1]
        weights = np.zeros(len(order), np.float32)
        weights[kept] = 1.0
        return torch.as_tensor(weights, device=device).reshape(self.sequences[k].tokens.shape[1], 1, -1)

    def _density_loss(self, k: int, predicted: Tensor, truth: Tensor) -> Tensor:
        """Reconstruction of the projected density, and how far the raw one was from trace and idempotency."""
        sequence, n_tokens = self.sequences[k], self.model.dynamics.n_tokens
        raw = density_of(sequence, predicted, n_tokens)
        target = density_of(sequence, truth, n_tokens)
        electrons = torch.diagonal(target, dim1=-2, dim2=-1).sum(-1).real
        projected = purify(raw, electrons, 2.0)
        scale = (target - target.mean(0)).abs().square().sum((1, 2)).mean() + 1e-12
        loss = (projected - target).abs().square().sum((1, 2)).mean() / scale
        skew = (raw - raw.mH).abs().square().sum((1, 2)).mean() / scale
        trace = (torch.diagonal(raw, dim1=-2, dim2=-1).sum(-1).real - electrons).square().mean() / scale
        rho = raw / 2
        idempotency = (rho @ rho - rho).abs().square().sum((1, 2)).mean() / scale
        config = self.config
        return loss + config.hermiticity * skew + config.trace * trace + config.idempotency * idempotency


def density_of(sequence: TokenSequence, tokens: Tensor, n_tokens: int) -> Tensor:
    """The direct-density head before its projection: tokens (A, t, d + d') to Löwdin densities (t, n, n)."""
    steps = tokens.shape[1]
    q = tokens[..., :n_tokens].transpose(0, 1).reshape(steps, -1)
    c = tokens[..., n_tokens:].transpose(0, 1).reshape(steps, -1)
    B, A = (torch.as_tensor(part, device=tokens.device) for part in (sequence.factors, sequence.currents))
    n = len(sequence.density)
    row, column = np.tril_indices(n)
    weight = torch.as_tensor(np.where(row == column, 1.0, np.sqrt(0.5)), dtype=q.dtype, device=q.device)
    lower = torch.zeros((steps, n, n), dtype=q.dtype, device=q.device)
    lower[:, row, column] = (q @ B) * weight
    real = lower + lower.transpose(1, 2) - torch.diag_embed(torch.diagonal(lower, dim1=1, dim2=2))
    row, column = np.tril_indices(n, -1)
    lower = torch.zeros_like(lower)
    lower[:, row, column] = (c @ A) * np.sqrt(0.5)
    imaginary = lower - lower.transpose(1, 2)
    return torch.complex(real + torch.as_tensor(sequence.density, device=q.device), imaginary)


def _features(model: ResponseModel, sequence: TokenSequence) -> Tensor:
    device = model.context.weight.device
    numbers, positions, moments = (
        torch.as_tensor(part, device=device)
        for part in (sequence.numbers, sequence.positions, sequence.moments)
    )
    pairs = torch.as_tensor(atom_pairs(np.array([len(sequence.numbers)])), device=device)
    return model.features(numbers, positions, pairs, moments)


def _changes(sequence: TokenSequence, bundle: int) -> np.ndarray:
    """Mean square of the change until each of the next `bundle` half steps, over the whole trajectory."""
    tokens = sequence.tokens.reshape(len(sequence.tokens), -1)
    squares = [np.square(tokens[j:] - tokens[:-j]).sum(1).mean() for j in range(1, bundle + 1)]
    return np.maximum(squares, 1e-20).astype(np.float32)


def _variance_order(sequence: TokenSequence) -> tuple[np.ndarray, np.ndarray]:
    """Tokens by falling variance, and the shares of it that they have covered."""
    variance = sequence.tokens.reshape(len(sequence.tokens), -1).var(0)
    order = np.argsort(-variance)
    return order, np.cumsum(variance[order]) / max(variance.sum(), 1e-30)
