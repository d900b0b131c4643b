"""The lines of a deck: kicks of one molecule along different axes are fitted together."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, PropagationTask
from ...adapters.regular_file import read_regular
from ...adapters.system import System
from ...atomic.whole_file import write_whole
from ..page.lines import Root, kick_axes, roots_from, seen_by
from ..spectra.kicked_runs import lines_of_run, read_kicked_runs
from ..spectra.lines import AbsorptionLine, KickedRun, absorption_lines
from ..spectra.spectrum import SpectrumError
from .as_json import lines_json, roots_json
from .printed import doubts, line_table

#: Of a summary.
_MOST_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class Kicked:
    """A propagation that is done.

    stem: path of its files without their ending.
    run: what lines are found from; None where that is to be read from its files, or it was not kicked.
    """

    task: PropagationTask
    stem: Path
    run: KickedRun | None = None


@dataclass(frozen=True, eq=False)
class DeckLines:
    """The lines of some runs.

    stems: paths of the runs' files without their ending.
    runs: what was fitted.
    lines: ascending; empty where nothing stands out of the error.
    """

    stems: tuple[Path, ...]
    runs: tuple[KickedRun, ...]
    lines: tuple[AbsorptionLine, ...]


def answer(
    deck: Deck,
    done: Sequence[Kicked],
    roots: Sequence[Root] | None,
    alike: Callable[[System, System], bool],
    *,
    report: bool,
) -> None:
    """Print the lines of a deck's kicked runs; those of several together go to `<start>.json`, and `.html`.

    roots: of `task tddft`, None without one.
    alike: whether two systems are one molecule at one level of theory. report: write the page.
    Raises OSError.
    """
    groups = [(group, kick_lines(group)) for group in _groups(done, alike)]
    several = sum(found is not None and len(found.stems) > 1 for _, found in groups) > 1
    for number, (group, found) in enumerate(groups, start=1):
        if found is None:
            continue
        together = len(found.stems) > 1
        # Two molecules in a deck, each with its kicks, leave two files.
        own = f"{deck.prefix}_lines_{number}" if several else deck.prefix
        name = own if together else found.stems[0].name
        beside = seen_by(roots or (), found.runs)
        of, absorbing = group[0].task.system, any(one.task.real_time.absorbing for one in group)
        said = doubts(found.lines, sum(of.electrons), absorbing=absorbing)
        print("\n".join([line_table(name, found.lines, found.runs, beside), *said]), file=sys.stderr)
        if not together:
            continue
        axes = kick_axes(found.runs).split(", ")
        runs = [stem.name for stem in found.stems]
        summary = {"runs": runs, "kicks": axes, "lines": lines_json(found.lines)}
        if roots is not None:
            summary["task_tddft"] = roots_json(roots)
        write_whole(deck.permanent_dir / f"{name}.json", json.dumps(summary, indent=1) + "\n")
        if report:
            from .deck_page import DeckPage, write_deck_page

            path = deck.permanent_dir / f"{name}.html"
            write_deck_page(DeckPage(deck, of, found.stems, found.runs, found.lines, beside), path)
            print(f"  {path}", file=sys.stderr)


def earlier_roots(summaries: Iterable[Path]) -> list[Root] | None:
    """Roots of `task tddft` that an earlier run of the deck left in the first of these that has any.

    None where no summary has them, as before the first propagation has ended.
    """
    for path in summaries:
        try:
            found = roots_from(json.loads(read_regular(path, _MOST_BYTES)))
        except (OSError, ValueError):
            continue
        if found is not None:
            return found
    return None


def kick_lines(done: Sequence[Kicked]) -> DeckLines | None:
    """The lines of finished runs together; None where they are no kicks, or too short."""
    stems = [one.stem for one in done]
    try:
        paths = [stem.with_name(stem.name + ".h5") for stem in stems]
        runs = [
            run
            for path, one in zip(paths, done, strict=True)
            for run in (read_kicked_runs(path) if one.run is None else [one.run])
        ]
        lines = absorption_lines(runs) if len(paths) > 1 else lines_of_run(paths[0], runs)
        return DeckLines(tuple(stems), tuple(runs), lines)
    except SpectrumError:
        return None


def _groups(done: Sequence[Kicked], alike: Callable[[System, System], bool]) -> list[list[Kicked]]:
    """Runs of one molecule with kicks along independent axes; any other kicked run alone."""
    groups: list[tuple[list[np.ndarray], list[Kicked]]] = []
    for one in done:
        task = one.task
        direction = _kick_direction(task)
        if direction is None:
            continue
        for directions, members in groups:
            first = members[0].task
            same = first.vectors == task.vectors and first.real_time.dt == task.real_time.dt
            more = np.linalg.matrix_rank(np.stack([*directions, direction]), 1e-6) > len(directions)
            if same and more and alike(first.system, task.system):
                directions.append(direction)
                members.append(one)
                break
        else:
            groups.append(([direction], [one]))
    return [members for _, members in groups]


def _kick_direction(task: PropagationTask) -> np.ndarray | None:
    """(3,) of a propagation whose only field is a delta kick."""
    real_time = task.real_time
    shapes = {field.name: field for field in real_time.fields}
    acting = [shapes[rule.field] for rule in real_time.excitations]
    kicked = len(acting) == 1 and acting[0].shape == "delta"
    return np.array(acting[0].direction, float) if kicked else None
