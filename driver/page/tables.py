"""Tables and bars of a report, as HTML; texts from outside are escaped here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .data import Bar, Decision
from .speed import SPEED_UP
from .words import counted, duration, number

#: What stands beside each code.
MEANINGS: Mapping[str, str] = {
    "START": "reference steps at the beginning",
    "CORRECTED": "each step was corrected by Fock builds, where no surrogate step would do",
    "CONTINUE": "reference steps were due",
    "MAX_STEPS": "the segment was as long as allowed",
    "HIGH_UNCERTAINTY": "the spread passed its limit, or could not be brought to it",
    "RESIDUAL": "the measured residual used up too much error",
    "TRACE_VIOLATION": "the trace left its limit",
    "HERMITICITY_VIOLATION": "the density was not Hermitian enough",
    "IDEMPOTENCY_VIOLATION": "the density was not idempotent enough",
    "NOT_FINITE": "a number overflowed",
    "FIELD": "the last step in a field, by the reference; weak motion may follow",
    "NOT_WEAK": "the motion was no longer weak: full matrices from there on",
    "NONLINEAR": "half a segment: in it what is not linear began to come from the functional",
    "AUDIT": "a reference step checked the surrogate",
    "END": "the run ended",
}
#: Rows of the table of decisions.
MOST_DECISIONS = 300


def reason_table(parts: Sequence[Bar], decided: Sequence[Decision]) -> str:
    """How often each code stands for an accepted segment and for a rejected one, and what it means."""
    ended = Counter(part.reason for part in parts)
    steps: Counter[str] = Counter()
    for part in parts:
        steps[part.reason] += part.steps
    rejected = Counter(one.reason for one in decided if one.kind == "rejection")
    rows = [
        (
            # On a telephone a long code may break after an underscore.
            f'<code>{code.replace("_", "_<wbr>")}</code><span class="meaning">{meaning}</span>',
            str(ended[code]),
            str(steps[code]),
            str(rejected[code]),
        )
        for code, meaning in MEANINGS.items()
        if ended[code] or rejected[code]
    ]
    return table(("reason", "segments", "steps", "rejected"), rows, "tnnn")


def decision_table(decided: Sequence[Decision]) -> str:
    """The decisions in order; the first of them where there are very many."""
    if not decided:
        return ""
    rows = [
        (
            f"{one.time:.2f}",
            one.kind,
            f"<code>{escape(one.reason)}</code>",
            number(one.spread),
            number(one.residual),
            number(one.error, 2),
            str(one.builds),
        )
        for one in decided[:MOST_DECISIONS]
    ]
    heads = ("time (au)", "decision", "reason", "expected", "measured", "adds to the error", "Fock builds")
    more = "" if len(decided) <= MOST_DECISIONS else f", the first {MOST_DECISIONS}"
    many = f"All {len(decided)} decisions{more}" if len(decided) > 1 else "The one decision"
    return folded(many, table(heads, rows, "nttnnnn"))


def cost_bars(summary: Mapping[str, Any]) -> str:
    """Two bars against reference steps alone, where that can be told; then one for each thing that time went
    to."""
    wall = summary["wall_seconds"]
    speed = summary["speedup"]
    parts = {what: seconds for what, seconds in summary["seconds"].items() if seconds > 0.0}
    other = wall - sum(parts.values())
    if other > 0.01 * wall:
        parts["other"] = other
    ratio = ""
    if summary["surrogate"] != "none" and speed is not None and speed[1] >= SPEED_UP:
        alone = 0.5 * (speed[0] + speed[1]) * wall
        longest = max(alone, wall)
        rows = [
            ("this run", wall, wall / longest, ""),
            ("reference steps alone, about", alone, alone / longest, "other"),
        ]
        ratio = _bars([(name, duration(s), "", share, kind) for name, s, share, kind in rows], "bars ratio")
    largest = max(parts.values(), default=1.0)
    total = sum(parts.values()) or 1.0
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    return ratio + _bars(
        [(what, f"{s:.2f} s", _percent(s / total), s / largest, "") for what, s in ordered], "bars"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "&lt; 1 %"


def _bars(rows: Sequence[tuple[str, str, str, float, str]], kind: str) -> str:
    """rows: name, value, remark, share of the full width, class of the bar."""
    return (
        f'<div class="{kind}">'
        + "".join(
            f'<span class="name">{escape(name)}</span><span class="n">{value}</span>'
            f'<span class="share">{remark}</span>'
            f'<span class="bar"><i class="{colour}" style="width:{100 * share:.2f}%"></i></span>'
            for name, value, remark, share, colour in rows
        )
        + "</div>"
    )


def provenance(summary: Mapping[str, Any], deck_name: str, deck_text: str) -> str:
    """Where the numbers come from; the deck's text word for word."""
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    reference = {"pyscf": "PySCF, embedded", "nwchem": "NWChem"}[str(summary["engine"])]
    hybrid = summary["surrogate"] != "none"
    nwchem = summary.get("nwchem")
    entries = [
        ("Command", f"<code>{escape(str(summary['command']))}</code>" if "command" in summary else ""),
        ("Finished", escape(str(summary.get("finished", "")))),
        (
            "Reference",
            escape(str(reference)) + (f", <code>{escape(str(nwchem['command']))}</code>" if nwchem else ""),
        ),
        ("Surrogate", escape(summary["surrogate"])),
        ("Processor", _processor(summary)),
        ("Versions", escape(versions)),
    ]
    if hybrid:
        entries[4:4] = [
            ("Tolerance", f"{number(summary['tolerance'])}, relative error of the dipole’s trajectory"),
            ("Estimated error", f"{number(summary['estimated_error'], 3)}, {_rests_on(summary)}"),
            ("Bound", f"{number(summary['error_bound'], 3)}, to first order"),
            ("Energy", f"within {number(summary['estimated_energy_error'], 2)} hartree, estimated"),
        ]
        entries.insert(8, ("Audits", _audits(summary["audits"])))
    if nwchem and nwchem.get("checks"):
        entries.append(
            ("NWChem’s checks", f"{counted(len(nwchem['checks']), 'anchor')} compared with NWChem’s own step")
        )
    listed = "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries if value)
    return f'<dl class="about">\n{listed}\n</dl>\n' + folded(
        f"The deck, {escape(deck_name)}", f"<pre>{escape(deck_text)}</pre>"
    )


