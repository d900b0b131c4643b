"""`<start>.html`: a finished run as one page that needs nothing else, made from the run's own files."""

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from ...adapters.deck import Deck, PropagationTask
from ...adapters.files.trajectory import Contents, TrajectoryError, read_contents
from ...adapters.regular_file import read_regular
from ...atomic.whole_file import write_whole
from ..loop.controller import Target
from ..pictures.density_movie import movie_path
from ..spectra.response import StoredResponse, read_response
from ..spectra.spectrum import SpectrumError
from . import tables, words
from .data import bars, decisions, figure_numbers, is_kick
from .lines import roots_from
from .moving import Moving, moving
from .spectrum import report_spectrum
from .transitions import transition_figure

#: Of a summary, and of a deck.
_MOST_BYTES = 2**26
_PAGE = Path(__file__).parent / "assets"
_SCRIPTS = ("plot", "time_axes", "spectrum", "decisions", "figures", "molecule")


def write_report(task: PropagationTask, deck: Deck, stem: Path) -> Path:
    """Write the page beside the run's `.h5` and `.json`, with the density movie where there is one.

    Raises TrajectoryError and OSError.
    """
    trajectory = stem.with_name(stem.name + ".h5")
    contents = read_contents(trajectory)
    path = stem.with_name(stem.name + ".json")
    try:
        summary = json.loads(read_regular(path, _MOST_BYTES))
    except ValueError as error:
        raise TrajectoryError(f"{path}: not the summary of a run ({error})") from error
    figures, numbers = "", {}
    if "time" in contents.series:
        figures, numbers = _figures(task, contents, summary, trajectory, stem)
    page = page_text(
        {
            "title": escape(deck.title or stem.name),
            "run": f"hybrid-propagate · {escape(stem.name)} · <code>{escape(task.real_time.tag)}</code>",
            "verdict": words.verdict(summary),
            "standing": words.standing(summary),
            "system": words.system_line(task, _formula(task), _n_basis(contents), _span(task)),
            "facts": words.facts(summary),
            "figures": figures,
            "picture": escape(stem.name + ".png"),
            "provenance": tables.provenance(
                summary, deck.path.name, read_regular(deck.path, _MOST_BYTES).decode("utf-8", "replace")
            ),
        },
        numbers,
    )
    path = stem.with_name(stem.name + ".html")
    write_whole(path, page)
    return path


