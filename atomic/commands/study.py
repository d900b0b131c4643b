"""`hybrid-atomic study`: data, tables and figures of the configuration study in one folder.

configurations.json   what was computed              stability.json     rates of the flow by element
results.jsonl         one energy a line (resumable)  attractors.json    rates at attractors that differ
basins.json           attractors and basins          ionisation.json    ΔSCF against measurement
elements.csv, .md     one row an element             beyond.json        elements beyond 118, searched for
*.png                 figures                        summary.json       what was found
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

from ..parallel import parallel
from ..solver.configuration import ground_configuration
from ..solver.elements import LAST_NAMED, NOBLE_GASES, SYMBOLS
from ..solver.errors import InputError
from ..study.analysis import basin_table, ionisation_row, stability_row, trajectory
from ..study.configuration_space import StudyCase
from ..study.element_table import element_rows, markdown, write_table
from ..study.ground_search import search
from ..study.ionisation import mean_absolute_error
from ..study.study import Record, Solver, lowest_is_ground, neutral_energies, write_configurations
from ..study.study import run as run_cases
from ..whole_file import write_whole
from .progress import counting_display

# Excited closed and open shells: fixed points none of them, the controls of the stability analysis.
CONTROLS = (
    (2, "1s1 2s1"),
    (2, "2s2"),
    (4, "1s2 2s1 2p1"),
    (10, "[He] 2s2 2p5 3s1"),
    (10, "1s2 2s1 2p6 3s1"),
    (18, "[Ne] 3s2 3p5 4s1"),
    (36, "[Ar] 3d10 4s2 4p5 5s1"),
)

# Where trajectories start: excited, promoted and low-spin atoms.
STARTS = (
    (4, "1s2 2p2"),
    (4, "1s2 2s1 2p1"),
    (6, "1s2 2s1 2p3"),
    (6, "1s2 2p4"),
    (6, "1s2 2s2 2p1 3s1"),
    (7, "1s2 2s2 2p3(+1)"),
    (7, "1s2 2s1 2p4"),
    (7, "1s2 2s2 2p2 3s1"),
    (8, "1s2 2s1 2p5"),
    (8, "1s2 2s2 2p3 3s1"),
    (10, "1s2 2s2 2p5 3s1"),
    (10, "1s2 2s1 2p6 3s1"),
    (10, "1s2 2s2 2p4 3s2"),
    (24, "[Ar] 3d4 4s2"),
    (26, "[Ar] 3d6 4s2"),
)


def run(options: argparse.Namespace) -> int:
    """Runs what is missing, then analyses and draws everything. Raises InputError."""
    wanted = parse_range(options.z)
    if options.count < 1 or options.workers < 1:
        raise InputError("--count and --workers are at least 1")
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    summary: dict[str, object] = {}
    if elements := [z for z in wanted if z <= LAST_NAMED]:
        summary = _measured_elements(options, elements)
    if wanted[-1] > LAST_NAMED:
        summary["beyond"] = _beyond(out / "beyond.json", wanted[-1])
    _write(out / "summary.json", summary)
    print(json.dumps(summary, indent=2))
    return 0


def _beyond(path: Path, last: int) -> list[dict[str, object]]:
    """Ground configurations from oganesson on, one search after the other; those of the file are kept."""
    kept: list[dict[str, object]] = []
    before: tuple[int, str] | None = None
    if path.exists():
        try:
            kept = list(json.loads(path.read_text(encoding="utf-8")))
            before = (int(str(kept[-1]["z"])), str(kept[-1]["configuration"]))
        except (ValueError, TypeError, KeyError, IndexError):
            kept, before = [], None  # Damaged: searched anew.
    with counting_display("searches") as show:
        show(len(kept), last - LAST_NAMED + 1)
        for found in search(last, before=before):
            kept.append(found.as_dict())
            _write(path, kept)
            show(len(kept), last - LAST_NAMED + 1)
    return kept[: last - LAST_NAMED + 1]


def _measured_elements(options: argparse.Namespace, elements: list[int]) -> dict[str, object]:
    """The study of elements whose ground configuration is known: files, figures, and the summary."""
    out, workers = options.out, options.workers
    solvers: list[Solver] = ["radial", "restricted"]
    if not options.no_pyscf:
        solvers.append("pyscf")
    cases = write_configurations(out / "configurations.json", elements, options.count)
    with counting_display("energies") as show:
        records = run_cases(cases, solvers, out / "results.jsonl", workers, show)
    wanted = {(c.z, " ".join(map(str, c.configuration.shells))) for c in cases}
    records = [r for r in records if (r.z, r.configuration) in wanted and r.solver in solvers]

    basins = {"lsda": basin_table(records, elements), "lda": basin_table(records, elements, "restricted")}
    _write(out / "basins.json", basins)
    stability = [(z, None, spin) for z in elements for spin in (True, False)]
    controls = [(z, text, True) for z, text in CONTROLS if z in elements]
    rows = _rows(out / "stability.json", "stability", stability_row, stability + controls, workers)
    others = [
        (int(str(b["z"])), str(b["attractor"]), kind == "lsda")
        for kind in basins
        for b in basins[kind]
        if b["rank"] == 0 and b["attractor"] != str(ground_configuration(int(str(b["z"]))))
    ]
    attractors = _rows(out / "attractors.json", "attractors", stability_row, others, workers)
    ionisation = _rows(
        out / "ionisation.json", "ionisation", ionisation_row, [(z,) for z in elements], workers
    )
    table = element_rows(basins, rows + attractors, elements)
    write_table(out / "elements.csv", table)
    write_whole(out / "elements.md", markdown(table))
    with counting_display("trajectories") as show:
        paths = _counted(trajectory, _starts(cases, elements), workers, show)

    from ..study import figures

    figures.phase_portraits(records, paths, out / "phase_portraits.png")
    figures.energy_landscape(records, elements, out / "energy_landscape.png")
    figures.stability_by_element(rows, out / "stability.png")
    figures.ionisation_by_element(ionisation, out / "ionisation.png")
    figures.trajectories_in_time(paths, out / "trajectories.png")
    return summarise(records, basins["lsda"], rows, ionisation, elements)


def _starts(cases: list[StudyCase], elements: list[int]) -> list[tuple[int, str]]:
    """Where trajectories begin; of few elements, each has one."""
    starts = [start for start in STARTS if start[0] in elements]
    if len(elements) <= 9:
        named = {z for z, _ in starts}
        singles = [c for c in cases if c.kind == "single" and c.z not in named]
        first = {c.z: (c.z, str(c.configuration)) for c in reversed(singles)}
        starts += [first[z] for z in sorted(first)]
    return starts


def parse_range(text: str) -> list[int]:
    """Atomic numbers of "1-10" or "26". Raises InputError."""
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= len(SYMBOLS):
        raise InputError(f"cannot read the range {text!r}: give atomic numbers as 1-10, up to {len(SYMBOLS)}")
    return list(range(first, last + 1))


def summarise(
    records: list[Record],
    basins: list[dict[str, object]],
    stability: list[dict[str, object]],
    ionisation: list[dict[str, object]],
    elements: list[int],
) -> dict[str, object]:
    """What the study found, in numbers and names."""
    status = {s: sum(r.status == s for r in records) for s in ("ok", "unbound", "failed")}
    solved = [z for z in elements if neutral_energies(records, z)]
    wrong = [SYMBOLS[z - 1] for z in solved if not lowest_is_ground(records, z)[1]]
    ground = [r for r in stability if r["configuration"] == str(ground_configuration(int(str(r["z"]))))]
    noble = [r for r in ground if r["z"] in NOBLE_GASES.values() and r["spin"]]
    controls = [r for r in stability if r not in ground]
    lsda = {int(str(r["z"])): float(str(r["lsda"])) for r in ionisation if r["measured"] is not None}
    return {
        "elements": [elements[0], elements[-1]],
        "records": len(records),
        **status,
        "seconds_of_solving": round(sum(r.seconds for r in records), 1),
        "failed_cases": [
            f"{SYMBOLS[r.z - 1]} {r.configuration} ({r.solver})" for r in records if r.status == "failed"
        ],
        "lowest_is_experimental": len(solved) - len(wrong),
        "lowest_differs": wrong,
        "attractors_per_element": {SYMBOLS[z - 1]: sum(b["z"] == z for b in basins) for z in elements},
        "noble_gases": {
            str(r["symbol"]): {"stable": r["stable"], "largest_rate": r["largest_rate"], "gap": r["gap"]}
            for r in noble
        },
        "stable_ground_states_lsda": [r["symbol"] for r in ground if r["spin"] and r["stable"]],
        "unstable_ground_states_lsda": [r["symbol"] for r in ground if r["spin"] and not r["stable"]],
        "controls": {
            f"{r['symbol']} {r['configuration']}": {"stable": r["stable"], "largest_rate": r["largest_rate"]}
            for r in controls
        },
        "ionisation_mean_absolute_error_ev": _errors(lsda),
        "radial_minus_pyscf_ha": _solver_difference(records),
    }


def _errors(lsda: dict[int, float]) -> dict[str, float]:
    """Of rows of the periodic table as far as they are there, and of all elements, as the figure has it."""
    ranges = [range(1, last + 1) for last in (10, 18, 36, 54, 86, 92)]
    found = {
        f"1-{row[-1]}": round(mean_absolute_error(lsda, row), 3)
        for row in ranges
        if all(z in lsda for z in row)
    }
    if lsda:
        found["all"] = round(mean_absolute_error(lsda, lsda), 3)
    return found


def _solver_difference(records: list[Record]) -> dict[str, float]:
    radial = {
        (r.z, r.configuration): r.energy for r in records if r.solver == "radial" and r.energy is not None
    }
    pairs = [
        abs(r.energy - radial[r.z, r.configuration])
        for r in records
        if r.solver == "pyscf" and r.energy is not None and (r.z, r.configuration) in radial
    ]
    return {"compared": len(pairs), "mean": sum(pairs) / len(pairs), "largest": max(pairs)} if pairs else {}


def _rows(
    path: Path, what: str, function: Callable[..., dict], arguments: list[tuple], workers: int
) -> list[dict[str, object]]:
    """Rows of a JSON file when it answers these arguments, else computed and written."""
    key = json.dumps(arguments)
    if path.exists():
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["arguments"] == key:
                return kept["rows"]
        except (ValueError, TypeError, KeyError):
            pass  # Damaged: computed anew.
    with counting_display(what) as show:
        rows = _counted(function, arguments, workers, show)
    rows.sort(key=lambda r: r["z"])
    _write(path, {"arguments": key, "rows": rows})
    return rows


def _counted(
    function: Callable[..., object], arguments: list, workers: int, show: Callable[[int, int], None]
) -> list:
    results = []
    for result in parallel(function, arguments, workers):
        results.append(result)
        show(len(results), len(arguments))
    return results


def _write(path: Path, content: object) -> None:
    write_whole(path, json.dumps(content, indent=1) + "\n")