def _processor(summary: Mapping[str, Any]) -> str:
    if "cpu" not in summary:
        return ""
    return f"{escape(str(summary['cpu']))}, {counted(int(summary['threads']), 'thread')}"


def _audits(audits: Sequence[Mapping[str, float]]) -> str:
    if not audits:
        return "none was drawn"
    worst = max(one["relative_density_difference"] for one in audits)
    return f"{len(audits)}; after one step the densities differ by at most {number(worst, 2)} of their change"


def folded(summary: str, body: str) -> str:
    """HTML that opens on a click."""
    return f"<details><summary>{summary}</summary>{body}</details>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], kinds: str, name: str = "") -> str:
    """kinds: `n` for a column of numbers, `t` for one of text. Cells are HTML. name: class of the table."""
    marks = [' class="n"' if kind == "n" else "" for kind in kinds]
    head = "".join(f"<th{mark}>{text}</th>" for text, mark in zip(heads, marks, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{mark}>{cell}</td>" for cell, mark in zip(row, marks, strict=True)) + "</tr>"
        for row in rows
    )
    named = f' class="{name}"' if name else ""
    inner = f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>"
    return f'<div class="scroll"><table{named}>{inner}</table></div>'


def _rests_on(summary: Mapping[str, Any]) -> str:
    """What kind of number the stated error is."""
    share = f"{100 * summary['error_confidence']:.0f}\u00a0%"
    drawn = counted(summary["error_measurements"], "drawn point")
    return f"an upper estimate that holds in {share} of runs, from {drawn}"
