"""Ground configurations by search: electrons are moved one at a time to where the energy falls most.

For elements that nobody has measured. Dirac orbitals carry j, so 8p1/2 and 8p3/2 are different places. An
element starts from the one before and one electron more; it ends where no move of one electron lowers the
energy: an attractor of the discrete dynamics (`move_graph`), whose cheapest move is the escape energy.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

from ..solver.configuration import ground_configuration
from ..solver.eigenstates import RadialProblem
from ..solver.elements import LETTERS, NOBLE_GASES, SYMBOLS
from ..solver.errors import ConvergenceError
from ..solver.model import Model, Orbital, orbitals_of
from ..solver.scf import Cycle, CycleStart, Solution, mesh_of, self_consistent
from .filling import filled

Occupied = tuple[Orbital, ...]
# Total energy (Hartree), where the move leads, the orbitals that it leaves and enters.
_Move = tuple[float, Occupied, tuple[int, int]]

MODEL = Model(relativity="dirac", nucleus="fermi")
# Levels to 1e-5 Ha; energies, whose error is of second order, to far less than lies between configurations.
_CYCLE = Cycle(tolerance=1e-5, max_iterations=30, require_bound=False)
# Electrons beyond nine tenths of the mesh; more are not held by the atom.
_AT_THE_WALL = 1e-3
_UNBOUND = "is not bound"


@dataclass(frozen=True)
class Frontier:
    """Where electrons move.

    noble: symbol of the noble gas that the search starts from.
    shells: (n, l) of its outermost shell, and of those that may be filled next.
    """

    noble: str
    shells: tuple[tuple[int, int], ...]


#: 7p, and 8s, 8p, 7d, 6f, 5g.
BEYOND_OGANESSON = Frontier("Og", ((7, 1), (8, 0), (8, 1), (7, 2), (6, 3), (5, 4)))


@dataclass(frozen=True)
class Searched:
    """The end of the search for one element.

    configuration: noble gas, orbitals with j and their electrons, as in "[Og] 8s1/2:2 8p1/2:1".
    energy: Hartree.
    escape: energy of the cheapest move of one electron away from here, Hartree; None when none is bound.
    cheapest: that move.
    highest, level: the highest occupied orbital, and where it lies, Hartree.
    solved, unbound: configurations with an energy, and those with an electron that is not bound.
    failed: those without a verdict, and why.
    """

    z: int
    symbol: str
    configuration: str
    energy: float
    escape: float | None
    cheapest: str
    highest: str
    level: float
    solved: int
    unbound: int
    failed: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def search(
    last: int, frontier: Frontier = BEYOND_OGANESSON, before: tuple[int, str] | None = None
) -> Iterator[Searched]:
    """The noble gas and every element after it to number `last`.

    before: element and configuration after which the search goes on.
    """
    first = NOBLE_GASES[frontier.noble]
    orbitals = _empty_frontier(frontier)
    if before:
        first, orbitals = before[0] + 1, _filled(orbitals, before[1], frontier)
    for z in range(first, last + 1):
        element = _Element(z, frontier)
        if z > NOBLE_GASES[frontier.noble]:
            orbitals = element.lowest_with_one_more(orbitals)
        orbitals, found = element.descend(orbitals)
        yield found


@dataclass(frozen=True, eq=False)
class _Element:
    """The search for one element. known: atoms solved, or why there is none."""

    z: int
    frontier: Frontier
    known: dict[Occupied, Solution | str] = field(default_factory=dict)

    def lowest_with_one_more(self, orbitals: Occupied) -> Occupied:
        near: Solution | None = None
        solved: list[tuple[float, Occupied]] = []
        for into in self._places(orbitals):
            way = _changed(orbitals, into, +1)
            atom = self._solve(way, near)
            if not isinstance(atom, str):
                near = near or atom
                solved.append((atom.energies.total, way))
        if not solved:
            raise ConvergenceError(f"{SYMBOLS[self.z - 1]}: the last electron is bound nowhere")
        return min(solved, key=lambda pair: pair[0])[1]

    def descend(self, orbitals: Occupied) -> tuple[Occupied, Searched]:
        while True:
            here = self._solve(orbitals, None)
            if isinstance(here, str):
                raise ConvergenceError(f"{SYMBOLS[self.z - 1]} {self._named(orbitals)}: {here}")
            best = self._cheapest(here)
            if best is None or best[0] >= here.energies.total:
                return orbitals, self._report(here, best)
            orbitals = best[1]

    def _cheapest(self, here: Solution) -> _Move | None:
        """The move of one electron to the lowest energy.

        A level rises with what it holds, so by Janak's theorem a move costs more than the levels differ: what
        cannot be the cheapest is not solved. An f or g level falls when its orbital shrinks; all these are.
        """
        orbitals, levels = here.orbitals, here.levels
        sources = [i for i in self._frontier(orbitals) if orbitals[i].occupation >= 1]
        moves = [(a, b) for a in sources for b in self._places(orbitals) if a != b]
        best: _Move | None = None
        for a, b in sorted(moves, key=lambda move: levels[move[1]] - levels[move[0]]):
            way = _changed(_changed(orbitals, a, -1), b, +1)
            dearer = best is not None and here.energies.total + levels[b] - levels[a] > best[0]
            if dearer and not _newly_filled_f_or_g(way, here):
                continue
            atom = self._solve(way, here)
            if not isinstance(atom, str) and (best is None or atom.energies.total < best[0]):
                best = (atom.energies.total, way, (a, b))
        return best

    def _report(self, here: Solution, best: _Move | None) -> Searched:
        filled = [i for i, o in enumerate(here.orbitals) if o.occupation > 0]
        top = max(filled, key=lambda i: here.levels[i])
        verdicts = [(self._named(way), s) for way, s in self.known.items() if isinstance(s, str)]
        return Searched(
            z=self.z,
            symbol=SYMBOLS[self.z - 1],
            configuration=self._named(here.orbitals),
            energy=here.energies.total,
            escape=None if best is None else best[0] - here.energies.total,
            cheapest="" if best is None else " to ".join(here.orbitals[i].label for i in best[2]),
            highest=here.orbitals[top].label,
            level=float(here.levels[top]),
            solved=sum(isinstance(s, Solution) for s in self.known.values()),
            unbound=sum(_UNBOUND in s for _, s in verdicts),
            failed=tuple(f"{name}: {s}" for name, s in verdicts if _UNBOUND not in s),
        )

    def _solve(self, orbitals: Occupied, near: Solution | None) -> Solution | str:
        """The atom, or why there is none.

        Of a compact and an extended f or g electron that are both self-consistent the lower counts.
        """
        if orbitals not in self.known:
            problem = RadialProblem(float(self.z), MODEL, mesh_of(float(self.z), MODEL), orbitals)
            self.known[orbitals] = _solved(problem, near)
        return self.known[orbitals]

    def _frontier(self, orbitals: Occupied) -> list[int]:
        return [i for i, o in enumerate(orbitals) if (o.n, o.l) in self.frontier.shells]

    def _places(self, orbitals: Occupied) -> list[int]:
        return [i for i in self._frontier(orbitals) if orbitals[i].capacity - orbitals[i].occupation >= 1]

    def _named(self, orbitals: Occupied) -> str:
        shown = [orbitals[i] for i in self._frontier(orbitals)]
        outermost = self.frontier.shells[0]
        core = [o for o in shown if (o.n, o.l) == outermost]
        whole = all(o.occupation == o.capacity for o in core)
        named = (
            f"[{self.frontier.noble}]" if whole else f"[{self.frontier.noble} without {core[0].label[:2]}]"
        )
        listed = [o for o in shown if o.occupation > 0 and not (whole and o in core)]
        return " ".join([named, *(f"{o.label}:{o.occupation:g}" for o in listed)])


def _solved(problem: RadialProblem, near: Solution | None) -> Solution | str:
    """From `near`, or from Slater's shells; filled little by little where that fails, and f or g always."""
    z, model, mesh, orbitals = problem.z, problem.model, problem.mesh, problem.orbitals
    found: list[Solution] = []
    reason = ""
    try:
        start = CycleStart(near.potential, near.states) if near else None
        found.append(self_consistent(z, orbitals, model, mesh, start, _CYCLE))
    except ConvergenceError as error:
        reason = str(error)
    if not found or (near and _newly_filled_f_or_g(orbitals, near)):
        try:
            slowly = filled(problem, _entered(orbitals, near))
            if isinstance(slowly, Solution):
                found.append(slowly)
            else:
                reason = f"{slowly.shell} {_UNBOUND}: {slowly}"
        except ConvergenceError as error:
            reason = str(error)
    return _bound(min(found, key=lambda s: s.energies.total)) if found else reason


