"""Campaigns of hydrogen: the same files whoever carries them out, whatever is lost, and what is refused."""

import csv
import errno
import os
import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from browser import chromium, visit
from hybrid_propagate.adapters.files.trajectory import read_contents
from hybrid_propagate.adapters.nwchem.process import NWChemError
from hybrid_propagate.driver.campaign.campaign import campaign
from hybrid_propagate.driver.campaign.table import SECONDS
from hybrid_propagate.driver.commands.campaign import main
from hybrid_propagate.driver.front_door.spectrum import spectrum
from hybrid_propagate.driver.pictures.plot import COLUMN, PAGE

CONFIG = """
folder: out
molecule: {name: H2, functional: hf, basis: STO-3G, tmax: 4.1, dt: 0.2}
geometries:
  file: frames.xyz
axes:
  kicks: {along: [x, z]}
spectrum: {emax: 30}
"""
#: Along (1, 1, 1), so that every kick moves something.
FRAMES = "".join(f"2\n\nH 0 0 0\nH {x} {x} {x}\n" for x in (0.40, 0.41, 0.45, 0.46))


def laid_out(folder: Path, text: str = CONFIG) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "c.yaml").write_text(text)
    (folder / "frames.xyz").write_text(FRAMES)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nothing happened to."""
    folder = laid_out(tmp_path_factory.mktemp("campaign") / "quiet")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = campaign("c.yaml", executor="small_executors:here")
    assert result.failed == {}
    assert list(result.spectra) == [""]
    return folder


def table(folder: Path) -> list[dict[str, str]]:
    """Without what the clock says."""
    with (folder / "out/campaign.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in SECONDS} for row in csv.DictReader(file)]


def assert_same(folder: Path, made: Path) -> None:
    """Tables and every trajectory, to the last digit."""
    assert table(folder) == table(made)
    paths = sorted(path.relative_to(made) for path in made.glob("out/items/*/*.h5"))
    assert len(paths) == 8
    for path in paths:
        ours, theirs = read_contents(folder / path).series, read_contents(made / path).series
        np.testing.assert_array_equal(np.asarray(ours["dipole"]), np.asarray(theirs["dipole"]))
    with h5py.File(folder / "out/campaign.h5") as a, h5py.File(made / "out/campaign.h5") as b:
        name = "spectra/1/cross_section"
        np.testing.assert_array_equal(np.asarray(a[name]), np.asarray(b[name]))


def test_the_answer_is_the_mean_of_the_items(made: Path) -> None:
    sections = [
        spectrum(*sorted(made.glob(f"out/items/g000{k}/*.h5")), emax=30).cross_section for k in (1, 2, 3, 4)
    ]
    with h5py.File(made / "out/campaign.h5") as file:
        group = file["spectra/1"]
        np.testing.assert_allclose(group["cross_section"], np.mean(sections, 0), atol=1e-12)
        np.testing.assert_allclose(group["standard_deviation"], np.std(sections, 0, ddof=1), atol=1e-12)
        np.testing.assert_allclose(group["standard_error"], np.std(sections, 0, ddof=1) / 2, atol=1e-12)
        of_two = np.linalg.norm(np.mean(sections[:2], 0) - np.mean(sections, 0))
        apart = of_two / np.linalg.norm(np.mean(sections, 0))
        np.testing.assert_allclose(group["convergence"][1], [2, apart], rtol=1e-9)
    rows = table(made)
    assert [(row["item"], row["run"], row["starts_from"]) for row in rows[::2]] == [
        ("g0001", "kick_x", ""),
        ("g0002", "kick_x", "g0001"),
        ("g0003", "kick_x", "g0004"),
        ("g0004", "kick_x", ""),
    ]
    assert all(row["tolerance_met"] == "True" and float(row["estimated_error"]) < 1e-3 for row in rows)
    page = (made / "out/campaign.html").read_text()
    assert "4 of 4 items finished" in page
    assert "✓ every run meets its tolerance" in page
    assert 'href="items/g0003/g0003.log"' in page
    assert "<th>of</th>" not in page, "one mean needs no column that names it"


def test_graphs_make_the_kicks_of_an_item_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As each alone, with a log of its own, which an item that is resumed does not begin anew."""
    here, one = ["c.yaml", "--executor", "small_executors:here"], FRAMES[: FRAMES.index("2\n", 1)]
    dipoles = {}
    for along in ("x, z", "x", "z"):
        text = CONFIG.replace("x, z", along) + "options: {surrogate: rollout, max_ml_steps: 6}\n"
        folder = laid_out(tmp_path / along, text)
        (folder / "frames.xyz").write_text(one)
        monkeypatch.chdir(folder)
        assert main(here) == 0
        for path in folder.glob("out/items/g0001/*.h5"):
            dipoles[along, path.stem[-1]] = np.asarray(read_contents(path).series["dipole"])
    for axis, name in (("x", "1"), ("z", "1")):
        alone, together = dipoles[axis, name], dipoles["x, z", axis]
        np.testing.assert_allclose(together, alone, atol=1e-8 * np.abs(alone - alone[0]).max())
    item = tmp_path / "x, z/out/items/g0001"
    logs = {axis: (item / f"g0001_kick_{axis}.log").read_text() for axis in "xz"}
    assert all(log.count("Propagation finished") == 1 for log in logs.values())
    for name in ("item.json", "g0001_kick_z.h5", "g0001_kick_z.json"):
        (item / name).unlink()
    monkeypatch.chdir(tmp_path / "x, z")
    assert main(here) == 0
    again = np.asarray(read_contents(item / "g0001_kick_z.h5").series["dipole"])
    np.testing.assert_array_equal(again, dipoles["x, z", "z"])
    assert (item / "g0001_kick_x.log").read_text() == logs["x"]


