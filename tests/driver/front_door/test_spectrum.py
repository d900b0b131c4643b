"""`spectrum` of several runs and logs."""

from pathlib import Path

import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main
from small_decks import HYDRIDE, kicked


def test_kicks_along_three_axes_are_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For light of any direction: S = (Sx + Sy + Sz) / 3; the log of a run gives the same."""
    monkeypatch.chdir(tmp_path)
    for axis in "xyz":
        Path(f"{axis}.nw").write_text(
            kicked(HYDRIDE, tmax=10.0, start=axis, polarization=axis, rest="  print dipole field")
        )
        with Path(f"{axis}.log").open("w") as log, pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", log)
            assert main([f"{axis}.nw"]) == 0
    runs = [hp.open_run(f"{axis}.h5") for axis in "xyz"]
    together = hp.spectrum(*runs, tau=5.0)
    mean = np.mean([run.spectrum(tau=5.0).cross_section for run in runs], axis=0)
    np.testing.assert_allclose(together.cross_section, mean, rtol=1e-12)
    logged = hp.spectrum(*(f"{axis}.log" for axis in "xyz"), tau=5.0)
    np.testing.assert_allclose(logged.cross_section, mean, atol=2e-4 * mean.max())
    with pytest.raises(hp.BadInput, match="a second run kicked along x"):
        hp.spectrum(runs[0], runs[0])
    with pytest.raises(hp.BadInput, match="accepted: x, y, z"):
        hp.spectrum(runs[0], kick=("w", 1e-5))
    with pytest.raises(hp.BadInput, match="no kicked run"):
        hp.spectrum()
