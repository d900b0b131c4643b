"""What a deck's time step does to its lines, and the largest risk of its run.

With the midpoint Fock matrix as the mean of both ends, what couples transitions is scaled by x cot x, with
x = E dt / 2: 1 - (E dt)² / 12 at first. A line whose energy is response alone moves by that share; others
move by less.
"""

import math
from collections.abc import Iterator

from ...adapters.deck import PropagationTask
from ...adapters.system.field import Field, amplitude
from ...atomic.units import EV_PER_HARTREE
from .cost import directions_cost
from .motion import out_of_equilibrium, strong
from .work import SystemSize, from_vectors

#: Up to where valence spectra are read, eV, and how far a line may move there, eV.
VALENCE_EV, SHIFT_EV = 15.0, 0.02
#: Points that a period of a field needs, and steps below which a run tells no spectrum.
_POINTS_A_PERIOD, _SPECTRUM_AU = 12.0, 100.0


def line_shift(energy: float, dt: float) -> float:
    """The most that a line moves through its time step, in the unit of `energy`, which is in eV."""
    return energy * (energy / EV_PER_HARTREE * dt) ** 2 / 12.0


def step_for(energy: float, shift: float) -> float:
    """The time step, au, with which a line at `energy` moves by at most `shift`; both in eV."""
    return math.sqrt(12.0 * shift / energy) / (energy / EV_PER_HARTREE)


def step_advice(task: PropagationTask) -> str:
    """One line: what dt does to lines, and which dt would halve what matters."""
    dt = task.real_time.dt
    shift = line_shift(VALENCE_EV, dt)
    nyquist = math.pi / dt * EV_PER_HARTREE
    said = (
        f"dt {dt:g} au moves a line at {VALENCE_EV:g} eV by at most {1e3 * shift:.0f} meV "
        f"and shows energies to {nyquist:.0f} eV"
    )
    if shift > SHIFT_EV:
        return f"{said}; dt {step_for(VALENCE_EV, SHIFT_EV):.2g} keeps it below {1e3 * SHIFT_EV:.0f} meV"
    return f"{said}; it is small enough for valence lines"


def largest_risk(task: PropagationTask, size: SystemSize, peak: float, allowed: float, there: float) -> str:
    """The first of the risks in `_risks`, which are in order of what they cost the user.

    peak, allowed, there: bytes that the run takes, may take, and the machine has.
    """
    return next(_risks(task, size, peak, allowed, there), "none that the deck shows")


def _risks(
    task: PropagationTask, size: SystemSize, peak: float, allowed: float, there: float
) -> Iterator[str]:
    real_time = task.real_time
    if peak > there:
        yield f"memory: {peak / 1e9:.1f} GB are wanted and the machine has {there / 1e9:.1f}; lower --memory"
    if from_vectors(size, allowed):
        yield "time: integrals do not fit --memory and are computed anew at every Fock build"
    for field in real_time.fields:
        yield from _field_risks(field, task)
    if directions_cost(task, size, allowed):
        yield "time: strong motion, no kernel: up to one Coulomb-exchange build a step; cut tmax and try"
    if out_of_equilibrium(real_time):
        yield "time: the start is no ground state, so that steps cost more, as in a strong field"
    elif strong(task):
        yield "time: beyond linear response steps cost several times as much, and builds may be many"
    if task.system.open_shell and size.atoms == 1:
        yield "ground state: an open shell of an atom is degenerate, and its SCF may not converge"
    kicked = any(field.shape == "delta" for field in real_time.fields)
    if kicked and real_time.tmax < _SPECTRUM_AU:
        width = 2.0 * math.pi / real_time.tmax * EV_PER_HARTREE
        apart = f"{_one_digit(width)} eV from one another"
        yield f"spectrum: tmax {real_time.tmax:g} au parts lines that are {apart}"
    if not real_time.excitations and not real_time.no_propagation and real_time.load.kind == "scf":
        yield "result: no excite line, so that nothing moves"


def _one_digit(number: float) -> str:
    """Rounded to one digit, without an exponent."""
    return f"{float(f'{number:.1g}'):g}"


def _field_risks(field: Field, task: PropagationTask) -> Iterator[str]:
    real_time = task.real_time
    if field.shape != "delta" and field.frequency * real_time.dt > 2.0 * math.pi / _POINTS_A_PERIOD:
        points = 2.0 * math.pi / (field.frequency * real_time.dt)
        yield f"field {field.name}: {points:.1f} points in a period are too few; lower dt"
    left = abs(amplitude(field, real_time.dt * (real_time.n_points - 1), real_time.dt))
    if field.shape in ("gaussian", "hann") and left > 1e-3 * field.maximum:
        yield f"field {field.name}: the pulse is not over at tmax"
    if field.shape == "gaussian" and field.center < 3.0 * field.width:
        share = math.exp(-((field.center / field.width) ** 2) / 2.0)
        if share > 1e-2:
            yield f"field {field.name}: the pulse begins at {100.0 * share:.0f} % of its height"
