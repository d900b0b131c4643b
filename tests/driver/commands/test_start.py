"""`hybrid-propagate` at a terminal and in a batch job; the log in a file, a pipe, on the terminal."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import PROGRAMS, at_a_terminal

ROOT = Path(__file__).parents[3]
DECK = """start h2
geometry units angstroms nocenter noautosym noautoz
  H 0 0 0
  H 0 0 0.74
end
basis
  * library STO-3G
end
task dft energy
rt_tddft
  tmax 6.0
  dt 0.1
  field "kick"
    type delta
    polarization z
    max 0.01
  end
  excite "geometry" with "kick"
  print dipole
end
task dft rt_tddft
"""
N_POINTS = 59


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the deck."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "h2.nw").write_text(DECK)
    return folder


def points(text: str) -> int:
    return len(re.findall(r"^ *<rt_tddft>: .*Dipole moment", text, re.MULTILINE))


@pytest.mark.parametrize("output", ["file", "pipe", "terminal"])
def test_the_log_is_where_standard_output_is(folder: Path, output: str) -> None:
    """All of it and nothing else; progress on the screen."""
    code, screen, printed = at_a_terminal(folder, ["hybrid-propagate", "h2.nw"], output)
    assert code == 0, screen
    log = screen if output == "terminal" else printed
    assert points(log) == N_POINTS
    assert re.match("hybrid-propagate: h2: H2, 2 functions, ", screen)
    assert "h2: ground state" in screen
    if output != "terminal":
        assert points(screen) == 0
        assert "\x1b" not in printed
        assert "\x1b" in screen
        assert printed.endswith("### Propagation finished ###\n")


def test_in_a_batch_job_progress_is_plain_lines(folder: Path) -> None:
    ended = subprocess.run(
        [PROGRAMS / "hybrid-propagate", "h2.nw", "--log", "h2.log"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == ""
    assert points((folder / "h2.log").read_text()) == N_POINTS
    # What the run before left in the folder is spoken of too.
    first, *others = ended.stderr.splitlines()
    others = [line for line in others if not line.startswith("hybrid-propagate: ")]
    assert first.startswith("hybrid-propagate: h2: H2, 2 functions, ")
    assert first.endswith("; 1 thread")
    assert others[:2] == ["h2: ground state", "h2: orbitals"]
    assert "\x1b" not in ended.stderr


def test_the_first_line_comes_before_anything_heavy(tmp_path: Path) -> None:
    """PySCF, scipy, h5py, ONNX Runtime and matplotlib take seconds to import."""
    (tmp_path / "h2.nw").write_text(DECK)
    code = (
        "import sys\nfrom hybrid_propagate.driver.front_door import deck_runs\n"
        "def said(*a):\n"
        "    heavy = {'pyscf', 'scipy', 'h5py', 'onnxruntime', 'matplotlib', 'ase'}\n"
        "    print(*sorted(heavy & set(sys.modules)))\n"
        "    sys.exit(3)\n"
        "deck_runs.announcement = said\n"
        "from hybrid_propagate.driver.commands.propagate import main\nmain(['h2.nw'])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (3, ""), ended.stderr


def test_a_full_disk_for_the_log(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [PROGRAMS / "hybrid-propagate", "h2.nw"],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_rich_takes_over_no_output_anywhere() -> None:
    """Its bars and displays are made in one place, which leaves standard output alone."""
    makers = ("rich.live", "rich.progress", "rich.status")
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("atomic", "adapters", "surrogate", "driver")
        for path in (ROOT / room).glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module in makers
        and {alias.name for alias in node.names} & {"Live", "Progress", "Status", "track"}
    }
    assert found == {"atomic/terminal.py"}
