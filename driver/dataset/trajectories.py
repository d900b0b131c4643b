"""Hybrid trajectories of one solved geometry in random fields: densities to sample, and files to keep."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...adapters.deck import Place, PropagationTask
from ...adapters.files.trajectory import TrajectoryFile
from ...adapters.system import Excitation, Field, RealTime
from ...surrogate.kernel.analytic import kernel_response
from ...surrogate.on_the_fly.first_guess import FirstGuess
from ...surrogate.on_the_fly.response import OnTheFlyResponse
from ...surrogate.samples.resonances import resonances
from ...surrogate.samples.sampling import Point
from ..loop.checkpoint import pack_checkpoint
from ..loop.controller import Ledger, Target
from ..loop.hybrid import Hybrid
from ..loop.problem import Coupling, Problem, initial_state
from ..loop.progress import Event, Progress, Reporter, Tally
from ..loop.reference import EmbeddedReference
from ..loop.run import run
from ..loop.segment import Limits, Segment
from ..reporters.block import make_observer
from ..reporters.store import Store
from ..reporters.stored_run import stored_run
from ..reporters.writers import Writers

#: Peak fields in au: impulses of kicks are half of theirs times dt.
_KICKS, _PULSES = (1e-2, 0.5), (1e-3, 3e-2)
#: Resonances above this are not driven, Hartree.
_HIGHEST = 1.2
#: Driven where no resonance is known, Hartree.
_UNKNOWN = 0.5
_MAX_ML_STEPS = 500


@dataclass(eq=False)
class Sampler:
    """A reporter that keeps the densities of all points, (k, n_spin, m, m) an entry."""

    densities: list[np.ndarray] = field(default_factory=list)

    def segment(self, segment: Segment, tally: Tally) -> None:
        """Keep them."""
        self.densities.append(segment.densities)

    def event(self, event: Event, tally: Tally) -> None:
        """Decisions are not sampled."""


def random_field(point: Point, kind: str, rng: np.random.Generator, dt: float) -> Field:
    """A field of random direction and size; kind: `kick`, `pulse` (Gaussian) or `resonant` (Hann).

    A resonant one drives a resonance that its direction couples to, chosen by oscillator strength, or a
    frequency of `_UNKNOWN` where the functional has no kernel to find one with.
    """
    direction = rng.standard_normal(3)
    direction /= np.linalg.norm(direction)
    x, y, z = direction.tolist()
    size = float(np.exp(rng.uniform(*np.log(_KICKS if kind == "kick" else _PULSES))))
    if kind == "kick":
        return Field(kind, "delta", (x, y, z), size)
    if kind == "pulse":
        width, frequency = rng.uniform(1.0, 4.0), rng.uniform(0.05, 0.8)
        center = 3.0 * width
        return Field(kind, "gaussian", (x, y, z), size, frequency=frequency, center=center, width=width)
    frequency, found = _UNKNOWN, resonances(point)
    if found is not None:
        strengths = found.energies * (found.dipoles @ direction) ** 2
        strengths[found.energies >= _HIGHEST] = 0.0
        if strengths.any():
            frequency = float(rng.choice(found.energies, p=strengths / strengths.sum()))
    return Field(kind, "hann", (x, y, z), size, frequency=frequency, center=20.0, width=40.0)


def point_problem(point: Point, real_time: RealTime) -> Problem:
    """The propagation of a solved geometry whose fields act on all of it."""
    shape = point.density.shape
    couplings = []
    for shape_of_field in real_time.fields:
        matrix = np.einsum("x,xsij->sij", shape_of_field.direction, point.dipole)
        couplings.append(Coupling(shape_of_field, np.broadcast_to(matrix, shape).astype(complex)))
    return Problem(
        point.system,
        real_time,
        point.engine,
        point.basis,
        point.ground_build,
        point.density.astype(complex),
        tuple(couplings),
    )


def visited_densities(
    point: Point,
    applied: Field,
    steps: int,
    dt: float,
    tolerance: float,
    path: Path | None,
) -> np.ndarray:
    """P' of a hybrid trajectory, (steps, n_spin, m, m); its file is written where `path` is given."""
    geometry = point.system.geometry.name
    real_time = RealTime(
        tmax=(steps + 0.5) * dt,
        dt=dt,
        tag=applied.name,
        n_checks=0,
        n_prints=0,
        n_restarts=0,
        fields=(applied,),
        excitations=(Excitation(geometry, applied.name),),
    )
    problem = point_problem(point, real_time)
    target = Target(tolerance, _MAX_ML_STEPS, problem.n_steps * dt)
    outside = float(np.clip(target.residual, 1e-6, 1e-4))
    kernel = point.kernel
    guess = None if kernel is None else FirstGuess(kernel_response(kernel))
    surrogate = OnTheFlyResponse(
        point.engine, point.basis, problem.ground_density, point.ground_build, guess, outside
    )
    at_rest = point.basis.fock_in(point.ground_build.fock).astype(complex)
    state = initial_state(problem, problem.ground_density, at_rest, 0, 0.0)
    progress = Progress(state, point.ground_build.energies, Ledger(length=target.max_ml_steps), Tally())
    sampler = Sampler()
    reporters: list[Reporter] = [sampler]
    store = None
    if path is not None:
        task = PropagationTask(Place(path.name, 0), point.system, real_time, "")
        settings = {"tolerance": json.dumps(tolerance), "field": str(applied)}
        store = TrajectoryFile(path, stored_run(task, "", point.engine, settings, {}))
        observer = make_observer(problem)
        reporters.append(Writers(observer, (Store(observer, store, 1),)))
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, Limits(), tuple(reporters))
    run(hybrid, progress, lambda _: False)
    if store is not None:
        store.commit(pack_checkpoint(progress, surrogate), complete=True, start=True)
    return np.concatenate(sampler.densities)
