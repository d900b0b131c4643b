"""The mean map of pump and probe over the geometries, and what each item states of its own.

Of n changes ΔS_k(ω, τ) the mean has the standard error √(Σ (ΔS_k − mean)² / n(n−1)) at every point.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...atomic.whole_file import write_whole
from ..pump_probe.change import PumpProbeMap, with_spectra
from ..pump_probe.map_files import read_map
from .carry_out import DONE, Standing
from .collected import RunningMean, label_of
from .config import SpectrumChoice
from .item_maps import map_file, plans_of
from .items import Item


@dataclass(frozen=True, eq=False)
class MeanMap:
    """The mean over g geometries at one level and one choice of what is swept; d delays, m energies.

    label: of that choice; empty where nothing but the geometry varies. tau: damping, au.
    delays: (d,) au. energy: (m,) eV. absorption, change: (d, m), without_pump: (m,): means, bohr².
    deviation: (d, m) standard deviation of one geometry's change, bohr²; zero for a single one.
    items: names, in order. error, change_error: (g, d) stated by each, as in its own map.
    """

    label: str
    tau: float
    delays: np.ndarray
    energy: np.ndarray
    absorption: np.ndarray
    without_pump: np.ndarray
    deviation: np.ndarray
    items: tuple[str, ...]
    error: np.ndarray
    change_error: np.ndarray

    @property
    def count(self) -> int:
        """Geometries in it."""
        return len(self.items)

    @property
    def change(self) -> np.ndarray:
        """(d, m) mean of ΔS(ω, τ), bohr²."""
        return self.absorption - self.without_pump

    @property
    def standard_error(self) -> np.ndarray:
        """(d, m) bohr², of the mean change."""
        return self.deviation / np.sqrt(self.count)


@dataclass(eq=False)
class _Taken:
    """Maps so far."""

    first: PumpProbeMap
    absorption: RunningMean = field(default_factory=RunningMean)
    without_pump: RunningMean = field(default_factory=RunningMean)
    change: RunningMean = field(default_factory=RunningMean)
    items: list[str] = field(default_factory=list)
    errors: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def take(self, name: str, found: PumpProbeMap) -> None:
        """Add one item's."""
        self.items.append(name)
        self.errors.append((found.error, found.change_error))
        self.absorption.take(found.absorption)
        self.without_pump.take(found.without_pump)
        self.change.take(found.change)

    def mean(self, label: str, tau: float) -> MeanMap:
        """Of all that were taken."""
        return MeanMap(
            label,
            tau,
            self.first.delays,
            self.first.energy,
            self.absorption.mean,
            self.without_pump.mean,
            self.change.deviation,
            tuple(self.items),
            np.array([error for error, _ in self.errors]),
            np.array([change for _, change in self.errors]),
        )


def mean_maps(
    items: Sequence[Item],
    standings: Mapping[str, Standing],
    choice: SpectrumChoice,
    elsewhere: Mapping[str, Path],
) -> list[MeanMap]:
    """Over the finished items, by what varies beside the geometry, in order.

    elsewhere: folders of items that were made elsewhere, by name. Raises BadInput for a map that is damaged
    or gone.
    """
    taken: dict[str, _Taken] = {}
    for item in items:
        if standings[item.name].state != DONE:
            continue
        folder = elsewhere.get(item.name, item.deck.permanent_dir)
        for label, found in _maps(item, folder, choice):
            taken.setdefault(label, _Taken(found)).take(item.name, found)
    return [one.mean(label, choice.tau) for label, one in taken.items()]


def _maps(item: Item, folder: Path, choice: SpectrumChoice) -> Iterator[tuple[str, PumpProbeMap]]:
    """Labels and maps of an item, with the damping that is chosen now."""
    if item.probing is None:
        return
    plans = plans_of(item.deck, item.probing)
    for variation, plan in zip(item.variations, plans, strict=True):
        found = read_map(map_file(plan, folder))
        yield label_of(item, variation), with_spectra(found, plan, choice.tau, choice.emax)


def write_mean_maps(maps: Sequence[MeanMap], path: Path) -> None:
    """As comma-separated values, a row for each delay and energy. Raises OSError."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = ("change_bohr2", "standard_error_bohr2", "absorption_bohr2", "without_pump_bohr2")
    table.writerow(("label", "geometries", "delay_au", "energy_eV", *columns))
    for one in maps:
        for delay, *sections in zip(one.delays, one.change, one.standard_error, one.absorption, strict=True):
            table.writerows(
                [one.label, one.count, f"{delay:.10g}", f"{e:.4f}", *(f"{value:.8e}" for value in values)]
                for e, *values in zip(one.energy, *sections, one.without_pump, strict=True)
            )
    write_whole(path, text.getvalue())
