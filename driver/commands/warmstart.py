"""The command `hybrid-warmstart`: a deck in; starting orbitals out, and what they save."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...atomic.arguments import CommandParser
from ...atomic.own_input import check_apart
from ...atomic.threads import start_with
from ..front_door.option_table import add_options
from ..front_door.options import ENGINE, NWCHEM
from ..front_door.thread_choice import threads_for
from .ending import carry_out, fail

if TYPE_CHECKING:
    from ...adapters.deck import Deck, GroundStateTask
    from ...adapters.pyscf.engine import PySCFEngine
    from ..warmstart.choice import Start
    from ..warmstart.measure import Comparison

_NAME = "hybrid-warmstart"
_DESCRIPTION = """Predicts the ground-state density of a deck's system and writes it as a start for SCFs:
<prefix>.movecs for NWChem's `vectors input`, <prefix>.h5 for PySCF's dm0, <prefix>.molden to look at. A
prediction that is no better than PySCF's standard guess is dropped, with a message; where none is better,
nothing is written."""
#: `auto`, and the names of `warmstart.named.NAMED`, spelled out so that --help imports nothing.
_GUESSES = ("auto", "minao", "atom", "huckel", "sap", "atomic-density", "atomic-potential", "neural")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 failed, 130 interrupted."""
    options = _parser().read(arguments)
    return carry_out(_NAME, lambda: _run(options), "interrupted")


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("deck", type=Path, metavar="DECK", help="NWChem input deck with a ground state")
    parser.add_argument(
        "--guess",
        choices=_GUESSES,
        default="auto",
        help="which prediction; auto: the one of lowest energy (default %(default)s)",
    )
    parser.add_argument(
        "--from",
        dest="sources",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="earlier results for the same atoms, at this or other geometries: .h5, .movecs, .rt_restart; "
        "several are extrapolated; a trajectory (.h5) may have another basis or other spins",
    )
    parser.add_argument("--run", action="store_true", help="run the SCF with and without, and compare")
    parser.add_argument(
        "--along",
        type=Path,
        metavar="XYZ",
        help="with --run: at every frame of a multi-frame xyz file, extrapolating from the frames before",
    )
    add_options(parser, (replace(ENGINE, meaning="whose SCF (default %(default)s)"), NWCHEM))
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--output", type=Path, metavar="PREFIX", help="default: the deck's prefix + _start, in permanent_dir"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    from ...adapters.deck.reader import read_deck

    if options.along is not None and not options.run:
        return fail(_NAME, "--along runs SCFs: it needs --run", 2)
    if options.along is not None and options.output is not None:
        return fail(_NAME, "--along writes no starts: --output is for a single one", 2)
    deck = read_deck(options.deck, first_ground_state=True)
    check_apart(_paths(_prefix(deck, options)), [options.deck, *options.sources])
    # Before PySCF is loaded.
    start_with(threads_for(_ground(deck).system.n_basis))
    found = _found(deck, options)
    if options.json:
        import json

        print(json.dumps(found, indent=2))
    else:
        _print(found)
    return 0


def _found(deck: Deck, options: argparse.Namespace) -> dict[str, Any]:
    """Everything the command says, as JSON has it."""
    from ...adapters.files.xyz_frames import read_frames
    from ...adapters.nwchem.process import nwchem_command
    from ...surrogate.starting_density.pyscf_guess import STANDARD
    from ..run.machine import half_of_memory
    from ..warmstart.measure import Code, compare_along, compare_scf, find_start
    from ..warmstart.named import own_predictors
    from ..warmstart.sources import earlier_runs

    ground = _ground(deck)
    memory = half_of_memory()
    code = Code(nwchem_command(options.nwchem) if options.engine == "nwchem" else None, memory)
    predictors = [*earlier_runs(options.sources, ground.system), *own_predictors(options.guess)]
    found: dict[str, Any] = {"deck": str(deck.path), "engine": options.engine, "standard": code.standard}
    if options.along is not None:
        frames = read_frames(options.along, ground.system.geometry)
        runs = []
        for number, comparison in enumerate(compare_along(ground, frames, predictors, code), start=1):
            _say_notes(comparison.start, f"frame {number}: ")
            runs.append(_run_of(comparison))
        return found | {"frames": runs}
    engine, start, seconds = find_start(ground, predictors, memory)
    _say_notes(start)
    # The code makes its own guess by itself; who names it wants its file.
    better = start.name != STANDARD or options.guess == STANDARD
    found |= {
        "guess": start.name,
        "seconds": seconds,
        "notes": list(start.notes),
        "files": _write(_prefix(deck, options), engine, start) if better else [],
    }
    if options.run:
        found["run"] = _run_of(compare_scf(ground, engine, start, seconds, code))
    return found


