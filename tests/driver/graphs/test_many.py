"""Runs at once beside the same alone; decks that are none."""

import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.front_door.deck_runs import run_options
from hybrid_propagate.driver.front_door.options import all_options
from hybrid_propagate.driver.front_door.propagate import propagate_all
from hybrid_propagate.driver.front_door.run import open_run
from hybrid_propagate.driver.graphs.many import run_together
from hybrid_propagate.driver.run.options import Options
from small_decks import kicked, pump

OPTIONS = {"surrogate": "rollout", "tol": 1e-2, "max_ml_steps": 20}


def options() -> Options:
    return run_options(all_options(OPTIONS), time.perf_counter(), frames=False)


def deck_of(path: Path, runs: dict[str, tuple[str, float]], xc: str = "pbe0", finest: float = 0.2) -> Path:
    """Pulses along an axis, of a strength, each a propagation with a tag of its own.

    finest: dt of the last, the others' being 0.2.
    """
    texts = [
        kicked(
            tmax=8.0,
            rest=pump(axis, 0.4, 3.0, size),
            kick="1e-3",
            xc=xc,
            dft="  grid xcoarse\n",
            dt=finest if tag == list(runs)[-1] else 0.2,
            steps=f"  tag {tag}\n",
        )
        for tag, (axis, size) in runs.items()
    ]
    blocks = [text[text.index("rt_tddft") :] for text in texts]
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"permanent_dir {path.parent}\n" + texts[0][: texts[0].index("rt_tddft")] + "".join(blocks)
    )
    return path


def test_pulses_at_once_are_those_alone(tmp_path: Path) -> None:
    """Points and graphs are made once for both and once for each alone, which takes its time."""
    runs = {"weak": ("x", 0.02), "strong": ("z", 0.3)}
    log: list[str] = []
    deck = read_deck(deck_of(tmp_path / "both/water.nw", runs))
    runs_made = run_together(deck, options(), log.append, lambda: False)
    assert runs_made.finished
    # One call makes the steps of both, wherever both ask.
    assert runs_made.made > 1.5 * runs_made.calls
    for tag, run in runs.items():
        (alone,) = propagate_all(
            deck_of(tmp_path / tag / "water.nw", {tag: run}), log=log_of(tmp_path), **OPTIONS
        )
        together = open_run(tmp_path / f"both/water_{tag}.h5")
        with h5py.File(alone.path) as one, h5py.File(together.path) as other:
            wanted, found = (np.asarray(file["dynamics/dipole"]) for file in (one, other))
        np.testing.assert_allclose(found, wanted, atol=1e-8 * np.abs(wanted - wanted[0]).max())
        assert together.estimate.error == pytest.approx(alone.estimate.error, rel=1e-3)
        assert together.estimate.met
        own = (tmp_path / f"both/water_{tag}.log").read_text()
        assert own.startswith("".join(log))
        assert own.count("Propagation finished") == 1


def test_runs_that_were_stopped_go_on_to_the_same_trajectories(tmp_path: Path) -> None:
    """Of two time steps, whose graphs are two."""
    found = {}
    for folder, stops in (("whole", []), ("cut", [False, False, False, True, True])):
        path = tmp_path / folder / "water.nw"
        deck = read_deck(deck_of(path, {"a": ("z", 0.02), "b": ("z", 0.02)}, "hfexch", 0.1))
        made = run_together(deck, options(), lambda _: None, partial(next, iter(stops), False))
        assert made.finished == (not stops)
        if stops:
            assert run_together(
                deck, replace(options(), restart=True), lambda _: None, lambda: False
            ).finished
        found[folder] = [open_run(path.with_name(f"water_{tag}.h5")) for tag in "ab"]
    for whole, cut in zip(found["whole"], found["cut"], strict=True):
        np.testing.assert_array_equal(cut.dipole, whole.dipole)
        assert cut.estimate == whole.estimate
        assert printed(cut.path) == printed(whole.path)
    coarse, fine = (run.dipole for run in found["whole"])
    assert len(fine) == pytest.approx(2 * len(coarse), abs=1)
    moved = np.abs(coarse - coarse[0]).max()
    np.testing.assert_allclose(fine[: 2 * len(coarse) : 2], coarse, atol=0.05 * moved)


def printed(trajectory: Path) -> list[str]:
    """What a run's own log has of its steps."""
    return re.findall(r"^.* # .*$", trajectory.with_suffix(".log").read_text(), re.MULTILINE)


def log_of(folder: Path) -> Path:
    return folder / "log"


def test_other_decks_are_refused(tmp_path: Path) -> None:
    path = deck_of(tmp_path / "water.nw", {"weak": ("x", 0.02)})
    path.write_text(path.read_text().replace("task dft energy\n", "task dft energy\ntask dft energy\n"))
    with pytest.raises(DeckError, match="start from the deck's one task dft energy"):
        run_together(read_deck(path), options(), lambda _: None, lambda: False)
