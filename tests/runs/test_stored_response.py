"""Which pairs of orbitals a trajectory file keeps for its lines; lines are the same without the others."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.reporters import response as kept_rows
from hybrid_propagate.driver.reporters.response import ResponseRows
from hybrid_propagate.driver.spectra.kicked_runs import read_kicked_runs
from hybrid_propagate.driver.spectra.lines import AbsorptionLine, absorption_lines, transition_densities
from hybrid_propagate.driver.spectra.response import read_response
from hybrid_propagate.driver.spectra.spectrum import SpectrumError
from hybrid_propagate.driver.spectra.window import chosen
from small_decks import WATER, kicked


def run(name: str, *options: str, **words) -> tuple[int, int]:
    """Columns of the response, and pairs."""
    given = {"atoms": WATER, "basis": "sto-3g", "xc": "hfexch", **words}
    Path(f"{name}.nw").write_text(kicked(start=name, **given))
    assert main([f"{name}.nw", *options]) == 0
    with h5py.File(f"{name}.h5") as file:
        return file["dynamics/response_real"].shape[1], len(file["ground/pairs"])


def joint_lines(*names: str) -> tuple[tuple[AbsorptionLine, ...], list[np.ndarray]]:
    """Of several kicks together, and the transition densities of the first two."""
    runs = [run for name in names for run in read_kicked_runs(Path(f"{name}.h5"))]
    lines = absorption_lines(runs)
    return lines, transition_densities(runs, [line.energy for line in lines[:2]])


def test_a_weak_kick_keeps_what_it_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Water along its axis and across its plane, of one irrep and of two; lines of both kicks together."""
    monkeypatch.chdir(tmp_path)
    sizes = [run(f"few{axis}", polarization=axis, tmax=60.0) for axis in "xz"]
    assert sizes == [(5, 10), (4, 10)]
    monkeypatch.setattr(kept_rows, "begins_weak", lambda _: False)
    assert [run(f"all{axis}", polarization=axis, tmax=60.0) for axis in "xz"] == [(10, 10), (10, 10)]
    (few, own), (every, expected) = (joint_lines(f"{name}x", f"{name}z") for name in ("few", "all"))
    assert len(few) == len(every) >= 3
    for line, other in zip(few, every, strict=True):
        assert line.energy == other.energy
        assert line.converged_energy == pytest.approx(other.converged_energy, abs=1e-6)
        assert [one.empty for one in line.transitions] == [one.empty for one in other.transitions]
        weights = [[one.weight for one in found.transitions] for found in (line, other)]
        assert weights[0] == pytest.approx(weights[1], abs=1e-5)
    for density, whole in zip(own, expected, strict=True):
        np.testing.assert_allclose(density, whole, atol=1e-5 * np.abs(whole).max())


def test_a_strong_kick_keeps_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Second order moves other irreps."""
    monkeypatch.chdir(tmp_path)
    assert run("strong", "--surrogate", "none", kick=0.05, tmax=2.0) == (10, 10)


def test_an_earlier_file_keeps_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a version that kept all pairs, and did not say which, goes on as it began."""
    monkeypatch.chdir(tmp_path)
    arrays = ResponseRows.arrays

    def without(rows: ResponseRows, problem) -> dict[str, np.ndarray]:
        return {name: array for name, array in arrays(rows, problem).items() if name != "pairs_kept"}

    with monkeypatch.context() as earlier:
        earlier.setattr(ResponseRows, "arrays", without)
        earlier.setattr(kept_rows, "begins_weak", lambda _: False)
        assert run("water", tmax=4.0) == (10, 10)
    assert run("water", "--restart", tmax=8.0) == (10, 10)
    found = read_response(Path("water.h5"))
    assert found is not None
    assert found.values.shape == (39, 10)


def test_a_run_goes_on_with_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has the columns of a run in one go, and their numbers within --tol."""
    monkeypatch.chdir(tmp_path)
    run("whole", tmax=8.0)
    run("water", tmax=4.0)
    assert run("water", "--restart", tmax=8.0) == (4, 10)
    found, expected = (read_response(Path(f"{name}.h5")) for name in ("water", "whole"))
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found.pairs, expected.pairs)
    # Other points are drawn, within --tol.
    np.testing.assert_allclose(found.values, expected.values, atol=1e-3 * np.abs(expected.values).max())


def test_an_orbital_at_rest_is_an_orbital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In STO-3G nothing along the axis leads out of the lone pair across water's plane, the fifth orbital."""
    monkeypatch.chdir(tmp_path)
    run("water", polarization="z", tmax=4.0)
    found = read_response(Path("water.h5"))
    assert found is not None
    assert found.highest_occupied == 4
    assert set(found.pairs[:, 1].tolist()) == {0, 1, 2, 3}
    assert not chosen(found, (5, 5)).any()
    with pytest.raises(SpectrumError, match="no occupied orbital from 6 to 7; accepted: 1 to 5"):
        chosen(found, (6, 7))
