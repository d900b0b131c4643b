"""Seconds and bytes of a deck: what is counted in `work`, times rates fitted to measured runs.

The rates are those of one thread of an Intel Xeon (2.5 GHz), fitted by `benchmarks/runs/forecast.py`, which
prints them anew. Each belongs to one count, so that a count that grows with n³ carries its cost to any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...adapters.deck import (
    Deck,
    GroundStateTask,
    LinearResponseTask,
    PropagationTask,
    Task,
    orbitals_read,
)
from ...adapters.system import RealTime, System
from .motion import driven_steps, learns_points, out_of_equilibrium, strong, weak
from .work import (
    LEFT_VECTORS,
    MOST_MODES,
    VECTORS,
    SystemSize,
    factor_bytes,
    from_vectors,
    held_integrals,
    kernel_bytes,
    pair_kernel_bytes,
    pair_kernel_room,
    readings,
)

#: Densities of all points are stored where they fit this many bytes.
STORED = 2**26
#: Fock builds of PySCF's SCF, of the engine before and after it, and of a run beside its steps.
SCF_BUILDS, ENGINE_BUILDS, RUN_BUILDS = 16, 12, 8
#: Of the last, those that symmetry stands in for in weak motion: with inversion, always.
TURNED_BUILDS = 4
#: As in `adapters/pyscf/ground_state`: functions from which on an SCF whose integrals are computed anew has
#: fitted ones first; exact builds of it then, and after it; fitting functions a function.
FITTED_FROM, SCF_EXACT, ENGINE_EXACT, FITTING = 100, 4, 1, 4
#: Expansions of the functional about a density, in potentials at as many points.
EXPANDING = 40
#: Fock builds of a step: by the reference code; beyond linear response; with an absorbing potential.
STEP_BUILDS, STRONG_BUILDS, ABSORBING_BUILDS = 2.1, 0.01, 0.5
#: Coulomb-exchange builds of a run without a kernel, one a direction met: 108 in NWChem's H2 dimer. Strong
#: motion may meet one at every step: 267 at 300 in a dimer of ethylene, 184 in one of nitrogen.
DIRECTION_BUILDS = 100
#: Quadrature of such a build on its coarse grid, in that of a Fock build: 1.5 s beside 0.43 in TCNE.
COARSE = 3.5
#: A response formed anew: points of the coarse grid over the reference's, and of the one for how densities of
#: a step differ; vectors that these take, over all; looks of that kind at a step.
COARSE_POINTS, FEW_POINTS, LEADING_SHARE, NEAR_LOOKS = 0.19, 0.04, 0.5, 2
#: Passes over a step of such a response: its first segment takes three.
FORMED_PASSES = 1.3
#: Passes of the surrogate over a step; with an absorbing potential, which diagonalises at every one, in
#: those of a step without.
PASSES, ABSORBING_PASSES = 1.8, 11.0
#: As in `surrogate/nonlinear`: rotations that points are learned from and measured on, with the four sizes
#: tried; rows, candidates and most points of an atom's cell.
ROTATIONS, ROWS, CANDIDATES, MOST = 40 + 4 * 5, 40 * 40, 1500, 600
#: Exchange of a real and an imaginary part together, in that of a real part.
COMPLEX = 1.35
#: As in `surrogate/kernel/pair_interpolation`.
INTERPOLATED = 1500
#: As in `driver/loop/hybrid`: bytes of densities that are formed at once for the files.
PIECES = 1.5e8
#: As in `driver/loop/motion`: bytes of a segment of weak motion, over those. Points are in double precision
#: up to so many pairs, as in `surrogate/weak_fields/modes`.
HELD, MOST_EXACT = 6, 300
#: Points of a surrogate segment held at once.
_HELD_POINTS = 500

#: CPU seconds of one unit of each count.
SECONDS: dict[str, float] = {
    "process": 1.9,
    "figure": 0.4,
    "step": 2.1e-4,
    "kernel product": 1.3e-9,
    "orbital product": 2.2e-10,
    "build": 2.5e-4,
    "quadrature": 1.2e-10,
    "points": 5.9e-7,
    "two-electron": 9.5e-10,
    "anew": 3.5e-9,
    "integrals": 4.9e-8,
    "kernel": 1.3e-9,
    "picture": 0.84,
    "cell": 0.39,
    "nonlinear": 6.2e-5,
    "pair kernel": 7.4e-11,
    "reading": 1.9e-8,
    "modes": 1.7e-9,
    "moved step": 6e-5,
    "moved pair": 9.9e-7,
    "moved square": 1.3e-9,
    "relaxed square": 7e-10,
    "vectors": 5.7e-11,
    "formed": 1.1e-11,
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
    "points": 1.0,
    "response": 6.0,
    "moved": 1.5,
    "pieces": 1.5,
    "rows": 4.5e3,
    "factors": 1.0,
}


@dataclass(frozen=True)
class Asked:
    """What a run is asked for beside its deck.

    memory: bytes that integrals, grids and kernel may take.
    tolerance: trajectory error wanted.
    surrogate: whether one makes most steps.
    every_step: whether strong motion without a kernel is thought to meet a new direction at every step.
    """

    memory: float
    tolerance: float = 1e-3
    surrogate: bool = True
    every_step: bool = False


@dataclass(frozen=True)
class Cost:
    """What a deck takes.

    seconds: of processor time, one thread; most: the same where strong motion without a kernel meets a new
    direction at every step.
    memory: bytes at the peak.
    """

    seconds: float
    most: float
    memory: float


def cost_of(deck: Deck, sizes: Mapping[int, SystemSize], asked: Asked) -> Cost:
    """Cost of a deck; sizes: by the number of its task."""
    ends = [seconds_counts(deck, sizes, replace(asked, every_step=every)) for every in (False, True)]
    seconds, most = (priced(counts, SECONDS) for counts in ends)
    return Cost(seconds, most, priced(bytes_counts(deck, sizes, asked), BYTES))


def priced(counts: Mapping[str, float], rates: Mapping[str, float]) -> float:
    """Σ count · rate."""
    return sum(rates[name] * count for name, count in counts.items())


def seconds_counts(deck: Deck, sizes: Mapping[int, SystemSize], asked: Asked) -> dict[str, float]:
    """How often each unit of `SECONDS` is spent."""
    counts = dict.fromkeys(SECONDS, 0.0)
    counts["process"] = 1.0
    memory = asked.memory
    for number, task in enumerate(deck.tasks):
        size = sizes[number]
        if isinstance(task, PropagationTask):
            _add(counts, _propagation(task, size, asked))
        elif isinstance(task, GroundStateTask):
            _add(counts, _ground_state(task, size, memory))
            _add(counts, _set_up(size, memory))
        elif isinstance(task, LinearResponseTask):
            _add(counts, _builds(size, 20 * task.n_roots, memory, parts=1.0))
    return counts


def _add(counts: dict[str, float], more: Mapping[str, float]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0.0) + count


def _ground_state(task: GroundStateTask, size: SystemSize, memory: float) -> dict[str, float]:
    """An SCF, with fitted integrals until its end where others cost too much; builds before and after it."""
    builds = ENGINE_BUILDS + (0 if task.skip else SCF_BUILDS)
    counts = _builds(size, builds, memory, parts=1.0)
    if counts["anew"] and size.exchange and size.functions >= FITTED_FROM:
        exact = ENGINE_EXACT + (0 if task.skip else SCF_EXACT)
        counts["anew"] *= exact / builds
        fits = 0 if task.skip else SCF_BUILDS * size.spins * size.kernels
        counts["orbital product"] = float(fits * FITTING * size.functions**3 * size.occupied)
    return counts


def _set_up(size: SystemSize, memory: float) -> dict[str, float]:
    """Integrals that are held, those of a fit, and the values on the grid that are made once."""
    held = size.kernels * size.pairs**2 / 2.0 if held_integrals(size, memory) else 0.0
    return {
        "integrals": held + float(size.pairs * size.fitting),
        "points": float(EXPANDING * size.spins * size.points),
    }


def _builds(size: SystemSize, builds: float, memory: float, *, parts: float) -> dict[str, float]:
    """Fock matrices; parts: of a density that exchange is taken of, in units of the real one."""
    n, spins, held = size.functions, size.spins, held_integrals(size, memory)
    # A fit is read twice. Held integrals of a range-separated operator are one set.
    coulomb = 2.0 * size.pairs * size.fitting if size.fitting else held and size.pairs**2
    exchange = parts * spins * size.pairs**2 if size.exchange and held else 0.0
    # Computed anew they serve J and K, real and imaginary part and both spins at once.
    anew = 0 if held or (size.fitting and not size.exchange) else size.kernels
    return {
        "build": builds,
        "quadrature": builds * spins * n**2 * size.points * max(size.components, 1) / 4.0,
        "points": builds * spins * size.points,
        "two-electron": builds * (coulomb + exchange),
        "anew": builds * anew * min(parts, COMPLEX) * size.primitive_pairs**2,
    }


def _propagation(task: PropagationTask, size: SystemSize, asked: Asked) -> dict[str, float]:
    real_time, n, spins, memory = task.real_time, size.functions, size.spins, asked.memory
    steps = 0 if real_time.no_propagation else max(real_time.n_points - 1, 0)
    if by_pairs(task, size, asked):
        return _weak_propagation(task, size, steps, memory)
    learns = asked.surrogate and size.points > 0 and learns_points(task, asked.tolerance)
    absorbing = real_time.absorbing
    per_step = STRONG_BUILDS * learns + ABSORBING_BUILDS * absorbing if asked.surrogate else STEP_BUILDS
    passes = steps * (ABSORBING_PASSES if absorbing else PASSES)
    held = kernel_bytes(task.system, size, memory) if asked.surrogate else 0
    counts = _builds(size, RUN_BUILDS + per_step * steps, memory, parts=COMPLEX)
    counts["figure"] = 0.0 if real_time.no_propagation else 1.0
    counts["step"] = passes * spins
    counts["kernel product"] = 2.0 * passes * (spins * size.pairs) ** 2 if held else 0.0
    counts["orbital product"] = passes * spins * n**2 * (size.occupied + n)
    counts["kernel"] = size.pairs**2 * n * spins**2 if held else 0.0
    counts["picture"] = _pictures(real_time)
    formed = asked.surrogate and forms_anew(task, size, memory)
    if formed:
        _add(counts, _formed_anew(size, steps))
    elif asked.surrogate and steps and not held:
        every = asked.every_step and directions_cost(task, size, memory)
        directions = max(DIRECTION_BUILDS, min(steps, spins * size.pairs)) if every else DIRECTION_BUILDS
        taught = _builds(size, directions, memory, parts=COMPLEX)
        _add(counts, taught | {"quadrature": COARSE * taught["quadrature"]})
    if learns and not (formed and size.exchange):
        _add(counts, _learning(size))
        counts["nonlinear"] = passes * spins * size.atoms
    return counts


def _formed_anew(size: SystemSize, steps: int) -> dict[str, float]:
    """Vectors of three indices; what they and the functional on a coarse grid take of every step."""
    n, spins, looks = size.functions, size.spins, steps * FORMED_PASSES
    counts = {"vectors": float(VECTORS**2 * n**2 * size.pairs * size.kernels)}
    if size.exchange:
        turned, points = min(2 * size.occupied, n), COARSE_POINTS + (1 + NEAR_LOOKS) * FEW_POINTS
        whole = 8.0 * looks * spins * LEFT_VECTORS * n**3 * turned
        counts["formed"] = (1.0 + NEAR_LOOKS * LEADING_SHARE) * whole
        counts["quadrature"] = looks * spins * n**2 * size.points * points * max(size.components, 1) / 4.0
    return counts


def directions_cost(task: PropagationTask, size: SystemSize, memory: float) -> bool:
    """Whether motion is strong where each of its directions costs a Coulomb-exchange build."""
    moves = out_of_equilibrium(task.real_time) or strong(task)
    return moves and not kernel_bytes(task.system, size, memory) and not forms_anew(task, size, memory)


def forms_anew(task: PropagationTask, size: SystemSize, memory: float) -> bool:
    """Whether the response of motion that is not weak is formed anew at every density."""
    return not weak(task, size.occupied) and bool(factor_bytes(size, memory))


def by_pairs(task: PropagationTask, size: SystemSize, asked: Asked) -> bool:
    """Whether weak motion between empty and occupied orbitals gives all steps: by modes, or relaxed."""
    made = pair_kernel_bytes(task.system, size, asked.memory)
    return asked.surrogate and bool(made) and weak(task, size.occupied)


def _weak_propagation(task: PropagationTask, size: SystemSize, steps: int, memory: float) -> dict[str, float]:
    """Fock builds, a kernel whose quadrature is a product of matrices, and every mode or relaxed step."""
    moved = size.moved_irreps * size.moved_pairs
    # A small imaginary part has a pass of its own, which costs as much as one of both.
    builds = RUN_BUILDS - (TURNED_BUILDS if size.irreps > 1 and not size.polar else 0)
    counts = _builds(size, builds, memory, parts=1.0 + COMPLEX)
    counts["figure"] = 0.0 if task.real_time.no_propagation else 1.0
    # One of a point's mirror images is enough; products of more pairs than this are interpolated.
    squares = min(size.moved_irreps * size.moved_pairs**2, INTERPOLATED**2)
    counts["pair kernel"] = float(squares * size.points) / size.irreps
    moved_squares = size.moved_irreps * size.moved_pairs**2
    # While a field acts modes serve nothing; their kernel is in double precision.
    driven, single = driven_steps(task.real_time), size.moved_pairs > MOST_MODES
    relaxed = steps if single else 2 * driven
    if steps > driven and not single:
        counts["modes"] = float(moved_squares * size.moved_pairs)
        counts["moved square"] = float((steps - driven) * moved_squares)
    counts["relaxed square"] = float(relaxed * moved_squares)
    if from_vectors(size, memory):
        counts["vectors"] = float(VECTORS**2 * size.functions**2 * size.pairs)
    else:
        counts["reading"] = float(readings(size, memory) * size.pairs**2)
    counts["moved step"] = float(steps)
    counts["moved pair"] = float(steps * moved)
    counts["picture"] = _pictures(task.real_time)
    return counts


def _learning(size: SystemSize) -> dict[str, float]:
    """Of points: potentials on the whole grid, without exchange, and the choice in every atom's cell."""
    n, spins = size.functions, size.spins
    return {
        "quadrature": ROTATIONS * spins * n**2 * size.points * max(size.components, 1) / 4.0,
        "points": ROTATIONS * spins * size.points,
        "cell": size.atoms,
    }


