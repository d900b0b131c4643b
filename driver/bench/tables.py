"""The benchmark's tables, and the sentences under them, from what was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .measure import Entry, Measured, Round, nwchem_entry

#: Trajectory errors at which methods are compared.
TARGETS = (1e-2, 1e-3)
#: Methods that continue a run from its first steps.
EXTRAPOLATING = ("DMD on P(t)", "ESPRIT")
#: A spectrum this close, by nRMSE, counts as right.
GOOD_SPECTRUM = 1e-2


@dataclass(frozen=True)
class CaseResult:
    """A case, measured, and its rounds of timings."""

    measured: Measured
    rounds: Sequence[Round]

    @property
    def name(self) -> str:
        """The deck's name."""
        return self.measured.case.name


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def of_method(entries: Sequence[Entry], method: str) -> list[Entry]:
    """The entries of one method; `hybrid` for that with any surrogate."""
    return [e for e in entries if e.method == method or e.method.split(",")[0] == method]


def cheapest(entries: Sequence[Entry], target: float, *, jk: bool = False) -> Entry | None:
    """The entry with fewest Fock builds whose trajectory error is at most `target`; None where none is.

    jk: every Coulomb-exchange build counts as a whole Fock build.
    """
    reached = [e for e in entries if e.builds is not None and e.score.trajectory_error <= target]
    return min(reached, key=lambda e: _builds(e, jk=jk), default=None)


def _builds(entry: Entry, *, jk: bool) -> int:
    return (entry.builds or 0) + (entry.jk_builds if jk else 0)


def representative(entries: Sequence[Entry], whole: int) -> Entry | None:
    """The setting shown of a method with a knob.

    The cheapest that gets to the first target, else the best for at most half the builds of the `whole` run;
    by its spectrum where it makes no trajectory.
    """

    def error(entry: Entry) -> float:
        value = entry.score.trajectory_error
        return entry.score.spectrum_nrmse if math.isnan(value) else value

    reached = [e for e in entries if error(e) <= TARGETS[0]]
    if reached:
        return min(reached, key=lambda e: e.builds or 0)
    affordable = [e for e in entries if (e.builds or 0) <= whole / 2]
    return min(affordable, key=error, default=None)


def shown_entries(result: CaseResult) -> list[tuple[Entry, bool]]:
    """The lines of a case's table, each with whether its seconds and builds are extrapolated."""
    measured = result.measured
    lines = []
    timing = next((r.timings["nwchem"] for r in result.rounds if "nwchem" in r.timings), None)
    if timing is not None:
        lines.append((nwchem_entry(measured, timing), timing.n_steps < measured.case.n_steps))
    lines.append((measured.reference, False))
    lines += [(e, False) for e in of_method(measured.entries, "hybrid")]
    for method in (*EXTRAPOLATING, "Padé", "linear response", "NWChem's tddft", "larger step"):
        found = representative(of_method(measured.entries, method), measured.reference.builds or 0)
        if found is not None:
            lines.append((found, False))
    return lines


def case_table(result: CaseResult) -> str:
    """Every method on one case."""
    header = ["method", "setting", "wall s", "CPU s", "Fock builds", "J/K builds", "peak MiB"]
    header += ["trajectory error", "spectrum nRMSE", "overlap", "strongest lines, eV", "largest shift, meV"]
    header += ["error it states"]
    rows = []
    for entry, extrapolated in shown_entries(result):
        mark = "*" if extrapolated else ""
        s = entry.score
        rows.append(
            [
                entry.method,
                entry.setting,
                f"{entry.wall:.1f}{mark}",
                f"{entry.cpu:.1f}{mark}",
                "–" if entry.builds is None else f"{entry.builds}{mark}",
                str(entry.jk_builds or "–"),
                f"{entry.peak / 2**20:.0f}",
                _error(s.trajectory_error),
                _error(s.spectrum_nrmse),
                "–" if math.isnan(s.overlap) else f"{s.overlap:.5f}",
                ", ".join(f"{line:.3f}" for line in s.peaks) or "–",
                "–" if math.isnan(s.peak_shift) else f"{1e3 * s.peak_shift:.1f}",
                "no" if entry.states is None else f"{entry.states:.1e}",
            ]
        )
    return markdown(header, rows)


