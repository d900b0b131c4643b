"""`<start>.html` of a deck with several kicks: their lines and averaged spectrum, and how each run went."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ...adapters.deck import Deck
from ...adapters.regular_file import read_regular
from ...adapters.system import System
from ...atomic.units import FS_PER_AU
from ...atomic.whole_file import write_whole
from ..page.data import encoded, molecule
from ..page.lines import Root, answer_words, below, line_facts
from ..page.report import figure, page_text, section
from ..page.spectrum import kick_spectrum
from ..page.tables import folded, table
from ..page.transitions import transition_figure
from ..page.words import counted, duration, number
from ..spectra.lines import AbsorptionLine, KickedRun

#: Of a summary, and of a deck.
_MOST_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class DeckPage:
    """What the page is of.

    deck: with the runs' propagations.
    system: the molecule.
    stems: paths of the runs' files without their ending.
    runs: what was fitted.
    lines: what was found.
    roots: of `task tddft`.
    """

    deck: Deck
    system: System
    stems: Sequence[Path]
    runs: Sequence[KickedRun]
    lines: Sequence[AbsorptionLine]
    roots: Sequence[Root]


def write_deck_page(page: DeckPage, path: Path) -> None:
    """Write the page; the runs' own pages lie beside it. Raises OSError, SpectrumError."""
    import numpy as np

    shown = kick_spectrum(page.runs, page.lines, page.roots)
    summaries = [
        json.loads(read_regular(stem.with_name(stem.name + ".json"), _MOST_BYTES)) for stem in page.stems
    ]
    time = page.runs[0].signal.time
    numbers: dict[str, Any] = {
        "fs_per_au": FS_PER_AU,
        "span": [float(time[0]), float(time[-1])],
        "time": encoded(np.zeros(0)),
        "series": {},
        "segments": [],
        "events": [],
        "allowed": None,
        "spectrum": shown.drawn,
        "molecule": molecule(page.system, None),
    }
    drawn = transition_figure(page.runs, page.lines, page.system)
    deck, end = page.deck, float(summaries[0]["steps"]) * float(summaries[0]["dt"])
    text = read_regular(deck.path, _MOST_BYTES).decode("utf-8", "replace")
    parts = {
        "title": escape(deck.title or deck.prefix),
        "run": f"hybrid-propagate · {escape(deck.prefix)}",
        "verdict": answer_words(page.lines, page.runs),
        "standing": _standing(summaries),
        "system": f"{escape(page.system.functional.directive)}; {len(page.stems)} runs of {number(end, 4)} "
        f"au ({number(end * FS_PER_AU)} fs), kicked along different axes.",
        "facts": line_facts(page.lines, page.runs, [run.error for run in page.runs]),
        "figures": section("Absorption lines", shown.table)
        + section("Spectrum", figure("spectrum", shown.caption))
        + (section("Transition densities", drawn) if drawn else "")
        + section("Runs", _run_table(page.stems, summaries), "Each run has a page of its own."),
        "picture": escape(page.stems[0].name + ".png"),
        "provenance": folded(f"The deck, {escape(deck.path.name)}", f"<pre>{escape(text)}</pre>"),
    }
    write_whole(path, page_text(parts, numbers))


def _standing(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Whether every run met the tolerance."""
    if all(summary["surrogate"] == "none" for summary in summaries):
        return ""
    met = all(summary["tolerance_met"] for summary in summaries)
    worst = number(max(float(summary["estimated_error"]) for summary in summaries), 2)
    all_met = "✓ every run meets" if met else "✗ not every run meets"
    text = f"{all_met} its tolerance; largest estimated error {worst}"
    return f'<p class="standing {"good" if met else "bad"}">{text}</p>'


def _run_table(stems: Sequence[Path], summaries: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f'<a href="{escape(stem.name)}.html">{escape(stem.name).replace("_", "_<wbr>")}</a>',
            str(summary["steps"]) + below(counted(summary["fock_builds"], "Fock build")),
            number(float(summary["estimated_error"]), 2)
            + below(f"bound {number(float(summary['error_bound']), 2)}"),
            duration(float(summary["wall_seconds"])),
        )
        for stem, summary in zip(stems, summaries, strict=True)
    ]
    return table(("run", "steps", "estimated error", "time"), rows, "tnnn")