def _pictures(real_time: RealTime) -> float:
    """Points of time that are drawn."""
    shown = real_time.visualization
    if shown is None:
        return 0.0
    return max(0.0, min(shown.tend, real_time.tmax) - shown.tstart) / real_time.dt + 1.0


def bytes_counts(deck: Deck, sizes: Mapping[int, SystemSize], asked: Asked) -> dict[str, float]:
    """What lies in memory at the peak, bytes by kind: at the task where it is most."""
    peak: dict[str, float] = {}
    runs, engines = 0, dict[str, tuple[float, float]]()
    for number, task in enumerate(deck.tasks):
        counts = _held(task, sizes[number], asked)
        left = {orbitals_read(later) for later in deck.tasks[number:]}
        engines = {name: held for name, held in engines.items() if name in left}
        # Its own engine is that of the ground state that it starts from.
        others = [held for name, held in engines.items() if name != orbitals_read(task)]
        if isinstance(task, PropagationTask) and not task.real_time.no_propagation:
            runs += 1
        elif isinstance(task, GroundStateTask):
            engines[task.output] = counts["integrals"], counts["grid"]
        counts["further run"] = max(runs - 1.0, 0.0)
        counts["integrals"] += sum(integrals for integrals, _ in others)
        counts["grid"] += sum(grid for _, grid in others)
        if priced(counts, BYTES) > (priced(peak, BYTES) if peak else 0.0):
            peak = counts
    return peak


