"""The command `hybrid-bench`: decks in; how fast and how right each method is on them out."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...atomic.arguments import CommandParser
from ..front_door.option_values import count, count_or_none, positive
from ..front_door.options import SURROGATES
from .ending import carry_out

if TYPE_CHECKING:
    from ..bench.case import Case
    from ..bench.measure import Plan

_NAME = "hybrid-bench"
_DESCRIPTION = """Runs decks with one propagation each by every method: plain NWChem, the plain PySCF engine,
the hybrid with each surrogate, and what one might do instead; one process at a time, one thread. Writes
<output>.md, .json and .png. Results are kept in the work folder: a benchmark that was stopped goes on when it
is started again."""

_ENGINES = ("pyscf", "nwchem")
_BASELINES = ("dmd", "esprit", "pade", "linear-response", "larger-step")
_T = TypeVar("_T")
#: Compared with where asked: NWChem's own excitations take longer than many a run.
_ASKED = "nwchem-tddft"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 a case failed, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().read(given)
    interrupted = "interrupted; what was measured is kept, start it again to go on"
    return carry_out(_NAME, lambda: _run(options, " ".join([_NAME, *given])), interrupted)


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument(
        "decks", nargs="+", metavar="DECK", help="NWChem deck; DECK:STEPS makes so many steps of it"
    )
    parser.add_argument(
        "--engines",
        type=_names(_ENGINES),
        default=_ENGINES,
        metavar="NAMES",
        help=f"reference codes to time, of {','.join(_ENGINES)} (default: all)",
    )
    parser.add_argument(
        "--baselines",
        type=_names((*_BASELINES, _ASKED)),
        default=_BASELINES,
        metavar="NAMES",
        help=f"methods to compare with, of {','.join(_BASELINES)},{_ASKED}, or none "
        "(default: all but the last)",
    )
    parser.add_argument(
        "--tolerances",
        type=_tolerances,
        default=(1e-3, 3e-2, 1e-2, 3e-4),
        metavar="ERRORS",
        help="--tol of the hybrid's runs; the first one is timed (default 1e-3,3e-2,1e-2,3e-4)",
    )
    parser.add_argument(
        "--repeats",
        type=count_or_none,
        default=3,
        metavar="N",
        help="rounds of timings, 0 for errors and counts alone (default %(default)s)",
    )
    parser.add_argument(
        "--repeat-timings", action="store_true", help="forget the rounds of timings made before"
    )
    parser.add_argument(
        "--timed-steps",
        type=count,
        default=20,
        metavar="N",
        help="steps that the reference codes are timed over (default %(default)s)",
    )
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="instead: how cost grows with the number of basis functions over the decks",
    )
    parser.add_argument(
        "--nwchem-functions",
        type=count,
        default=150,
        metavar="N",
        help="with --scaling: largest number of functions NWChem is timed at (default %(default)s)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("bench/work"),
        metavar="FOLDER",
        help="where results are kept (default %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("bench/benchmark"),
        metavar="PREFIX",
        help="names of the files written (default %(default)s)",
    )
    return parser


def _names(accepted: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Reads a list of names out of `accepted`, in their order; `none` for none."""

    def read(text: str) -> tuple[str, ...]:
        names = [] if text == "none" else text.split(",")
        for name in names:
            if name not in accepted:
                raise argparse.ArgumentTypeError(f"{name!r}; accepted: {', '.join(accepted)}, none")
        return tuple(name for name in accepted if name in names)

    return read


def _tolerances(text: str) -> tuple[float, ...]:
    return tuple(positive(word) for word in text.split(","))


def _say(line: str) -> None:
    print(f"{_NAME}: {line}", file=sys.stderr, flush=True)


def _run(options: argparse.Namespace, command: str) -> int:
    from ...adapters.nwchem.process import NWChemError, command_words, nwchem_command
    from ..bench.case import BenchError, read_case
    from ..bench.measure import Plan
    from ..bench.pieces import sources_digest

    nwchem = nwchem_command()
    engines = options.engines
    try:
        program = (command_words(nwchem) or [nwchem])[0]
    except NWChemError as error:
        raise BenchError(str(error)) from error
    if "nwchem" in engines and shutil.which(program) is None:
        _say(f"left out: nwchem: {nwchem} is not on the PATH")
        engines = tuple(name for name in engines if name != "nwchem")
    plan = Plan(
        surrogates=tuple(name for name in SURROGATES if name not in ("none", "auto", "rollout")),
        engines=engines,
        baselines=options.baselines,
        tolerances=options.tolerances,
        timed_steps=options.timed_steps,
        nwchem=nwchem,
        work=options.work,
        sources=sources_digest(),
        say=_say,
    )
    cases = [read_case(argument, plan.work / "decks") for argument in options.decks]
    names = [case.name for case in cases]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BenchError(f"two decks are named {repeated}")
    return (_scaling if options.scaling else _suite)(cases, plan, options, command)


def _each(cases: Sequence[Case], measure: Callable[[Case], _T]) -> tuple[list[_T], dict[str, str]]:
    """What was measured of each case, and why there is nothing of the others, by name."""
    from ..bench.pieces import PieceFailed

    found, failed = [], {}
    for case in cases:
        try:
            found.append(measure(case))
        except PieceFailed as error:
            failed[case.name] = str(error)
            _say(f"left out: {case.name}: {error}")
    return found, failed


def _suite(cases: Sequence[Case], plan: Plan, options: argparse.Namespace, command: str) -> int:
    from ..bench.measure import measure_case, time_round
    from ..bench.report import conditions, write_suite
    from ..bench.tables import CaseResult

    if options.repeat_timings:
        for case in cases:
            shutil.rmtree(plan.work / case.name / "rounds", ignore_errors=True)
    measured, failed = _each(cases, lambda case: measure_case(case, plan))
    rounds: dict[str, list] = {m.case.name: [] for m in measured}
    for number in range(1, options.repeats + 1):
        for m in measured:
            rounds[m.case.name].append(time_round(m, plan, number))
    results = [CaseResult(m, rounds[m.case.name]) for m in measured]
    if results:
        write_suite(options.output, results, conditions(command, results, plan.sources), failed)
        _say(f"written: {options.output}.md {options.output}.json {options.output}.png")
    return 1 if failed else 0


def _scaling(cases: Sequence[Case], plan: Plan, options: argparse.Namespace, command: str) -> int:
    from ...atomic.whole_file import write_whole
    from ..bench.report import as_json, conditions, made_with
    from ..bench.scaling import measure_size, scaling_table

    sizes, failed = _each(cases, lambda case: measure_size(case, plan, options.nwchem_functions))
    found = conditions(command, [], plan.sources)
    text = ["# How cost grows", made_with(found), scaling_table(sizes)]
    text += [f"Left out: {name} ({why})." for name, why in failed.items()]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(Path(f"{options.output}.md"), "\n\n".join(text) + "\n")
    write_whole(Path(f"{options.output}.json"), as_json({"conditions": found, "sizes": sizes}))
    _say(f"written: {options.output}.md {options.output}.json")
    return 1 if failed else 0


if __name__ == "__main__":
    from . import start

    sys.exit(start.bench())
