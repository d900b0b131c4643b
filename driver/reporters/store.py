"""The trajectory file: a row a time point, a row a segment, a row a decision."""

from dataclasses import dataclass

import numpy as np

from ...adapters.files.trajectory import TrajectoryFile
from ...adapters.log.step_block import StepBlock
from ..loop.problem import Problem
from ..loop.progress import Event
from ..loop.segment import Segment
from ..pictures.density_cubes import shown
from .block import Observer, points_of
from .observables import magnetic_dipoles, spin_squared
from .response import ResponseRows


@dataclass(frozen=True, eq=False)
class Store:
    """A writer.

    observer: for what the file keeps whether the deck prints it or not.
    file: gathers rows until it is committed.
    save_density: every how many points the density is stored; 0 for never.
    response: what is kept of the density for lines; None for nothing.
    """

    observer: Observer
    file: TrajectoryFile
    save_density: int
    response: ResponseRows | None = None

    def block(self, segment: Segment, block: StepBlock) -> None:
        """Add the points, the densities asked for, and the segment."""
        problem = self.observer.problem
        system = problem.system
        assert block.dipole is not None
        assert block.applied_field is not None
        assert block.energies is not None
        active = [g.name for g in system.geometries].index(system.geometry.name)
        rows = {
            "time": segment.times,
            "dipole": block.dipole[:, active, -1],
            "magnetic_dipole": magnetic_dipoles(self.observer.observables, segment.points),
            "field": block.applied_field.mean(axis=2).sum(axis=1),
            "energy": block.energies[:, 5],
            "spread": segment.spreads,
            "surrogate": np.full(segment.n_steps, segment.kind == "surrogate", dtype=np.int8),
        }
        if system.open_shell:
            rows["s2"] = spin_squared(self.observer.observables, segment.points)
        if block.orbital_occupations is not None:
            rows["occupations"] = block.orbital_occupations
        if block.charge is not None:
            rows["charges"] = block.charge[:, :, -1]
        self.file.add_points(rows)
        self._add_densities(problem, segment)
        if self.response is not None:
            self.file.add_points(self.response.rows(segment))
        self.file.add_control(
            {
                "segment_step": segment.start.step,
                "segment_kind": segment.kind,
                "segment_reason": segment.reason,
                "segment_steps": segment.n_steps,
            }
        )

    def event(self, event: Event) -> None:
        """Add the decision."""
        self.file.add_control(
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

    def _add_densities(self, problem: Problem, segment: Segment) -> None:
        points = points_of(segment)
        wanted = shown(problem.real_time.visualization, segment.times)
        if self.save_density:
            wanted |= (points - 1) % self.save_density == 0
        rows = np.flatnonzero(wanted)
        if not rows.size:
            return
        C = problem.basis.coefficients
        densities = C @ segment.densities_at(rows) @ C.swapaxes(1, 2)
        self.file.add_points(
            {
                "density_real": np.real(densities).astype(np.float32),
                "density_imag": np.imag(densities).astype(np.float32),
                "density_step": (points[rows] - 1).astype(np.int32),
            }
        )