def page_text(parts: Mapping[str, str], numbers: Mapping[str, Any]) -> str:
    """A page of its parts, HTML by their names in `page.html`, with what its script draws.

    numbers: for the script; a page without any has none.
    """
    sources = [(_PAGE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    script = "\n".join(sources) if numbers else ""
    return Template((_PAGE / "page.html").read_text(encoding="utf-8")).substitute(
        parts,
        style=(_PAGE / "page.css").read_text(encoding="utf-8"),
        # In JSON, < can only stand in a text; written so, no text can end the script.
        data=json.dumps(numbers, allow_nan=False).replace("<", "\\u003c"),
        script=script,
        script_hash=_hash(script),
    )


def _hash(script: str) -> str:
    """The one script that the page's content security policy lets run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _figures(
    task: PropagationTask, contents: Contents, summary: Mapping[str, Any], trajectory: Path, stem: Path
) -> tuple[str, dict[str, Any]]:
    """Sections with room for the figures, and what the script draws there."""
    series = contents.series
    dipole, time = np.asarray(series["dipole"]), np.asarray(series["time"])
    parts, decided = bars(contents), decisions(contents)
    hybrid = any(part.surrogate for part in parts)
    shaded = hybrid and not all(part.surrogate for part in parts)
    sections = []
    found = report_spectrum(trajectory, contents, roots_from(summary) or ())
    if found is not None:
        title = "Spectrum of the dipole" if found.drawn["log"] else "Absorption"
        body = found.table + figure("spectrum", found.caption)
        sections.append(section(title, body))
        drawn = transition_figure(found.runs, found.lines, task.system)
        sections += [section("Transition densities", drawn)] if drawn else []
    sections.append(section("Induced dipole", figure("dipole", words.dipole_caption(dipole, time, shaded))))
    curves: dict[str, np.ndarray] = {}
    if not is_kick(contents):
        sections.append(section("Applied field", figure("field", "")))
        found_moving = moving(contents, task.system, _response(trajectory))
        curves = _curves(found_moving)
        sections += _moving_sections(found_moving)
    movie = movie_path(stem)
    if task.real_time.visualization is not None and movie.exists():
        sections.append(section("Density difference", _movie(movie)))
    lead = "Each segment ends for a reason, and each decision is on record."
    body = figure("timeline", "") + tables.reason_table(parts, decided) + tables.decision_table(decided)
    sections.append(section("Segments and decisions", body, lead))
    allowed = None
    if hybrid:
        allowed = _target(task, summary).residual
        caption = words.spread_caption(np.asarray(series["spread"]))
        sections.append(section("Spread and residual", figure("spread", caption)))
    cost = section("Where the time went", f"<figure>{tables.cost_bars(summary)}</figure>")
    if any(one.spread > 0.0 and one.residual > 0.0 for one in decided):
        honesty = section("Expected against measured", figure("honesty", _HONESTY))
        sections.append(f'<div class="pair">{honesty}{cost}</div>')
    else:
        sections.append(cost)
    sections.append(section("Energy", figure("energy", words.energy_caption(np.asarray(series["energy"])))))
    if "s2" in series:
        sections.append(section("Spin", figure("s2", "Expectation value of the spin squared.")))
    numbers = figure_numbers(contents, task.system, allowed, None if found is None else found.drawn, curves)
    return "\n".join(sections), numbers


def _response(trajectory: Path) -> StoredResponse | None:
    try:
        return read_response(trajectory)
    except SpectrumError:
        return None


def _curves(found: Moving) -> dict[str, np.ndarray]:
    """By the names under which the script finds them."""
    return {
        **{f"occupation_{name}": values for name, values in found.occupations.items()},
        **{f"charge_{name}": values for name, values in found.charges.items()},
    }


def _moving_sections(found: Moving) -> list[str]:
    """What moves in a pulse, HTML."""
    sections = []
    if found.table:
        lead = "Electrons that have left their orbitals, on average, to second order in the field."
        sections.append(section("What moves", found.table, lead))
    if found.occupations:
        caption = "Change of the electrons in the orbitals that change most, by number."
        sections.append(section("Occupations", figure("occupations", caption)))
    if found.charges:
        caption = "Change of the charges, e: of the fragments where the deck prints them, else of the atoms."
        sections.append(section("Charges", figure("charges", caption)))
    return sections


#: What is read out in place of each figure.
_ALOUD = {
    "dipole": "induced dipole against time",
    "field": "applied field against time",
    "spectrum": "spectrum",
    "timeline": "segments and decisions against time",
    "spread": "spread and measured residuals against time",
    "honesty": "measured residual against expected",
    "occupations": "change of occupations against time",
    "charges": "change of charges against time",
    "energy": "change of the total energy against time",
    "s2": "spin squared against time",
}
_HONESTY = "One point for each anchor. Below the diagonal the surrogate was better than it expected."


def section(title: str, body: str, lead: str = "") -> str:
    """A part of a page, HTML."""
    said = f'<p class="lead">{lead}</p>' if lead else ""
    return f"<section><h2>{title}</h2>{said}{body}</section>"


def figure(name: str, caption: str) -> str:
    """Room for a figure that the script draws, with its caption."""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    room = f'<div class="plot" data-plot="{name}" role="img" aria-label="{_ALOUD[name]}"></div>'
    return f"<figure>{room}{below}</figure>"


def _movie(path: Path) -> str:
    image = base64.b64encode(read_regular(path, _MOST_BYTES)).decode("ascii")
    return (
        f'<figure><img class="movie" alt="density difference over time" src="data:image/gif;base64,{image}">'
        "<figcaption>Orange: where the density has grown, blue: where it has shrunk; seen along the axis in "
        f"which the molecule is thinnest. <code>{escape(path.name)}</code></figcaption></figure>"
    )


def _target(task: PropagationTask, summary: Mapping[str, Any]) -> Target:
    real_time = task.real_time
    return Target(float(summary["tolerance"]), 0, max((real_time.n_points - 1) * real_time.dt, real_time.dt))


def _span(task: PropagationTask) -> float:
    return max(task.real_time.n_points - 1, 0) * task.real_time.dt


def _n_basis(contents: Contents) -> int:
    return int(np.asarray(contents.attributes["n_basis"]))


def _formula(task: PropagationTask) -> str:
    from ase.data import chemical_symbols
    from ase.formula import Formula

    numbers = np.asarray(task.system.geometry.atomic_numbers)
    return Formula.from_list([chemical_symbols[n] for n in numbers if n > 0]).format("hill")
