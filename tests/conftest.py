"""Fixtures that tests of several rooms share."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nwchem_in() -> Callable[[Path, str], Path]:
    """Runs real NWChem in a folder on the text of a deck, on one core; returns the log."""

    def run(folder: Path, deck: str) -> Path:
        (folder / "deck.nw").write_text(deck)
        log = folder / "deck.out"
        with log.open("w") as out:
            ended = subprocess.run(
                ["nwchem", "deck.nw"],
                cwd=folder,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert ended.returncode == 0, ended.stderr + log.read_text(errors="replace")[-2000:]
        return log

    return run


@pytest.fixture
def nwchem(nwchem_in: Callable[[Path, str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Runs real NWChem in the test's own folder on the text of a deck; returns the log."""
    return lambda deck: nwchem_in(tmp_path, deck)
