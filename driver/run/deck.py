"""A deck from its first task to its last."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, LinearResponseTask, Place, PropagationTask
from ...adapters.log.header import GroundStateSummary, ground_state_section
from ...adapters.nwchem.basis_order import nwchem_order
from ...adapters.nwchem.deck_writer import same_calculation
from ...adapters.nwchem.movecs import find_movecs, read_movecs
from ...adapters.orbitals import Orbitals, assemble_fragments
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.pyscf.ground_state import solve_ground_state
from ...adapters.system import System
from ...surrogate.on_the_fly.earlier_run import read_earlier_run
from ..nwchem.session import open_session
from ..warmstart.sources import known_density
from .options import Options, physics_of
from .propagation import Ground, propagate
from .surrogates import with_surrogate


@dataclass(frozen=True, eq=False)
class NWChemGround:
    """Orbitals that a propagation by NWChem started from, the name of their file, and their system."""

    name: str
    system: System
    orbitals: Orbitals


@dataclass
class Workspace:
    """What earlier tasks leave for later ones: ground states by the name of their orbitals' file.

    of_nwchem: those that NWChem has converged.
    """

    grounds: dict[str, Ground] = field(default_factory=dict)
    of_nwchem: list[NWChemGround] = field(default_factory=list)


def check_deck(deck: Deck, options: Options) -> None:
    """Refuse what cannot be carried out, before any time is spent. Raises DeckError, PriorError."""
    made: set[str] = set()
    propagations = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    if not propagations:
        raise DeckError(_end_of(deck), "no task dft rt_tddft: nothing to propagate")
    for task in deck.tasks:
        _check_functional(task, options)
        if isinstance(task, GroundStateTask):
            for name in task.vectors.files:
                if name not in made:
                    _check_file(name, task.place, deck)
                    if task.vectors.kind == "fragment" and options.engine == "pyscf":
                        raise DeckError(
                            task.place, f"fragment {name}: only fragments that this deck makes can be joined"
                        )
            made.add(task.output)
        elif isinstance(task, PropagationTask):
            load = task.real_time.load
            if load.kind == "density":
                for name in load.files:
                    if find_movecs(name, deck.permanent_dir) is None:
                        raise DeckError(task.place, f"load density {name}: there is no such file")
            name = load.files[0] if load.kind == "vectors" else task.vectors
            if name not in made:
                _check_file(name, task.place, deck)
            if options.prior is not None:
                if task.system.functional.stand_in:
                    raise DeckError(task.place, "--prior needs a functional that PySCF has")
                read_earlier_run(options.prior, physics_of(task.system), task.system)
            cap = task.real_time.mocap
            if cap is not None and task.real_time.propagator != "magnus":
                raise DeckError(task.place, "mocap needs the magnus propagator here")


def _check_functional(task: GroundStateTask | LinearResponseTask | PropagationTask, options: Options) -> None:
    """What only NWChem has needs NWChem, also for the linear response, which is computed here."""
    wanted = task.system.functional
    if wanted.stand_in and (options.engine == "pyscf" or isinstance(task, LinearResponseTask)):
        hint = "" if isinstance(task, LinearResponseTask) else "; accepted with --engine nwchem"
        raise DeckError(task.place, f"xc {wanted.directive} is not carried out by PySCF{hint}")


def _check_file(name: str, place: Place, deck: Deck) -> None:
    if find_movecs(name, deck.permanent_dir) is None:
        raise DeckError(
            place, f"orbitals {name}: there is no such file, and no task dft energy before makes them"
        )


def run_deck(
    deck: Deck, options: Options, write: Callable[[str], None], stopping: Callable[[], bool]
) -> bool:
    """Carry out every task in order; False where `stopping` ended a propagation early.

    write: takes log text. Raises DeckError, PriorError, NotConverged, TrajectoryError, OSError.
    """
    check_deck(deck, options)
    options = with_surrogate(options, deck)
    deck.permanent_dir.mkdir(parents=True, exist_ok=True)
    workspace = Workspace()
    propagations = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    names = _file_names(deck, propagations)
    number, since = 0, options.started
    for task in deck.tasks:
        if isinstance(task, GroundStateTask):
            workspace.grounds[task.output] = _deferred(task, deck, options, workspace, write)
            if not options.restart and options.engine == "pyscf":
                workspace.grounds[task.output].solve()
        elif isinstance(task, LinearResponseTask):
            if not options.restart:
                from .linear_response import linear_response_section

                ground = list(workspace.grounds.values())[-1]
                engine, orbitals = ground.solve()
                write(linear_response_section(task, engine, orbitals))
        else:
            load = task.real_time.load
            name = load.files[0] if load.kind == "vectors" else task.vectors
            ground = workspace.grounds.get(name) or _from_file(name, task, deck, options)
            stem = deck.permanent_dir / names[number]
            number += 1
            if options.engine == "nwchem":
                finished = _propagate_by_nwchem(task, deck, stem, workspace, options, since, write, stopping)
            else:
                finished = propagate(task, ground, deck, stem, options, since, write, stopping)
            if finished and options.report and not task.real_time.no_propagation:
                from ..page.report import write_report

                print(f"  {write_report(task, deck, stem)}", file=sys.stderr)
            since = time.perf_counter()
            if not finished:
                return False
    return True


def _propagate_by_nwchem(
    task: PropagationTask,
    deck: Deck,
    stem: Path,
    workspace: Workspace,
    options: Options,
    since: float,
    write: Callable[[str], None],
    stopping: Callable[[], bool],
) -> bool:
    """`propagate` with a resident NWChem beside it, which also converges the ground state."""
    real_time = task.real_time
    hybrid = options.surrogate != "none" and not (real_time.static or real_time.no_propagation)
    text = (lambda _: None) if options.restart else write
    with open_session(
        deck, task, options.nwchem, options.keep_scratch, hybrid, options.memory, text, stopping
    ) as session:
        for earlier in workspace.of_nwchem:
            if earlier.name == session.starting_orbitals and same_calculation(earlier.system, task.system):
                session.known = earlier.orbitals
        ground = Ground(task.system, session.ground_state, nwchem=session)
        finished = propagate(task, ground, deck, stem, options, since, write, stopping)
        if ground.solved is not None:
            workspace.of_nwchem.append(NWChemGround(session.starting_orbitals, task.system, ground.solved[1]))
    return finished


def last_trajectory(deck: Deck) -> Path | None:
    """Where the last propagation that learns a response keeps it."""
    propagations = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    names = zip(_file_names(deck, propagations), propagations, strict=True)
    learning = [name for name, task in names if not (task.real_time.static or task.real_time.no_propagation)]
    return deck.permanent_dir / f"{learning[-1]}.h5" if learning else None


def _file_names(deck: Deck, propagations: list[PropagationTask]) -> list[str]:
    """`<start>` for one propagation; `<start>_<tag>`, or a number where tags repeat, for several."""
    if len(propagations) == 1:
        return [deck.prefix]
    tags = ["".join(c for c in task.real_time.tag if c.isalnum() or c in "-_.") for task in propagations]
    distinct = len(set(tags)) == len(tags) and all(tags)
    return [f"{deck.prefix}_{tag if distinct else k}" for k, tag in enumerate(tags, start=1)]


def _deferred(
    task: GroundStateTask, deck: Deck, options: Options, workspace: Workspace, write: Callable[[str], None]
) -> Ground:
    grounds = dict(workspace.grounds)

    def solve() -> tuple[PySCFEngine, Orbitals]:
        began = time.perf_counter()
        engine = make_engine(task.system, options.memory)
        engine, orbitals = _converge(task, engine, grounds, deck, options.prior)
        energies = engine.fock(orbitals.density().astype(complex)).energies
        nuclear = engine.integrals.nuclear_repulsion
        total = energies.electronic + nuclear
        write(
            ground_state_section(
                deck.title,
                task.system,
                len(engine.integrals.overlap),
                GroundStateSummary(
                    total, energies.core, energies.coulomb, energies.exchange_correlation, nuclear
                ),
            )
        )
        ground.seconds = time.perf_counter() - began
        return engine, replace(orbitals, total_energy=total)

    ground = Ground(task.system, solve)
    return ground


def _from_file(name: str, task: PropagationTask, deck: Deck, options: Options) -> Ground:
    """Orbitals of an earlier NWChem run, as they are."""

    def read() -> tuple[PySCFEngine, Orbitals]:
        orbitals = _read(name, task.system, deck)
        engine = expanded_about(make_engine(task.system, options.memory), orbitals.density(), kernel=True)
        return engine, orbitals

    return Ground(task.system, read)


def _read(name: str, system: System, deck: Deck) -> Orbitals:
    path = find_movecs(name, deck.permanent_dir) or deck.permanent_dir / name
    return read_movecs(path, nwchem_order(system), system.n_spin)


def _converge(
    task: GroundStateTask, engine: PySCFEngine, grounds: dict[str, Ground], deck: Deck, prior: Path | None
) -> tuple[PySCFEngine, Orbitals]:
    """Orbitals as the deck asks: assembled, taken over, or converged; prior: an earlier run's trajectory."""
    orbitals = None
    if task.vectors.kind in ("file", "fragment"):
        parts = [
            grounds[name].solve()[1] if name in grounds else _read(name, task.system, deck)
            for name in task.vectors.files
        ]
        try:
            orbitals = assemble_fragments(parts, engine.integrals)
        except ValueError as error:
            if task.vectors.kind == "fragment" or task.skip:
                raise DeckError(task.place, f"vectors input: {error}") from error
    if task.skip:
        if orbitals is None:
            raise DeckError(task.place, "noscf needs orbitals: vectors input with a file or fragments")
        engine = expanded_about(engine, orbitals.density(), kernel=True)
        return engine, orbitals
    guess = None if orbitals is None else orbitals.density()
    if guess is not None and len(guess) != task.system.n_spin:
        guess = None
    moved = task.vectors.kind == "file" and any(
        not _same_place(grounds[name].system, task.system) for name in task.vectors.files if name in grounds
    )
    if guess is None or moved:
        # Orbitals of another geometry are carried over to this one, not taken as they are.
        solved = [(ground.system, ground.solved[1]) for ground in grounds.values() if ground.solved]
        propagations = [t for t in deck.tasks if isinstance(t, PropagationTask)]
        files = [deck.permanent_dir / f"{name}.h5" for name in _file_names(deck, propagations)]
        files += [prior] if prior is not None and prior not in files else []
        guess = known_density(engine, solved, [path for path in files if path.is_file()])
    return solve_ground_state(engine, guess, task.max_iterations)


def _same_place(a: System, b: System) -> bool:
    return np.array_equal(a.geometry.positions, b.geometry.positions)


def _end_of(deck: Deck) -> Place:
    return deck.tasks[-1].place if deck.tasks else Place(str(deck.path), 1)
