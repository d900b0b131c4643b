"""Pulses at once: Fock builds, true and stated error of each, and processor seconds beside the same in turn.

OMP_NUM_THREADS=1 python benchmarks/runs/together.py [--pulses 6] [--steps 200]

Water, PBE0/6-31G, one ground state; fields of 0.02 to 0.2 au along x, y, z, each of another frequency.
--tol 1e-2. In turn: the same deck by the command, where each run begins with what the last has learned.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.front_door.deck_runs import run_options
from hybrid_propagate.driver.front_door.options import all_options
from hybrid_propagate.driver.front_door.run import open_run
from hybrid_propagate.driver.graphs.many import run_together
from hybrid_propagate.driver.run.deck import run_deck
from hybrid_propagate.driver.run.job import trajectories
from hybrid_propagate.driver.run.options import Options

HEAD = """permanent_dir {folder}
start water
geometry "water" units angstroms nocenter noautosym noautoz
  O 0 0 0.1173
  H 0 0.7572 -0.4692
  H 0 -0.7572 -0.4692
end
set geometry "water"
basis
  * library 6-31G
end
dft
  xc pbe0
end
task dft energy
"""
PULSE = """rt_tddft
  tmax {tmax}
  dt 0.2
  tag "{tag}"
  field "{tag}"
    type gaussian
    polarization {axis}
    frequency {frequency}
    center 20.0
    width 8.0
    max {size}
  end
  excite "water" with "{tag}"
  print dipole
end
task dft rt_tddft
"""


def main() -> None:
    """One row a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pulses", type=int, default=6)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    print(
        "| way | pulses | steps | CPU s | builds | largest true error | largest true over stated | all met |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, tuple[str, Callable[[Path, Options], str]]] = {
            "reference steps": ("none", in_turn),
            "in turn, response": ("response", in_turn),
            "in turn, rollout": ("rollout", in_turn),
            "at once, rollout": ("rollout", at_once),
        }
        found: dict[str, list[np.ndarray]] = {}
        for way, (surrogate, carry_out) in ways.items():
            path = deck(Path(folder, surrogate + carry_out.__name__), given.pulses, given.steps)
            began = time.process_time()
            told = carry_out(path, options(surrogate))
            seconds = time.process_time() - began
            runs = [open_run(file) for file in trajectories(read_deck(path))]
            found[way] = [run.dipole for run in runs]
            builds = sum(json.loads(run.path.with_suffix(".json").read_text())["fock_builds"] for run in runs)
            row = [way + told, str(given.pulses), str(given.steps), f"{seconds:.0f}", str(builds)]
            if surrogate != "none":
                errors = [
                    trajectory_error(own, wanted)
                    for own, wanted in zip(found[way], found["reference steps"], strict=True)
                ]
                shares = [error / run.estimate.error for error, run in zip(errors, runs, strict=True)]
                met = all(run.estimate.met for run in runs)
                row += [f"{max(errors):.1e}", f"{max(shares):.2f}", "yes" if met else "no"]
            print("| " + " | ".join(row) + " |", flush=True)


def deck(folder: Path, n: int, steps: int) -> Path:
    """Of all pulses."""
    folder.mkdir()
    sizes, frequencies = np.geomspace(0.02, 0.2, n), np.linspace(0.25, 0.45, n)
    pulses = [
        PULSE.format(tmax=0.2 * steps + 0.1, tag=f"p{k}", axis="xyz"[k % 3], size=size, frequency=frequency)
        for k, (size, frequency) in enumerate(zip(sizes, frequencies, strict=True))
    ]
    path = folder / "water.nw"
    path.write_text(HEAD.format(folder=folder) + "".join(pulses))
    return path


def options(surrogate: str) -> Options:
    """Of every way."""
    keywords = {"surrogate": surrogate, "tol": 1e-2, "save_density": 0}
    # No figures, as of runs at once.
    return replace(run_options(all_options(keywords), time.perf_counter(), frames=False), alone=False)


def in_turn(path: Path, asked: Options) -> str:
    """By the command."""
    assert run_deck(read_deck(path), asked, lambda _: None, lambda: False)
    return ""


def at_once(path: Path, asked: Options) -> str:
    """By one graph; how many trajectories a call had."""
    runs = run_together(read_deck(path), asked, lambda _: None, lambda: False)
    return f", {runs.made / runs.calls:.1f} a call"


if __name__ == "__main__":
    main()
