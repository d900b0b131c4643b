"""`open_run` and `Run` against the files of the command."""

import json
from pathlib import Path

import h5py
import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.commands.spectrum import main as spectrum_main
from small_decks import HYDRIDE, kicked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of lithium hydride: `z` with its densities, `reference` without them and without a surrogate."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, options in (
            ("z", []),
            ("reference", ["--surrogate", "none", "--save-density", "0"]),
            ("sparse", ["--save-density", "10"]),
        ):
            Path(f"{name}.nw").write_text(kicked(HYDRIDE, tmax=20.0, start=name))
            assert main([f"{name}.nw", *options]) == 0
    return folder


@pytest.fixture
def run(folder: Path) -> hp.Run:
    return hp.open_run(folder / "z.h5")


@pytest.mark.parametrize("name", ["time", "dipole", "energy", "field"])
def test_series_are_those_of_the_file(name: str, run: hp.Run) -> None:
    with h5py.File(run.path) as file:
        stored = file[f"dynamics/{name}"][()]
    series = getattr(run, name)
    np.testing.assert_array_equal(series, stored)
    assert len(series) == 99
    with pytest.raises(ValueError, match="read-only"):
        series[0] = 1.0


def test_densities_have_the_electrons_and_the_dipole(run: hp.Run) -> None:
    """Tr PS is 4 in LiH, and the change of Tr PD is that of the dipole; the file holds single precision."""
    with h5py.File(run.path) as file:
        overlap = file["matrices/overlap"][()]
    for k in (0, 50, -1):
        density = run.density(k)
        assert density.shape == (1, *overlap.shape)
        assert np.iscomplexobj(density)
        assert np.einsum("ij,ji->", density[0], overlap) == pytest.approx(4.0, abs=1e-5)
    np.testing.assert_array_equal(run.density(-1), run.density(98))


def test_densities_that_are_not_stored(folder: Path, run: hp.Run) -> None:
    sparse = hp.open_run(folder / "sparse.h5")
    # Both runs are the same trajectory.
    np.testing.assert_allclose(sparse.density(10), run.density(10), atol=1e-6)
    with pytest.raises(hp.BadInput, match=r"of point 5 is not stored \(10 are, of points 0 to 90\)"):
        sparse.density(5)
    with pytest.raises(hp.BadInput, match=r"0 is not stored \(none is\); a run with --save-density 1"):
        hp.open_run(folder / "reference.h5").density(0)
    for k in (99, -100):
        with pytest.raises(hp.BadInput, match=f"no point {k}; there are 99"):
            run.density(k)


def test_the_estimate_is_the_summary_s(folder: Path, run: hp.Run) -> None:
    summary = json.loads((folder / "z.json").read_text())
    assert run.summary == summary
    assert run.estimate == hp.Estimate(
        summary["estimated_error"], summary["error_bound"], summary["tolerance"], summary["tolerance_met"]
    )
    assert run.estimate.tolerance == 1e-3
    assert 0.0 < run.estimate.error < run.estimate.bound
    assert hp.open_run(folder / "reference.h5").estimate == hp.Estimate(0.0, 0.0, None, True)


def test_spectra_are_those_of_the_command(
    folder: Path, run: hp.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert spectrum_main(["z.h5", "--tau", "8", "--emax", "30"]) == 0
    peaks, fitted, _ = capsys.readouterr().out.partition(" fitted (eV)")
    # The damping cuts this run off, so its fitted lines follow.
    assert fitted
    printed = [line.split() for line in peaks.splitlines()[1:] if line.strip()]
    spectrum = run.spectrum(tau=8.0, emax=30.0)
    table = np.loadtxt("z_spectrum.dat")
    np.testing.assert_allclose(table[:, 0], spectrum.energy, atol=1e-9)
    np.testing.assert_allclose(table[:, 1], spectrum.cross_section, rtol=1e-9, atol=1e-12)
    assert spectrum.energy[-1] == pytest.approx(30.0)
    assert [f"{peak.energy:.3f}" for peak in spectrum.peaks] == [row[0] for row in printed]
    assert [f"{peak.strength:.4f}" for peak in spectrum.peaks] == [row[2] for row in printed]
    same = hp.spectrum(run, tau=8.0, emax=30.0)
    np.testing.assert_array_equal(same.cross_section, spectrum.cross_section)


def test_what_is_no_run(folder: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["something"] = 1
    (tmp_path / "text.h5").write_text("hello")
    for name, message in (
        ("nowhere.h5", "nowhere.h5: not a trajectory file that can be read"),
        ("text.h5", "text.h5: not a trajectory file"),
        ("other.h5", "other.h5: not the trajectory of a run"),
    ):
        with pytest.raises(hp.BadInput, match=message):
            hp.open_run(tmp_path / name)


def test_a_run_without_its_summary_is_not_finished(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "z.h5").write_bytes((folder / "z.h5").read_bytes())
    alone = hp.open_run(str(tmp_path / "z.h5"))
    assert len(alone.time) == 99
    assert repr(alone).endswith("99 points to 19.6 au, not finished>")
    with pytest.raises(hp.BadInput, match=r"z.json: there is no such file; a run writes it at its end"):
        _ = alone.estimate
    (tmp_path / "z.json").write_text("{")
    with pytest.raises(hp.BadInput, match=r"z.json: not the summary of a run"):
        _ = hp.open_run(tmp_path / "z.h5").summary


def test_notebooks_show_the_figure(folder: Path, run: hp.Run, tmp_path: Path) -> None:
    estimate = run.estimate
    standing = f"trajectory error at most {estimate.error:.1e} meets tol 0.001"
    assert repr(run) == f"<Run '{run.path}': 99 points to 19.6 au, {standing}>"
    assert run._repr_png_() == (folder / "z.png").read_bytes()
    page = run._repr_html_()
    assert standing in page
    assert "<img" in page
    (tmp_path / "z.h5").write_bytes((folder / "z.h5").read_bytes())
    drawn = hp.open_run(tmp_path / "z.h5")._repr_png_()
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    assert "reference steps alone" in repr(hp.open_run(folder / "reference.h5"))
