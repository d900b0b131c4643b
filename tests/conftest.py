"""Fixtures that tests of several rooms share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hybrid_propagate.atomic.threads import start_with

# As for a command, before any library is loaded.
start_with(1)
# As the package itself does; tests import ONNX Runtime before it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

ROOT = Path(__file__).parents[1]
#: What needs NWChem 7.2 in place of 7.0: `make nwchem-7.2`.
collect_ignore = [] if "NWCHEM_7_2" in os.environ else ["nwchem_7_2"]

#: Files that take minutes. They come first, so that no process is left alone with one at the end.
LONGEST = (
    "training/test_export.py",
    "solver/test_digits.py",
    "runs/test_hybrid.py",
    "runs/test_nwchem_engine.py",
)


class _RootIsNoPackage:
    """The clone's folder holds the package's `__init__.py`, but it has the name of a clone.

    pytest would import it by that name, which fails where it is none of Python's: `hybrid-propagate`.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Dir | None:
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


def pytest_configure(config: pytest.Config) -> None:
    """Not as a hook of this file, which would not be asked about folders above it."""
    config.pluginmanager.register(_RootIsNoPackage())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others in their order."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


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


COMMAND = (sys.executable, "-m", "hybrid_propagate.driver.commands.propagate")
#: The same, with many commits in a short run and time to stop it between them.
COMMITTING = (
    sys.executable,
    "-c",
    """import sys, time
from hybrid_propagate.driver.loop import run as loop
from hybrid_propagate.driver.commands import start
from hybrid_propagate.driver.run import propagation as run_propagation
run_propagation.CHECKPOINT_SECONDS = run_propagation.CHECKPOINT_SHARE = 0.0
loop.HAND_OVER = 0.02
commit = run_propagation.TrajectoryFile.commit
def slow_commit(*arguments, **named):
    time.sleep(0.03)
    commit(*arguments, **named)
run_propagation.TrajectoryFile.commit = slow_commit
sys.exit(start.propagate())""",
)
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}


@pytest.fixture(scope="session")
def propagate_in() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs hybrid-propagate in a folder on a deck there, with further arguments, to its end."""

    def run(folder: Path, deck: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, deck, *arguments],
            cwd=folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def propagate_from() -> Callable[..., subprocess.Popen[str]]:
    """Starts hybrid-propagate, committing often, in a folder; does not wait; the log goes to `log` there."""

    def start(folder: Path, deck: str, *arguments: str) -> subprocess.Popen[str]:
        with (folder / "log").open("w") as log:
            return subprocess.Popen(
                [*COMMITTING, deck, *arguments],
                cwd=folder,
                env=ENVIRONMENT,
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
            )

    return start
