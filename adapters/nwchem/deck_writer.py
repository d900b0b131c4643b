"""The deck that NWChem itself gets: the user's physics, written out, and what a resident process needs.

Same nuclei (in bohr), basis (explicit), functional, grid and convergence as the user's deck. Added are
`load restart` and a restart file at every step (a named pipe, see `process`), a `print` line, and many
`task dft rt_tddft`, one for each segment of the run. Left out is what NWChem's build may not know (`print *`,
`moocc`, `dipcontribs`, `exp diag`, `visualization`): it comes from the densities that stream back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from ..deck import ExcitedDensityTask, GroundStateTask, PropagationTask
from ..rtdb.nuclei import geometry_lines
from ..system import Field, Geometry, RealTime, Shells, SpatialCap, System
from ..system.real_time import EVERY
from .deck_text import deck_text, quoted

#: Tag of NWChem's time-dependent lines; the user's own is put on ours.
TAG = "<rt_tddft>:"
_MOMENTA = "SPDFGHIK"
_AXES = {(1.0, 0.0, 0.0): "x", (0.0, 1.0, 0.0): "y", (0.0, 0.0, 1.0): "z"}


@dataclass(frozen=True)
class ResidentTasks:
    """What a resident NWChem can be asked for.

    n_points: NWChem's nt; a state loaded as point `it` runs nt - it steps.
    n_checks: NWChem's nchecks, over these points.
    n_tasks: propagations, each of which loads a state.
    """

    n_points: int
    n_checks: int
    n_tasks: int


def nwchem_deck(
    name: str,
    grounds: Sequence[GroundStateTask],
    task: PropagationTask,
    files: Mapping[str, str],
    resident: ResidentTasks,
) -> str:
    """Text of a deck: ground states in order, then the propagations.

    name: prefix of NWChem's files. files: for each file of orbitals that the deck names, its name in the
    folder NWChem runs in.
    """
    lines = [f"start {name}"]
    defined: dict[str, Geometry] = {}
    before: System | None = None
    for ground in grounds:
        lines += _geometries(ground.system, defined)
        lines += _system(ground.system, before)
        lines += _occupations(ground.occupations)
        lines += _dft(ground.system, ground.nwchem_only_lines, [*_orbitals(ground, files)])
        lines.append("task dft energy")
        before = ground.system
    lines += _geometries(task.system, defined)
    if not grounds or not same_calculation(task.system, grounds[-1].system):
        lines += _system(task.system, before)
        lines += _dft(task.system, task.nwchem_only_lines, [f"vectors input {files[task.vectors]}"])
    lines += _real_time(task.real_time, task.system, resident)
    lines += ["set rt_tddft:print_dipcontribs .false."]
    if task.real_time.skip_interpolation:
        lines += ["set rt_tddft:magnus_skipinterpol .true."]
    lines += ["task dft rt_tddft"] * resident.n_tasks
    return deck_text(lines, task.place)


def ground_state_deck(name: str, ground: GroundStateTask, start: str | None, output: str) -> str:
    """Text of a deck with one ground state, from the orbitals in a file `start` or NWChem's atomic guess."""
    vectors = f"vectors {'' if start is None else f'input {start} '}output {output}"
    lines = [f"start {name}", *geometry_lines(ground.system.geometry), *_system(ground.system, None)]
    lines += _occupations(ground.occupations)
    lines += _dft(ground.system, ground.nwchem_only_lines, [f"iterations {ground.max_iterations}", vectors])
    return deck_text([*lines, "task dft energy"], ground.place)


def optimization_deck(name: str, ground: GroundStateTask) -> str:
    """Text of a deck with `task dft optimize`, from NWChem's atomic guess."""
    lines = [f"start {name}", *geometry_lines(ground.system.geometry), *_system(ground.system, None)]
    lines += _dft(ground.system, ground.nwchem_only_lines, [f"iterations {ground.max_iterations}"])
    block = ["driver", *(f"  {line}" for line in ground.relax or ()), "end"]
    return deck_text([*lines, *block, "task dft optimize"], ground.place)


