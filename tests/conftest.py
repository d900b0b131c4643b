"""Fixtures that tests of several rooms share."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def nwchem(tmp_path: Path) -> Callable[[str], Path]:
    """Runs real NWChem on the text of a deck, in the test's own folder on one core; returns the log."""

    def run(deck: str) -> Path:
        (tmp_path / "deck.nw").write_text(deck)
        log = tmp_path / "deck.out"
        with log.open("w") as out:
            ended = subprocess.run(
                ["nwchem", "deck.nw"],
                cwd=tmp_path,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert ended.returncode == 0, ended.stderr + log.read_text(errors="replace")[-2000:]
        return log

    return run
