"""The animated picture of a `visualization` block: what it integrates, and the file."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.system import DensityPlot
from hybrid_propagate.driver.pictures import projection as module
from hybrid_propagate.driver.pictures.density_movie import draw_movie, write_movie
from hybrid_propagate.driver.pictures.projection import DensityProjection, density_projection
from PIL import Image
from pyscf import gto
from small_decks import kicked

#: H3+ in the yz plane: no core for the picture's coarse points to miss.
TRIHYDROGEN = "  H 0.0 0.0 0.5023\n  H 0.0 0.4350 -0.2511\n  H 0.0 -0.4350 -0.2511"


def deck(polarization: str, reference: str) -> str:
    shown = f"  visualization\n    tstart 4.0\n    tend 6.1\n    {reference}\n  end\n  print dipole"
    level = {"basis": "6-31G", "xc": "hfexch"}
    named = {"start": "trihydrogen", "head": "charge 1", "polarization": polarization}
    return kicked(TRIHYDROGEN, tmax=8.0, kick=0.05, rest=shown, **level, **named)


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory, propagate_in: Callable[..., subprocess.CompletedProcess[str]]
) -> Callable[[str, str], tuple[Path, gto.Mole, PropagationTask]]:
    """The folder of a finished run, its molecule and its task, by polarisation and treference line."""
    made: dict[tuple[str, str], tuple[Path, gto.Mole, PropagationTask]] = {}

    def finished(polarization: str, reference: str = "") -> tuple[Path, gto.Mole, PropagationTask]:
        key = polarization, reference
        if key not in made:
            folder = tmp_path_factory.mktemp("movie")
            (folder / "h3.nw").write_text(deck(polarization, reference))
            ended = propagate_in(folder, "h3.nw", "--surrogate", "none")
            assert ended.returncode == 0, ended.stderr
            task = read_deck(folder / "h3.nw").tasks[-1]
            assert isinstance(task, PropagationTask)
            made[key] = folder, make_engine(task.system, 1e9).mol, task
        return made[key]

    return finished


def projected(folder: Path, mol: gto.Mole, task: PropagationTask) -> DensityProjection:
    assert task.real_time.visualization is not None
    found = density_projection(folder / "trihydrogen.h5", mol, task.real_time.visualization)
    assert found is not None
    return found


def moments(projection: DensityProjection) -> tuple[np.ndarray, np.ndarray]:
    """Per time: electrons gained, and minus their first moments along u and v, by the rectangle rule."""
    _, rows, columns = projection.values.shape
    u, v = np.linspace(*projection.across, columns), np.linspace(*projection.up, rows)
    cell = (u[1] - u[0]) * (v[1] - v[0])
    first = np.stack(
        [(projection.values * u).sum((1, 2)), (projection.values.swapaxes(1, 2) * v).sum((1, 2))]
    )
    return cell * projection.values.sum((1, 2)), -cell * first.T


def test_the_picture_has_the_charge_and_the_dipole_of_the_run(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """∫Δρ = 0 and −∫ r Δρ = Δμ, the dipole that the run stored; in a box that cuts nothing off."""
    monkeypatch.setattr(module, "MARGIN", 9.0)
    monkeypatch.setattr(module, "PIXELS", 120)
    folder, mol, task = run("z")
    projection = projected(folder, mol, task)
    assert (projection.depth, projection.u, projection.v) == (0, 1, 2), "the nuclei lie in the yz plane"
    with h5py.File(folder / "trihydrogen.h5") as file:
        time, dipole = np.asarray(file["dynamics/time"]), np.asarray(file["dynamics/dipole"])
    rows = np.searchsorted(time, projection.times - 1e-9)
    np.testing.assert_allclose(projection.times, np.arange(20, 31) * 0.2, atol=1e-9)
    induced = (dipole - dipole[0])[rows][:, [projection.u, projection.v]]
    electrons, moved = moments(projection)
    size = np.abs(induced).max()
    assert size > 1e-3
    assert np.abs(electrons).max() < 2e-3 * size
    np.testing.assert_allclose(moved, induced, atol=5e-3 * size)


def test_a_reference_time_is_taken_off(run) -> None:
    folder, mol, task = run("z", "treference 5.0")
    projection = projected(folder, mol, task)
    assert projection.reference == "ρ(5 au)"
    sizes = np.abs(projection.values).max((1, 2))
    assert sizes[np.argmin(np.abs(projection.times - 5.0))] == 0.0
    assert sizes.max() > 1e-4


def test_of_equal_extents_the_quiet_axis_is_looked_along() -> None:
    """One atom reaches as far along x as along y and z; a field along x is not seen from there."""
    mol = gto.M(atom="Ne 0 0 0", basis="sto-3g")
    assert module.line_of_sight(mol, np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 0.01]])) == 1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-20.0, 20.0, (-5.0, 5.0)),  # a wide box is cut to the surroundings of the nuclei,
        (-2.0, 3.0, (-2.0, 3.0)),  # a close one is kept,
        (8.0, 12.0, (8.0, 12.0)),  # and one away from them as well.
    ],
)
def test_the_dplot_box_bounds_the_picture(low: float, high: float, expected: tuple[float, float]) -> None:
    mol = gto.M(atom="Ne 0 0 0", basis="sto-3g")
    plot = DensityPlot((low,) * 3, (high,) * 3, (10, 10, 10))
    for points in module.picture_points(mol, plot):
        assert (points[0], points[-1]) == pytest.approx(expected)


def test_the_file_has_a_frame_a_snapshot_and_is_whole_or_not_there(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mol, task = run("z")
    visualization = task.real_time.visualization
    assert visualization is not None
    written = (folder / "trihydrogen_density.gif").read_bytes()
    with Image.open(io.BytesIO(written)) as movie:
        assert movie.format == "GIF"
        assert getattr(movie, "n_frames") == 11  # noqa: B009
        assert movie.info["loop"] == 0
        first = np.asarray(movie.convert("RGB"), int)
        movie.seek(5)
        assert np.abs(np.asarray(movie.convert("RGB"), int) - first).max() > 50
    target = tmp_path / "movie.gif"
    target.write_bytes(b"of an earlier run")

    def fails(*_: object) -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr("hybrid_propagate.atomic.whole_file.os.replace", fails)
    with pytest.raises(OSError, match="disk full"):
        write_movie(folder / "trihydrogen.h5", target, mol, visualization)
    assert list(tmp_path.iterdir()) == []


def test_many_snapshots_become_a_limited_number_of_frames(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TIMES", 4)
    folder, mol, task = run("z")
    projection = projected(folder, mol, task)
    assert len(projection.times) == 4
    assert projection.times[[0, -1]] == pytest.approx([4.0, 6.0])
    assert draw_movie(projection, mol)[:6] == b"GIF89a"
