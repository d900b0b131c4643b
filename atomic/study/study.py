"""The configuration study: energies of many configurations of many elements, in parallel, resumable.

Results go to one file of JSON lines as they come; a second run reads it and does only what is missing. A case
that has no bound self-consistent solution is recorded as such, with the reason and without an energy.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..parallel import parallel
from ..solver.configuration import Configuration, ground_configuration, parse_configuration
from ..solver.errors import ConvergenceError, InputError
from ..solver.model import Model, Orbital, orbitals_of
from ..whole_file import write_whole
from .configuration_space import StudyCase, generate, order_parameters
from .gaussian_atom import gaussian_energy
from .near_ground import Found, ground_with, near_ground

Array = NDArray[np.float64]
Solver = Literal["radial", "restricted", "pyscf"]

# From here on the scalar-relativistic equation is used; below, relativity moves no configuration past
# another.
HEAVY = 37

# All of an element: its ground state is solved once.
_CHUNK = 100


@dataclass(frozen=True)
class Record:
    """One energy. status: "ok", "unbound" or "failed"; energy (Hartree) is None unless "ok".

    spin is S = (N↑ − N↓)/2; n_eff and l_eff are the mean quantum numbers. seconds: of the processor.
    """

    z: int
    configuration: str
    kind: str
    solver: str
    status: str
    energy: float | None
    reason: str
    charge: float
    n_eff: float
    l_eff: float
    spin: float
    seconds: float


def study_model(z: int) -> Model:
    """LSDA; scalar-relativistic from HEAVY on."""
    return Model(spin=True, relativity="scalar" if z >= HEAVY else "none")


def load(path: Path) -> list[Record]:
    """All records of a results file; an unfinished or damaged line is left out."""
    records: list[Record] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                records.append(Record(**json.loads(line)))
            except (json.JSONDecodeError, TypeError):
                continue
    return records


def energy_map(
    records: Iterable[Record], solver: Solver = "radial"
) -> dict[tuple[float, float, float, int], float]:
    """(n_eff, l_eff, S, Z) ↦ E of the lowest configuration with these state variables, Hartree."""
    lowest: dict[tuple[float, float, float, int], float] = {}
    for r in records:
        if r.solver == solver and r.energy is not None:
            key = (round(r.n_eff, 6), round(r.l_eff, 6), round(r.spin, 6), r.z)
            lowest[key] = min(r.energy, lowest.get(key, r.energy))
    return lowest


def neutral_energies(
    records: Iterable[Record], z: int, solver: Solver = "radial"
) -> dict[Configuration, float]:
    """Configuration ↦ E of the neutral atom's configurations with whole occupations; without spin, shells."""
    read = _unpolarised if solver == "restricted" else parse_configuration
    return {
        read(r.configuration): r.energy
        for r in records
        if r.z == z
        and r.solver == solver
        and r.energy is not None
        and r.charge == 0
        and r.kind != "fractional"
    }


def _unpolarised(text: str) -> Configuration:
    shells = parse_configuration(text).shells
    return Configuration(tuple(replace(shell, moment=None) for shell in shells))


def write_configurations(path: Path, elements: Iterable[int], count: int) -> list[StudyCase]:
    """Generates `count` configurations for each element and writes them as JSON."""
    cases = [case for z in elements for case in generate(z, count)]
    write_whole(path, json.dumps([case.as_dict() for case in cases], indent=1) + "\n")
    return cases


def run(
    cases: list[StudyCase],
    solvers: Iterable[Solver],
    results: Path,
    workers: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """Computes every case with every solver and returns all records of the file.

    PySCF is for Z ≤ 10 only; "restricted" has no spin.

    on_progress(done, total) counts cases, those found in the file included. An interrupt leaves a file to
    resume.
    """
    solvers = tuple(solvers)
    done = {(r.z, r.configuration, r.solver) for r in load(results)}
    wanted: list[tuple[StudyCase, Solver]] = [
        (c, s) for s in solvers for c in cases if s != "pyscf" or (c.z <= 10 and _gaussian_can(c))
    ]
    missing: list[tuple[StudyCase, Solver]] = [
        (c, s) for c, s in wanted if (c.z, _text(c.configuration), s) not in done
    ]
    finished = len(wanted) - len(missing)
    groups: dict[tuple[int, Solver], list[StudyCase]] = {}
    for case, solver in missing:
        groups.setdefault((case.z, solver), []).append(case)
    # Heavy elements first, so that the last chunks are short.
    chunks: list[tuple[Solver, list[StudyCase]]] = [
        (solver, group[i : i + _CHUNK])
        for (_, solver), group in sorted(groups.items(), key=lambda item: -item[0][0])
        for i in range(0, len(group), _CHUNK)
    ]
    if on_progress:
        on_progress(finished, len(wanted))
    torn = results.exists() and results.read_bytes()[-1:] not in (b"", b"\n")
    with results.open("a", encoding="utf-8") as file:
        if torn:  # a run was stopped in the middle of a line
            file.write("\n")
        for records in parallel(compute, chunks, workers):
            file.writelines(json.dumps(asdict(r)) + "\n" for r in records)
            file.flush()
            finished += len(records)
            if on_progress:
                on_progress(finished, len(wanted))
    return load(results)


def compute(solver: Solver, cases: list[StudyCase]) -> list[Record]:
    """Records of some configurations of one element; equal occupations are solved once."""
    z = cases[0].z
    model = replace(study_model(z), spin=solver != "restricted")
    ground = None if solver == "pyscf" else ground_with(z, [c.configuration for c in cases], model)
    known: dict[tuple[Orbital, ...], Found | ConvergenceError | InputError] = {}
    records: list[Record] = []
    for case in cases:
        began = time.process_time()
        orbitals = orbitals_of(case.configuration, model)
        if orbitals not in known:
            try:
                if ground:
                    known[orbitals] = near_ground(ground, orbitals)
                else:
                    known[orbitals] = Found(gaussian_energy(z, case.configuration), "")
            except (ConvergenceError, InputError) as error:
                known[orbitals] = error
        found = known[orbitals]
        energy = found.energy if isinstance(found, Found) else None
        status = "failed" if not isinstance(found, Found) else "unbound" if energy is None else "ok"
        records.append(
            Record(
                z=z,
                configuration=_text(case.configuration),
                kind=case.kind,
                solver=solver,
                status=status,
                energy=energy,
                reason=found.reason if isinstance(found, Found) else str(found),
                charge=case.charge,
                **order_parameters(case.configuration),
                seconds=round(time.process_time() - began, 4),
            )
        )
    return records


def _text(configuration: Configuration) -> str:
    return " ".join(map(str, configuration.shells))


def _gaussian_can(case: StudyCase) -> bool:
    return all(shell.l <= 2 and shell.n - shell.l <= 3 for shell in case.configuration.shells)


def lowest_is_ground(records: Iterable[Record], z: int) -> tuple[Configuration, bool]:
    """The lowest neutral configuration found, and whether its occupations are the experimental ones."""
    energies = neutral_energies(records, z)
    lowest = min(energies, key=energies.__getitem__)
    ground = ground_configuration(z)
    same = [(s.n, s.l, s.occupation) for s in lowest.shells] == [
        (s.n, s.l, s.occupation) for s in ground.shells
    ]
    return lowest, same
