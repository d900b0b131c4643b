"""A compact f or g shell filled little by little at one nuclear charge, until it holds all or no more.

    dE/dw = ε(w),     dε/dw > 0          (Janak, Phys. Rev. B 18, 7165 (1978); w electrons in the shell)

With next to nothing in it the shell lies deep in the ion's field, and the cycle converges. Its level rises
with w until it meets the levels outside: the shell holds no more, and the rest of its electrons is not bound
in it. By Janak's theorem E(w) is then the least energy of shell and rest, but for what the rest gains
outside. Begun with all electrons in it, the cycle jumps between a compact shell, too high, and an extended
one that leaves the compact one too low. Where the two mix a step may converge, and that is then the atom.
"""

from dataclasses import dataclass, replace

from ..solver.eigenstates import RadialProblem
from ..solver.errors import ConvergenceError
from ..solver.scf import Cycle, CycleStart, Solution, self_consistent

# Electrons that the shell begins with, the first step, the shortest, and how steps grow.
_ALMOST_EMPTY, _FIRST, _SHORTEST, _GROWTH = 1e-3, 0.5, 1e-3, 1.5
_CYCLE = Cycle(tolerance=1e-5, max_iterations=12, require_bound=False)


@dataclass(frozen=True)
class Overfull:
    """A shell that does not hold its electrons.

    shell: its label. electrons: that it shall hold. held: that it holds.
    level: with those, Hartree. radius: mean, of the orbital, bohr.
    energy: of the atom with those, the rest taken away, Hartree.
    """

    shell: str
    electrons: float
    held: float
    level: float
    radius: float
    energy: float

    def __str__(self) -> str:
        return f"{self.shell} holds {self.held:.2f} of {self.electrons:g} electrons"


def filled(problem: RadialProblem, index: int) -> Solution | Overfull:
    """The atom with all electrons in its orbital number `index`, or how many that holds.

    Raises ConvergenceError where the cycle does not even converge with the orbital almost empty.
    """
    wanted = problem.orbitals[index].occupation
    empty = _holding(problem, index, min(_ALMOST_EMPTY, wanted)).orbitals
    first = replace(_CYCLE, max_iterations=40)
    here = self_consistent(problem.z, empty, problem.model, problem.mesh, cycle=first)
    before, step = here, _FIRST
    while (now := _electrons(here, index)) < wanted:
        more = min(wanted, now + step)
        found = _next(_holding(problem, index, more), before, here, index)
        if found is not None:
            before, here, step = here, found, _GROWTH * (more - now)
        elif step < _SHORTEST:
            return _overfull(here, index, wanted)
        else:
            step = 0.5 * (more - now)
    return here


def _next(problem: RadialProblem, before: Solution, here: Solution, index: int) -> Solution | None:
    """None where the cycle does not converge, or the orbital's level is not below zero.

    Begun on the straight line through the last two.
    """
    past, now = (_electrons(atom, index) for atom in (before, here))
    ahead = (problem.orbitals[index].occupation - now) / (now - past) if now > past else 0.0
    start = CycleStart(here.potential + ahead * (here.potential - before.potential), here.states)
    try:
        found = self_consistent(problem.z, problem.orbitals, problem.model, problem.mesh, start, _CYCLE)
    except ConvergenceError:
        return None
    return found if found.levels[index] < 0 else None


def _electrons(atom: Solution, index: int) -> float:
    return atom.orbitals[index].occupation


def _holding(problem: RadialProblem, index: int, electrons: float) -> RadialProblem:
    changed = replace(problem.orbitals[index], occupation=electrons)
    return replace(problem, orbitals=(*problem.orbitals[:index], changed, *problem.orbitals[index + 1 :]))


def _overfull(atom: Solution, index: int, wanted: float) -> Overfull:
    orbital = atom.orbitals[index]
    radius = float(atom.states.charges[index] @ atom.radius)
    level, energy = float(atom.levels[index]), atom.energies.total
    return Overfull(orbital.label, wanted, orbital.occupation, level, radius, energy)
