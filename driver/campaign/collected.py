"""What the items come to together: mean spectra over the geometries, and how far they have converged.

Of n cross-sections S_k the mean S̄ = Σ S_k / n has the standard error √(Σ (S_k − S̄)² / n(n−1)).
Spectra are taken in one by one, so that their number costs no memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import TrajectoryError
from ..front_door.spectrum import spectrum
from ..spectra.spectrum import Spectrum, SpectrumError
from .axes import Variation
from .carry_out import DONE, Standing
from .config import SpectrumChoice
from .items import Item


@dataclass(frozen=True, eq=False)
class MeanSpectrum:
    """The mean over the geometries at one level and one choice of what is swept.

    label: of that choice; empty where nothing but geometry and kick varies.
    mean: polarisabilities averaged. count: geometries in it.
    deviation: (m,) standard deviation of one geometry's cross-section, bohr²; zero for a single one.
    convergence: pairs of n and the distance of the mean of the first n from that of all, relative, both as
        root mean squares over the energies.
    """

    label: str
    mean: Spectrum
    count: int
    deviation: np.ndarray
    convergence: tuple[tuple[int, float], ...]

    @property
    def standard_error(self) -> np.ndarray:
        """(m,) bohr², of the mean's cross-section."""
        return self.deviation / np.sqrt(self.count)


@dataclass(eq=False)
class RunningMean:
    """Of arrays so far. squares: of them about their mean (Welford 1962)."""

    count: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(()))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(()))

    def take(self, own: np.ndarray) -> None:
        """Add one."""
        self.count += 1
        before = own - self.mean
        self.mean = self.mean + before / self.count
        self.squares = self.squares + before * (own - self.mean)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of one of them; zero for a single one."""
        return np.sqrt(self.squares / max(self.count - 1, 1))


@dataclass(eq=False)
class _Sums:
    """Spectra so far. early: mean cross-sections of the first 1, 2, 4, …"""

    first: Spectrum
    polarisability: dict[str, np.ndarray] = field(default_factory=dict)
    section: RunningMean = field(default_factory=RunningMean)
    early: dict[int, np.ndarray] = field(default_factory=dict)

    def take(self, found: Spectrum) -> None:
        """Add one geometry's."""
        for axis, values in found.polarisability.items():
            self.polarisability[axis] = self.polarisability.get(axis, 0.0) + values
        self.section.take(np.nan_to_num(found.cross_section))
        count = self.section.count
        if count & (count - 1) == 0:
            self.early[count] = self.section.mean

    def mean(self, label: str) -> MeanSpectrum:
        """Of all that were taken."""
        n, section, first = self.section.count, self.section.mean, self.first
        alpha = {axis: values / n for axis, values in self.polarisability.items()}
        size = max(float(np.linalg.norm(section)), 1e-300)
        convergence = tuple(
            (k, float(np.linalg.norm(early - section)) / size) for k, early in self.early.items() if k < n
        )
        return MeanSpectrum(
            label,
            Spectrum(first.energy, alpha, first.tau, first.sigma, first.cut),
            n,
            self.section.deviation,
            convergence,
        )


def mean_spectra(
    items: Sequence[Item],
    standings: Mapping[str, Standing],
    choice: SpectrumChoice,
    elsewhere: Mapping[str, Path],
) -> list[MeanSpectrum]:
    """Over the finished items, by what varies beside geometry and kick, in order.

    elsewhere: folders of items that were made elsewhere, by name. Runs that tell no spectrum are left out.
    """
    sums: dict[str, _Sums] = {}
    for item in items:
        if standings[item.name].state != DONE or item.probing is not None:
            continue
        for label, paths in _groups(item, elsewhere.get(item.name)):
            try:
                found = spectrum(*paths, tau=choice.tau, emax=choice.emax)
            except (SpectrumError, TrajectoryError):
                continue
            known = sums.setdefault(label, _Sums(found))
            if known.first.polarisability.keys() == found.polarisability.keys():
                known.take(found)
    return [one.mean(label) for label, one in sums.items() if one.section.count]


def label_of(item: Item, variation: Variation) -> str:
    """What varies beside geometry and kick, in words; empty where nothing does."""
    words = [word for word in item.level.values() if word]
    return ", ".join([*words, *(f"{name} {value}" for name, value in variation.values.items())])


def _groups(item: Item, folder: Path | None) -> Iterator[tuple[str, list[Path]]]:
    """Labels, and the trajectories whose kicks make one spectrum together."""
    groups: dict[str, list[Path]] = {}
    for variation, path in zip(item.variations, item.trajectories, strict=True):
        here = path if folder is None else folder / path.name
        groups.setdefault(label_of(item, variation), []).append(here)
    yield from groups.items()
