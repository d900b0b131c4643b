"""Where accepted segments go: NWChem's log on standard output, the trajectory file, the restart file."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import TrajectoryFile
from ...adapters.log.step_block import StepBlock
from ...adapters.log.writer import format_block
from ...adapters.nwchem.basis_order import density_to_nwchem, nwchem_order
from ...adapters.nwchem.rt_restart import RestartPoint, write_restart
from ...adapters.system.field import amplitude
from ...adapters.system.real_time import Quantity, at_point
from ..loop.hybrid import Event, Tally
from ..loop.problem import Problem
from ..loop.segment import Segment
from ..pictures.density_cubes import shown
from .checks import passes_checks
from .observables import (
    Observables,
    charges,
    dipole_contributions,
    dipoles,
    orbital_occupations,
    quadrupoles,
    spin_squared,
)


@dataclass(eq=False)
class Output:
    """A reporter for the log, the trajectory file and NWChem's restart file.

    write: takes log text. first_energy: total energy that Eadded counts from. save_density: every how many
    points the density is stored, 0 for never. restart: path of the restart file.
    """

    problem: Problem
    observables: Observables
    store: TrajectoryFile
    write: Callable[[str], None]
    first_energy: float
    save_density: int
    restart: Path
    wall_start: float = field(default_factory=time.monotonic)

    def segment(self, segment: Segment, tally: Tally) -> None:
        """Print, store and dump what the deck asks for."""
        real_time, system = self.problem.real_time, self.problem.system
        nt = real_time.n_points
        points = segment.start.step + 1 + np.arange(segment.n_steps)
        quantities = real_time.quantities
        logged = segment.logged
        dipole = logged.get("dipole")
        if dipole is None:
            dipole = dipoles(self.observables, segment.densities)
        energies = logged.get("energies")
        if energies is None:
            energies = self._energies(segment)
        applied = self._applied_field(segment.times)
        before, after = self._messages(segment, points)
        saved = [row for row, it in enumerate(points) if at_point(int(it), real_time.n_restarts, nt)]
        for row in saved:
            after[row] = ("Saved restart file",)
        block = StepBlock(
            time=segment.times,
            printed=np.array([at_point(int(it), real_time.n_prints, nt) for it in points]),
            applied_field=applied,
            energies=energies,
            charge=self._quantity(segment, "charge", charges),
            dipole=dipole,
            quadrupole=self._quantity(segment, "quadrupole", quadrupoles),
            orbital_occupations=orbital_occupations(segment.densities) if "moocc" in quantities else None,
            s2=self._quantity(segment, "s2", spin_squared),
            cpu_time=segment.cpu,
            dipole_contributions=dipole_contributions(
                self.observables, segment.densities, real_time.dipole_contributions
            )
            if "dipcontribs" in quantities and real_time.dipole_contributions is not None
            else None,
            interpolations=segment.interpolations,
            changes=_padded(segment.changes, system.n_spin),
            before=before,
            after=after,
        )
        self.write(format_block(block, real_time, system))
        active = [g.name for g in system.geometries].index(system.geometry.name)
        rows = {
            "time": segment.times,
            "dipole": dipole[:, active, -1],
            "field": applied.mean(axis=2).sum(axis=1),
            "energy": energies[:, 5],
            "spread": segment.spreads,
            "surrogate": np.full(segment.n_steps, segment.kind == "surrogate", dtype=np.int8),
        }
        if system.open_shell:
            rows["s2"] = spin_squared(self.observables, segment.densities)
        self.store.add_points(rows)
        self._store_densities(segment, points)
        self.store.add_control(
            {
                "segment_step": segment.start.step,
                "segment_kind": segment.kind,
                "segment_reason": segment.reason,
                "segment_steps": segment.n_steps,
            }
        )
        if saved:
            row = saved[-1]
            self.write_restart(segment.densities[row], int(points[row]), float(segment.times[row]))

    def event(self, event: Event, tally: Tally) -> None:
        """Keep the decision in the trajectory file."""
        self.store.add_control(
            {
                "event_kind": event.kind,
                "event_step": event.step,
                "event_time": event.time,
                "event_reason": event.reason,
                "event_spread": event.spread,
                "event_residual": event.residual,
                "event_error": event.error,
                "event_fock_builds": event.builds,
            }
        )

    def write_restart(self, density: np.ndarray, point: int, t: float) -> None:
        """`<start>.rt_restart` with one P' (n_spin, m, m), for NWChem's `load restart` and ours."""
        order = nwchem_order(self.problem.system)
        ao = self.problem.basis.density_out(density)
        write_restart(self.restart, RestartPoint(point, t, density_to_nwchem(ao, order)))

    def _quantity(
        self, segment: Segment, name: Quantity, compute: Callable[[Observables, np.ndarray], np.ndarray]
    ) -> np.ndarray | None:
        """What the deck prints: as the reference code's log has it, else computed; None if not asked for."""
        if name not in self.problem.real_time.quantities:
            return None
        given = segment.logged.get(name)
        return compute(self.observables, segment.densities) if given is None else given

    def _energies(self, segment: Segment) -> np.ndarray:
        """(k, 7) in NWChem's order."""
        nuclear = self.problem.engine.integrals.nuclear_repulsion
        core, coulomb, exchange_correlation = segment.energies.T
        total = core + coulomb + exchange_correlation + nuclear
        none = np.zeros_like(core)
        enuc = np.full_like(core, nuclear)
        return np.stack(
            [enuc, core, coulomb, exchange_correlation, none, total, total - self.first_energy], axis=1
        )

    def _applied_field(self, times: np.ndarray) -> np.ndarray:
        """(k, n_geometries, 2, 3): what acts on each geometry's alpha and beta electrons."""
        system, real_time = self.problem.system, self.problem.real_time
        names = [g.name for g in system.geometries]
        applied = np.zeros((len(times), len(names), 2, 3))
        fields = {f.name: f for f in real_time.fields}
        for rule in real_time.excitations:
            shape = fields[rule.field]
            sizes = np.array([amplitude(shape, float(t), real_time.dt) for t in times])
            for spin, name in enumerate(("alpha", "beta")):
                if shape.spin in ("total", name):
                    applied[:, names.index(rule.geometry), spin] += sizes[:, None] * np.array(shape.direction)
        return applied

    def _messages(
        self, segment: Segment, points: np.ndarray
    ) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
        """Checks, estimated times and snapshots, by row, ahead of the quantities and behind them."""
        real_time = self.problem.real_time
        nt = real_time.n_points
        conserving = real_time.mocap is None and real_time.propagator == "magnus"
        snapshots = shown(real_time.visualization, segment.times)
        before: dict[int, tuple[str, ...]] = {}
        for row, it in enumerate(points):
            said: list[str] = []
            if at_point(int(it), real_time.n_checks, nt):
                density, occupations = segment.densities[row], segment.start.occupations
                zero = real_time.tolerances.zero
                passed = passes_checks(density, occupations, zero, conserving=conserving)
                said.append("Checks passed" if passed else "WARNING: CHECKS FAILED")
            # NWChem tells the time left a hundred times a run.
            if nt >= 200 and it > 1 and it % (nt // 100) == 0:
                left = (time.monotonic() - self.wall_start) * (nt - it) / it
                said.append(f"Estimated time remaining: {duration_words(left)}")
            if snapshots[row]:
                said.append("Saved density matrix snapshot")
            if said:
                before[row] = tuple(said)
        return before, {}

    def _store_densities(self, segment: Segment, points: np.ndarray) -> None:
        wanted = shown(self.problem.real_time.visualization, segment.times)
        if self.save_density:
            wanted |= (points - 1) % self.save_density == 0
        rows = np.flatnonzero(wanted)
        if rows.size:
            basis = self.problem.basis
            C = basis.coefficients
            densities = C @ segment.densities[rows] @ C.swapaxes(1, 2)
            self.store.add_points(
                {
                    "density_real": np.real(densities).astype(np.float32),
                    "density_imag": np.imag(densities).astype(np.float32),
                    "density_step": (points[rows] - 1).astype(np.int32),
                }
            )


def duration_words(seconds: float) -> str:
    """NWChem's words for a time: `12 second(s)`, `3 minute(s) 2 second(s)`, `1 hour(s) 3 minute(s)`."""
    s = int(seconds)
    if s < 60:
        return f"{s} second(s)"
    if s < 3600:
        return f"{s // 60} minute(s) {s % 60} second(s)"
    if s < 86400:
        return f"{s // 3600} hour(s) {s % 3600 // 60} minute(s)"
    return f"{s // 86400} day(s) {s % 86400 // 3600} hour(s)"


def _padded(changes: tuple[list[np.ndarray], ...], n_spin: int) -> np.ndarray:
    """(k, longest, n_spin), zero beyond each step's own corrections."""
    longest = max((len(c) for c in changes), default=0)
    array = np.zeros((len(changes), longest, n_spin))
    for row, own in enumerate(changes):
        for i, change in enumerate(own):
            array[row, i] = change
    return array
