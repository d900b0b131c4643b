"""Pages of runs that were resumed, of none, and of a run by NWChem."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from reported_decks import OPEN_SHELL

PropagateIn = Callable[..., subprocess.CompletedProcess[str]]


def test_of_a_resumed_run(propagate_in: PropagateIn, tmp_path: Path) -> None:
    """A run that goes on counts the seconds of its earlier parts too."""
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=4.0))
    assert propagate_in(tmp_path, "lithium.nw", "--surrogate", "none").returncode == 0
    first = json.loads((tmp_path / "lithium.json").read_text())
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=8.0))
    ended = propagate_in(tmp_path, "lithium.nw", "--surrogate", "none", "--report", "--restart")
    assert ended.returncode == 0, ended.stderr
    second = json.loads((tmp_path / "lithium.json").read_text())
    assert second["seconds"]["reference steps"] > first["seconds"]["reference steps"]
    # A sum in another order may round otherwise.
    assert second["wall_seconds"] > 0.999 * sum(second["seconds"].values())
    assert f"<b>{second['steps']} steps</b>" in (tmp_path / "lithium.html").read_text()
    assert second["steps"] == 39


def test_without_report_there_is_no_page(propagate_in: PropagateIn, tmp_path: Path) -> None:
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=1.0))
    assert propagate_in(tmp_path, "lithium.nw", "--surrogate", "none").returncode == 0
    assert not (tmp_path / "lithium.html").exists()


def test_of_a_run_by_nwchem(propagate_in: PropagateIn, tmp_path: Path) -> None:
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=1.0))
    ended = propagate_in(tmp_path, "lithium.nw", "--surrogate", "none", "--engine", "nwchem", "--report")
    assert ended.returncode == 0, ended.stderr
    assert "<dd>NWChem, <code>nwchem</code></dd>" in (tmp_path / "lithium.html").read_text()