def _held(task: Task, size: SystemSize, asked: Asked) -> dict[str, float]:
    n, spins, points, memory = size.functions, size.spins, size.points, asked.memory
    variables = {0: 0, 1: 1, 4: 4}[size.components]
    integrals = held_integrals(size, memory) + 8 * size.fitting * size.pairs
    values = min(4.0 * size.components * n * points, (memory - integrals) / 2)
    # ρ, w v and the functional's series or kernel, in double precision.
    kept = 8.0 * points * (2 * spins * variables + (spins * variables) ** 2)
    counts = {"process": 1.0, "integrals": float(integrals), "grid": values + kept}
    if isinstance(task, PropagationTask) and by_pairs(task, size, asked):
        moved, n_points = size.moved_irreps * size.moved_pairs, task.real_time.n_points
        counts["kernel"] = float(pair_kernel_bytes(task.system, size, memory))
        counts["blocks"] = _blocks(task.system, task.real_time)
        counts["pictures"] = 0.0 if task.real_time.visualization is None else 1.0
        room = pair_kernel_room(size, memory)
        a_pair = 16.0 if size.moved_pairs <= MOST_EXACT else 8.0
        held = min(a_pair * moved * n_points, max(HELD * PIECES, room))
        counts["moved"], counts["rows"] = max(held - room, 0.0), float(n_points)
        counts["pieces"] = min(PIECES, 16.0 * spins * n**2 * n_points)
    elif isinstance(task, PropagationTask):
        kernel = kernel_bytes(task.system, size, memory) if asked.surrogate else 0
        # The kernel in single precision and integrals beside it, three with an attenuated operator; or its
        # positive part, its negative part and their difference.
        held = 4.0 * spins**2
        most = max(held + (16.0 if size.kernels == 1 else 24.0), 3.0 * held)
        counts["kernel"] = most * size.pairs**2 if kernel else 0.0
        formed = asked.surrogate and forms_anew(task, size, memory)
        counts["factors"] = factor_bytes(size, memory) if formed else 0.0
        counts["blocks"] = _blocks(task.system, task.real_time)
        counts["pictures"] = 0.0 if task.real_time.visualization is None else 1.0
        if formed and size.exchange:
            shares = COARSE_POINTS + FEW_POINTS
            counts["points"] = shares * (4.0 * size.components * n + 16.0 * spins * variables) * points
        elif asked.surrogate and points and learns_points(task, asked.tolerance):
            # Rows of every atom's cell, before and after the choice; one cell's potentials.
            rows = 8.0 * ROWS * (CANDIDATES + MOST) * size.atoms
            counts["points"] = rows + 8.0 * 40 * spins * variables * points / size.atoms
        elif not formed:
            counts["response"] = 16.0 * size.occupied * (n - size.occupied) * spins * task.real_time.n_points
    return counts


def _blocks(system: System, real_time: RealTime) -> float:
    """Densities of a segment's points, those of its other passes, and what of the file is put together."""
    one = 16.0 * system.n_spin * system.n_basis**2
    stored = 0.5 * one * real_time.n_points
    return 3.0 * one * min(_HELD_POINTS, real_time.n_points) + (2.0 * stored if stored <= STORED else 0.0)
