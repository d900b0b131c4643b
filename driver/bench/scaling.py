"""How cost grows with the number of basis functions, and the exponents that fit it.

seconds ≈ c n^p,   p from the least squares line through the logarithms
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .case import Case
from .measure import Plan, run_hybrid, time_engine
from .pieces import PieceFailed
from .tables import markdown


@dataclass(frozen=True)
class Size:
    """One molecule. Seconds are of the processor, a step; None where it was not measured.

    n_basis: functions; builds, jk_builds: of the hybrid's whole run of n_steps; cpu: its seconds, all told;
    surrogate: of one surrogate step; reference, nwchem: of one step of the PySCF engine and of NWChem.
    """

    name: str
    n_basis: int
    n_steps: int
    builds: int
    jk_builds: int
    cpu: float
    peak: int
    estimate: float
    surrogate: float | None
    reference: float | None
    nwchem: float | None


def measure_size(case: Case, plan: Plan, most_nwchem: int) -> Size:
    """One molecule; NWChem up to `most_nwchem` functions. Raises PieceFailed where the hybrid fails."""
    seconds: dict[str, float] = {}
    for engine in plan.engines:
        if engine == "nwchem" and case.n_basis > most_nwchem:
            continue
        try:
            timing = time_engine(case, plan, engine, f"scaling-{engine}")
            seconds[engine] = float(timing.steps.mean())
        except PieceFailed as error:
            plan.say(f"left out: {engine}: {error}")
    done, summary = run_hybrid(case, plan, plan.surrogates[0], plan.tolerances[0])
    return Size(
        case.name,
        case.n_basis,
        case.n_steps,
        int(summary["fock_builds"]),
        int(summary["mean_field_builds"]),
        done.cpu,
        done.peak,
        float(summary["estimated_error"]),
        summary["surrogate_seconds_per_step"],
        seconds.get("pyscf"),
        seconds.get("nwchem"),
    )


def fit(sizes: Sequence[int], seconds: Sequence[float | None]) -> tuple[float, float] | None:
    """(c, p) of c n^p through what was measured; None with fewer than three points."""
    known = [(n, s) for n, s in zip(sizes, seconds, strict=True) if s]
    if len(known) < 3:
        return None
    x, y = np.log(np.array(known)).T
    p, log_c = np.polyfit(x, y, 1)
    return math.exp(log_c), float(p)


def scaling_table(sizes: Sequence[Size]) -> str:
    """A line a molecule, then the exponents; what the fit gives beyond NWChem's measurements is marked."""
    functions = [s.n_basis for s in sizes]
    nwchem = fit(functions, [s.nwchem for s in sizes])
    header = ["molecule", "functions", "steps", "Fock builds", "J/K builds", "estimated error"]
    header += ["hybrid CPU s", "peak MiB", "s a surrogate step", "s a PySCF step", "s an NWChem step"]
    rows = []
    for s in sizes:
        row = [s.name, str(s.n_basis), str(s.n_steps), str(s.builds), str(s.jk_builds)]
        row += [f"{s.estimate:.1e}", f"{s.cpu:.0f}", f"{s.peak / 2**20:.0f}"]
        row += [_seconds(s.surrogate), _seconds(s.reference)]
        if s.nwchem is None and nwchem is not None:
            row.append(_seconds(nwchem[0] * s.n_basis ** nwchem[1]) + "*")
        else:
            row.append(_seconds(s.nwchem))
        rows.append(row)
    exponents = []
    for name, values in (
        ("Fock builds of the hybrid", [float(s.builds) for s in sizes]),
        ("a surrogate step", [s.surrogate for s in sizes]),
        ("a step of the PySCF engine", [s.reference for s in sizes]),
        ("a step of NWChem", [s.nwchem for s in sizes]),
    ):
        found = fit(functions, values)
        known = sum(1 for v in values if v)
        if found is not None:
            exponents.append([name, f"{found[1]:.2f}", str(known)])
    return markdown(header, rows) + "\n\n" + markdown(["grows with functions", "power", "points"], exponents)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
