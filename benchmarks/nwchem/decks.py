"""Every deck of the folders named: what each NWChem does with it, and what this program does, a row each.

    python benchmarks/nwchem/decks.py RESULTS FOLDER... [--steps 8] [--seconds 40]
        [--nwchem nwchem OTHER...] [--engine pyscf]

Each deck runs in a copy of its folder, cut to a few steps, with so many processor seconds for each code.
A deck with `load restart` or `restart` runs behind the deck before it. RESULTS has a JSON file for each deck
and code: what is there is not made again, so that a run that was stopped goes on. The table goes to standard
output.
Differences are the largest of all points printed: of the last NWChem named that runs, from the first and from
this program.
"""

import argparse
import contextlib
import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck

_NUMBER = r"\s+([-+0-9.E]+)"
_DIPOLE = re.compile(rf"^\S+{_NUMBER * 4}\s+# Dipole moment", re.MULTILINE)
_ENERGY = re.compile(rf"^\S+{_NUMBER * 2}\s+# Etot", re.MULTILINE)
_FUNCTIONS = re.compile(r"AO basis - number of functions:\s+(\d+)")
_ITERATION = re.compile(r"^ d= ", re.MULTILINE)
_FOLDER = re.compile(r"(?im)^\s*(?:scratch|permanent)_dir\s+(\S+)")


def shortened(text: str, steps: int) -> str:
    """The deck with each propagation cut to so many steps; a restarted one has twice as many."""
    block = re.compile(r"(?ims)^\s*rt_tddft\b.*?(?=^\s*task\b|\Z)")

    def cut(found: re.Match[str]) -> str:
        dt = re.search(r"(?im)^\s*dt\s+(\S+)", found[0])
        if dt is None:
            return found[0]
        wanted = 2 * steps if goes_on(found[0]) else steps
        tmax = float(dt[1].lower().replace("d", "e")) * (wanted + 1)
        return re.sub(r"(?im)^(\s*tmax)\s+\S+", rf"\1 {tmax:.6f}", found[0])

    return block.sub(cut, text)


def goes_on(text: str) -> bool:
    """Whether a deck starts from the restart file, or the database, of the deck before it."""
    return re.search(r"(?im)^\s*(?:load\s+)?restart\b", text) is not None


def why_not(log: str, said: str, code: int, seconds: int) -> str:
    """One line: what stopped a run."""
    if code in (-9, -24, 137, 152):
        n_functions = _FUNCTIONS.findall(log)
        done = f", {len(_ITERATION.findall(log))} SCF iterations" if n_functions else ""
        size = f", {n_functions[-1]} functions" if n_functions else ""
        return f"not done in {seconds} s of processor time{size}{done}"
    lines = [line for line in said.splitlines() if "Error" in line or ".nw:" in line]
    lines = [line for line in lines if "passed over" not in line]
    lines += re.findall(r"(?m)^ *\S+: .*(?:failed|unknown|error).*$", log)[-1:]
    lines += said.splitlines()[-1:]
    return (lines or [f"exit code {code}"])[0].strip()[-200:]