@pytest.mark.parametrize("width", [1200, 380])
def test_the_page_is_no_wider_than_its_window(made: Path, tmp_path: Path, width: int) -> None:
    """Its figure is whole on both; a telephone has one of a column's width, with letters as large."""
    with chromium(tmp_path) as browser:
        visit(browser, made / "out/campaign.html", width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        size = "const e = document.querySelector('figure img'); return [e.clientWidth, e.naturalWidth]"
        seen, drawn = browser.execute_script(size)
        assert 300 < seen < width
        # 200 dots an inch.
        assert drawn == pytest.approx(200 * (PAGE if width == 1200 else COLUMN), abs=1.0)


def test_an_executor_that_loses_a_third_gives_the_same_files(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = laid_out(tmp_path / "losing")
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--executor", "small_executors:losing"]) == 0
    assert_same(folder, made)


def test_local_processes_go_on_from_what_is_there(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first item one run is whole and one is not there; of the second there is nothing."""
    folder = tmp_path / "begun"
    shutil.copytree(made, folder)
    first, second = folder / "out/items/g0001", folder / "out/items/g0002"
    for name in ("item.json", "g0001_kick_z.h5", "g0001_kick_z.json"):
        (first / name).unlink()
    shutil.rmtree(second)
    kept = (folder / "out/items/g0004/item.json").stat().st_mtime_ns
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--workers", "1"]) == 0
    assert (folder / "out/items/g0004/item.json").stat().st_mtime_ns == kept
    assert_same(folder, made)


def test_shares_are_collected_from_other_folders(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two machines made two items each; a third collects them."""
    for number, names in enumerate((("g0001", "g0003"), ("g0002", "g0004"))):
        for name in names:
            shutil.copytree(made / "out/items" / name, tmp_path / f"machine{number}/items/{name}")
    folder = laid_out(tmp_path / "collected")
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--collect", "../machine0"]) == 1
    assert "2 of 4 items are not finished, such as g0002" in capsys.readouterr().err
    assert main(["c.yaml", "--collect", "../machine0", "../machine1"]) == 0
    assert table(folder) == table(made)
    assert main(["c.yaml", "--collect", "--items", "0"]) == 2
    assert "--items is not for --collect" in capsys.readouterr().err
    assert main(["c.yaml", "--collect", "nowhere"]) == 2
    assert "nowhere: no campaign's folder" in capsys.readouterr().err


def test_a_share_is_carried_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = laid_out(tmp_path / "share", CONFIG.replace("[x, z]", "[z]"))
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--executor", "small_executors:here", "--items", "1::3"]) == 0
    assert [path.name for path in (folder / "out/items").iterdir()] == ["g0002"]
    assert not (folder / "out/campaign.csv").exists()
    capsys.readouterr()
    assert main(["c.yaml", "--executor", "small_executors:here", "--items", "4"]) == 2
    assert "--items 4: there are 4 items, numbered from 0" in capsys.readouterr().err
    assert main(["c.yaml", "--dry-run"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 5
    assert re.fullmatch(r"g0002: 1 propagation, \d+ s, \d+ MB, done, starts from g0001", shown[1])
    assert shown[4].startswith("4 items: about ")


def test_a_failed_item_says_why_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two nuclei at one place have no ground state."""
    folder = laid_out(tmp_path / "failed", CONFIG.replace("[x, z]", "[z]"))
    (folder / "frames.xyz").write_text(FRAMES.replace("0.41", "0.0"))
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--executor", "small_executors:here"]) == 1
    said = capsys.readouterr().err
    assert "1 of 4 items failed; the first, g0002: " in said
    assert "Traceback" not in said
    rows = table(folder)
    assert [row["state"] for row in rows] == ["done", "failed", "done", "done"]
    assert rows[1]["reason"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("axes:", "axis:"), "c.yaml:6: axis: unknown 'axis'; accepted: folder, deck"),
        (lambda t: t.replace("[x, z]", "[]"), "c.yaml:7: axes: kicks: along: "),
        (lambda t: t.replace("[x, z]", "[x, x]"), "x stands twice: two items would have one name"),
        (lambda t: t.replace("[x, z]", "[q]"), "c.yaml:7: axes: kicks: along: 1: 'q'; accepted: 'x', 'y' or"),
        (lambda t: t.replace("name: H2", "name: N2"), "frame 1 has other atoms than the deck"),
        (lambda t: t.replace("frames.xyz", "no.xyz"), "no.xyz: cannot be read"),
        (lambda t: t.replace("frames.xyz", "c.yaml"), "c.yaml: no file of frames that ASE can read"),
        (lambda t: t.replace("STO-3G", "STO-33G"), "no library set is called 'STO-33G'"),
        (lambda t: t + "options: {tolerance: 1}\n", "options: no option tolerance; "),
        (lambda t: t + "options: {restart: true}\n", "options: restart: the campaign decides this by itself"),
        (lambda t: t.replace("tmax: 4.1", "tmax: .inf"), "molecule: tmax: "),
        (lambda t: t + "deck: a.nw\n", "exactly one of deck and molecule is wanted"),
        (lambda t: t.replace("  file: frames.xyz", "  {}"), "exactly one of file and thermal is wanted"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    change: Callable[[str], str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = laid_out(tmp_path / "bad", change(CONFIG))
    monkeypatch.chdir(folder)
    assert main(["c.yaml"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (folder / "out/items").exists()


def test_a_full_disk_leaves_no_record(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command tries again."""
    folder = tmp_path / "full"
    shutil.copytree(made, folder)
    shutil.rmtree(folder / "out/items/g0004")
    monkeypatch.chdir(folder)
    words = ["c.yaml", "--executor", "small_executors:here"]

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "g0004.h5")

    def killed(*_: object) -> bool:
        raise NWChemError("nwchem was killed")

    with monkeypatch.context() as patch:
        patch.setattr("hybrid_propagate.driver.campaign.carry_out.run_deck", killed)
        assert main(words) == 1
        assert capsys.readouterr().err.splitlines()[-1].endswith("g0004: nwchem was killed")
        patch.setattr("hybrid_propagate.driver.campaign.carry_out.run_deck", full)
        assert main(words) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == (
        "hybrid-campaign: 1 of 4 items failed; the first, g0004: g0004.h5: No space left on device"
    )
    assert not (folder / "out/items/g0004/item.json").exists()
    assert [row["state"] for row in table(folder)][-1] == "failed"
    assert main(words) == 0


def test_other_settings_do_not_mix(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(made, folder)
    (folder / "c.yaml").write_text(CONFIG.replace("4.1", "4.3"))
    monkeypatch.chdir(folder)
    assert main(["c.yaml"]) == 2
    assert "g0001: made with other settings; remove it, or choose another folder" in capsys.readouterr().err


def test_sigterm_ends_it_and_the_same_command_goes_on(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ended"
    shutil.copytree(made, folder)
    shutil.rmtree(folder / "out/items/g0004")
    command = [Path(sysconfig.get_path("scripts")) / "hybrid-campaign", "c.yaml", "--workers", "1"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    first = folder / "out/items/g0004/begun.json"
    while not first.exists() and process.poll() is None:
        time.sleep(0.02)
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 130
    assert said.endswith("hybrid-campaign: interrupted; the same command goes on from here\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["c.yaml", "--executor", "small_executors:here"]) == 0
    assert_same(folder, made)


@pytest.mark.parametrize("text", ["a", "1:2:0", "::::"])
def test_shares_are_slices(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = laid_out(tmp_path / "slices")
    monkeypatch.chdir(folder)
    assert main(["c.yaml", "--items", text]) == 2
    assert f"--items {text}: " in capsys.readouterr().err
