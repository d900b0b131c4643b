"""The ground states of a deck: what its `task dft energy` leave for its propagations."""

import gc
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask
from ...adapters.engine import FockBuild
from ...adapters.log.header import GroundStateSummary, ground_state_section
from ...adapters.nwchem.basis_order import nwchem_order
from ...adapters.nwchem.deck_writer import same_calculation
from ...adapters.nwchem.movecs import find_movecs, read_movecs, write_movecs
from ...adapters.orbitals import Orbitals, assemble_fragments, occupied, swapped
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.pyscf.ground_state import solve_ground_state
from ...adapters.system import System
from ...adapters.system.filling import smearing_energy
from ...atomic.freed_memory import give_back
from ..reporters.phase import phase
from ..warmstart.sources import known_density
from .job import live_beside
from .options import Options, same_level

#: Engine expanded about the orbitals' density, and the orbitals.
Solved = tuple[PySCFEngine, Orbitals]


@dataclass(eq=False)
class GroundStates:
    """Ground-state tasks in the deck's order, each converged when it is first needed.

    deck: whose tasks they are.
    options: of the command.
    write: takes log text.
    tasks: those met so far.
    solved: orbitals, by the task's number.
    engines: expanded about these, of tasks from which something else is to start.
    seconds: that it took, until a run has booked them.
    learned: response learned about it by its last propagation, as arrays, with that one's system.
    of_nwchem: orbitals that NWChem has converged, with their names and systems.
    about: engine last made about orbitals that were known, with these.
    built: the last Fock build of a ground state, with its engine and density.
    """

    deck: Deck
    options: Options
    write: Callable[[str], None]
    tasks: list[GroundStateTask] = field(default_factory=list)
    solved: dict[int, Orbitals] = field(default_factory=dict)
    engines: dict[int, PySCFEngine] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    learned: dict[int, tuple[System, Mapping[str, np.ndarray]]] = field(default_factory=dict)
    of_nwchem: list[tuple[str, System, Orbitals]] = field(default_factory=list)
    about: tuple[PySCFEngine, Orbitals] | None = None
    built: tuple[PySCFEngine, np.ndarray, FockBuild] | None = None

    def add(self, task: GroundStateTask) -> int:
        """Take on a task; returns its number."""
        self.tasks.append(task)
        return len(self.tasks) - 1

    def named(self, before: int | None = None) -> dict[str, int]:
        """Numbers by the name of the orbitals' file; a later task overwrites an earlier one's."""
        return {task.output: number for number, task in enumerate(self.tasks[:before])}

    def solve(self, number: int) -> Solved:
        """A converged task. Raises DeckError, MovecsError, NotConverged."""
        orbitals = self.orbitals(number)
        if number in self.engines:
            return self.engines[number], orbitals
        return self.engine_about(orbitals, self.tasks[number].system), orbitals

    def let_go(self, wanted: Iterable[str]) -> None:
        """Free the engines of tasks whose orbitals have none of these names: they are large."""
        names = self.named()
        kept = {names[name] for name in wanted if name in names}
        if not kept.issuperset(self.engines):
            self.engines = {number: self.engines[number] for number in kept & self.engines.keys()}
            self.built = None
            gc.collect()

    def build(self, engine: PySCFEngine, orbitals: Orbitals) -> FockBuild:
        """Of a ground state, for its energies and for each propagation from it, once."""
        density = orbitals.density().astype(complex)
        if self.built is not None:
            known, at, build = self.built
            if known is engine and np.array_equal(at, density):
                return build
        build = engine.fock(density)
        self.built = engine, density, build
        return build

    def orbitals(self, number: int) -> Orbitals:
        """Converge a task, once. Raises DeckError, MovecsError, NotConverged."""
        if number not in self.solved:
            began = time.perf_counter()
            with phase(f"{self.deck.prefix}: ground state", live=live_beside(self.write)) as tell:
                engine, orbitals = self._converge(number, tell)
            if engine.two_electron.is_direct:
                # The SCF's fitted integrals; PySCF's objects hold each other.
                gc.collect()
            give_back()
            total = self._log(self.tasks[number], engine, orbitals)
            orbitals = replace(orbitals, total_energy=total)
            self.engines[number], self.solved[number] = engine, orbitals
            self._keep(self.tasks[number], engine, orbitals)
            self.seconds[number] = time.perf_counter() - began
        return self.solved[number]

    def from_file(self, name: str, system: System) -> Solved:
        """Orbitals of an earlier NWChem run, as they are. Raises MovecsError."""
        orbitals = _read_orbitals(name, system, self.deck)
        return self.engine_about(orbitals, system), orbitals

    def engine_about(self, orbitals: Orbitals, system: System) -> PySCFEngine:
        """An engine expanded about orbitals; runs that go on from the same ground state share one."""
        if self.about is not None:
            engine, known = self.about
            same = np.array_equal(known.density(), orbitals.density())
            if same and same_level(engine.system, system):
                return engine
        engine = expanded_about(make_engine(system, self.options.memory), orbitals.density(), kernel=True)
        self.about = engine, orbitals
        return engine

    def known_to_nwchem(self, name: str, system: System) -> Orbitals | None:
        """Orbitals of that name that NWChem has converged for the same calculation."""
        found = None
        for earlier, of, orbitals in self.of_nwchem:
            if earlier == name and same_calculation(of, system):
                found = orbitals
        return found

    def _converge(self, number: int, tell: Callable[[str, float], None]) -> Solved:
        """Orbitals as the deck asks: assembled, taken over, or converged."""
        task, names = self.tasks[number], self.named(number)
        tell("integrals and grid", 0.0)
        engine = make_engine(task.system, self.options.memory)
        orbitals = self._given(task, names, engine)
        if orbitals is not None:
            orbitals = self._arranged(task, orbitals)
        if task.skip:
            if orbitals is None:
                raise DeckError(task.place, "noscf needs orbitals: vectors input with a file or fragments")
            return expanded_about(engine, orbitals.density(), kernel=True), orbitals
        guess = None if orbitals is None else orbitals.density()
        if guess is not None and len(guess) != task.system.n_spin:
            guess = None
        moved = task.vectors.kind == "file" and any(
            not _same_place(self.tasks[names[name]].system, task.system)
            for name in task.vectors.files
            if name in names
        )
        if guess is None or moved:
            # Orbitals of another geometry are carried over to this one, not taken as they are.
            guess = self._predicted(engine, names)
            orbitals = None
        locked = orbitals if task.lock else None
        return solve_ground_state(engine, guess, task.max_iterations, locked, tell, task.filling)

    def _arranged(self, task: GroundStateTask, orbitals: Orbitals) -> Orbitals:
        """Orbitals as `swap` and `occup` arrange them. Raises DeckError."""
        try:
            orbitals = swapped(orbitals, task.vectors.swapped, task.vectors.swapped_spin)
            return occupied(orbitals, task.occupations) if task.occupations and task.skip else orbitals
        except ValueError as error:
            raise DeckError(task.place, str(error)) from None

    def _given(self, task: GroundStateTask, names: dict[str, int], engine: PySCFEngine) -> Orbitals | None:
        """Orbitals that `vectors input` names, put together; None where it names none that fit."""
        if task.vectors.kind not in ("file", "fragment"):
            return None
        parts = [
            self.orbitals(names[name]) if name in names else _read_orbitals(name, task.system, self.deck)
            for name in task.vectors.files
        ]
        try:
            return assemble_fragments(parts, engine.integrals)
        except ValueError as error:
            if task.vectors.kind == "fragment" or task.skip:
                raise DeckError(task.place, f"vectors input: {error}") from error
            return None

    def _predicted(self, engine: PySCFEngine, names: dict[str, int]) -> np.ndarray | None:
        """A density from earlier tasks and the run that the user names; None: the standard guess.

        What else lies in the folder changes no digit: a deck run again gives the same numbers.
        """
        earlier = [
            (self.tasks[number].system, self.solved[number])
            for number in names.values()
            if number in self.solved
        ]
        named = [self.options.prior or self.options.orbitals]
        return known_density(engine, earlier, [path for path in named if path is not None and path.is_file()])

    def _keep(self, task: GroundStateTask, engine: PySCFEngine, orbitals: Orbitals) -> None:
        """Leave the file of orbitals that NWChem leaves; the frames of one run would share its name."""
        if not self.options.frames:
            path = self.deck.permanent_dir / task.output
            repulsion = engine.integrals.nuclear_repulsion
            write_movecs(path, orbitals, nwchem_order(task.system), repulsion)

    def _log(self, task: GroundStateTask, engine: PySCFEngine, orbitals: Orbitals) -> float:
        """Write the section of a ground state; returns its total energy, with -TS where it is smeared."""
        energies = self.build(engine, orbitals).energies
        nuclear = engine.integrals.nuclear_repulsion
        total = energies.electronic + nuclear
        if task.filling is not None and task.filling.smear and not task.skip:
            total += smearing_energy(orbitals.occupations, task.filling.smear)
        parts = (energies.core, energies.coulomb, energies.exchange_correlation)
        summary = GroundStateSummary(total, *parts, nuclear)
        self.write(ground_state_section(self.deck.title, task.system, len(engine.integrals.overlap), summary))
        return total


def _read_orbitals(name: str, system: System, deck: Deck) -> Orbitals:
    path = find_movecs(name, deck.permanent_dir) or deck.permanent_dir / name
    return read_movecs(path, nwchem_order(system), system.n_spin)


def _same_place(a: System, b: System) -> bool:
    return np.array_equal(a.geometry.positions, b.geometry.positions)
