"""A run, finished or interrupted, as its files tell it."""

import base64
import contextlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.trajectory import Contents, TrajectoryError, read_contents, read_density
from ..pictures.run_figure import draw_run
from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, HIGHEST, Spectrum, absorption


@dataclass(frozen=True)
class Estimate:
    """What a run states of its own accuracy.

    error: upper estimate of the trajectory error, RMS of the dipole's error over RMS of the induced dipole;
        0 for reference steps alone.
    bound: first-order bound of that error, far above the estimate as a rule.
    tolerance: the `tol` asked for; None for reference steps alone.
    met: whether the estimate is within the tolerance.
    """

    error: float
    bound: float
    tolerance: float | None
    met: bool


@dataclass(frozen=True)
class Run:
    """One propagation, read from its files when something is asked of it. T points in time, atomic units.

    path: the trajectory file, `<start>.h5`.

    The arrays are read-only. Everything raises TrajectoryError (`BadInput`) where a file lacks it.
    """

    path: Path

    @property
    def time(self) -> np.ndarray:
        """(T,) au."""
        return self._series("time", ())

    @property
    def dipole(self) -> np.ndarray:
        """(T, 3) au along x, y, z, electrons and nuclei, of the active geometry."""
        return self._series("dipole", (3,))

    @property
    def energy(self) -> np.ndarray:
        """(T,) total energy, Hartree, without the field's, as NWChem's Etot."""
        return self._series("energy", ())

    @property
    def field(self) -> np.ndarray:
        """(T, 3) applied field, au along x, y, z: mean of alpha and beta, sum over geometries."""
        return self._series("field", (3,))

    @property
    def finished(self) -> bool:
        """Whether the run reached its end; another goes on with `restart=True`."""
        return bool(self._contents.attributes.get("complete", False))

    def density(self, k: int) -> np.ndarray:
        """(n_spin, n, n) complex AO density at point k, stored in single precision.

        n_spin is 1 for a closed shell, whose trace with the overlap is the number of electrons, else 2,
        alpha and beta. Basis functions are in PySCF's order. Negative k count from the end. Raises
        TrajectoryError where the density of that point is not stored, and tells how to store it.
        """
        n = len(self.time)
        if not -n <= k < n:
            raise TrajectoryError(f"{self.path}: no point {k}; there are {n}")
        return read_density(self.path, k % n)

    def spectrum(self, *, tau: float = DAMPING, emax: float = HIGHEST, pade: bool = False) -> Spectrum:
        """Absorption after a delta kick, of light along the kick, up to emax eV.

        tau: damping, au. pade: a Padé approximant in place of zero padding, for short runs. Of several kicks:
        `hybrid_propagate.spectrum`. Raises SpectrumError (`BadInput`) for a run that was not kicked.
        """
        return absorption(read_signals(self.path), tau, emax, pade=pade)

    @property
    def summary(self) -> Mapping[str, Any]:
        """`<start>.json`: counts, seconds, errors, versions, as docs/files.md lists them."""
        return self._summary

    @property
    def estimate(self) -> Estimate:
        """The trajectory error that the run states, its bound, and whether the tolerance is met."""
        summary = self.summary
        return Estimate(
            float(summary["estimated_error"]),
            float(summary["error_bound"]),
            summary["tolerance"],
            bool(summary["tolerance_met"]),
        )

    def __repr__(self) -> str:
        end = self.time[-1] if len(self.time) else 0.0
        return f"<Run {str(self.path)!r}: {len(self.time)} points to {end:g} au, {self._standing()}>"

    def _repr_png_(self) -> bytes | None:
        """The run's figure, for notebooks: `<start>.png`, else a new one; None before the first point."""
        with contextlib.suppress(OSError):
            return self._beside(".png").read_bytes()
        if not len(self.time):
            return None
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "run.png"
            draw_run(self.path, picture, self.path.stem)
            return picture.read_bytes()

    def _repr_html_(self) -> str:
        """A line about the run over its figure, for notebooks."""
        figure = self._repr_png_()
        image = "" if figure is None else base64.b64encode(figure).decode("ascii")
        shown = f'<br><img alt="figure of the run" src="data:image/png;base64,{image}">' if image else ""
        return f"<div>{escape(repr(self)[1:-1])}{shown}</div>"

    def _standing(self) -> str:
        if not self.finished or not self._beside(".json").exists():
            return "not finished"
        estimate = self.estimate
        if estimate.tolerance is None:
            return "reference steps alone"
        met = "meets" if estimate.met else "DOES NOT MEET"
        return f"trajectory error at most {estimate.error:.1e} {met} tol {estimate.tolerance:g}"

    @cached_property
    def _contents(self) -> Contents:
        contents = read_contents(self.path)
        if "dt" not in contents.attributes:
            raise TrajectoryError(f"{self.path}: not the trajectory of a run; accepted: <start>.h5")
        for array in contents.series.values():
            array.setflags(write=False)
        return contents

    @cached_property
    def _summary(self) -> Mapping[str, Any]:
        path = self._beside(".json")
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise TrajectoryError(f"{path}: there is no such file; a run writes it at its end") from error
        except (OSError, ValueError) as error:
            raise TrajectoryError(f"{path}: not the summary of a run ({error})") from error

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name.removesuffix(".h5") + ending)

    def _series(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        return self._contents.series.get(name, np.zeros((0, *shape)))


def open_run(path: Path | str) -> Run:
    """The run whose trajectory file, `<start>.h5`, this is; it may be another user's, or unfinished.

    Raises TrajectoryError (`BadInput`) for a file that is none.
    """
    run = Run(Path(path))
    _ = run.time
    return run
