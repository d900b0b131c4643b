"""One absorption spectrum from one or several runs, whoever made them."""

from pathlib import Path

import numpy as np

from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, HIGHEST, Spectrum, SpectrumError, absorption
from .run import Run


def spectrum(
    *runs: Run | Path | str,
    tau: float = DAMPING,
    emax: float = HIGHEST,
    pade: bool = False,
    kick: tuple[str, float] | None = None,
) -> Spectrum:
    """Absorption after delta kicks, averaged over the runs; kicks along x, y and z give the cross-section.

    runs: `Run`s, trajectory files (.h5), or NWChem RT-TDDFT logs, plain or .gz.
    tau: damping time, au; a line gets the half width 1/tau. emax: highest energy, eV.
    pade: a Padé approximant in place of zero padding, for short runs.
    kick: axis and impulse (au) at the first point, such as ("z", 1e-5), for logs without the field.
    Raises SpectrumError (`BadInput`) for files that hold no kicked run, and for two kicks along one axis.
    """
    given = None
    if kick is not None:
        axis, impulse = kick
        if axis not in ("x", "y", "z"):
            raise SpectrumError(f"kick {axis!r}: accepted: x, y, z with an impulse, such as ('z', 1e-5)")
        given = (np.eye(3)["xyz".index(axis)], impulse)
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    signals = [signal for path in paths for signal in read_signals(path, kick=given)]
    return absorption(signals, tau, emax, pade=pade)