def excited_density_deck(name: str, task: ExcitedDensityTask, start: str | None) -> str:
    """Text of a deck with one `task tddft gradient`, from the orbitals in a file `start`, if any."""
    vectors = [] if start is None else [f"vectors input {start}"]
    lines = [f"start {name}", *geometry_lines(task.system.geometry), *_system(task.system, None)]
    lines += _dft(task.system, task.nwchem_only_lines, vectors)
    return deck_text([*lines, *task.block, "task tddft gradient"], task.place)


def same_calculation(a: System, b: System) -> bool:
    """Whether two tasks are the same calculation to NWChem, so that nothing has to be set between them."""
    return a.geometry.name == b.geometry.name and _settings(a) == _settings(b)


def _settings(system: System) -> tuple[object, ...]:
    return (
        geometry_lines(system.geometry),
        str({tag: system.basis[tag] for tag in system.geometry.tags}),
        *(str(dict(system.ecp)), str(system.fitting_basis), system.fitting_spherical),
        *(system.spherical, system.charge, system.multiplicity, system.open_shell, system.grid),
        system.functional.directive,
    )


def _system(system: System, before: System | None) -> list[str]:
    """Geometry, charge and basis, where they differ from those in force."""
    lines = [f"set geometry string {quoted(system.geometry.name)}"]
    if before is not None and before.geometry.name == system.geometry.name:
        lines = []
    lines.append(f"charge {system.charge}")
    lines += _basis("ao basis", system.basis, system.spherical)
    if system.ecp:
        lines += _ecp(system.ecp)
    if system.fitting_basis is not None:
        lines += _basis("cd basis", system.fitting_basis, system.fitting_spherical)
    return lines


def _geometries(system: System, defined: dict[str, Geometry]) -> list[str]:
    """Those of a system that NWChem does not have, or has otherwise; notes them in `defined`."""
    lines: list[str] = []
    for geometry in system.geometries:
        known = defined.get(geometry.name)
        if known is None or geometry_lines(known) != geometry_lines(geometry):
            lines += geometry_lines(geometry)
            defined[geometry.name] = geometry
    return lines


def _basis(role: str, basis: Mapping[str, Shells], spherical: bool) -> list[str]:
    lines = [f"basis {quoted(role)} {'spherical' if spherical else 'cartesian'} noprint"]
    for tag, shells in basis.items():
        for degree, *rows in shells:
            lines.append(f"  {tag} {_MOMENTA[degree]}")
            lines += ("    " + " ".join(repr(float(value)) for value in row) for row in rows)
    return [*lines, "end"]


def _ecp(potentials: Mapping[str, Any]) -> list[str]:
    lines = ["ecp"]
    for tag, (core, channels) in potentials.items():
        lines.append(f"  {tag} nelec {core}")
        for degree, powers in channels:
            lines.append(f"  {tag} {'ul' if degree < 0 else _MOMENTA[degree]}")
            for power, terms in enumerate(powers):
                lines += (f"    {power} {e!r} {c!r}" for e, c in terms)
    return [*lines, "end"]


def _dft(system: System, own: Sequence[str], vectors: Sequence[str]) -> list[str]:
    xc, _, cam = system.functional.directive.partition(" cam ")
    lines = ["unset dft:*", "dft", f"  xc {xc}"]
    if cam:
        lines.append(f"  cam {cam}")
    lines.append(f"  mult {system.multiplicity}")
    if system.open_shell:
        lines.append("  odft")
    lines.append(f"  grid {system.grid}")
    return [*lines, *(f"  {line}" for line in (*own, *vectors)), "end"]


def _occupations(by_spin: Sequence[Sequence[float]]) -> list[str]:
    if not by_spin:
        return []
    counts = [len(column) for column in (*by_spin, ())[:2]]
    rows = zip_longest(*by_spin)
    return [
        "occup",
        f"  {counts[0]} {counts[1]}",
        *("  " + " ".join(repr(number) for number in row if number is not None) for row in rows),
        "end",
    ]


