"""A dynamical system on the occupations of spin-orbitals.

Janak's theorem (Phys. Rev. B 18, 7165 (1978)): ∂E/∂f_i = ε_i at self-consistency. The flow is steepest
descent of the total energy at fixed electron number within 0 ≤ f_i ≤ c_i:

    df_i/dt = −(ε_i − μ),   but 0 where that would leave the box;   μ such that Σ df_i/dt = 0

Fixed points are the atoms whose partly filled orbitals share one level μ, with full ones below and empty ones
above. Near a fixed point two kinds of perturbation decay, each with its rate (negative: stable):

    within the partly filled orbitals      eigenvalues of −K, K_ij = ∂ε_i/∂f_j, on Σ δf = 0
    moving δ from orbital i to orbital a   −(ε_a − ε_i), at least one of them full or empty

A closed shell has only perturbations of the second kind; the smallest cost is the gap to the first empty
orbital.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..solver.mesh import Mesh
from ..solver.model import Model, Orbital
from ..solver.response import occupation_jacobian
from ..solver.scf import Cycle, CycleStart, Solution, self_consistent

Array = NDArray[np.float64]

# An orbital this close to empty or full (electrons) counts as such.
_EDGE = 1e-6
#: Fractional occupations need not be bound; the wall at r_max keeps their electrons.
_CYCLE = Cycle(tolerance=1e-7, require_bound=False)
# Length of a step (1/Hartree) and the largest change of an occupation in it.
_TIME_STEP, _LARGEST_MOVE = 2.0, 0.25


@dataclass(frozen=True, eq=False)
class Stability:
    """What decides whether an atom is a fixed point, and a stable one.

    imbalance: spread of the levels of the partly filled orbitals, Hartree; 0 at a fixed point.
    tangent: eigenvalues of −K on the partly filled orbitals, Hartree per electron, descending; may be empty.
    exchange: the largest −(ε_a − ε_i) over moves that touch a full or an empty orbital, Hartree.
    """

    imbalance: float
    tangent: Array
    exchange: float

    @property
    def largest(self) -> float:
        """The largest rate: negative for a stable fixed point."""
        return float(max([self.exchange, *self.tangent]))

    def stable(self, tolerance: float = 1e-4) -> bool:
        """Whether this is a fixed point (levels equal within `tolerance` Ha) and every rate is negative."""
        return self.imbalance < tolerance and self.largest < 0


@dataclass(frozen=True, eq=False)
class Trajectory:
    """occupations (steps, S), energies (steps,) and levels (steps, S) along the flow;
    orbitals name the columns.
    """

    orbitals: tuple[Orbital, ...]
    times: Array
    occupations: Array
    energies: Array
    levels: Array
    arrived: bool


def velocity(occupations: Array, levels: Array, capacities: Array) -> Array:
    """df/dt: −levels projected onto the directions that keep Σ f and stay inside the box. All (S,)."""
    at_bottom, at_top = occupations <= _EDGE, occupations >= capacities - _EDGE

    def clipped(mu: float) -> Array:
        v = mu - levels
        return np.where(at_bottom, np.maximum(v, 0), np.where(at_top, np.minimum(v, 0), v))

    low, high = float(levels.min()), float(levels.max())
    for _ in range(200):  # Σ clipped(μ) rises with μ from ≤ 0 to ≥ 0
        middle = 0.5 * (low + high)
        if clipped(middle).sum() > 0:
            high = middle
        else:
            low = middle
    v = clipped(0.5 * (low + high))
    moving = v != 0
    return v - np.where(moving, v.sum() / max(moving.sum(), 1), 0.0)


def stability(solution: Solution) -> Stability:
    """Rates of a converged atom, over all its orbitals; include the empty ones that could be reached.

    Spin-restricted orbitals are one variable each; with spin each orbital is one for each spin.
    """
    f, c, levels = _occupations(solution.orbitals), _capacities(solution.orbitals), solution.levels
    free = (f > _EDGE) & (f < c - _EDGE)
    has_electrons, has_holes = f > _EDGE, f < c - _EDGE
    cost = levels[None, :] - levels[:, None]  # [i, a]: from i to a
    possible = has_electrons[:, None] & has_holes[None, :] & ~(free[:, None] & free[None, :])
    np.fill_diagonal(possible, False)
    exchange = -float(cost[possible].min()) if possible.any() else -np.inf
    tangent = np.empty(0, dtype=np.float64)
    if free.sum() > 1:
        jacobian = occupation_jacobian(
            solution.problem, solution.states, solution.potential, solution.node_charges
        )[np.ix_(free, free)]
        basis = np.linalg.svd(np.ones((1, free.sum())))[2][1:]
        curvature = basis @ (0.5 * (jacobian + jacobian.T)) @ basis.T
        tangent = -np.linalg.eigvalsh(curvature).astype(np.float64)
    imbalance = float(np.ptp(levels[free])) if free.any() else 0.0
    return Stability(imbalance, tangent, exchange)


def flow(
    z: float,
    orbitals: tuple[Orbital, ...],
    model: Model,
    max_steps: int = 400,
    tolerance: float = 1e-4,
) -> Trajectory:
    """Follows the flow from the occupations of `orbitals` until no velocity exceeds `tolerance` Ha.

    Steps are linearly implicit, f(t+h) = f + h (1 + h K)⁻¹ v on the moving orbitals, shortened so that an
    orbital that would cross its bound stops there.
    """
    capacities = _capacities(orbitals)
    f = _occupations(orbitals)
    mesh: Mesh | None = None
    start: CycleStart | None = None
    history: list[tuple[float, Array, float, Array]] = []
    time, arrived = 0.0, False
    for _ in range(max_steps):
        current = tuple(replace(o, occupation=float(x)) for o, x in zip(orbitals, f, strict=True))
        atom = self_consistent(z, current, model, mesh, start, _CYCLE)
        start, mesh = CycleStart(atom.potential, atom.states), atom.mesh
        history.append((time, f, atom.energies.total, atom.levels))
        v = velocity(f, atom.levels, capacities)
        if np.abs(v).max() < tolerance:
            arrived = True
            break
        change, h = _step(atom, f, v, capacities)
        f = np.clip(f + change, 0.0, capacities)
        time += h
    times, occupations, energies, levels = (np.array(column) for column in zip(*history, strict=True))
    return Trajectory(orbitals, times, occupations, energies, levels, arrived)


def _step(atom: Solution, f: Array, v: Array, capacities: Array) -> tuple[Array, float]:
    """A linearly implicit step and its length; backward Euler cannot overshoot an equilibrium."""
    jacobian = occupation_jacobian(atom.problem, atom.states, atom.potential, atom.node_charges)
    moving = np.flatnonzero(v)
    while True:
        project = np.eye(len(moving)) - 1 / len(moving)
        curvature = project @ jacobian[np.ix_(moving, moving)] @ project
        rates, modes = np.linalg.eigh(0.5 * (curvature + curvature.T))
        # Downhill and concave: no damping, or the step would turn back.
        damping = 1 + _TIME_STEP * np.maximum(rates, 0.0)
        change = np.zeros_like(f)
        change[moving] = _TIME_STEP * modes @ ((modes.T @ (project @ v[moving])) / damping)
        room = np.minimum(np.where(change > 0, capacities - f, f), _LARGEST_MOVE)
        blocked = (np.abs(change) > 1e-12) & (room < _EDGE)
        if not blocked.any() or len(moving) <= 2:
            break
        moving = moving[~blocked[moving]]
    shortened = min(1.0, float(np.min(room[moving] / np.maximum(np.abs(change[moving]), 1e-300))))
    return shortened * change, shortened * _TIME_STEP


def _occupations(orbitals: tuple[Orbital, ...]) -> Array:
    return np.array([o.occupation for o in orbitals])


def _capacities(orbitals: tuple[Orbital, ...]) -> Array:
    return np.array([o.capacity for o in orbitals])
