"""Progress of the loop: the words between segments, and a line that a narrow terminal cuts at its end."""

import numpy as np
import pytest
from hybrid_propagate.atomic.terminal import live_line
from hybrid_propagate.driver.loop import hybrid as hybrid_loop
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid, told_steps
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.propagators.state import State
from hybrid_propagate.driver.reporters.progress import ProgressLine
from rich.progress import BarColumn, MofNCompleteColumn


def test_in_a_batch_job_what_begins_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine("water (pulse)", 299, 40, live=False) as line:
        line.tell("learning points, atom 1 of 3", 0.0)
        line.tell("learning points, atom 2 of 3", 0.2)
    assert capsys.readouterr().err == "water (pulse): 40/299, learning points, atom 1 of 3\n"


def test_a_narrow_terminal_cuts_the_words_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    with live_line(
        MofNCompleteColumn,
        lambda table_column: BarColumn(10, table_column=table_column),
        words="{task.description}",
    ) as bar:
        bar.add_task("water (pulse), so many words that there is no room for", total=299, completed=150)
    (shown,) = capsys.readouterr().err.splitlines()
    assert len(shown) == 50
    assert shown.startswith("150/299 \u2501\u2501\u2501\u2501\u2501")
    assert shown.endswith("\u2026")
    assert "water (pulse), so many" in shown


def test_a_long_segment_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid_loop, "TOLD_EVERY", -1.0)
    said: list[tuple[str, float]] = []
    nothing = np.zeros((1, 1, 1))
    hybrid = Hybrid(None, None, None, Target(1e-3, 500, 1.0), Limits(), say=lambda *words: said.append(words))  # pyright: ignore[reportArgumentType]
    state = State(45, 9.0, nothing, np.zeros((1, 1)), nothing, nothing, nothing)
    step = told_steps(hybrid, lambda state, fock_of: (state, []), 40, 20)
    assert step(state, lambda density: density) == (state, [])
    assert said == [("5 of the next 20 made, not measured yet", 0.25)]
