"""Decks that try to get out of themselves, through the whole command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hybrid_propagate.adapters.free_format.lines import real

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


def test_results_stay_in_their_folder(tmp_path: Path) -> None:
    """`start .` once put `<folder>.h5` beside the folder itself."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "deck.nw").write_text(kicked(H2, tmax=2.0, start="."))
    done = subprocess.run([*COMMAND, "deck.nw"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert [path.name for path in folder.iterdir()] == ["deck.nw"]


@pytest.mark.parametrize("room", ["atomic", "adapters", "surrogate", "driver"])
def test_a_folders_own_settings_are_not_run(room: str, tmp_path: Path) -> None:
    """PySCF by itself runs `.pyscf_conf.py` of the working folder; the user's own is left to it."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / ".pyscf_conf.py").write_text("open('PWNED', 'w')\n")
    code = f"import hybrid_propagate.{room}, pyscf.gto\nprint(pyscf.__config__.MAX_MEMORY)"

    def memory() -> int:
        plain = {name: value for name, value in os.environ.items() if name != "PYSCF_CONFIG_FILE"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=plain | {"HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    assert memory() == 4000
    (home / ".pyscf_conf.py").write_text("MAX_MEMORY = 1234\n")
    assert memory() == 1234
    assert not (tmp_path / "PWNED").exists()


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {' '.join(COMMAND)} {tmp_path}/deck.nw"
    (tmp_path / "deck.nw").write_text(kicked(H2, tmax=2.0))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "hybrid-propagate: the working folder cannot be used: No such file or directory"
    ]


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
    own = "direct\n  tolerances tight accCoul 10\n  convergence energy 1e-3 diis 8\n"
    done = run_nwchem(tmp_path, kicked(H2, tmax=2.0, xc="HFexch 1.0", dft=own))
    assert done.returncode == 1
    lines = json.loads((tmp_path / "recorded.json").read_text())
    assert [words for words in lines if words[0] in ("xc", "direct", "tolerances", "convergence")][:4] == [
        ["xc", "hfexch", "1"],
        ["direct"],
        ["tolerances", "tight", "acccoul", "10"],
        ["convergence", "energy", str(real("1e-3")), "diis", "8"],
    ]
    tasks = {" ".join(words) for words in lines if words[0] == "task"}
    assert tasks == {"task dft energy", "task dft rt_tddft"}