def equal_error_table(results: Sequence[CaseResult]) -> str:
    """Fock builds that each method needs to get to each target."""
    methods = ("hybrid", *EXTRAPOLATING, "larger step")
    header = ["case", "trajectory error", "whole run", *methods, "J/K builds of the hybrid"]
    rows = []
    for result in results:
        measured = result.measured
        for target in TARGETS:
            found = {m: cheapest(of_method(measured.entries, m), target) for m in methods}
            hybrid = found["hybrid"]
            row = [result.name, f"{target:g}", str(measured.reference.builds)]
            for method in methods:
                entry = found[method]
                tried = of_method(measured.entries, method)
                missed = "not reached" if tried else "left out"
                row.append(missed if entry is None else f"{entry.builds} ({entry.setting})")
            rows.append([*row, "–" if hybrid is None else str(hybrid.jk_builds)])
    return markdown(header, rows)


def exceptions(results: Sequence[CaseResult], *, jk: bool = False) -> list[str]:
    """Where the hybrid does not need fewer Fock builds than DMD and ESPRIT at equal error; a sentence each.

    jk: every Coulomb-exchange build of the hybrid counts as a whole Fock build.
    """
    found = []
    for result in results:
        entries = result.measured.entries
        tried = of_method(entries, "hybrid")
        if not tried:
            continue
        for target in TARGETS:
            hybrid = cheapest(tried, target, jk=jk)
            if hybrid is None:
                best = min(tried, key=lambda e: e.score.trajectory_error)
                found.append(
                    f"{result.name} at {target:g}: the hybrid does not get there; {best.setting} leaves "
                    f"{best.score.trajectory_error:.1e}"
                )
                continue
            for method in EXTRAPOLATING:
                rival = cheapest(of_method(entries, method), target)
                if rival is not None and _builds(rival, jk=False) <= _builds(hybrid, jk=jk):
                    found.append(
                        f"{result.name} at {target:g}: {method} needs {rival.builds} Fock builds, the hybrid "
                        f"{_builds(hybrid, jk=jk)}"
                    )
    return found


def where_baselines_win(results: Sequence[CaseResult]) -> list[str]:
    """Baselines whose spectrum is right for less processor time than the hybrid's; a sentence each."""
    found = []
    for result in results:
        hybrids = of_method(result.measured.entries, "hybrid")
        if not hybrids:
            continue
        hybrid = hybrids[0]
        for method in ("linear response", "NWChem's tddft", "Padé", *EXTRAPOLATING, "larger step"):
            good = [
                e
                for e in of_method(result.measured.entries, method)
                if e.score.spectrum_nrmse <= GOOD_SPECTRUM and e.cpu < hybrid.cpu
            ]
            if good:
                best = min(good, key=lambda e: e.cpu)
                found.append(
                    f"{result.name}: {method} ({best.setting}) gives the spectrum to "
                    f"{best.score.spectrum_nrmse:.1e} in {best.cpu:.1f} CPU s; the hybrid ({hybrid.setting}) "
                    f"to {hybrid.score.spectrum_nrmse:.1e} in {hybrid.cpu:.1f}"
                )
    return found


def timing_table(results: Sequence[CaseResult]) -> str:
    """Medians and ranges over the rounds, and the hybrid's speed-ups, each from one round."""
    header = ["case", "functions", "steps", "rounds", "method", "CPU s, whole run", "wall s"]
    header += ["times faster than NWChem", "than the PySCF engine"]
    rows = []
    for result in results:
        case, rounds = result.measured.case, result.rounds
        for method in dict.fromkeys(m for r in rounds for m in r.cpu):
            of = [r for r in rounds if method in r.cpu]
            timing = next((r.timings[method] for r in of if method in r.timings), None)
            mark = "*" if timing is not None and timing.n_steps < case.n_steps else ""
            name = {"nwchem": "NWChem", "pyscf": "PySCF engine"}.get(method, method)
            if timing is not None:
                name += f" ({timing.n_steps} steps timed)"
            row = [case.name, str(case.n_basis), str(case.n_steps), str(len(of)), name]
            row += [spread([r.cpu[method] for r in of]) + mark, spread([r.wall[method] for r in of]) + mark]
            for rival in ("nwchem", "pyscf"):
                ratios = [r.cpu[rival] / r.cpu[method] for r in of if rival in r.cpu and rival != method]
                row.append(spread(ratios) if ratios else "–")
            rows.append(row)
    return markdown(header, rows)


def spread(values: Sequence[float]) -> str:
    """Median, and lowest and highest of several."""

    def short(value: float) -> str:
        return f"{value:.0f}" if value >= 100.0 else f"{value:.3g}"

    middle = short(median(values))
    return middle if len(values) == 1 else f"{middle} ({short(min(values))} to {short(max(values))})"


def _error(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "0" if value == 0.0 else f"{value:.1e}"