def _prefix(deck: Deck, options: argparse.Namespace) -> Path:
    return options.output or deck.permanent_dir / f"{deck.prefix}_start"


def _paths(prefix: Path) -> list[Path]:
    return [prefix.with_name(f"{prefix.name}.{ending}") for ending in ("movecs", "h5", "molden")]


def _ground(deck: Deck) -> GroundStateTask:
    """The deck's first ground state, which is the one that starts from nothing."""
    from ...adapters.deck import DeckError, GroundStateTask, Place

    for task in deck.tasks:
        if isinstance(task, GroundStateTask):
            if task.filling is not None:
                raise DeckError(task.place, "a start is made for whole orbitals, not for smear, fon or occup")
            return task
    raise DeckError(Place(str(deck.path), 1), "no task dft energy and no task scf energy")


def _write(prefix: Path, engine: PySCFEngine, start: Start) -> list[str]:
    from ...adapters.files.density_file import write_density
    from ...adapters.files.molden import write_molden
    from ...adapters.nwchem.basis_order import nwchem_order
    from ...adapters.nwchem.movecs import write_movecs

    prefix.parent.mkdir(parents=True, exist_ok=True)
    paths = _paths(prefix)
    nuclear = engine.integrals.nuclear_repulsion
    write_movecs(paths[0], start.orbitals, nwchem_order(engine.system), nuclear)
    write_density(paths[1], engine.mol, start.density, start.orbitals, start.name)
    write_molden(paths[2], engine.mol, start.orbitals)
    return [str(path) for path in paths]


def _run_of(comparison: Comparison) -> dict[str, Any]:
    cold, warm = comparison.cold, comparison.warm
    return {
        "guess": comparison.start.name,
        "cold": {"iterations": cold.iterations, "seconds": cold.seconds, "energy": cold.energy},
        "warm": {
            "iterations": warm.iterations,
            "seconds": warm.seconds + comparison.guess_seconds,
            "guess_seconds": comparison.guess_seconds,
            "energy": warm.energy,
        },
        "converged": cold.converged and warm.converged,
        "energy_difference": comparison.difference,
        "tolerance": warm.tolerance,
        "same_energy": comparison.same,
    }


def _say_notes(start: Start, lead: str = "") -> None:
    for note in start.notes:
        print(f"{_NAME}: {lead}{note}", file=sys.stderr)


def _print(found: dict[str, Any]) -> None:
    if "guess" in found:
        print(f"guess: {found['guess']}, {found['seconds']:.2f} s with its check")
        if found["files"]:
            print("written:", *found["files"])
        else:
            print(f"nothing beats the standard guess, {found['guess']}: nothing is written")
    runs = found.get("frames") or [found[key] for key in ("run",) if key in found]
    if not runs:
        return
    print(f"cold: from {found['standard']}; warm: from the guess, whose seconds count")
    print(f"{'guess':28s} {'iterations':>16s} {'seconds':>16s} {'energy, Ha':>18s} {'difference':>11s}")
    for run in runs:
        cold, warm = run["cold"], run["warm"]
        iterations = f"{cold['iterations']} -> {warm['iterations']}"
        seconds = f"{cold['seconds']:.2f} -> {warm['seconds']:.2f}"
        print(
            f"{run['guess']:28s} {iterations:>16s} {seconds:>16s} {warm['energy']:18.9f} "
            f"{run['energy_difference']:11.1e}{_verdict(run)}"
        )
    before, after = (sum(run[kind]["iterations"] for run in runs) for kind in ("cold", "warm"))
    print(f"iterations saved: {before - after} of {before} ({100.0 * (before - after) / before:.0f} %)")


def _verdict(run: dict[str, Any]) -> str:
    if not run["converged"]:
        return "  NOT CONVERGED"
    return "" if run["same_energy"] else f"  NOT THE SAME within {run['tolerance']:.0e} Ha"


if __name__ == "__main__":
    from . import start

    sys.exit(start.warmstart())
