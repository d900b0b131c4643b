"""What is about to be run."""

import builtins
import time
from pathlib import Path

import pytest
from hybrid_propagate.driver.front_door.deck_runs import prepare
from hybrid_propagate.driver.front_door.options import all_options
from small_decks import kicked


def test_checkpoints_are_told_of_while_nothing_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal may come while the main thread holds the lock of an import."""

    def locked(*args: object, **named: object) -> None:
        raise RuntimeError("deadlock detected")

    monkeypatch.chdir(tmp_path)
    began = time.time() - 1.0
    Path("a.nw").write_text(kicked(tmax=20.0))
    runs = prepare(Path("a.nw"), None, all_options({}), time.perf_counter())
    Path("water.h5").touch()
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", locked)
        found = runs.checkpoints(began)
    assert [path.name for path in found] == ["water.h5"]
