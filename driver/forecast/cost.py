"""Seconds and bytes of a deck: what is counted in `work`, times rates fitted to measured runs.

The rates are those of one thread of an AMD EPYC (2 cores), fitted by `benchmarks/runs/forecast.py`, which
prints them anew. Each belongs to one count, so that a count that grows with n³ carries its cost to any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...adapters.deck import Deck, GroundStateTask, LinearResponseTask, PropagationTask, Task
from ...adapters.system import RealTime, System
from .work import SystemSize, held_integrals, kernel_bytes, strong

#: Densities of all points are stored where they fit this many bytes.
STORED = 2**26
#: Share of the memory allowed that integrals may take, as in `adapters/pyscf/engine`.
INTEGRALS_SHARE = 3 / 4
#: Fock builds of an SCF, and of a weakly driven run beside its steps.
SCF_BUILDS, RUN_BUILDS = 16, 8
#: Fock builds of a step that the surrogate cannot make, and passes over a step that it can.
STEP_BUILDS, PASSES = 3.0, 1.8
#: Exchange of an antisymmetric imaginary part, in that of the real part. PySCF's own SCF computes integrals
#: of an attenuated operator anew in each iteration, which takes so many times as long as with them at hand.
IMAGINARY, DIRECT = 2.0, 30.0
#: Points of a surrogate segment held at once.
_HELD_POINTS = 500

#: CPU seconds of one unit of each count.
SECONDS: dict[str, float] = {
    "process": 4.8,
    "figure": 1.3,
    "step": 1.2e-3,
    "kernel product": 9.9e-9,
    "orbital product": 4.5e-10,
    "build": 5e-4,
    "quadrature": 7.5e-11,
    "points": 5e-7,
    "two-electron": 1.5e-9,
    "integrals": 1e-7,
    "kernel": 1.4e-8,
    "picture": 3.0,
}
#: Bytes of the process with its libraries; of a unit of each count.
BYTES: dict[str, float] = {
    "process": 202e6,
    "integrals": 0.99,
    "grid": 1.12,
    "kernel": 1.01,
    "blocks": 0.2,
    "pictures": 56e6,
    "further run": 19e6,
}


@dataclass(frozen=True)
class Cost:
    """What a deck takes.

    seconds: of processor time, one thread.
    memory: bytes at the peak.
    """

    seconds: float
    memory: float


def cost_of(deck: Deck, sizes: Mapping[int, SystemSize], memory: float) -> Cost:
    """Cost of a deck; sizes: by the number of its task; memory: bytes allowed."""
    return Cost(
        priced(seconds_counts(deck, sizes, memory), SECONDS), priced(bytes_counts(deck, sizes, memory), BYTES)
    )


def priced(counts: Mapping[str, float], rates: Mapping[str, float]) -> float:
    """Σ count · rate."""
    return sum(rates[name] * count for name, count in counts.items())


def seconds_counts(deck: Deck, sizes: Mapping[int, SystemSize], memory: float) -> dict[str, float]:
    """How often each unit of `SECONDS` is spent."""
    counts = dict.fromkeys(SECONDS, 0.0)
    counts["process"] = 1.0
    for number, task in enumerate(deck.tasks):
        size = sizes[number]
        if isinstance(task, PropagationTask):
            _add(counts, _propagation(task, size, memory))
        elif isinstance(task, GroundStateTask):
            _add(counts, _iterations(size, 0 if task.skip else SCF_BUILDS, memory) | _set_up(size))
        elif isinstance(task, LinearResponseTask):
            _add(counts, _builds(size, 20 * task.n_roots, memory, parts=1.0))
    return counts


def _add(counts: dict[str, float], more: Mapping[str, float]) -> None:
    for name, count in more.items():
        counts[name] += count


def _set_up(size: SystemSize) -> dict[str, float]:
    """Integrals, and the values on the grid that are made once."""
    return {"integrals": size.kernels * size.pairs**2 / 2.0}


def _iterations(size: SystemSize, builds: float, memory: float) -> dict[str, float]:
    """Those of PySCF's SCF."""
    counts = _builds(size, builds, memory, parts=1.0)
    if size.kernels > 1:
        counts["two-electron"] += builds * DIRECT * size.pairs**2
    return counts


