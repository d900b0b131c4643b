"""Pump and probe as an axis: hydrogen's mean map, what each item states, what is resumed and refused."""

import csv
import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.campaign.campaign import campaign, laid_out
from hybrid_propagate.driver.campaign.item_maps import plans_of
from hybrid_propagate.driver.commands.campaign import main
from hybrid_propagate.driver.pump_probe.map_files import read_map
from small_decks import kicked, pump

CONFIG = """
folder: out
deck: h2.nw
geometries: {file: frames.xyz}
axes:
  pump_probe: {delays: [0, 4], probe: kick, window: 4}
spectrum: {tau: 10, emax: 30}
"""
FRAMES = "".join(f"2\n\nH 0 0 0\nH 0 0 {z}\n" for z in (0.74, 0.78))


def written(folder: Path, text: str = CONFIG) -> Path:
    folder.mkdir(exist_ok=True)
    atoms = "  H 0 0 0\n  H 0 0 0.74"
    rest = pump("z", 0.5, 4.0, 0.02)
    deck = kicked(atoms, tmax=14.1, start="h2", basis="6-31G", xc="hfexch", kick=1e-3, rest=rest)
    (folder / "h2.nw").write_text(deck)
    (folder / "frames.xyz").write_text(FRAMES)
    (folder / "c.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = written(tmp_path_factory.mktemp("maps") / "first")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = campaign("c.yaml", executor="small_executors:here")
    assert result.failed == {}
    assert list(result.maps) == [""]
    assert result.spectra == {}
    return folder


def maps(folder: Path) -> list[Path]:
    return [folder / f"out/items/g000{k}/g000{k}_pump_probe.h5" for k in (1, 2)]


def test_the_answer_is_the_mean_of_the_items_maps(made: Path) -> None:
    first, second = (read_map(path) for path in maps(made))
    assert not np.allclose(first.change, second.change, rtol=1e-2)
    with h5py.File(made / "out/campaign.h5") as file:
        group = file["maps/1"]
        np.testing.assert_allclose(group["change"], (first.change + second.change) / 2, atol=1e-12)
        np.testing.assert_allclose(group["without_pump"], (first.without_pump + second.without_pump) / 2)
        # Of two numbers, half their distance.
        apart = np.abs(first.change - second.change) / 2
        np.testing.assert_allclose(group["standard_error"], apart, atol=1e-12)
        np.testing.assert_array_equal(group["error"], [first.error, second.error])
        np.testing.assert_array_equal(group["change_error"], [first.change_error, second.change_error])
        mean = np.asarray(group["change"])
    with (made / "out/campaign_map.csv").open() as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["change_bohr2"]) for row in rows], mean.ravel(), rtol=1e-7)
    with (made / "out/campaign.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["item"], row["starts_from"], row["tolerance_met"]) for row in rows] == [
        ("g0001", "", "True"),
        ("g0002", "g0001", "True"),
    ]
    for row, one in zip(rows, (first, second), strict=True):
        assert float(row["estimated_error"]) == pytest.approx(one.error.max())
        assert float(row["change_error"]) == pytest.approx(one.change_error.max())
    page = (made / "out/campaign.html").read_text()
    assert "Mean over 2 geometries." in page
    assert "of their change by the pump" in page


def test_an_item_goes_on_from_its_probes(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One probe is lost with the item's record: it alone is made, with the same digits."""
    folder = tmp_path / "begun"
    shutil.copytree(made, folder)
    item = folder / "out/items/g0002"
    work = item / "g0002_pump_probe"
    before = read_map(maps(folder)[1])
    for path in (item / "item.json", work / "delay_4.h5", maps(folder)[1]):
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in (work / "delay_0.h5", work / "g0002.h5")}
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--executor", "small_executors:here"]) == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    np.testing.assert_array_equal(read_map(maps(folder)[1]).signal, before.signal)


def test_other_damping_takes_no_run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items that were made elsewhere, collected with another damping."""
    folder = written(tmp_path / "collected", CONFIG.replace("tau: 10", "tau: 5"))
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--collect", str(made / "out")]) == 0
    with h5py.File(folder / "out/campaign.h5") as ours, h5py.File(made / "out/campaign.h5") as theirs:
        tops = [np.abs(file["maps/1/without_pump"]).max() for file in (ours, theirs)]
        assert 0.4 < tops[0] / tops[1] < 0.9
    about = json.loads((made / "out/items/g0001/g0001_pump_probe.json").read_text())
    assert len(about["delays"]) == 2


def test_swept_parameters_make_a_map_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIG.replace("axes:", "axes:\n  fields: {pump: {max: [0.01, 0.02]}}")
    monkeypatch.chdir(written(tmp_path / "swept", text))
    first, second = laid_out(Path("c.yaml")).items
    assert first.probing is not None
    plans = plans_of(first.deck, first.probing)
    assert [plan.deck.prefix for plan in plans] == ["g0001_pump.max0.01", "g0001_pump.max0.02"]
    assert [[f.maximum for f in plan.pump.real_time.fields] for plan in plans] == [[0.01], [0.02]]
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("probe: kick", "probe: kik", "no field kik excites anything to probe with; there are: kick, pump"),
        ("[0, 4]", "[]", "c.yaml:6: axes: pump_probe: delays: no value; give one at least"),
        ("[0, 4]", "[0, 0]", "0.0 stands twice"),
        ("[0, 4]", "[0.03]", "c.yaml:6: axes: pump_probe: delay 0.03: not on a point of dt 0.2 au"),
        ("[0, 4]", "{from: 0, to: 4}", "c.yaml:6: axes: pump_probe: delays: "),
        ("window: 4", "window: 0", "c.yaml:6: axes: pump_probe: window: 0; accepted: "),
        ("window: 4", "windows: 4", "unknown 'windows'; accepted: delays, probe, window"),
        ("window: 4", "window: 40", "tmax 14.1 leaves 6.2 au behind delay 4"),
        ("axes:", "axes:\n  kicks: {along: [x]}", "give kicks or pump_probe"),
        ("deck: h2.nw", "molecule: {name: H2, functional: hf, basis: STO-3G, tmax: 9}", "need a deck with"),
        ("spectrum", "options: {fit: true}\nspectrum", "options: fit: not for pump_probe; accepted: tol"),
        ("spectrum", "options: {surrogate: neural}\nspectrum", "'neural' is not for pump_probe; accepted: "),
    ],
)
def test_bad_input_is_one_line(
    old: str,
    new: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = written(tmp_path / "bad", CONFIG.replace(old, new, 1))
    monkeypatch.chdir(folder)
    assert main(["c.yaml"]) == 2
    said = capsys.readouterr().err
    assert re.search(re.escape(message), said), said
    assert said.count("\n") == 1
    assert not (folder / "out/items").exists()
