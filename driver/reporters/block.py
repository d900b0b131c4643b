"""The observables of one segment, worked out once for log and trajectory file alike."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...adapters.log.step_block import StepBlock
from ...adapters.system import RealTime, System
from ...adapters.system.field import amplitudes
from ...adapters.system.real_time import Quantity, at_points
from ..loop.problem import Problem
from ..loop.segment import Segment
from .observables import (
    Observables,
    Points,
    charges,
    dipole_contributions,
    dipoles,
    magnetic_dipoles,
    make_observables,
    orbital_occupations,
    quadrupoles,
    spin_squared,
)


@dataclass(frozen=True, eq=False)
class Observer:
    """Works out what NWChem prints.

    problem: what is propagated.
    observables: its matrices.
    """

    problem: Problem
    observables: Observables

    def block(self, segment: Segment) -> StepBlock:
        """All quantities of a segment's points; where the reference code's own log has one, that one."""
        problem, logged = self.problem, segment.logged
        real_time, system = problem.real_time, problem.system
        dipole, energies = logged.get("dipole"), logged.get("energies")
        asked = real_time.dipole_contributions
        contributions = None
        if "dipcontribs" in real_time.quantities and asked is not None:
            contributions = dipole_contributions(self.observables, segment.densities, asked)
        occupied = "moocc" in real_time.quantities
        return StepBlock(
            time=segment.times,
            printed=at_points(points_of(segment), real_time.n_prints, real_time.n_points),
            applied_field=applied_fields(system, real_time, segment.times),
            energies=_energies(problem, segment) if energies is None else energies,
            charge=self._quantity(segment, "charge", charges),
            dipole=dipoles(self.observables, segment.points) if dipole is None else dipole,
            magnetic=self._quantity(segment, "magnetic", magnetic_dipoles),
            quadrupole=self._quantity(segment, "quadrupole", quadrupoles),
            orbital_occupations=orbital_occupations(segment.densities) if occupied else None,
            s2=self._quantity(segment, "s2", spin_squared),
            cpu_time=segment.cpu,
            dipole_contributions=contributions,
            interpolations=segment.interpolations,
            changes=_padded(segment.changes, system.n_spin),
        )

    def _quantity(
        self, segment: Segment, name: Quantity, compute: Callable[[Observables, Points], np.ndarray]
    ) -> np.ndarray | None:
        """None where the deck does not print it."""
        if name not in self.problem.real_time.quantities:
            return None
        given = segment.logged.get(name)
        return compute(self.observables, segment.points) if given is None else given


def make_observer(problem: Problem) -> Observer:
    """The observer of a propagation."""
    return Observer(problem, make_observables(problem.system, problem.engine.integrals, problem.basis))


def points_of(segment: Segment) -> np.ndarray:
    """NWChem's numbers of a segment's points, from 1 on, (k,)."""
    return segment.start.step + 1 + np.arange(segment.n_steps)


def applied_fields(system: System, real_time: RealTime, times: np.ndarray) -> np.ndarray:
    """(k, n_geometries, 2, 3): what acts on each geometry's alpha and beta electrons."""
    names = [g.name for g in system.geometries]
    applied = np.zeros((len(times), len(names), 2, 3))
    fields = {f.name: f for f in real_time.fields}
    for rule in real_time.excitations:
        shape = fields[rule.field]
        sizes = amplitudes(shape, times, real_time.dt)
        for spin, name in enumerate(("alpha", "beta")):
            if shape.spin in ("total", name):
                applied[:, names.index(rule.geometry), spin] += sizes[:, None] * np.array(shape.direction)
    return applied


def _energies(problem: Problem, segment: Segment) -> np.ndarray:
    """(k, 7) Hartree, in NWChem's order; the last one counts from the ground state."""
    nuclear = problem.engine.integrals.nuclear_repulsion
    core, coulomb, exchange_correlation = segment.energies.T
    total = core + coulomb + exchange_correlation + nuclear
    first = problem.ground_build.energies.electronic + nuclear
    parts = [np.full_like(core, nuclear), core, coulomb, exchange_correlation, np.zeros_like(core)]
    return np.stack([*parts, total, total - first], axis=1)


def _padded(changes: tuple[list[np.ndarray], ...], n_spin: int) -> np.ndarray:
    """(k, longest, n_spin), zero beyond each step's own corrections."""
    longest = max((len(c) for c in changes), default=0)
    array = np.zeros((len(changes), longest, n_spin))
    for row, own in enumerate(changes):
        for i, change in enumerate(own):
            array[row, i] = change
    return array
