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
from typing import TYPE_CHECKING, Any

import numpy as np

from ...adapters.files.trajectory import Contents, TrajectoryError, read_contents, read_density
from ...adapters.regular_file import read_regular
from ...atomic.errors import BadInput
from ..estimate.statement import digits_apart
from ..pictures.plot import PAGE
from ..pictures.run_figure import draw_run
from ..spectra.kicked_runs import read_kicked_runs
from ..spectra.lines import AbsorptionLine, absorption_lines, transition_densities
from ..spectra.response import read_response
from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, HIGHEST, Signal, Spectrum, SpectrumError, absorption
from ..spectra.window import Moved, Occupied, moved, partial_signal

if TYPE_CHECKING:
    import pandas

#: Of a summary, and of a figure.
_MOST_BYTES = 2**26


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

    def spectrum(
        self,
        *,
        tau: float = DAMPING,
        emax: float = HIGHEST,
        pade: bool = False,
        occupied: Occupied | None = None,
    ) -> Spectrum:
        """Absorption after a delta kick, of light along the kick, up to emax eV.

        tau: damping, au. pade: a Padé approximant in place of zero padding, for short runs. occupied: first
        and last of the occupied orbitals, from 1, whose part is wanted alone, such as core levels. Of several
        kicks: `hybrid_propagate.spectrum`. Raises SpectrumError (`BadInput`) for a run that was not kicked.
        """
        signals = read_signals(self.path)
        if occupied is not None:
            response = read_response(self.path)
            signals = [partial_signal(signal, response, occupied) for signal in signals]
        return absorption(signals, tau, emax, pade=pade)

    def moved(self, start: float, end: float, *, occupied: Occupied | None = None) -> Moved:
        """The electrons that have left their orbitals between two times, au: transitions, and atoms.

        Means over the window, to second order in the field. occupied: first and last of the occupied orbitals
        that count, from 1. Raises SpectrumError (`BadInput`) where the run kept no response or nothing moves.
        """
        response = read_response(self.path)
        if response is None:
            raise SpectrumError(f"{self.path}: it kept no response to tell transitions from")
        return moved(response, start, end, occupied)

    def lines(self, *, emax: float = HIGHEST) -> tuple[AbsorptionLine, ...]:
        """Absorption lines after a delta kick up to emax eV, ascending, of light along the kick.

        Energies, strengths and directions are fitted to the dipole, each with the most that the run's stated
        error can change it. Of several kicks: `hybrid_propagate.lines`. Raises SpectrumError (`BadInput`) for
        a run that was not kicked.
        """
        return absorption_lines(read_kicked_runs(self.path), emax)

    def transition_cube(self, line: AbsorptionLine, path: Path | str) -> None:
        """Write the transition density of one of `lines()` as a cube file, alpha and beta together.

        The deck that the run was made from must lie where it lay, or beside the run. Raises BadInput where it
        does not, and where the run kept no response; OSError.
        """
        from ...adapters.deck.reader import read_deck
        from ...adapters.pyscf.molecule import molecule
        from ..pictures.density_cubes import write_transition_cube
        from ..run.job import trajectories

        (matrix,) = transition_densities(read_kicked_runs(self.path), [line.energy])
        named = Path(str(self.summary["deck"]))
        deck = read_deck(named if named.exists() else self.path.parent / named.name)
        tasks = [task for task in deck.propagations if not task.real_time.no_propagation]
        names = [trajectory.name for trajectory in trajectories(deck)]
        if self.path.name not in names:
            raise TrajectoryError(f"{self.path}: {deck.path} makes no such file")
        mol = molecule(tasks[names.index(self.path.name)].system)
        write_transition_cube(Path(path), mol, matrix.sum(axis=0), f"line at {line.energy:.4f} eV")

    def figure(self, path: Path | str, *, width: float = PAGE) -> None:
        """Write the run's figure for print, `width` inches wide (3.3 for a column, 7 for a page).

        path: ending in .png, or in .pdf or .svg for lines that stay sharp. Raises BadInput for another
        ending, OSError when the file cannot be written.
        """
        signals: list[Signal] = []
        lines: tuple[AbsorptionLine, ...] = ()
        with contextlib.suppress(SpectrumError):
            signals = read_signals(self.path)
            lines = self.lines()
        draw_run(self._contents, self.path.stem, signals, Path(path), lines, width)

    def to_pandas(self) -> "pandas.DataFrame":
        """A row a time point, indexed by `time_au`; columns as `hybrid-read --to csv` names them.

        The frame's `attrs` tell what the run is. Raises BadInput without the extra `pandas`.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            needed = "pandas is not installed: pip install 'hybrid-propagate[pandas]'"
            raise BadInput(needed) from error

        from ..exports.table import columns

        frame = pandas.DataFrame(columns(self._contents)).set_index("time_au")
        attributes = self._contents.attributes.items()
        frame.attrs = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in attributes
            if name != "settings"
        }
        return frame

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
            return read_regular(self._beside(".png"), _MOST_BYTES)
        if not len(self.time):
            return None
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "run.png"
            self.figure(picture)
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
        digits = digits_apart(estimate.error, estimate.tolerance)
        return f"trajectory error at most {estimate.error:.{digits - 1}e} {met} tol {estimate.tolerance:g}"

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
            return json.loads(read_regular(path, _MOST_BYTES))
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
