"""Figures: written whole, quickly, without a display, whatever a run holds or lacks."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.pictures.plot import RunPicture, plot_run, plot_spectrum
from hybrid_propagate.driver.spectra.spectrum import Spectrum
from matplotlib.image import imread

TIME = 0.2 * np.arange(5000)
ENERGY = np.linspace(0.0, 40.0, 4001)


def picture() -> RunPicture:
    """A run of 5000 steps with everything in it."""
    rng = np.random.default_rng(0)
    starts = np.arange(0.0, 1000.0, 100.0)
    return RunPicture(
        title="toy",
        time=TIME,
        dipole=1e-5 * np.column_stack([0.0 * TIME, 0.1 * np.sin(0.3 * TIME), np.sin(0.4 * TIME)]) + 0.5,
        segments=[part for s in starts for part in ((s, s + 5.0, False), (s + 5.0, s + 100.0, True))],
        spread=np.column_stack([TIME, 1e-4 * np.exp(rng.normal(size=5000))]),
        residual=np.column_stack([starts, np.full(10, 2e-4)]),
        anchors=starts,
        audits=starts[::3] + 50.0,
        rejections=np.array([310.0]),
        allowed=1e-3,
        spectrum=Spectrum(ENERGY, {"z": 1.0 / (10.0 - ENERGY - 1j)}, 50.0),
    )


def drawn(path: Path) -> float:
    """Share of the picture that is not white; fails if it is no PNG."""
    pixels = imread(path)[..., :3]
    assert min(pixels.shape[:2]) > 400
    return float((pixels.min(axis=2) < 0.9).mean())


def test_a_full_run(tmp_path: Path) -> None:
    """Three panels, in under a second of CPU time."""
    plot_run(picture(), tmp_path / "a.png")
    started = time.process_time()
    plot_run(picture(), tmp_path / "b.png")
    assert time.process_time() - started < 1.0
    assert drawn(tmp_path / "b.png") > 0.05


EMPTY, PAIRS = np.empty(0), np.empty((0, 2))


@pytest.mark.parametrize(
    "changes",
    [
        {"spectrum": None},
        {
            "spread": PAIRS,
            "residual": PAIRS,
            "anchors": EMPTY,
            "audits": EMPTY,
            "rejections": EMPTY,
            "allowed": None,
        },
        {"spread": np.array([[0.0, 0.0], [1.0, np.nan]]), "residual": PAIRS},
        {"time": EMPTY, "dipole": np.empty((0, 3)), "segments": [], "spectrum": None},
        {"time": TIME[:1], "dipole": np.ones((1, 3)), "spectrum": None},
        {"dipole": np.ones((5000, 3))},
    ],
    ids=["no kick", "reference only", "zeros", "nothing yet", "one point", "no response"],
)
def test_runs_that_lack_something(changes: dict, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """The same figure with what there is, and no warning on the user's screen."""
    plot_run(replace(picture(), **changes), tmp_path / "a.png")
    assert drawn(tmp_path / "a.png") > 0.01
    # Files that earlier tests left to the garbage collector are closed whenever it runs, here too.
    assert [str(w.message) for w in recwarn if w.category is not ResourceWarning] == []


def test_spectrum_alone(tmp_path: Path) -> None:
    """And an error of the file system is raised, not swallowed."""
    spectrum = Spectrum(ENERGY, {axis: 1.0 / (10.0 - ENERGY - 1j) for axis in "xyz"}, 50.0)
    plot_spectrum("toy", spectrum, tmp_path / "s.png")
    assert drawn(tmp_path / "s.png") > 0.02
    with pytest.raises(OSError, match="No such file"):
        plot_spectrum("toy", spectrum, tmp_path / "none" / "s.png")
