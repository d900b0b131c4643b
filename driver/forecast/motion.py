"""How far a run leaves its ground state, guessed from its deck: whether its response stays linear.

    |δP| ~ max_ω | ∫ E(t) exp(iωt) dt |

with ω where molecules have bright lines, whose transition dipoles are about 1 au.
"""

import numpy as np

from ...adapters.deck import PropagationTask
from ...adapters.system import RealTime
from ...adapters.system.field import amplitudes
from ...atomic.units import EV_PER_HARTREE

#: As in `run/surrogates`: share of the response that is not linear, over |δP|; bounds of the |δP| from which
#: on the functional gives it, on points that are learned; steps below which it does not. As in the loop's
#: `Target`: what a relative defect leaves in an au of time.
CURVED, NONLINEAR, LEAST_STEPS, DEFECT_GAIN = 0.12, (1e-3, 0.02), 100, 0.02
#: |δP| beyond which a run is not one of linear response.
STRONG = 0.03
#: As in `surrogate/weak_fields/pair_response`: ‖δP‖ up to which motion is weak. ‖[D, P]‖ over the root of
#: the occupied orbitals' number, au: 1.5 in water, 2.2 in benzene.
WEAK, PUSHED = 3e-4, 2.0
#: What follows a slow field is its dipole's elements over the gaps, Hartree: such a gap. As in the loop's
#: `Problem`: share of a field's maximum below which it no longer acts.
GAP, NO_FIELD = 0.5, 1e-15
#: Energies, eV, between which lines are bright.
_BRIGHT = (2.0, 30.0)
#: Points of a field that are looked at.
_MOST_POINTS = 10000


def out_of_equilibrium(real_time: RealTime) -> bool:
    """Whether the run starts from something else than its own ground state."""
    return real_time.load.kind in ("vectors", "density", "restart")


def change(task: PropagationTask) -> float:
    """|δP| that the fields may bring about; infinite where the start is no ground state."""
    real_time = task.real_time
    if out_of_equilibrium(real_time):
        return np.inf
    return sum(
        abs(field.maximum) * real_time.dt / 2.0 if field.shape == "delta" else _largest_part(task, number)
        for number, field in enumerate(real_time.fields)
    )


def strong(task: PropagationTask) -> bool:
    """Whether the run leaves the range of linear response: by its field, or by where it starts."""
    return change(task) > STRONG


def weak(task: PropagationTask, occupied: int) -> bool:
    """Whether fields move the run so little that all its steps are weak motion; occupied: orbitals."""
    real_time = task.real_time
    lasting = [field for field in real_time.fields if field.shape != "delta"]
    late = any(field.shape == "delta" and field.center > 0.0 for field in real_time.fields)
    plain = real_time.unitary and not real_time.static
    follows = sum(abs(field.maximum) for field in lasting) / GAP
    size = PUSHED * np.sqrt(occupied) * max(change(task), follows)
    return bool(plain and not (lasting and late) and size <= WEAK)


def driven_steps(real_time: RealTime) -> int:
    """Steps up to the last that a field acts on, other than a kick."""
    steps = max(real_time.n_points - 1, 0)
    times = real_time.dt * np.arange(steps + 1)
    last = 0
    for field in (field for field in real_time.fields if field.shape != "delta"):
        series = np.abs(amplitudes(field, times, real_time.dt))
        acting = np.flatnonzero(series > NO_FIELD * abs(field.maximum))
        last = max(last, int(acting[-1]) if len(acting) else 0)
    return min(last + 1, steps) if last else 0


def learns_points(task: PropagationTask, tolerance: float) -> bool:
    """Whether the run will learn points for what is not linear in its functional, where it has one."""
    real_time = task.real_time
    steps = real_time.n_points - 1
    residual = tolerance / max(2.0 * DEFECT_GAIN * steps * real_time.dt, 1.0)
    wanted_from = float(np.clip(residual / CURVED, *NONLINEAR))
    return steps >= LEAST_STEPS and not real_time.no_propagation and change(task) > wanted_from


def _largest_part(task: PropagationTask, number: int) -> float:
    """max |∫ E exp(iωt) dt| of one field over the bright energies, au."""
    real_time = task.real_time
    field, n_points = real_time.fields[number], real_time.n_points
    times = real_time.dt * np.arange(min(n_points, _MOST_POINTS))
    series = amplitudes(field, times, real_time.dt)
    energies = 2.0 * np.pi * EV_PER_HARTREE * np.fft.rfftfreq(4 * times.size, real_time.dt)
    parts = real_time.dt * np.abs(np.fft.rfft(series, 4 * times.size))
    bright = (energies >= _BRIGHT[0]) & (energies <= _BRIGHT[1])
    return float(parts[bright].max(initial=0.0))
