"""The stated error of a few hundred runs beside the true one: a JSON line each; what is there is kept.

OMP_NUM_THREADS=1 python benchmarks/honesty/measure.py results.jsonl [first last]
"""

import argparse
import contextlib
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np
from cases import Case, cases
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.commands.propagate import main as propagate

#: A picture a run would take longer than most runs.
DRAWN = "hybrid_propagate.driver.run.summary.draw_run"
KEPT = ("tolerance", "tolerance_met", "error_bound", "error_measurements", "fock_builds")


def main() -> None:
    """Run what the file lacks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?", default=None)
    arguments = parser.parse_args()
    lines = arguments.results.read_text().splitlines() if arguments.results.exists() else []
    done = {identity(json.loads(line)) for line in lines}
    with arguments.results.open("a") as results, patch(DRAWN):
        for case in cases()[arguments.first : arguments.last]:
            for row in measured(case, done):
                print(json.dumps(row), file=results, flush=True)


def identity(row: Mapping[str, object]) -> tuple[object, ...]:
    """What a line is about."""
    return tuple(row[key] for key in ("name", "engine", "surrogate", "tolerance"))


def measured(case: Case, done: set[tuple[object, ...]]) -> Iterator[dict[str, Any]]:
    """A line for each run of the case that is not done; its reference is run once for each engine."""
    open_runs = [run for run in case.runs if (case.name, *run) not in done]
    references: dict[str, tuple[dict[str, Any], np.ndarray]] = {}
    for engine, surrogate, tolerance in open_runs:
        try:
            if engine not in references:
                references[engine] = run(case, "--engine", engine, "--surrogate", "none")
            alone, reference = references[engine]
            began = time.perf_counter()
            options = ("--engine", engine, "--surrogate", surrogate, "--tol", str(tolerance))
            summary, dipole = run(case, *options)
        except RuntimeError as error:
            print(f"{case.name}: {error}", flush=True)
            yield {"name": case.name, "engine": engine, "surrogate": surrogate, "tolerance": tolerance} | {
                "failed": str(error)
            }
            continue
        row = {"name": case.name, "half": case.half, "engine": engine, "surrogate": surrogate, **case.about}
        row |= {"true": trajectory_error(dipole, reference), "stated": summary["estimated_error"]}
        row |= {key: summary[key] for key in KEPT} | {"reference_builds": alone["fock_builds"]}
        row |= {"rejected": summary["rejected"], "seconds": round(time.perf_counter() - began, 2)}
        print(
            f"{case.name:32} {engine} {surrogate:8} {tolerance:.0e} true {row['true']:.1e} "
            f"stated {row['stated']:.1e} {'LOW' if row['true'] > row['stated'] else ''} "
            f"builds {row['fock_builds']}/{row['reference_builds']} {row['seconds']} s",
            flush=True,
        )
        yield row


def run(case: Case, *options: str) -> tuple[dict[str, Any], np.ndarray]:
    """Summary and dipole of one run, in this process. Raises RuntimeError."""
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("run.nw").write_text(case.text)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
                ended = propagate(["run.nw", "--save-density", "0", *options])
            if ended != 0:
                raise RuntimeError(said.getvalue().strip()[-300:])
            with h5py.File("run.h5") as file:
                return json.loads(Path("run.json").read_text()), np.asarray(file["dynamics/dipole"])
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
