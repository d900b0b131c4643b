"""`campaign.html`: the campaign's answer on one page, and how each item went."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...adapters.regular_file import read_regular
from ...atomic.units import FS_PER_AU
from ...atomic.whole_file import write_whole
from ..page.report import page_text, section
from ..page.tables import folded, table
from ..page.words import counted, duration, fact_list, number
from ..pictures.plot import COLUMN, PAGE, heat_maps
from ..pictures.spectrum_figure import draw_overlay, draw_spectrum
from .carry_out import DONE, FAILED, Standing
from .collected import MeanSpectrum
from .items import ITEMS
from .mean_maps import MeanMap

#: Items that a page lists; the table has all. Those listed as slowest and worst.
_LISTED, _MOST = 300, 5
_APART = ("geometries", "apart")
_MOST_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class CampaignPage:
    """What the page is of.

    title: of the deck. config: path of the configuration.
    standings: of all items, by name, in order. rows: of the table. spectra, maps: over the geometries.
    """

    title: str
    config: Path
    standings: Mapping[str, Standing]
    rows: Sequence[Mapping[str, Any]]
    spectra: Sequence[MeanSpectrum]
    maps: Sequence[MeanMap]


def write_page(page: CampaignPage, folder: Path) -> Path:
    """Write `campaign.html`, and `campaign.png` where there is a spectrum. Raises OSError."""
    picture = folder / "campaign.png"
    figures = ""
    if page.spectra:
        drawn = _image(partial(_draw, page), picture, "mean spectrum")
        figures += section("Mean spectrum", drawn, _lead(page.spectra))
        figures += "".join(_lines(one) for one in page.spectra)
        figures += _convergence(page.spectra)
    figures += "".join(
        _map(page.title, one, picture if k == 1 else picture.with_stem(f"{picture.stem}_{k}"))
        for k, one in enumerate(page.maps[:_MOST], start=1)
    )
    figures += _failures(page.standings) + _extremes(page) + _items(page)
    try:
        text = page.config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    parts = {
        "title": escape(page.title),
        "run": "hybrid-campaign",
        "verdict": _verdict(page),
        "standing": _standing(page),
        "system": "",
        "facts": _facts(page),
        "figures": figures,
        "picture": escape(picture.name),
        "provenance": folded(f"The configuration, {escape(page.config.name)}", f"<pre>{escape(text)}</pre>"),
    }
    path = folder / "campaign.html"
    write_whole(path, page_text(parts, {}))
    return path


def _draw(page: CampaignPage, path: Path, width: float) -> None:
    if len(page.spectra) == 1:
        one = page.spectra[0]
        draw_spectrum(page.title, one.mean, path, one.deviation if one.count > 1 else None, width)
    else:
        # More curves cannot be told apart.
        shown = page.spectra[:7]
        draw_overlay(page.title, [one.label for one in shown], [one.mean for one in shown], path, width)


def _lead(spectra: Sequence[MeanSpectrum]) -> str:
    one = spectra[0]
    if one.count == 1:
        return "One geometry."
    size = max(float(np.linalg.norm(np.nan_to_num(one.mean.cross_section))), 1e-300)
    middle = float(np.linalg.norm(one.standard_error)) / size
    # Several curves have no bands.
    alone = len(spectra) == 1
    band = "; the band is one standard deviation of a single geometry" if alone else ""
    whose = "The mean itself" if alone else f"The mean of {escape(one.label)}"
    return (
        f"Mean over {one.count} geometries{band}. "
        f"{whose} has a standard error of {number(100 * middle, 2)} %."
    )


def _image(draw: Callable[[Path, float], None], path: Path, words: str) -> str:
    """The figure is written to `path`; a telephone sees it as wide as a column, with letters as large."""
    draw(path, PAGE)
    with TemporaryDirectory() as folder:
        column = Path(folder) / "column.png"
        draw(column, COLUMN)
        narrow = _encoded(column)
    return (
        f'<figure><picture><source media="screen and (max-width: 560px)" srcset="{narrow}">'
        f'<img alt="{words}" src="{_encoded(path)}"></picture></figure>'
    )


def _encoded(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(read_regular(path, _MOST_BYTES)).decode('ascii')}"


def _map(title: str, one: MeanMap, picture: Path) -> str:
    """Mean map and the errors that its items state; the figure stands in the page alone."""
    shown = {"change of the cross-section (bohr²)": one.change, "cross-section (bohr²)": one.absorption}
    title = f"{title}, {one.label}" if one.label else title
    lead = f"Mean over {one.count} geometr{'y' if one.count == 1 else 'ies'}."
    size = float(np.linalg.norm(one.change))
    if one.count > 1 and size:
        apart = 100 * float(np.linalg.norm(one.standard_error)) / size
        lead += f" The mean change has a standard error of {number(apart, 2)} %."
    lead += " Stated errors are the largest over the delays."
    errors = [
        (_link(name), number(float(error.max()), 2), number(float(change.max()), 2))
        for name, error, change in zip(one.items, one.error, one.change_error, strict=True)
    ]
    heads = ("item", "error of the signals", "of their change by the pump")
    axes = (one.delays * FS_PER_AU, one.energy)
    drawn = _image(lambda path, width: heat_maps(path, title, axes, shown, width), picture, "mean map")
    found = drawn + table(heads, errors[:_LISTED], "tnn")
    return section("Mean map" + (f", {escape(one.label)}" if one.label else ""), found, lead)


def _lines(one: MeanSpectrum) -> str:
    found = [
        (f"{peak.energy:.3f}", number(peak.cross_section), number(peak.strength)) for peak in one.mean.peaks
    ]
    if not found:
        return ""
    heads = ("energy (eV)", "cross-section (bohr²)", "strength if isolated")
    return section("Maxima" + (f", {escape(one.label)}" if one.label else ""), table(heads, found, "nnn"))


def _convergence(spectra: Sequence[MeanSpectrum]) -> str:
    found = [
        (escape(one.label), str(n), f"{number(100 * apart, 2)} %")
        for one in spectra
        for n, apart in one.convergence
    ]
    if not found:
        return ""
    lead = "How far the mean of the first geometries is from the mean of all."
    if not any(one.label for one in spectra):
        return section("Convergence of the mean", table(_APART, [row[1:] for row in found], "nn"), lead)
    return section("Convergence of the mean", table(("of", *_APART), found, "tnn"), lead)


def _link(name: str) -> str:
    return f'<a href="{ITEMS}/{escape(name)}/{escape(name)}.log">{escape(name)}</a>'


def _failures(standings: Mapping[str, Standing]) -> str:
    found = [(_link(name), escape(one.reason)) for name, one in standings.items() if one.state == FAILED]
    return section("Failed items", table(("item", "why"), found[:_LISTED], "tt")) if found else ""


def _extremes(page: CampaignPage) -> str:
    done = [one for one in page.standings.values() if one.state == DONE]
    slow = sorted(done, key=lambda one: -one.processor_seconds)[:_MOST]
    worst = sorted(done, key=lambda one: -_worst(one))[:_MOST]
    if not done:
        return ""
    heads = ("item", "processor time", "item", "estimated error")
    found = [
        (_link(a.name), duration(a.processor_seconds), _link(b.name), number(_worst(b), 2))
        for a, b in zip(slow, worst, strict=True)
    ]
    return section("Slowest and worst items", table(heads, found, "tntn"))


def _items(page: CampaignPage) -> str:
    found = [
        (
            _link(one.name),
            one.state,
            number(_worst(one), 2) if one.runs else "",
            str(sum(int(run["fock_builds"] or 0) for run in one.runs)) if one.runs else "",
            duration(one.processor_seconds) if one.runs else "",
        )
        for one in list(page.standings.values())[:_LISTED]
    ]
    rest = len(page.standings) - len(found)
    lead = f"The first {len(found)}; campaign.csv has all." if rest else "campaign.csv has every propagation."
    heads = ("item", "state", "largest estimated error", "Fock builds", "processor time")
    return section("Items", table(heads, found, "ttnnn"), lead)


def _worst(one: Standing) -> float:
    return max((float(run["estimated_error"] or 0.0) for run in one.runs), default=0.0)


def _verdict(page: CampaignPage) -> str:
    done = sum(one.state == DONE for one in page.standings.values())
    return f"{done} of {counted(len(page.standings), 'item')} finished."


def _standing(page: CampaignPage) -> str:
    runs = [run for one in page.standings.values() for run in one.runs]
    if not runs:
        return ""
    met = all(run["tolerance_met"] for run in runs)
    text = "✓ every run meets its tolerance" if met else "✗ not every run meets its tolerance"
    return f'<p class="standing {"good" if met else "bad"}">{text}</p>'


def _facts(page: CampaignPage) -> str:
    done = [one for one in page.standings.values() if one.state == DONE]
    runs = [run for one in done for run in one.runs]
    spent = sum(one.processor_seconds for one in done)
    each = duration(spent / len(done)) if done else "–"
    worst = max(map(_worst, done), default=0.0)
    builds = sum(int(run["fock_builds"] or 0) for run in runs)
    each_takes = f"{number(builds / max(len(runs), 1), 2)} a {'map' if page.maps else 'propagation'}"
    of_what = "of a probe’s signal, over all maps" if page.maps else "of the induced dipole, over all runs"
    return fact_list(
        [
            ("Maps" if page.maps else "Propagations", str(len(runs)), f"of {counted(len(done), 'item')}"),
            ("Largest estimated error", number(worst, 2), of_what),
            ("Processor time", duration(spent), f"{each} an item"),
            ("Fock builds", str(builds), each_takes),
        ]
    )
