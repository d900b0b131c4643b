"""Seconds from a command to its help and its first line, and from a signal to its end, at random moments.

    python benchmarks/runs/first_minutes.py DECK [--moments 40] [--longest 8] [--seed 0] [arguments ...]

Runs `hybrid-propagate DECK` in a temporary folder, once for its first line, then with SIGINT, SIGTERM and
SIGHUP in turn at random moments up to --longest seconds from the start of Python on. Prints a Markdown table;
exit code 1 where a run ended with another code than 130 or 0, with a traceback, or with an empty last line.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def started(command: tuple[str, ...], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def first_line(command: tuple[str, ...], folder: Path) -> tuple[float, str]:
    """Seconds to the first line on standard error, and the line."""
    began = time.perf_counter()
    process = started(command, folder)
    assert process.stderr is not None
    line = process.stderr.readline()
    seconds = time.perf_counter() - began
    process.kill()
    process.communicate()
    return seconds, line.strip()


def help_shown(command: tuple[str, ...]) -> float:
    """Seconds from the start to the end of `--help`."""
    began = time.perf_counter()
    subprocess.run([*command, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def interrupted(command: tuple[str, ...], folder: Path, number: int, moment: float) -> tuple[float, int, str]:
    """Seconds from the signal to the end, the exit code, and what was said."""
    process = started(command, folder)
    time.sleep(moment)
    began = time.perf_counter()
    process.send_signal(number)
    _, said = process.communicate()
    return time.perf_counter() - began, process.returncode, said


def main() -> int:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deck", type=Path)
    parser.add_argument("--moments", type=int, default=40)
    parser.add_argument("--earliest", type=float, default=0.1, help="seconds; Python itself needs some")
    parser.add_argument("--longest", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0)
    given, more = parser.parse_known_args()
    moments = random.Random(given.seed)
    command = (sys.executable, "-m", "hybrid_propagate.driver.commands.propagate", given.deck.name, *more)
    faults, ends, codes = [], [], collections.Counter[int]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(given.deck, folder)
        helps = sorted(help_shown(command) for _ in range(3))
        waits = sorted(first_line(command, folder) for _ in range(3))
        for turn in range(given.moments):
            moment = moments.uniform(given.earliest, given.longest)
            number = SIGNALS[turn % len(SIGNALS)]
            seconds, code, said = interrupted(command, folder, number, moment)
            codes[code] += 1
            ends.append(seconds)
            if code not in (0, 130) or "Traceback" in said or (code == 130 and "interrupted" not in said):
                faults.append(f"{signal.Signals(number).name} at {moment:.2f} s: {code}: {said[-2000:]}")
            for path in folder.glob("*"):
                if path.name != given.deck.name:
                    os.remove(path)
    print(f"first line: {waits[0][1]}")
    print("| | least | median | most |\n|---|---|---|---|")
    print(f"| `--help`, s | {helps[0]:.2f} | {helps[1]:.2f} | {helps[2]:.2f} |")
    print(f"| first line, s | {waits[0][0]:.2f} | {waits[1][0]:.2f} | {waits[2][0]:.2f} |")
    ends.sort()
    print(f"| signal to end, s | {ends[0]:.2f} | {ends[len(ends) // 2]:.2f} | {ends[-1]:.2f} |")
    print(f"\nexit codes: {dict(codes)}; faults: {len(faults)}")
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
