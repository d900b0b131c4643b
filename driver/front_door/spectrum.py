"""One absorption spectrum, and its lines, from one or several runs, whoever made them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..spectra.kicked_runs import read_kicked_runs
from ..spectra.lines import AbsorptionLine, absorption_lines
from ..spectra.records import read_records
from ..spectra.signals import signals_of
from ..spectra.spectrum import DAMPING, HIGHEST, Spectrum, SpectrumError, absorption
from .run import Run


def spectrum(
    *runs: Run | Path | str,
    tau: float = DAMPING,
    emax: float = HIGHEST,
    pade: bool = False,
    kick: tuple[str, float] | None = None,
) -> Spectrum:
    """Absorption after kicks, averaged over the runs; kicks along x, y and z give the cross-section.

    Of a pulse, α(ω) = μ(ω) / E(ω) where it has light, and NaN elsewhere. Parts of one run are joined.

    runs: `Run`s, trajectory files (.h5), or NWChem RT-TDDFT logs, plain or .gz.
    tau: damping time, au; a line gets the half width 1/tau. emax: highest energy, eV.
    pade: a Padé approximant in place of zero padding, for short runs.
    kick: axis and impulse (au) at the first point, such as ("z", 1e-5), for logs without the field.
    Raises SpectrumError (`BadInput`) for files without a known field, and for two kicks along one axis.
    """
    records = [record for path in _paths(runs) for record in read_records(path)]
    signals = signals_of(records, _given(kick))
    return absorption(signals, tau, emax, pade=pade)


def lines(
    *runs: Run | Path | str, emax: float = HIGHEST, kick: tuple[str, float] | None = None
) -> tuple[AbsorptionLine, ...]:
    """Absorption lines of one molecule up to emax eV, ascending, fitted to all its kicked runs together.

    runs, kick: as for `spectrum`. Kicks along x, y and z give oscillator strengths; with fewer they are those
    for light along the kicks. A log states no error, so its lines have that of the method alone.
    Raises SpectrumError (`BadInput`) for files that hold no kicked run, and for different time steps.
    """
    given = _given(kick)
    found = [run for path in _paths(runs) for run in read_kicked_runs(path, given)]
    if not found:
        raise SpectrumError("no kicked run to find lines in")
    return absorption_lines(found, emax)


def _paths(runs: Sequence[Run | Path | str]) -> list[Path]:
    return [run.path if isinstance(run, Run) else Path(run) for run in runs]


def _given(kick: tuple[str, float] | None) -> tuple[np.ndarray, float] | None:
    if kick is None:
        return None
    axis, impulse = kick
    if axis not in ("x", "y", "z"):
        raise SpectrumError(f"kick {axis!r}: accepted: x, y, z with an impulse, such as ('z', 1e-5)")
    return np.eye(3)["xyz".index(axis)], impulse
