"""A pump with probes at 60 delays: Fock builds, seconds and error against whole runs.

OMP_NUM_THREADS=1 python benchmarks/runs/pump_probe.py WORK [--whole 4 60 116]

`hybrid-pump-probe` makes the map of benchmarks/decks/water_delays.nw. At the delays of --whole, and once
without a probe, `hybrid-propagate` makes whole runs by reference steps alone. Of whole runs by the surrogate
the pump's own stands for each. The folder WORK keeps what is finished: the same command goes on.
"""

import argparse
import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hybrid_propagate.driver.bench.deck_run import run_deck
from hybrid_propagate.driver.bench.pieces import python
from hybrid_propagate.driver.bench.tables import markdown
from hybrid_propagate.driver.pump_probe.map_files import read_map

DECK = Path(__file__).parents[1] / "decks" / "water_delays.nw"
#: Delays of the map, au, and the deck's pump's centre.
START, STOP, STEP, CENTRE = 0, 120, 2, 40.0
#: Seconds that the map's command has taken so far are kept beside its files.
TIMES = "seconds.json"


@dataclass(frozen=True, eq=False)
class Whole:
    """One whole run: Fock builds, processor seconds, and (n, 3) dipole."""

    builds: int
    cpu: float
    dipole: np.ndarray


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--whole", type=float, nargs="+", default=[4.0, 60.0, 116.0])
    arguments = parser.parse_args()
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    seconds = make_map(work)
    stem = work / "water_delays_pump_probe"
    found, about = (
        read_map(stem.with_name(stem.name + ".h5")),
        json.loads(stem.with_name(stem.name + ".json").read_text()),
    )
    own = json.loads((stem / "water_delays.json").read_text())
    pump = whole(work, None)
    reference = [whole(work, delay) for delay in arguments.whole]
    n = len(found.delays)
    rows = [
        [f"one pump, {n} probes", f"{about['fock_builds']}", f"{seconds:.0f}"],
        [
            f"{n} whole runs, surrogate, each as the pump alone",
            f"{n * own['fock_builds']}",
            f"{n * own['processor_seconds']:.0f}",
        ],
        scaled(f"{n} whole runs, reference steps", reference, n),
    ]
    print(markdown(("what", "Fock builds", "CPU s"), rows))
    step = float(found.time[1] - found.time[0])
    compared = []
    for delay, one in zip(arguments.whole, reference, strict=True):
        number = int(np.abs(found.delays - delay).argmin())
        first = round((CENTRE + delay) / step) - 1
        part = slice(first, first + len(found.time))
        signal = one.dipole[part] - pump.dipole[part]
        signal -= signal[0]
        made = found.signal[number][: len(signal)]
        error = np.linalg.norm(made - signal) / np.linalg.norm(signal)
        alone = found.signal_without_pump[: len(signal)]
        change = np.linalg.norm(made - signal) / np.linalg.norm(signal - alone)
        stated, stated_change = found.error[number], found.change_error[number]
        compared.append(
            [f"{delay:g}", f"{error:.1e}", f"{stated:.1e}", f"{change:.1e}", f"{stated_change:.1e}"]
        )
    print(markdown(("delay (au)", "error", "stated", "error of the change", "stated"), compared))


def make_map(work: Path) -> float:
    """Make or finish the map; processor seconds of all calls so far."""
    import resource

    times = work / TIMES
    before = json.loads(times.read_text()) if times.exists() else 0.0
    if not (work / "water_delays_pump_probe.json").exists():
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = python("commands.pump_probe", str(DECK), "--delays", f"{START}:{STOP}:{STEP}")
        ended = subprocess.run([*command, "--window", "100"], cwd=work, check=False)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before += used.ru_utime + used.ru_stime - start.ru_utime - start.ru_stime
        times.write_text(json.dumps(before))
        if ended.returncode:
            sys.exit(ended.returncode)
    return before


def whole(work: Path, delay: float | None) -> Whole:
    """The pump, with the probe at a delay or none, from its start to the end of the deck."""
    kept = work / f"whole_{'pump' if delay is None else f'{delay:g}'}_none.npz"
    if not kept.exists():
        run = run_deck(deck_at(delay), "--surrogate", "none")
        np.savez(kept, builds=run.summary["fock_builds"], cpu=run.cpu, dipole=run.dipole)
    with np.load(kept) as arrays:
        return Whole(int(arrays["builds"]), float(arrays["cpu"]), arrays["dipole"])


def deck_at(delay: float | None) -> str:
    """The deck with its probe at a delay; without, where that is None."""
    text = DECK.read_text(encoding="utf-8")
    if delay is None:
        return text.replace('  excite "water" with "probe"\n', "")
    return re.sub(r"(polarization y\n)", rf"\1    center {CENTRE + delay:g}\n", text)


def scaled(name: str, runs: list[Whole], n: int) -> list[str]:
    """A row for n runs that are like these on average."""
    builds = math.fsum(run.builds for run in runs) / len(runs)
    cpu = math.fsum(run.cpu for run in runs) / len(runs)
    return [f"{name} (from {len(runs)})", f"{n * builds:.0f}", f"{n * cpu:.0f}"]


if __name__ == "__main__":
    main()