def _builds(size: SystemSize, builds: float, memory: float, *, parts: float) -> dict[str, float]:
    """Fock matrices; parts: of a density that exchange is taken of, in units of the real one."""
    n, spins = size.functions, size.spins
    operators = 1 + (parts * size.kernels * spins if size.exchange else 0)
    held = held_integrals(size, INTEGRALS_SHARE * memory)
    return {
        "build": builds,
        "quadrature": builds * spins * n**2 * size.points * max(size.components, 1) / 4.0,
        "points": builds * spins * size.points,
        "two-electron": builds * operators * size.pairs**2 * (1.0 if held else DIRECT),
    }


def _propagation(task: PropagationTask, size: SystemSize, memory: float) -> dict[str, float]:
    real_time, n, spins = task.real_time, size.functions, size.spins
    steps = 0 if real_time.no_propagation else max(real_time.n_points - 1, 0)
    builds = RUN_BUILDS + (STEP_BUILDS * steps if strong(task) and size.points else 0.0)
    # An absorbing potential diagonalises at every step.
    passes = PASSES * steps * (1.0 if real_time.mocap is None else 2.0)
    kernel = kernel_bytes(task.system, size, memory)
    counts = _builds(size, builds, memory, parts=1.0 + IMAGINARY)
    counts["figure"] = 0.0 if real_time.no_propagation else 1.0
    counts["step"] = passes * spins
    counts["kernel product"] = 2.0 * passes * (spins * size.pairs) ** 2 if kernel else 0.0
    counts["orbital product"] = passes * spins * n**2 * (size.occupied + n)
    counts["kernel"] = size.pairs**2 * n * spins**2 if kernel else 0.0
    counts["picture"] = _pictures(real_time)
    return counts


def _pictures(real_time: RealTime) -> float:
    """Points of time that are drawn."""
    shown = real_time.visualization
    if shown is None:
        return 0.0
    return max(0.0, min(shown.tend, real_time.tmax) - shown.tstart) / real_time.dt + 1.0


def bytes_counts(deck: Deck, sizes: Mapping[int, SystemSize], memory: float) -> dict[str, float]:
    """What lies in memory at the peak, bytes by kind: at the task where it is most."""
    peak: dict[str, float] = {}
    runs = 0
    for number, task in enumerate(deck.tasks):
        counts = _held(task, sizes[number], memory)
        if isinstance(task, PropagationTask) and not task.real_time.no_propagation:
            runs += 1
        counts["further run"] = max(runs - 1.0, 0.0)
        if priced(counts, BYTES) > (priced(peak, BYTES) if peak else 0.0):
            peak = counts
    return peak


def _held(task: Task, size: SystemSize, memory: float) -> dict[str, float]:
    n, spins, points = size.functions, size.spins, size.points
    variables = {0: 0, 1: 1, 4: 4}[size.components]
    integrals = held_integrals(size, INTEGRALS_SHARE * memory) + 8 * size.fitting * size.pairs
    values = min(4.0 * size.components * n * points, (memory - integrals) / 2)
    # ρ, w v and the functional's series or kernel, in double precision.
    kept = 8.0 * points * (2 * spins * variables + (spins * variables) ** 2)
    counts = {"process": 1.0, "integrals": float(integrals), "grid": values + kept}
    if isinstance(task, PropagationTask):
        kernel = kernel_bytes(task.system, size, memory)
        # The kernel in single precision and integrals beside it, three with an attenuated operator; or its
        # positive part, its negative part and their difference.
        held = 4.0 * spins**2
        most = max(held + (16.0 if size.kernels == 1 else 24.0), 3.0 * held)
        counts["kernel"] = most * size.pairs**2 if kernel else 0.0
        counts["blocks"] = _blocks(task.system, task.real_time)
        counts["pictures"] = 0.0 if task.real_time.visualization is None else 1.0
    return counts


def _blocks(system: System, real_time: RealTime) -> float:
    """Densities of a segment's points, those of its other passes, and what of the file is put together."""
    one = 16.0 * system.n_spin * system.n_basis**2
    stored = 0.5 * one * real_time.n_points
    return 3.0 * one * min(_HELD_POINTS, real_time.n_points) + (2.0 * stored if stored <= STORED else 0.0)
