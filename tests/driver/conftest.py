"""Runs of the command that several tests need."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "hybrid_propagate.driver.propagate_command")
#: The same, with many commits in a short run and time to stop it between them.
COMMITTING = (
    sys.executable,
    "-c",
    """import sys, time
from hybrid_propagate.driver import loop, propagate_command, run_propagation
run_propagation.CHECKPOINT_SECONDS = run_propagation.CHECKPOINT_SHARE = 0.0
loop.HAND_OVER = 0.02
commit = run_propagation.TrajectoryFile.commit
def slow_commit(*arguments, **named):
    time.sleep(0.03)
    commit(*arguments, **named)
run_propagation.TrajectoryFile.commit = slow_commit
sys.exit(propagate_command.main())""",
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
