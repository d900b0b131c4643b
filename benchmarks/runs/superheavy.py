"""Where the 5g shell starts: elements 123 to 126 with their last electrons spread in every way.

    python benchmarks/runs/superheavy.py [FIRST LAST]

Dirac LDA, Fermi nuclei, [Og] 8s2 and the rest in 8p1/2 (one at most), 7d3/2 (two at most), 6f5/2 and 5g7/2
(three at most). Prints the lowest configurations of each element, the lowest without 5g among them.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace

from hybrid_propagate.atomic.nucleus.radius import stable_mass_number
from hybrid_propagate.atomic.solver.configuration import ground_configuration
from hybrid_propagate.atomic.solver.eigenstates import RadialProblem
from hybrid_propagate.atomic.solver.errors import ConvergenceError
from hybrid_propagate.atomic.solver.model import Orbital, orbitals_of
from hybrid_propagate.atomic.solver.scf import Cycle, CycleStart, Solution, mesh_of, self_consistent
from hybrid_propagate.atomic.solver.starting_potential import slater_potential
from hybrid_propagate.atomic.study.charge_path import follow_charge
from hybrid_propagate.atomic.study.ground_search import MODEL
from hybrid_propagate.atomic.study.near_ground import highest
from hybrid_propagate.atomic.units import EV_PER_HARTREE

#: n, l, j and how many electrons at most.
PLACES = ((8, 1, 0.5, 1), (7, 2, 1.5, 2), (6, 3, 2.5, 6), (5, 4, 3.5, 3))
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


def solved(problem: RadialProblem) -> Solution:
    """By the cycle, else down the nuclear charge. Raises ConvergenceError."""
    z, model, mesh, orbitals = problem.z, problem.model, problem.mesh, problem.orbitals
    try:
        return self_consistent(z, orbitals, model, mesh, cycle=CYCLE)
    except ConvergenceError:
        return follow_charge(problem, CycleStart(slater_potential(mesh, z, orbitals, model)))


def row(z: int) -> Iterator[str]:
    """The three lowest configurations, the lowest without and with 5g, and what is not there."""
    model = replace(MODEL, mass_number=stable_mass_number(float(z)))
    core = (*orbitals_of(ground_configuration(118), model), Orbital(8, 0, 2.0, 2.0, j=0.5))
    mesh = mesh_of(float(z), model)
    found: list[tuple[float, str, str]] = []
    missing: list[str] = []
    for ways in spread(z - 120):
        outer = [
            Orbital(n, k, float(f), 2 * j + 1, j=j) for f, (n, k, j, _) in zip(ways, PLACES, strict=True) if f
        ]
        name = " ".join(f"{o.label}:{o.occupation:g}" for o in outer)
        try:
            atom = solved(RadialProblem(float(z), model, mesh, (*core, *outer)))
        except ConvergenceError:
            missing.append(f"{name} (no verdict)")
            continue
        top, level = highest(atom)
        if level >= 0 or atom.outside() > 1e-3:
            missing.append(f"{name} ({top.label} not bound)")
        else:
            found.append((atom.energies.total, name, f"{top.label} {level:.4f}"))
        print(z, name, atom.energies.total, top.label, level, file=sys.stderr, flush=True)
    found.sort()
    least = found[0][0]
    kinds = [next((f for f in found if ("5g" in f[1]) == with_g), None) for with_g in (False, True)]
    for energy, name, top_level in dict.fromkeys([*found[:3], *(f for f in kinds if f)]):
        above = (energy - least) * EV_PER_HARTREE
        yield f"| {z} | [Og] 8s1/2:2 {name} | {energy:.5f} | {above:.2f} | {top_level} |"
    yield f"| {z} | {len(found)} with an energy; without: {'; '.join(missing) or 'none'} | | | |"


def main() -> None:
    """Prints the table."""
    first, last = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (123, 126)
    print("| Z | configuration | total / Ha | above the lowest / eV | highest level / Ha |")
    print("| --- | --- | --- | --- | --- |")
    for z in range(first, last + 1):
        print(*row(z), sep="\n", flush=True)


if __name__ == "__main__":
    main()
