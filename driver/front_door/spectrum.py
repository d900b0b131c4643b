"""One absorption spectrum from one or several runs, whoever made them."""

from pathlib import Path

import numpy as np

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
    given = None
    if kick is not None:
        axis, impulse = kick
        if axis not in ("x", "y", "z"):
            raise SpectrumError(f"kick {axis!r}: accepted: x, y, z with an impulse, such as ('z', 1e-5)")
        given = (np.eye(3)["xyz".index(axis)], impulse)
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    signals = signals_of([record for path in paths for record in read_records(path)], given)
    return absorption(signals, tau, emax, pade=pade)
