"""Roots of `task tddft` beside a single kick's lines: in the table, on the page, and after a restart."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hybrid_propagate.driver.answer.as_json import roots_json
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.page.lines import Root, roots_from, seen_by
from hybrid_propagate.driver.spectra.lines import KickedRun
from hybrid_propagate.driver.spectra.spectrum import Kick, Signal
from reported_decks import TWO_KICKS


def _kick(*direction: float) -> KickedRun:
    time = 0.2 * np.arange(4)
    kick = Kick(np.array(direction), 1e-5, 0.0, 0.2, 1)
    return KickedRun(Signal("run", time, np.zeros((4, 3)), kick), 0.0)


def test_strengths_are_those_for_the_light_of_the_kicks() -> None:
    """f = 2/3 ω d² for light from all directions, 2 ω (d·k)² for light along k; 27.211386 eV are 1 au."""
    root = Root(27.211386, 2.0 / 3.0 * (0.3**2 + 0.4**2), (0.3, 0.0, 0.4))

    def strength(*kicks: KickedRun) -> float:
        return seen_by([root], kicks)[0].strength

    assert strength(_kick(1, 0, 0)) == pytest.approx(2 * 0.09, rel=1e-6)
    assert strength(_kick(0, 1, 0)) == pytest.approx(0.0, abs=1e-12)
    assert strength(_kick(2, 0, 2)) == pytest.approx(0.49, rel=1e-6)
    assert strength(_kick(1, 0, 0), _kick(0, 1, 0), _kick(0, 0, 1)) == pytest.approx(root.strength, rel=1e-6)
    unknown = Root(10.0, 0.5)
    assert seen_by([unknown], [_kick(1, 0, 0)]) == [unknown]


def test_a_summary_gives_them_back() -> None:
    roots = [Root(10.0, 0.5, (0.1, 0.2, 0.3)), Root(11.0, 0.0)]
    assert roots_from(json.loads(json.dumps({"task_tddft": roots_json(roots)}))) == roots
    damaged_ones: list[Any] = [{}, [], {"task_tddft": 3}, {"task_tddft": [{"energy": "ten", "strength": 1}]}]
    for damaged in damaged_ones:
        assert roots_from(damaged) is None
    assert roots_from({"task_tddft": [{"energy": 1, "strength": 0, "dipole": [1, 2]}]}) is None


def test_a_single_kick_keeps_them_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line of H2 along its bond is the root's, in both its numbers. A summary that is not there yet, as
    after a kill, costs nothing but linear response once more."""
    monkeypatch.chdir(tmp_path)
    head, _, kick = TWO_KICKS.split("unset rt_tddft:*\n")
    (tmp_path / "deck.nw").write_text(head + kick)

    def run(*options: str) -> tuple[str, str, list[float]]:
        assert main(["deck.nw", "--report", *options]) == 0
        log, said = capfd.readouterr()
        (row,) = (line for line in said.splitlines() if re.match(r" +[\d.]+ ±", line) and " z " in line)
        page = (tmp_path / "hydrogen.html").read_text()
        sticks = re.search(r'"sticks": \[(.*?)\]', page)
        assert sticks
        assert '"height"' in sticks[1]
        return log, page, [float(word) for word in row.split()[-2:]]

    log, page, beside = run()
    assert log.count("NWChem TDDFT Module") == 1
    summary = json.loads((tmp_path / "hydrogen.json").read_text())
    (line,) = summary["lines"]
    assert beside[0] == pytest.approx(line["converged_energy"], abs=2e-3)
    assert beside[1] == pytest.approx(line["converged_strength"], rel=1e-2)
    again = run("--restart")
    assert again[1:] == (page, beside)
    (tmp_path / "hydrogen.json").unlink()
    log, _, found = run("--restart")
    assert found == beside
    assert "NWChem TDDFT Module" not in log
    assert json.loads((tmp_path / "hydrogen.json").read_text())["task_tddft"] == summary["task_tddft"]
