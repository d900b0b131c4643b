"""Real short runs: by branches against whole runs, by the surrogate against reference steps, and resumed."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.pump_probe import map_files
from hybrid_propagate.driver.pump_probe import run as run_module
from hybrid_propagate.driver.pump_probe.plan import with_fields
from small_decks import HYDRIDE, kicked, pump

PUMP = pump("z", 0.16, 3.0, 0.02)
DELAYS, WINDOW = [0.0, 2.0], 6.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Maps of lithium hydride by the surrogate (`fast`) and by reference steps (`whole`)."""
    folder = tmp_path_factory.mktemp("maps")
    with pytest.MonkeyPatch.context() as patch:
        # The pictures are test_change's.
        patch.setattr(map_files, "heat_maps", lambda *_: None)
        for name, surrogate in (("fast", "response"), ("whole", "none")):
            (folder / name).mkdir()
            patch.chdir(folder / name)
            Path("lih.nw").write_text(
                kicked(HYDRIDE, tmax=12.1, start="lih", polarization="x", kick=1e-3, rest=PUMP)
            )
            hp.pump_probe("lih.nw", DELAYS, probe="kick", window=WINDOW, tau=10.0, surrogate=surrogate)
        yield folder


def stored(folder: Path, name: str) -> hp.PumpProbeMap:
    """The map of a folder, as it was written."""
    return map_files.read_map(folder / name / "lih_pump_probe.h5")


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> hp.PumpProbeMap:
    """The map of a folder, made again from what is there."""
    monkeypatch.chdir(folder / name)
    surrogate = "response" if name == "fast" else "none"
    return hp.pump_probe("lih.nw", DELAYS, probe="kick", window=WINDOW, tau=10.0, surrogate=surrogate)


def test_branches_give_what_whole_runs_give(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By reference steps, the dipole of a whole run with both fields less that of the pump's."""
    found = stored(folders, "whole")
    monkeypatch.chdir(folders)
    deck = read_deck(folders / "whole" / "lih.nw")
    (task,) = deck.propagations
    kick = next(f for f in task.real_time.fields if f.name == "kick")
    pulse = next(f for f in task.real_time.fields if f.name == "pump")
    later = replace(kick, center=3.0 + DELAYS[1])
    dipoles = []
    for fields in ([pulse], [pulse, later]):
        tasks = (*deck.ground_states, with_fields(task, fields))
        run = hp.propagate(replace(deck, tasks=tasks, recorded=()), surrogate="none")
        dipoles.append(run.dipole)
    signal = dipoles[1] - dipoles[0]
    first = round((3.0 + DELAYS[1]) / 0.2) - 1
    part = signal[first : first + len(found.time)]
    assert np.abs(part).max() > 1e-4
    assert found.signal[1][: len(part)] == pytest.approx(part, abs=1e-10)
    assert not found.error.any()


def test_the_surrogate_s_map_is_as_right_as_it_says(folders: Path) -> None:
    fast, whole = stored(folders, "fast"), stored(folders, "whole")
    for number in range(len(DELAYS)):
        apart = fast.signal[number] - whole.signal[number]
        assert np.linalg.norm(apart) <= fast.error[number] * np.linalg.norm(whole.signal[number])
        change = whole.signal[number] - whole.signal_without_pump
        apart = apart - (fast.signal_without_pump - whole.signal_without_pump)
        assert np.linalg.norm(apart) <= fast.change_error[number] * np.linalg.norm(change)
    assert (fast.error < 1e-3).all()
    told = json.loads((folders / "fast" / "lih_pump_probe.json").read_text())
    alone = json.loads((folders / "whole" / "lih_pump_probe.json").read_text())
    assert told["tolerance_met"]
    # The probes themselves take none.
    parts = [told[f"fock_builds_{name}"] for name in ("pump", "learning")]
    assert told["fock_builds"] == sum(parts)
    assert sum(parts) * 5 < alone["fock_builds"]


def test_what_is_there_is_not_made_again(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One probe's file is lost: it alone is made, with the same digits, from the same model."""
    before = stored(folders, "fast")
    work = folders / "fast" / "lih_pump_probe"
    kept = {path.name: path.stat().st_mtime_ns for path in work.glob("*.h5")}
    builds = json.loads((folders / "fast" / "lih_pump_probe.json").read_text())["fock_builds"]
    (work / "delay_2.h5").unlink()
    again = made(folders, monkeypatch, "fast")
    assert np.array_equal(again.signal, before.signal)
    assert np.array_equal(again.error, before.error)
    assert json.loads((folders / "fast" / "lih_pump_probe.json").read_text())["fock_builds"] == builds
    for name in ("alone.h5", "delay_0.h5", "lih.h5"):
        assert (work / name).stat().st_mtime_ns == kept[name]


def test_reference_steps_go_on_from_a_checkpoint(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that was broken off in the middle of its steps ends with the same digits."""
    before = stored(folders, "whole")
    work = folders / "whole" / "lih_pump_probe"
    (work / "delay_2.h5").unlink()
    monkeypatch.setattr(run_module, "CHECKPOINT_SECONDS", 0.0)
    write = run_module.write_kept
    saved = []

    def breaking(path: Path, *rest: object, complete: bool) -> None:
        write(path, *rest, complete=complete)
        saved.append(complete)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "write_kept", breaking)
    with pytest.raises(KeyboardInterrupt):
        made(folders, monkeypatch, "whole")
    assert saved == [False, False]
    monkeypatch.setattr(run_module, "write_kept", write)
    assert np.array_equal(made(folders, monkeypatch, "whole").signal, before.signal)


def test_a_folder_of_other_settings_is_refused(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folders / "fast")
    with pytest.raises(hp.BadInput, match=r"lih_pump_probe: made with other settings of --tol; restore"):
        hp.pump_probe("lih.nw", DELAYS, probe="kick", window=WINDOW, tol=1e-2)


def test_a_note_that_is_none_is_refused(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(folders / "fast/lih.nw", "lih.nw")
    Path("lih_pump_probe").mkdir()
    Path("lih_pump_probe/settings.json").write_text("[1]")
    with pytest.raises(hp.BadInput, match=r"settings.json: cannot be read .*; remove the folder"):
        hp.pump_probe("lih.nw", DELAYS, probe="kick", window=WINDOW)
