"""Every deck of the folders named: what NWChem does with it, and what this program does, a row each.

    python benchmarks/nwchem/decks.py RESULTS FOLDER... [--steps 20] [--nwchem nwchem] [--engine pyscf]

Each deck runs in a copy of its folder, cut to a few steps. RESULTS is a folder with a JSON file a deck: rows
that are there are not made again, so that a run that was stopped goes on. The table goes to standard output.
"""

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck

#: Seconds after which a run is given up.
PATIENCE = 300
_NUMBER = r"\s+([-+0-9.E]+)"
_DIPOLE = re.compile(rf"^\S+{_NUMBER * 4}\s+# Dipole moment", re.MULTILINE)
_ENERGY = re.compile(rf"^\S+{_NUMBER * 2}\s+# Etot", re.MULTILINE)


def shortened(text: str, steps: int) -> str:
    """The deck with each propagation cut to so many steps."""
    block = re.compile(r"(?ims)^\s*rt_tddft\b.*?(?=^\s*task\b|\Z)")

    def cut(found: re.Match[str]) -> str:
        dt = re.search(r"(?im)^\s*dt\s+(\S+)", found[0])
        if dt is None:
            return found[0]
        tmax = float(dt[1].lower().replace("d", "e")) * (steps + 1)
        return re.sub(r"(?im)^(\s*tmax)\s+\S+", rf"\1 {tmax:.6f}", found[0])

    return block.sub(cut, text)


def ran(command: Sequence[str], folder: Path) -> dict[str, object]:
    """Exit code, processor-free summary of a log, and the last words of a failure."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return {"code": None, "why": f"not done in {PATIENCE} s", "dipoles": [], "energies": []}
    log, said = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    lines = [line for line in said.splitlines() if "ARMCI Error" in line or ".nw:" in line]
    lines = [line for line in lines if "passed over" not in line] or said.splitlines()[-1:] or [""]
    return {
        "code": done.returncode,
        "why": lines[0][-160:] if done.returncode else "",
        "dipoles": [[float(x) for x in row] for row in _DIPOLE.findall(log)],
        "energies": [[float(x) for x in row] for row in _ENERGY.findall(log)],
    }


def row_of(deck: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Both runs of one deck, and the seconds of processor time that reading it takes."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / name for name in ("nwchem", "ours")]
        for folder in folders:
            shutil.copytree(deck.parent, folder, ignore=shutil.ignore_patterns("*.db", "README.md", "logs"))
            (folder / deck.name).write_text(shortened(deck.read_text(errors="replace"), arguments.steps))
        began = time.process_time()
        with contextlib.suppress(DeckError):
            read_deck(folders[1] / deck.name)
        seconds = time.process_time() - began
        command = ["hybrid-propagate", deck.name, "--engine", arguments.engine]
        return {
            "nwchem": ran([arguments.nwchem, deck.name], folders[0]),
            "ours": ran(command, folders[1]),
            "seconds": seconds,
        }


def largest_difference(row: dict, what: str) -> str:
    """Of all points that both logs have, in order; `-` where they have none, or not the same ones."""
    ours, theirs = (np.array(row[code][what]) for code in ("ours", "nwchem"))
    if ours.size == 0 or ours.shape != theirs.shape or not np.allclose(ours[:, 0], theirs[:, 0], atol=1e-4):
        return "-"
    return f"{np.abs(ours[:, 1:] - theirs[:, 1:]).max():.1e}"


def verdict(of: dict) -> str:
    """Runs, or why not."""
    return "runs" if of["code"] == 0 else f"no: {of['why']}".replace("|", "/")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--nwchem", default="nwchem")
    parser.add_argument("--engine", default="pyscf", choices=("pyscf", "nwchem"))
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    print("| deck | NWChem | this program | dipole, au | energy, Ha | s to read |\n|---|---|---|---|---|---|")
    for deck in sorted(path for folder in arguments.folders for path in folder.rglob("*.nw")):
        name = f"{deck.parent.name}/{deck.name}"
        kept = arguments.results / f"{name.replace('/', '_')}.{arguments.engine}.json"
        if not kept.exists():
            kept.write_text(json.dumps(row_of(deck, arguments)))
        row = json.loads(kept.read_text())
        differences = " | ".join(largest_difference(row, what) for what in ("dipoles", "energies"))
        cells = f"{verdict(row['nwchem'])} | {verdict(row['ours'])} | {differences} | {row['seconds']:.2f}"
        print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
