"""Meta-training of few-shot adaptation: what `few_shot` adapts with, learned over the molecules of a data
set.

A task is one molecule: the support are pairs that trajectories at five to ten of its geometries visited,
the loss is the relative error at others of its geometries, on all linear pairs, after the steps on the
support.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..network.response_decoder import ResponseDecoder
from ..network.response_model import ResponseModel
from ..samples.pairs_file import PairsError
from .config import FewShotConfig
from .few_shot import GeometryLatents, Learned, adapted, geometries, read_outs, squared_errors
from .kernel_samples import linear_samples
from .response_task import FLOOR

#: Trajectories of a task, least and most, and geometries on which it is measured.
TRAJECTORIES, MEASURED = (5, 10), 4
#: Rates and factors are exponentials of so many times what is trained: they have further to go than weights.
_REACH = 10.0


@dataclass(frozen=True, eq=False)
class MoleculeGeometries:
    """One molecule's geometries with visited pairs, and with any, and their numbers in the file."""

    visited: GeometryLatents
    visited_numbers: np.ndarray
    every: GeometryLatents
    every_numbers: np.ndarray


@dataclass(frozen=True)
class Draw:
    """One task: molecule, rows of `visited` to adapt to, rows of `every` to measure on."""

    molecule: int
    support: tuple[int, ...]
    query: tuple[int, ...]


def molecules(model: ResponseModel, paths: Sequence[Path], base: str) -> list[MoleculeGeometries]:
    """What the training split of each file has, where trajectories visited enough. Raises PairsError if
    none."""
    found = []
    for path in paths:
        visited = linear_samples(path, "train", base, "trajectory")
        every = linear_samples(path, "train", base) if visited else {}
        if len(every) > 1:
            known = [geometries(model, list(samples.values())) for samples in (visited, every)]
            found.append(MoleculeGeometries(known[0], np.array([*visited]), known[1], np.array([*every])))
    if not found:
        raise PairsError(f"{paths[0].parent}: no pairs that trajectories visited, which few_shot needs")
    return found


class FewShotTask:
    """Task of `trainer`: batches are draws of molecules and geometries. The network itself stays as it is."""

    name: str = "few_shot"

    def __init__(
        self, decoder: ResponseDecoder, found: list[MoleculeGeometries], config: FewShotConfig
    ) -> None:
        self.decoder, self.molecules, self.config = decoder, found, config
        start = read_outs(decoder)
        self.parameters: torch.nn.ParameterDict = torch.nn.ParameterDict(
            {
                "start": start,
                "rates": torch.zeros_like(start),
                "factors": start.new_zeros(config.updates),
            }
        )
        self.module: torch.nn.Module = self.parameters

    def learned(self) -> Learned:
        """What there is to adapt with."""
        rates, factors = (torch.exp(_REACH * self.parameters[name]) for name in ("rates", "factors"))
        return Learned(self.parameters["start"], rates, factors)

    def saved(self) -> dict[str, Tensor]:
        """`learned` as what `torch.save` keeps."""
        return {name: value.detach().clone() for name, value in vars(self.learned()).items()}

    def draw(self, step: int, rng: np.random.Generator) -> Sequence[Draw]:
        """Molecules as often as each other; no geometry is both adapted to and measured on."""
        return [self._draw(rng) for _ in range(self.config.batch)]

    def loss(self, step: int, batch: Sequence[Draw]) -> tuple[Tensor, dict[str, float]]:
        """Mean relative error after the steps, over members and geometries; logged too: before them."""
        learned = self.learned()
        start, after = [], []
        # Second derivatives of forms that cancel: single precision throughout.
        with torch.autocast(learned.start.device.type, enabled=False):
            for task in batch:
                molecule = self.molecules[task.molecule]
                support, query = molecule.visited.take(task.support), molecule.every.take(task.query)
                weights = adapted(self.decoder, learned, support, graph=True)[-1]
                after.append(_error(self.decoder, weights, query))
                with torch.no_grad():
                    start.append(_error(self.decoder, learned.start, query))
        loss = torch.stack(after).mean()
        return loss, {"start": float(torch.stack(start).mean()), "adapted": float(loss.detach())}

    def _draw(self, rng: np.random.Generator) -> Draw:
        which = int(rng.integers(len(self.molecules)))
        molecule = self.molecules[which]
        least, most = TRAJECTORIES
        wanted = min(int(rng.integers(least, most + 1)), len(molecule.visited), len(molecule.every) - 1)
        support = rng.choice(len(molecule.visited), wanted, replace=False)
        others = np.flatnonzero(~np.isin(molecule.every_numbers, molecule.visited_numbers[support]))
        query = rng.choice(others, min(MEASURED, len(others)), replace=False)
        return Draw(which, tuple(support.tolist()), tuple(query.tolist()))


def _error(decoder: ResponseDecoder, weights: Tensor, query: GeometryLatents) -> Tensor:
    """Mean over members and geometries."""
    return torch.sqrt(squared_errors(decoder, weights, query).clamp(min=FLOOR)).mean()
