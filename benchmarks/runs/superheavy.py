"""Where the 5g shell starts: elements 123 to 126 with their last electrons spread in every way.

    python benchmarks/runs/superheavy.py [FIRST LAST]

Dirac LDA, Fermi nuclei, [Og] 8s2 and the rest in 8p1/2 (one at most), 7d3/2 (two at most), 6f5/2 and 5g7/2
(three at most). Prints the lowest configurations of each element, the lowest without 5g among them, and those
whose 5g shell does not hold its electrons: how many it holds, and the energy with these.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from hybrid_propagate.atomic.nucleus.radius import stable_mass_number
from hybrid_propagate.atomic.solver.configuration import ground_configuration
from hybrid_propagate.atomic.solver.eigenstates import RadialProblem
from hybrid_propagate.atomic.solver.errors import ConvergenceError
from hybrid_propagate.atomic.solver.model import Orbital, orbitals_of
from hybrid_propagate.atomic.solver.scf import Cycle, Solution, mesh_of, self_consistent
from hybrid_propagate.atomic.study.filling import Overfull, filled
from hybrid_propagate.atomic.study.ground_search import MODEL
from hybrid_propagate.atomic.study.near_ground import highest
from hybrid_propagate.atomic.units import EV_PER_HARTREE

#: n, l, j and how many electrons at most.
PLACES = ((8, 1, 0.5, 1), (7, 2, 1.5, 2), (6, 3, 2.5, 6), (5, 4, 3.5, 3))
# Electrons beyond nine tenths of the mesh; more are not held by the atom.
AT_THE_WALL = 1e-3
CYCLE = Cycle(tolerance=1e-5, max_iterations=40, require_bound=False)


def spread(electrons: int, places: tuple[tuple[int, int, float, int], ...] = PLACES) -> Iterator[list[int]]:
    """Every way to put so many electrons into the places."""
    if len(places) == 1:
        if electrons <= places[0][3]:
            yield [electrons]
        return
    for first in range(min(electrons, places[0][3]) + 1):
        for others in spread(electrons - first, places[1:]):
            yield [first, *others]


def solved(problem: RadialProblem) -> Solution | Overfull:
    """With 5g filled little by little; else by the cycle. Raises ConvergenceError."""
    z, model, mesh, orbitals = problem.z, problem.model, problem.mesh, problem.orbitals
    if orbitals[-1].l == 4:
        return filled(problem, len(orbitals) - 1)
    return self_consistent(z, orbitals, model, mesh, cycle=CYCLE)


@dataclass(frozen=True)
class Way:
    """One way to spread the electrons.

    energy: Hartree; of a shell that does not hold all, without the rest; infinite without a verdict.
    note: highest level, or why the atom is not bound. bound: whether it is.
    """

    energy: float
    name: str
    note: str
    bound: bool

    def row(self, z: int, least: float) -> str:
        """Of the table."""
        above = (self.energy - least) * EV_PER_HARTREE
        return f"| {z} | [Og] 8s1/2:2 {self.name} | {self.energy:.5f} | {above:.2f} | {self.note} |"


def found_way(problem: RadialProblem, name: str) -> Way:
    """Its energy, or why it has none."""
    try:
        atom = solved(problem)
    except ConvergenceError as error:
        return Way(inf, name, f"no verdict: {error}", bound=False)
    if isinstance(atom, Overfull):
        return Way(atom.energy, name, f"{atom}, its level then {atom.level:.4f}", bound=False)
    top, level = highest(atom)
    outside = atom.outside()
    bound = level < 0 and outside <= AT_THE_WALL
    note = f"{top.label} {level:.4f}" if bound else f"{top.label} {level:+.4f}, {outside:.1g} at the wall"
    return Way(atom.energies.total, name, note, bound)


def rows(z: int) -> Iterator[str]:
    """The three lowest ways, the lowest without and with 5g, and all that are not bound."""
    model = replace(MODEL, mass_number=stable_mass_number(float(z)))
    core = (*orbitals_of(ground_configuration(118), model), Orbital(8, 0, 2.0, 2.0, j=0.5))
    mesh = mesh_of(float(z), model)
    ways: list[Way] = []
    for spreading in spread(z - 120):
        places = zip(spreading, PLACES, strict=True)
        outer = [Orbital(n, k, float(f), 2 * j + 1, j=j) for f, (n, k, j, _) in places if f]
        name = " ".join(f"{o.label}:{o.occupation:g}" for o in outer)
        ways.append(found_way(RadialProblem(float(z), model, mesh, (*core, *outer)), name))
        print(z, ways[-1], file=sys.stderr, flush=True)
    ways.sort(key=lambda way: way.energy)
    bound = [way for way in ways if way.bound]
    kinds = [next((w for w in bound if ("5g" in w.name) == with_g), None) for with_g in (False, True)]
    shown = dict.fromkeys([*bound[:3], *(w for w in kinds if w), *(w for w in ways if not w.bound)])
    yield from (way.row(z, bound[0].energy) for way in shown)
    yield f"| {z} | {len(bound)} of {len(ways)} bound | | | |"


def main() -> None:
    """Prints the table."""
    first, last = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (123, 126)
    print("| Z | configuration | total / Ha | above the lowest / eV | highest level / Ha |")
    print("| --- | --- | --- | --- | --- |")
    for z in range(first, last + 1):
        print(*rows(z), sep="\n", flush=True)


if __name__ == "__main__":
    main()
