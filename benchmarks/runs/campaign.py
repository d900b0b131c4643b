"""What a campaign costs beside its runs, and whether anything is lost.

    python benchmarks/runs/campaign.py overhead [--items 10000]
    python benchmarks/runs/campaign.py losses FOLDER [--kills 10]

overhead: orders that do nothing but write their record, by this process and by a local pool of one; prints
seconds an item, memory of the parent, and seconds to read all records. losses: one campaign of hydrogen in
FOLDER by a local process, by one that is killed in a third of its orders, by Parsl, and as a whole killed at
random moments; prints whether tables and trajectories are the same.
"""

import argparse
import csv
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.files.trajectory import read_contents
from hybrid_propagate.driver.campaign.carry_out import DONE, RECORD, Standing, standing
from hybrid_propagate.driver.campaign.table import SECONDS
from hybrid_propagate.driver.executors.executor import executors, in_this_process
from hybrid_propagate.driver.executors.schedule import carried_out

CONFIG = """
folder: out
molecule: {name: H2, functional: hf, basis: STO-3G, tmax: 60.1, dt: 0.2}
geometries: {file: frames.xyz}
axes: {kicks: {along: [x, z]}}
"""
FRAMES = "".join(f"2\n\nH 0 0 0\nH {x} {x} {x}\n" for x in (0.40, 0.41, 0.42, 0.45, 0.46))


def toy(folder: Path) -> str:
    """An item of no work: a folder, and a record in it."""
    folder.mkdir(parents=True)
    record = '{"name": "%s", "digest": "d", "state": "done", "runs": []}'
    (folder / RECORD).write_text(record % folder.name)
    return DONE


def overhead(n: int) -> None:
    """Prints a line an executor."""
    for name, engines in (("this process", in_this_process()), ("a local process", executors("local", 1))):
        with tempfile.TemporaryDirectory() as folder:
            orders = {f"g{k}": Path(folder) / f"g{k}" for k in range(n)}
            began, spent = time.perf_counter(), time.process_time()
            assert sum(result == DONE for _, result in carried_out(toy, orders, {}, engines)) == n
            wall, own = time.perf_counter() - began, time.process_time() - spent
            began = time.process_time()
            found: list[Standing] = [standing(path, key, "d") for key, path in orders.items()]
            assert len(found) == n
            read = time.process_time() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{n} orders by {name}: {1e3 * own / n:.2f} ms of the parent's processor each, "
                f"{1e3 * wall / n:.2f} ms by the clock; records read in {read:.1f} s; parent {memory:.0f} MB"
            )


def _dies(function, *args):
    """In a worker: one order in three ends its process at some moment of it."""
    if random.random() < 1 / 3:
        threading.Timer(random.uniform(0.0, 1.0), os._exit, (9,)).start()
    return function(*args)


class Deadly(ProcessPoolExecutor):
    """A pool of one, killed in a third of its orders."""

    def submit(self, fn, /, *args, **kwargs):
        return super().submit(_dies, fn, *args, **kwargs)


def deadly() -> Executor:
    """For `--executor campaign:deadly`."""
    return Deadly(1, get_context("spawn"))


def losses(folder: Path, kills: int) -> None:
    """Prints a line a way of carrying out."""
    here = Path(__file__).parent
    examples = here.parents[1] / "examples"
    paths = os.pathsep.join([str(here), str(examples), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    ways = {
        "local": ["--workers", "1"],
        "killed in a third": ["--executor", "campaign:deadly"],
        "parsl": ["--executor", "clusters:local"],
        "killed as a whole": ["--workers", "1"],
    }
    for number, (way, options) in enumerate(ways.items()):
        own = folder / str(number)
        own.mkdir(parents=True)
        (own / "c.yaml").write_text(CONFIG)
        (own / "frames.xyz").write_text(FRAMES)
        command = [str(Path(sys.executable).parent / "hybrid-campaign"), "c.yaml", *options]
        for _ in range(kills if way == "killed as a whole" else 0):
            process = subprocess.Popen(command, cwd=own, env=environment, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0.5, 12.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        ended = subprocess.run(command, cwd=own, env=environment, capture_output=True, text=True, check=False)
        same = _same(own, folder / "0") if ended.returncode == 0 else ended.stderr.splitlines()[-1:]
        print(f"{way}: exit {ended.returncode}, {same}", flush=True)


def _same(a: Path, b: Path) -> str:
    tables = [_table(one / "out/campaign.csv") for one in (a, b)]
    paths = sorted(path.relative_to(b) for path in b.glob("out/items/*/*.h5"))
    apart = max(
        float(np.abs(np.asarray(x["dipole"]) - np.asarray(y["dipole"])).max())
        for x, y in ((read_contents(a / p).series, read_contents(b / p).series) for p in paths)
    )
    return f"table {'the same' if tables[0] == tables[1] else 'DIFFERS'}, dipoles within {apart:.1e} au"


def _table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return [{k: v for k, v in row.items() if k not in SECONDS} for row in csv.DictReader(file)]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(required=True, dest="what")
    actions.add_parser("overhead").add_argument("--items", type=int, default=10_000)
    lost = actions.add_parser("losses")
    lost.add_argument("folder", type=Path)
    lost.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    if options.what == "overhead":
        overhead(options.items)
    else:
        losses(options.folder, options.kills)


if __name__ == "__main__":
    main()