def _orbitals(ground: GroundStateTask, files: Mapping[str, str]) -> list[str]:
    names = " ".join(files[name] for name in ground.vectors.files)
    kind = ground.vectors.kind
    start = {"atomic": "", "hcore": "input hcore ", "file": f"input {names} "}
    vectors = start.get(kind, f"input fragment {names} ")
    if ground.vectors.swapped:
        pairs = " ".join(f"{i + 1} {j + 1}" for i, j in ground.vectors.swapped)
        vectors += f"swap {('alpha', 'beta')[ground.vectors.swapped_spin]} {pairs} "
    lines = [f"iterations {ground.max_iterations}", f"vectors {vectors}output {files[ground.output]}"]
    return [*lines, "noscf"] if ground.skip else lines


def _real_time(real_time: RealTime, system: System, resident: ResidentTasks) -> list[str]:
    of = real_time.tolerances
    lines = [
        "rt_tddft",
        # Half a step short of n_points dt: no rounding moves NWChem's ceiling of tmax / dt.
        f"  tmax {(resident.n_points - 0.5) * real_time.dt!r}",
        f"  dt {real_time.dt!r}",
        f"  nchecks {'*' if resident.n_checks >= EVERY else resident.n_checks}",
        "  nprints *",
        "  nrestarts *",
        f"  checklvl {real_time.check_level}",
        f"  tolerances zero {of.zero!r} series {of.series!r} interpol {of.interpol!r}",
        f"  propagator {real_time.propagator}",
        "  load restart",
    ]
    if real_time.static:
        lines.append("  static")
    for field in real_time.fields:
        lines += _field(field)
    lines += (f"  excite {quoted(r.geometry)} with {quoted(r.field)}" for r in real_time.excitations)
    cap = real_time.mocap
    if cap is not None:
        lines += [
            "  mocap",
            f"    expconst {cap.expconst!r}",
            f"    emin {cap.emin!r}",
            f"    prefac {cap.prefac!r}",
            f"    maxval {cap.maxval!r}",
            f"    {'checks' if cap.checks else 'nochecks'}",
            *("    noprint", "    on", "  end"),
        ]
    if real_time.spatial_cap is not None:
        lines += _spatial_cap(real_time.spatial_cap)
    quantities = ["dipole", "energy", "convergence", "cputime", "charge"]
    quantities.append("s2" if system.open_shell else "quadrupole")
    return [*lines, f"  print {' '.join(quantities)}", "end"]


def _spatial_cap(cap: SpatialCap) -> list[str]:
    corners = (("qmin", cap.lower), ("qmax", cap.upper))
    return [
        "  spatialcap",
        "    units au",
        f"    potmax {cap.potmax!r}",
        f"    nq {' '.join(map(str, cap.counts))}",
        *(f"    {name} {' '.join(map(repr, corner))}" for name, corner in corners),
        "    range",
        *(f"      {quoted(tag)} {start!r} {end!r}" for tag, start, end in cap.ranges),
        *("    end", "    on", "  end"),
    ]


def _field(field: Field) -> list[str]:
    lines = [f"  field {quoted(field.name)}", f"    type {field.shape}"]
    if field.angles is not None:
        lines.append(f"    polarization angle {field.angles[0]!r} {field.angles[1]!r}")
    else:
        lines.append(f"    polarization {_AXES[tuple(np.asarray(field.direction, float).tolist())]}")
    lines.append(f"    max {field.maximum!r}")
    needed = {
        "delta": ("center",),
        "cw": ("frequency", "phase"),
        "gaussian": ("frequency", "phase", "center", "width"),
        "hann": ("frequency", "phase", "center", "width"),
        "sin2ramp": ("frequency", "phase", "width", "start"),
    }
    lines += (f"    {word} {getattr(field, word)!r}" for word in needed[field.shape])
    if field.spin != "total":
        lines.append(f"    spin {field.spin}")
    return [*lines, "  end"]