def ran(command: Sequence[str], folder: Path, seconds: int) -> dict[str, object]:
    """Exit code, points printed, processor seconds, and the last words of a failure."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, preexec_fn=limited)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    log, said = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return {
        "code": done.returncode,
        "why": why_not(log, said, done.returncode, seconds) if done.returncode else "",
        "dipoles": [[float(x) for x in row] for row in _DIPOLE.findall(log)],
        "energies": [[float(x) for x in row] for row in _ENERGY.findall(log)],
        "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def run_in(folder: Path, decks: Sequence[Path], command: Sequence[str], of: argparse.Namespace) -> dict:
    """The last of the decks, behind the others, in a new folder."""
    shutil.copytree(decks[-1].parent, folder, ignore=shutil.ignore_patterns("*.db", "README.md", "logs"))
    outcome: dict = {}
    for deck in decks:
        text = shortened(deck.read_text(errors="replace"), of.steps)
        (folder / deck.name).write_text(text)
        for name in _FOLDER.findall(text):
            with contextlib.suppress(OSError):
                (folder / name).mkdir(parents=True, exist_ok=True)
        outcome = ran([part.replace("DECK", deck.name) for part in command], folder, of.seconds)
    return outcome


def row_of(name: str, decks: Sequence[Path], versions: dict[str, str], of: argparse.Namespace) -> dict:
    """What each code makes of a deck, from the files of RESULTS or, where there is none, by running it."""
    commands = {version: [command, "DECK"] for version, command in versions.items()}
    commands["ours"] = ["hybrid-propagate", "DECK", "--engine", of.engine]
    row: dict = {"read": seconds_to_read(decks[-1])}
    for code, command in commands.items():
        label = f"ours-{of.engine}" if code == "ours" else code
        kept = of.results / f"{name.replace('/', '_')}.{label}.json"
        if not kept.exists():
            with tempfile.TemporaryDirectory() as scratch:
                kept.write_text(json.dumps(run_in(Path(scratch) / "run", decks, command, of)))
        row[code] = json.loads(kept.read_text())
    return row


def seconds_to_read(deck: Path) -> float:
    """Of processor time."""
    began = time.process_time()
    with contextlib.suppress(DeckError):
        read_deck(deck)
    return time.process_time() - began


def version_of(command: str) -> str:
    """As NWChem's own banner states it."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "none.nw").write_text("start none\n")
        log = subprocess.run([command, "none.nw"], cwd=scratch, capture_output=True, text=True, check=False)
    found = re.search(r"\(NWChem\) (\S+)", log.stdout)
    if found is None:
        raise SystemExit(f"{command}: no NWChem")
    return found[1]


def largest_difference(of: dict, reference: dict, what: str) -> str:
    """Of the points that both logs have, in order; `-` where there are none, or not as many of a time."""
    one, other = (np.array(run[what], float) for run in (of, reference))
    if not (len(one) and len(other)):
        return "-"
    # A run that goes on from a restart file prints the point that it starts from in NWChem alone.
    times = np.intersect1d(one[:, 0].round(4), other[:, 0].round(4))
    mine, theirs = (run[np.isin(run[:, 0].round(4), times)] for run in (one, other))
    if mine.shape != theirs.shape or not len(mine):
        return "-"
    return f"{np.abs(mine[:, 1:] - theirs[:, 1:]).max():.1e}"


def verdict(of: dict) -> str:
    """Runs, or why not."""
    return "runs" if of["code"] == 0 else f"no: {of['why']}".replace("|", "/")


def cells(row: dict, versions: Sequence[str]) -> list[str]:
    """What each code does, the differences, seconds to read."""
    runs = [row[version] for version in versions]
    done = [run for run in runs if run["code"] == 0]
    between = largest_difference(runs[-1], runs[0], "dipoles") if len(done) > 1 else "-"
    differences = [
        largest_difference(row["ours"], done[-1], what) if done else "-" for what in ("dipoles", "energies")
    ]
    apart = [between] if len(runs) > 1 else []
    return [*map(verdict, runs), verdict(row["ours"]), *apart, *differences, f"{row['read']:.2f}"]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--nwchem", nargs="+", default=["nwchem"])
    parser.add_argument("--engine", default="pyscf", choices=("pyscf", "nwchem"))
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    # Each deck runs in a folder of its own.
    commands = [str(Path(name).resolve()) if "/" in name else name for name in arguments.nwchem]
    versions = {version_of(command): command for command in commands}
    apart = ["between NWChems, au"] if len(versions) > 1 else []
    heads = [
        "deck",
        *(f"NWChem {version}" for version in versions),
        "this program",
        *apart,
        "dipole, au",
        "energy, Ha",
    ]
    print(f"| {' | '.join([*heads, 's to read'])} |\n|{'---|' * (len(heads) + 1)}")
    for folder in arguments.folders:
        decks = sorted(folder.rglob("*.nw"))
        for index, deck in enumerate(decks):
            name = f"{deck.parent.name}/{deck.name}"
            first = index - 1 if index and goes_on(deck.read_text(errors="replace")) else index
            row = row_of(name, decks[first : index + 1], versions, arguments)
            print(f"| {' | '.join([name, *cells(row, list(versions))])} |", flush=True)


if __name__ == "__main__":
    main()
