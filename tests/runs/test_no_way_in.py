"""Decks that try to get out of themselves, through the whole command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.small_decks import kicked

H2 = "  H 0 0 0\n  H 0 0 0.74"
FAKE = f"{sys.executable} {Path(__file__).parents[1] / 'support/recording_nwchem.py'}"


def run_nwchem(folder: Path, deck: str) -> subprocess.CompletedProcess[str]:
    """The deck by `--engine nwchem` with a fake that records what NWChem would read."""
    (folder / "deck.nw").write_text(deck)
    return subprocess.run(
        [*COMMAND, "deck.nw", "--engine", "nwchem", "--nwchem", FAKE],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "RECORD_IN": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("dft", r"direct \; end \; task shell \"touch PWNED\" \; dft"),
        ("dft", r"convergence energy 1e-6 \; end \; task shell \"touch PWNED\" \; dft"),
        ("head", 'geometry "a\\" \\; task shell \\"touch PWNED" nocenter noautosym\n  H 0 0 0\nend'),
    ],
)
def test_a_word_runs_nothing(place: str, word: str, tmp_path: Path) -> None:
    done = run_nwchem(tmp_path, kicked(H2, tmax=2.0, xc="hfexch", **{place: word}))
    assert done.returncode == 2
    assert not (tmp_path / "PWNED").exists()
    assert not (tmp_path / "recorded.json").exists()
    assert len(done.stderr.splitlines()) == 1


def test_nwchem_gets_the_decks_lines_and_no_others(tmp_path: Path) -> None:
    own = "direct\n  tolerances tight accCoul 10\n  convergence energy 1 diis 8\n"
    done = run_nwchem(tmp_path, kicked(H2, tmax=2.0, xc="HFexch 1.0", dft=own))
    assert done.returncode == 1
    lines = json.loads((tmp_path / "recorded.json").read_text())
    assert [words for words in lines if words[0] in ("xc", "direct", "tolerances", "convergence")][:4] == [
        ["xc", "hfexch", "1"],
        ["direct"],
        ["tolerances", "tight", "acccoul", "10"],
        ["convergence", "energy", "1.0", "diis", "8"],
    ]
    tasks = {" ".join(words) for words in lines if words[0] == "task"}
    assert tasks == {"task dft energy", "task dft rt_tddft"}