def _entered(orbitals: Occupied, near: Solution | None) -> int:
    """The orbital with more electrons than in `near`; without one, the filled one of the highest l."""
    if near:
        return max(range(len(orbitals)), key=lambda i: orbitals[i].occupation - near.orbitals[i].occupation)
    return max((i for i, o in enumerate(orbitals) if o.occupation > 0), key=lambda i: orbitals[i].l)


def _bound(atom: Solution) -> Solution | str:
    filled = [i for i, o in enumerate(atom.orbitals) if o.occupation > 0]
    top = max(filled, key=lambda i: atom.levels[i])
    if atom.levels[top] >= 0 or atom.outside() > _AT_THE_WALL:
        return f"{atom.orbitals[top].label} {_UNBOUND}"
    return atom


def _newly_filled_f_or_g(orbitals: Occupied, near: Solution) -> bool:
    pairs = zip(orbitals, near.orbitals, strict=True)
    return any(o.l > 2 and o.occupation > 0 and old.occupation == 0 for o, old in pairs)


def _empty_frontier(frontier: Frontier) -> Occupied:
    """The noble gas's orbitals, and the empty ones of the frontier."""
    held = orbitals_of(ground_configuration(NOBLE_GASES[frontier.noble]), MODEL)
    known = {(o.n, o.l) for o in held}
    empty = [
        Orbital(n, k, 0.0, 2 * j + 1, j=j)
        for n, k in frontier.shells
        if (n, k) not in known
        for j in (k - 0.5, k + 0.5)
        if j > 0
    ]
    return (*held, *empty)


def _filled(orbitals: Occupied, configuration: str, frontier: Frontier) -> Occupied:
    """The orbitals with the electrons that a configuration of `Searched` names."""
    named = re.findall(rf"(\d[{LETTERS}]\d+/2):([\d.]+)", configuration)
    electrons = {label: float(number) for label, number in named}
    core = frontier.shells[0]
    kept = not any(o.label in electrons for o in orbitals if (o.n, o.l) == core)
    shells = frontier.shells[kept:]
    return tuple(
        replace(o, occupation=electrons.get(o.label, 0.0)) if (o.n, o.l) in shells else o for o in orbitals
    )


def _changed(orbitals: Occupied, place: int, by: int) -> Occupied:
    changed = replace(orbitals[place], occupation=orbitals[place].occupation + by)
    return (*orbitals[:place], changed, *orbitals[place + 1 :])
