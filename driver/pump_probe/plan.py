"""What a deck and delays ask for: the pump, the probe at each delay, and the steps at which they part.

A probe is the deck's own field of that name, moved in time as a whole: E(t) → E(t - s). Its delay is the time
of its centre behind the pump's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask
from ...adapters.system import Excitation, Field
from ...atomic.errors import BadInput

#: Shapes with a centre, which can be moved.
MOVABLE = ("delta", "gaussian", "hann")
#: A Gaussian probe begins so many widths before its centre, where it has 2e-11 of its peak.
WIDTHS = 7.0
#: Fewest steps behind a probe that make a spectrum.
LEAST_WINDOW = 16
#: Of a step: times closer to a point than this are on it.
_ON_POINT = 1e-6


class DelayError(BadInput):
    """A delay that cannot be made."""


@dataclass(frozen=True, eq=False)
class PumpPlan:
    """Pump and probes of a deck.

    deck: as it was read.
    task: its propagation, with both fields.
    probe: the field that is moved, as the deck has it.
    delays: (n,) au, ascending.
    zero: time of the pump's centre, au.
    branches: (n,) steps made by the pump when the probe begins.
    n_window: steps that are made from there on.
    """

    deck: Deck
    task: PropagationTask
    probe: Field
    delays: np.ndarray
    zero: float
    branches: np.ndarray
    n_window: int

    @property
    def pump(self) -> PropagationTask:
        """The propagation without the probe."""
        return with_fields(self.task, [f for f in self.task.real_time.fields if f.name != self.probe.name])

    def with_probe(self, number: int) -> PropagationTask:
        """Pump, and probe at the delay of that number."""
        moved = moved_by(self.probe, self.zero + float(self.delays[number]) - self.probe.center)
        fields = [moved if f.name == moved.name else f for f in self.task.real_time.fields]
        return with_fields(self.task, fields)

    @property
    def alone(self) -> PropagationTask:
        """The probe without a pump: it begins with the first step, and the window is the whole run."""
        dt = self.task.real_time.dt
        first = moved_by(self.probe, -float(self.branches[0]) * dt)
        first = moved_by(first, self.zero + float(self.delays[0]) - self.probe.center)
        task = with_fields(self.task, [first])
        return replace(task, real_time=replace(task.real_time, tmax=(self.n_window + 0.5) * dt))


def make_plan(deck: Deck, probe: str, delays: Sequence[float], window: float | None) -> PumpPlan:
    """Pump and probes; probe: name of the deck's field. window: au that each probe is followed, None: as long
    as the deck's tmax lasts behind the last one.

    Raises DeckError, DelayError.
    """
    task = _propagation(deck)
    field = _probe_field(task, probe)
    real_time, dt = task.real_time, task.real_time.dt
    if not delays:
        raise DelayError("no delay is given")
    found = np.unique(np.asarray(delays, dtype=float))
    if len(found) != len(delays):
        raise DelayError("a delay is given twice")
    if not np.isfinite(found).all():
        raise DelayError("a delay is not finite")
    zero = _centre_of_pump(task, probe)
    branches = np.array([_branch(field, zero, float(delay), dt) for delay in found])
    left = real_time.n_points - 1 - int(branches[-1])
    wanted = left if window is None else math.ceil(window / dt - _ON_POINT)
    if left < LEAST_WINDOW or wanted > left:
        behind = max(wanted, LEAST_WINDOW) if window is not None else LEAST_WINDOW
        least = (int(branches[-1]) + behind + 1) * dt
        raise DeckError(
            task.place,
            f"tmax {real_time.tmax:g} leaves {max(left, 0) * dt:g} au behind delay {found[-1]:g}; "
            f"accepted: tmax from {least:g} on, or a shorter delay or window",
        )
    if wanted < LEAST_WINDOW:
        raise DelayError(f"window {window:g}: fewer than {LEAST_WINDOW} steps of {dt:g} au")
    return PumpPlan(deck, task, field, found, zero, branches, wanted)


def with_fields(task: PropagationTask, fields: Sequence[Field]) -> PropagationTask:
    """The propagation with these fields alone, and the `excite` rules that name them."""
    names = {field.name for field in fields}
    rules: list[Excitation] = [rule for rule in task.real_time.excitations if rule.field in names]
    real_time = replace(task.real_time, fields=tuple(fields), excitations=tuple(rules))
    return replace(task, real_time=real_time)


def moved_by(field: Field, time: float) -> Field:
    """E(t - time): the carrier moves with the envelope."""
    return replace(field, center=field.center + time, phase=field.phase - field.frequency * time)


def _propagation(deck: Deck) -> PropagationTask:
    if len(deck.propagations) != 1:
        raise BadInput(f"{deck.path}: {len(deck.propagations)} propagations; pump and probe need one")
    (task,) = deck.propagations
    for other in deck.tasks:
        if other is not task and not (isinstance(other, GroundStateTask) and other.relax is None):
            raise DeckError(
                other.place, "beside ground states and one propagation pump and probe have no task"
            )
    real_time = task.real_time
    for wrong, what in (
        (real_time.load.kind != "scf", f"load {real_time.load.kind}: a pump starts from the ground state"),
        (real_time.static, "static: the Fock matrix that pump and probe share must follow the density"),
        (real_time.no_propagation, "noprop leaves nothing to probe"),
        (real_time.propagator != "magnus", f"propagator {real_time.propagator}: branches need magnus"),
        (real_time.visualization is not None, "visualization is for hybrid-propagate"),
        (real_time.spatial_cap is not None, "spatialcap is for hybrid-propagate"),
    ):
        if wrong:
            raise DeckError(task.place, what)
    return task


def _probe_field(task: PropagationTask, name: str) -> Field:
    used = {rule.field for rule in task.real_time.excitations}
    fields = {field.name: field for field in task.real_time.fields if field.name in used}
    if name not in fields:
        there = ", ".join(fields) or "none"
        raise DeckError(task.place, f"no field {name} excites anything to probe with; there are: {there}")
    if len(fields) < 2:
        raise DeckError(task.place, f"{name} is the only field that excites anything: there is no pump")
    field = fields[name]
    if field.shape not in MOVABLE:
        raise DeckError(
            task.place, f"field {name}: type {field.shape} cannot be delayed; accepted: {', '.join(MOVABLE)}"
        )
    return field


def _centre_of_pump(task: PropagationTask, probe: str) -> float:
    """Of the first field with a centre that the deck excites with; 0 where none has one."""
    fields = {field.name: field for field in task.real_time.fields}
    pumps = [fields[rule.field] for rule in task.real_time.excitations if rule.field != probe]
    return next((pump.center for pump in pumps if pump.shape in MOVABLE), 0.0)


def _branch(probe: Field, zero: float, delay: float, dt: float) -> int:
    """The step at whose start the probe does not act yet. Raises DelayError."""
    centre = zero + delay
    if abs(centre / dt - round(centre / dt)) > _ON_POINT:
        near = round(centre / dt) * dt - zero
        raise DelayError(f"delay {delay:g}: not on a point of dt {dt:g} au; the nearest is {near:g}")
    before = {"delta": dt, "gaussian": WIDTHS * probe.width, "hann": probe.width / 2}[probe.shape]
    step = math.floor((centre - before) / dt + _ON_POINT)
    if step < 0:
        least = math.ceil(before / dt - _ON_POINT) * dt - zero
        raise DelayError(f"delay {delay:g}: the probe begins before the run; accepted: from {least:g} on")
    return step
