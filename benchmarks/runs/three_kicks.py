"""What kicks x, y, z in one deck cost over a deck with one kick, and where the seconds go.

    OMP_NUM_THREADS=1 python benchmarks/runs/three_kicks.py [--steps 2000 10000] [--turns 3] [deck ...]

Takes each deck's molecule and makes decks of one kick along x, y, z, and one of all three. Every turn runs
them all in temporary folders. Prints Markdown tables: processor seconds of whole processes (medians), the
ratio of three kicks to the mean of the single ones and to each, and wall seconds by phase. No phase counts
the lines of all kicks together.
"""

import argparse
import collections
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean, median

EXAMPLES = Path(__file__).parents[2] / "examples"
AXES = ("x", "y", "z", "xyz")
STEP = 0.2


def with_kicks(deck: str, axes: str, steps: int) -> str:
    """The deck up to its first propagation, and one kick along each of the axes."""
    head = re.split(r"(?m)^(?:unset )?rt_tddft", deck)[0]
    found = re.search(r'(?m)^\s*excite "(\w+)"', deck)
    assert found is not None
    geometry = found[1]
    kicks = [
        f"""
unset rt_tddft:*
rt_tddft
  tmax {STEP * (steps + 1):.1f}
  dt {STEP}
  tag "kick_{axis}"
  field "kick"
    type delta
    polarization {axis}
    max 0.0001
  end
  excite "{geometry}" with "kick"
end
task dft rt_tddft
"""
        for axis in axes
    ]
    return head + "".join(kicks)


def processor(folder: Path, name: str) -> float:
    """Processor seconds of one process that runs a deck, its children's too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = (sys.executable, "-m", "hybrid_propagate.driver.commands.propagate", name)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def phases(folder: Path) -> collections.Counter[str]:
    """Seconds by phase over a deck's propagations, and their Fock builds."""
    found = collections.Counter[str]()
    for path in folder.glob("*.json"):
        summary = json.loads(path.read_text())
        if "seconds" in summary:
            found.update(summary["seconds"])
            found["Fock builds"] += summary["fock_builds"]
    return found


def measured(deck: str, steps: int, turns: int) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Medians by axes: processor seconds, and seconds by phase."""
    seconds = collections.defaultdict[str, list[float]](list)
    parts = collections.defaultdict[str, list[collections.Counter[str]]](list)
    for _ in range(turns):
        for axes in AXES:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "kicked.nw").write_text(with_kicks(deck, axes, steps))
                seconds[axes].append(processor(folder, "kicked.nw"))
                parts[axes].append(phases(folder))
    middle = {axes: {p: median(one[p] for one in ones) for p in ones[0]} for axes, ones in parts.items()}
    return {axes: median(own) for axes, own in seconds.items()}, middle


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "decks", nargs="*", type=Path, default=[EXAMPLES / "water.nw", EXAMPLES / "benzene.nw"]
    )
    parser.add_argument("--steps", nargs="+", type=int, default=[2000, 10000])
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    print("| deck | steps | x | y | z | x, y, z in one deck | over the mean single run | over each |")
    print("|---|---|---|---|---|---|---|---|")
    tables = []
    for path in given.decks:
        for steps in given.steps:
            seconds, parts = measured(path.read_text(), steps, given.turns)
            whole, single = seconds["xyz"], [seconds[axis] for axis in "xyz"]
            told = " | ".join(f"{value:.2f}" for value in (*single, whole, whole / fmean(single)))
            each = ", ".join(f"{whole / value:.2f}" for value in single)
            print(f"| {path.stem} | {steps} | {told} | {each} |", flush=True)
            tables.append((f"{path.stem}, {steps} steps", parts))
    for title, parts in tables:
        print(f"\n| {title} | x | y | z | x, y, z |\n|---|---|---|---|---|")
        for phase in parts["xyz"]:
            row = " | ".join(f"{parts[axes].get(phase, 0.0):.2f}" for axes in AXES)
            print(f"| {phase} | {row} |")


if __name__ == "__main__":
    main()
