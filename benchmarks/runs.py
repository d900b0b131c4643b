"""What the benchmarks share: a deck with another end time, run by the command line in a folder of its own."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parent


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: summary, wall and processor seconds, peak bytes, basis functions, time, dipole (au)."""

    summary: dict
    wall: float
    cpu: float
    peak: int
    n_basis: int
    time: np.ndarray
    dipole: np.ndarray


def with_steps(deck: Path, n_steps: int) -> str:
    """The deck's text with `tmax` set so that NWChem makes `n_steps` steps."""
    text = deck.read_text(encoding="utf-8")
    dt = float(re.search(r"^\s*dt\s+(\S+)", text, re.M).group(1))
    return re.sub(r"^(\s*tmax\s+)\S+", rf"\g<1>{(n_steps + 0.5) * dt:.6f}", text, flags=re.M)


def run_deck(text: str, *options: str) -> Run:
    """Run `hybrid-propagate` on a deck with one task, in one thread, its log going to a file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deck.nw").write_text(text, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        with open(Path(folder) / "log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "hybrid_propagate.driver.commands.propagate", "deck.nw", *options],
                cwd=folder,
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            errors = process.communicate()[1]
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            raise SystemExit(f"the run failed:\n{errors}")
        (trajectory,) = Path(folder).glob("*.h5")
        with h5py.File(trajectory) as file:
            t, dipole = file["dynamics/time"][()], file["dynamics/dipole"][()]
            n_basis = int(file.attrs["n_basis"])
        summary = json.loads(trajectory.with_suffix(".json").read_text())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(summary, wall, cpu, after.ru_maxrss * 1024, n_basis, t, dipole)


def trajectory_error(run: Run, reference: Run) -> float:
    """RMS(μ - μ_ref) / RMS(μ_ref - μ_ref(0))."""
    signal = reference.dipole - reference.dipole[0]
    return float(np.sqrt(np.mean((run.dipole - reference.dipole) ** 2) / np.mean(signal**2)))


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
