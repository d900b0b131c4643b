"""The command `hybrid-propagate`: an NWChem deck in; NWChem's log, trajectory, restart file, figure out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from .ending import carry_out, fail
from .option_values import count, count_or_none, positive

_NAME = "hybrid-propagate"
_DESCRIPTION = """Runs the RT-TDDFT tasks of an NWChem input deck: reference steps where they are needed,
surrogate steps everywhere else. The log goes to standard output in NWChem's format, progress to standard
error, and <start>.h5, .json, .png and .rt_restart to the deck's permanent_dir."""
#: What may stand in for the reference code; none: nothing.
SURROGATES = ("response", "neural", "hybrid", "none")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 failed, 130 interrupted."""
    started = time.perf_counter()
    options = _parser().parse_args(arguments)
    interrupted = "interrupted; --restart goes on from the last checkpoint"
    return carry_out(_NAME, lambda: _run(options, started), interrupted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("deck", type=Path, metavar="DECK", help="NWChem input deck with an rt_tddft block")
    parser.add_argument(
        "frames",
        nargs="?",
        type=Path,
        metavar="FRAMES",
        help="multi-frame xyz file: the deck is run at every frame, each learning from those before",
    )
    parser.add_argument(
        "--tol",
        type=positive,
        default=1e-3,
        metavar="ERROR",
        help="trajectory error wanted, relative (default %(default)g)",
    )
    parser.add_argument(
        "--max-ml-steps",
        type=count,
        default=500,
        metavar="N",
        help="most surrogate steps between two anchors (default %(default)s)",
    )
    parser.add_argument(
        "--engine", choices=("pyscf", "nwchem"), default="pyscf", help="reference code (default %(default)s)"
    )
    parser.add_argument(
        "--nwchem",
        metavar="COMMAND",
        help="how to run NWChem, e.g. 'mpirun -np 4 nwchem' (default: NWCHEM_COMMAND, else nwchem)",
    )
    parser.add_argument("--keep-scratch", action="store_true", help="keep NWChem's own files")
    parser.add_argument(
        "--surrogate",
        choices=("auto", *SURROGATES),
        default="auto",
        help="response: the Fock response learned on the fly; neural: a trained network; hybrid: learned on "
        "the fly from the network on; none: reference steps alone; auto: hybrid where a network that "
        "corrects the analytic kernel ships for the deck's level, else response (default %(default)s)",
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "tensorrt"),
        default="auto",
        help="where the network runs; auto: CUDA where it works, else the CPU (default %(default)s)",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="graphs of hybrid-export, in place of the shipped ones"
    )
    parser.add_argument(
        "--prior",
        type=Path,
        metavar="FILE",
        help="start from the response that an earlier run (.h5) of the molecule learned, at any geometry",
    )
    parser.add_argument("--restart", action="store_true", help="go on from <start>.h5")
    parser.add_argument(
        "--report", action="store_true", help="write <start>.html too, a page that tells about the run"
    )
    parser.add_argument(
        "--save-density",
        type=count_or_none,
        metavar="N",
        help="store the density at every Nth point, 0 for never "
        "(default: all, where that takes less than 64 MB)",
    )
    parser.add_argument(
        "--memory",
        type=positive,
        metavar="MB",
        help="memory for integrals, grids and the kernel (default: half of what there is)",
    )
    thresholds = parser.add_argument_group("thresholds that end a surrogate segment")
    thresholds.add_argument(
        "--max-uncertainty", type=positive, default=0.05, metavar="X", help="spread (default %(default)g)"
    )
    thresholds.add_argument(
        "--max-trace-error",
        type=positive,
        default=0.02,
        metavar="X",
        help="relative change of the trace (default %(default)g)",
    )
    thresholds.add_argument(
        "--max-hermiticity-error",
        type=positive,
        default=0.01,
        metavar="X",
        help="relative (default %(default)g)",
    )
    return parser


def _run(options: argparse.Namespace, started: float) -> int:
    from ...adapters.deck.reader import read_deck
    from ..run.frames import frame_decks

    if (reason := _without_use(options)) is not None:
        return fail(_NAME, reason, 2)
    deck = read_deck(options.deck)
    for notice in deck.notices:
        print(f"{_NAME}: {notice}", file=sys.stderr)
    if (reason := _not_writable(deck.permanent_dir)) is not None:
        return fail(_NAME, reason, 2)
    decks = [deck]
    if options.frames is not None:
        decks = frame_decks(deck, options.frames)
        if options.surrogate == "auto":
            # What one frame learns is passed on to the next.
            options.surrogate = "response"
    from ...adapters.nwchem.process import nwchem_command
    from ..loop.segment import Limits
    from ..run.deck import run_deck
    from ..run.job import last_trajectory
    from ..run.machine import half_of_memory
    from ..run.options import Options

    stopping = _on_interrupt()
    settings = Options(
        surrogate=options.surrogate,
        tolerance=options.tol,
        max_ml_steps=options.max_ml_steps,
        limits=Limits(options.max_uncertainty, options.max_trace_error, options.max_hermiticity_error),
        memory=half_of_memory() if options.memory is None else 1e6 * options.memory,
        restart=options.restart,
        save_density=options.save_density,
        started=started,
        engine=options.engine,
        nwchem=nwchem_command(options.nwchem),
        keep_scratch=options.keep_scratch,
        report=options.report,
        prior=options.prior,
        device=options.device,
        weights=options.weights,
        frames=options.frames is not None,
    )
    finished = True
    try:
        for deck in decks:
            finished = finished and run_deck(deck, settings, _write, stopping)
            if options.surrogate == "response":
                settings = replace(settings, prior=last_trajectory(deck) or settings.prior)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        return fail(_NAME, f"cannot write: {reason}; what was written before is whole, --restart goes on", 1)
    return 0 if finished else fail(_NAME, "interrupted; --restart goes on from here", 130)


def _without_use(options: argparse.Namespace) -> str | None:
    """An option that the others leave nothing to do for."""
    surrogate, nwchem = options.surrogate, options.engine == "nwchem"
    for name, given, of_use, what in (
        ("--prior", options.prior, surrogate in ("auto", "response"), "--surrogate response"),
        ("--weights", options.weights, surrogate in ("neural", "hybrid"), "--surrogate neural and hybrid"),
        (
            "--device",
            options.device != "auto",
            surrogate not in ("response", "none"),
            "--surrogate neural and hybrid",
        ),
        ("--nwchem", options.nwchem, nwchem, "--engine nwchem"),
        ("--keep-scratch", options.keep_scratch, nwchem, "--engine nwchem"),
    ):
        if given and not of_use:
            return f"{name} is for {what}"
    return None


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _not_writable(folder: Path) -> str | None:
    """Make the folder; why no files can be written there, found out before any time is spent."""
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder}: cannot be written: {error.strerror}"


def _on_interrupt() -> Callable[[], bool]:
    """Tells whether Ctrl-C was pressed: the first ends the run at the next segment, the second at once."""
    asked: list[bool] = []

    def handle(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        print("hybrid-propagate: stopping after this segment (again: at once)", file=sys.stderr)

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    return lambda: bool(asked)


if __name__ == "__main__":
    sys.exit(main())
