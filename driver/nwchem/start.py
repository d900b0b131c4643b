"""NWChem brought to the point from which it propagates: its deck, its ground state, its first step.

The first step, made before any field acts, is what shows whether the embedded engine, on NWChem's own grid
and orbitals, can stand for NWChem where Fock matrices are asked for.
"""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask
from ...adapters.deck.xc import unknown_word
from ...adapters.engine import FockBuild
from ...adapters.log.header import GroundStateSummary, ground_state_section
from ...adapters.nwchem.agreement import DIPOLE, OVERLAP, Agreement, compare
from ...adapters.nwchem.basis_order import density_from_nwchem, density_to_nwchem, nwchem_order
from ...adapters.nwchem.deck_writer import ResidentTasks, nwchem_deck, same_calculation
from ...adapters.nwchem.gridpts import GridFileError, read_grid
from ...adapters.nwchem.movecs import find_movecs, read_movecs, write_movecs
from ...adapters.nwchem.printed_points import PrintedPoint
from ...adapters.nwchem.process import NAME, NWChemError, NWChemProcess
from ...adapters.nwchem.rest_force import MagnusStep, RestForce, rest_force
from ...adapters.nwchem.rt_restart import RestartPoint, rounding
from ...adapters.orbitals import Orbitals, as_propagated
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.pyscf.molecule import molecule
from ...atomic.whole_file import write_whole
from ..loop.backend import GroundState
from .reference import BEFORE, MANY_POINTS

#: Propagations that one NWChem can be asked for; more than a run of a million steps has segments.
_MOST_TASKS = 20_000


@dataclass(frozen=True, eq=False)
class NWChemCall:
    """What NWChem is asked for.

    deck, task: one propagation of a deck.
    command: how NWChem is started.
    keep: leave its files.
    hybrid: a surrogate makes most steps.
    memory: bytes for the embedded engine.
    known: its converged orbitals, where an earlier task or process has them; then NWChem makes no SCF.
    write: takes log text.
    stopping: whether the user has asked for an end.
    """

    deck: Deck
    task: PropagationTask
    command: str
    keep: bool
    hybrid: bool
    memory: float
    known: Orbitals | None
    write: Callable[[str], None]
    stopping: Callable[[], bool]

    @property
    def orbitals(self) -> str:
        """Name of the file, in the deck's words, that the propagation starts from."""
        load = self.task.real_time.load
        return load.files[0] if load.kind == "vectors" else self.task.vectors


@dataclass(frozen=True, eq=False)
class NWChemStart:
    """What NWChem's start has shown.

    ground: its ground state; where the codes differ, `build` is from NWChem's orbitals and their energies.
    agreement: of the codes; None without a surrogate.
    streamed: the response must be learned from NWChem's densities alone, as the codes differ.
    scf_seconds: from its start to the end of its SCF.
    """

    ground: GroundState
    agreement: Agreement | None
    streamed: bool
    scf_seconds: float


@dataclass(frozen=True, eq=False)
class _FirstStep:
    """NWChem's first step, from its own ground state: what it printed at its start, and where it led."""

    printed: PrintedPoint
    end: RestartPoint


def start_nwchem(call: NWChemCall, process: NWChemProcess) -> NWChemStart:
    """Start a process on its deck, and the embedded engine referred to NWChem's ground state.

    Raises NWChemError, MovecsError, and DeckError where a surrogate is wanted and the codes disagree.
    """
    began = time.perf_counter()
    grounds = needed_grounds(call.deck, call.task)
    converged = any(
        g.output == call.orbitals and not g.skip and same_calculation(g.system, call.task.system)
        for g in grounds[-1:]
    )
    electrons = molecule(call.task.system).nelec
    orbitals = as_propagated(_launch(call, process, grounds), electrons)
    scf_seconds = time.perf_counter() - began
    density = orbitals.density()
    agreement, streamed, build = None, False, None
    if call.hybrid:
        first = _first_step(call, process, density)
        engine = expanded_about(_engine_on_grid(call, process), density, kernel=True)
        rest = _force_at_rest(call, engine, density, first)
        agreement = compare(engine, orbitals, first.printed, converged, rest)
        streamed = _judge(call, agreement, converged)
        if streamed:
            fock = fock_of_orbitals(orbitals, engine.integrals.overlap)
            build = FockBuild(fock, first.printed.energies)
        elif rest is not None:
            engine = replace(engine, shift=rest.shift)
    else:
        engine = expanded_about(make_engine(call.task.system, call.memory), density, kernel=False)
    orbitals = _log(call, process, orbitals)
    seconds = time.perf_counter() - began
    build = build or engine.fock(density.astype(complex))
    return NWChemStart(GroundState(engine, orbitals, build, seconds), agreement, streamed, scf_seconds)


def _launch(call: NWChemCall, process: NWChemProcess, grounds: list[GroundStateTask]) -> Orbitals:
    """Start the process; its ground state's orbitals."""
    system, real_time = call.task.system, call.task.real_time
    if call.known is None:
        files = _files(call, process, grounds)
    else:
        grounds, files = [], _known_files(call, process, call.known)
    n_points, n_checks = MANY_POINTS, 0
    if not call.hybrid:
        n_points, n_checks = real_time.n_points, real_time.n_checks
    text = nwchem_deck(NAME, grounds, call.task, files, ResidentTasks(n_points, n_checks, _MOST_TASKS))
    try:
        process.start(text, call.stopping)
    except NWChemError as error:
        reason = unknown_word(system.functional.directive, process.version)
        if process.version and reason:
            raise DeckError(call.task.place, reason) from error
        raise
    for ground in grounds:
        left = (process.folder / files[ground.output]).read_bytes()
        write_whole(call.deck.permanent_dir / ground.output, left)
    if call.known is not None:
        return call.known
    return read_movecs(process.folder / files[call.orbitals], nwchem_order(system), system.n_spin)


def _first_step(call: NWChemCall, process: NWChemProcess, density: np.ndarray) -> _FirstStep:
    first = density_to_nwchem(density.astype(complex), nwchem_order(call.task.system))
    # Before t = 0 no field acts.
    process.send(RestartPoint(MANY_POINTS - 2, -BEFORE * call.task.real_time.dt, first))
    _, printed = process.receive()
    end, _ = process.receive()
    return _FirstStep(printed, end)


def _engine_on_grid(call: NWChemCall, process: NWChemProcess) -> PySCFEngine:
    """The embedded engine on NWChem's own quadrature grid."""
    points = None
    if process.grid_block:
        try:
            points = read_grid(sorted(process.folder.glob(f"{NAME}.gridpts.*")), process.grid_block)
        except GridFileError as error:
            raise NWChemError(f"NWChem's grid cannot be used: {error}") from error
    return make_engine(call.task.system, call.memory, points)


def _force_at_rest(
    call: NWChemCall, engine: PySCFEngine, density: np.ndarray, first: _FirstStep
) -> RestForce | None:
    """What drives NWChem's ground state, by its first step; None where that is not Magnus'."""
    real_time = call.task.real_time
    if not real_time.unitary:
        return None
    order = nwchem_order(call.task.system)
    end, error = (density_from_nwchem(p, order) for p in (first.end.densities, rounding(first.end.densities)))
    return rest_force(engine, density, MagnusStep(end, error, real_time.dt))


def _log(call: NWChemCall, process: NWChemProcess, orbitals: Orbitals) -> Orbitals:
    """Write the ground state's section, where NWChem has made an SCF; the orbitals with its total energy."""
    energies = process.energies
    if call.known is not None or "Total DFT" not in energies:
        return orbitals
    names = ("Total DFT", "One electron", "Coulomb", "Exchange-Corr.", "Nuclear repulsion")
    summary = GroundStateSummary(*(energies.get(name, np.nan) for name in names))
    n_basis = orbitals.coefficients.shape[1]
    call.write(ground_state_section(call.deck.title, call.task.system, n_basis, summary))
    return replace(orbitals, total_energy=energies["Total DFT"])


def _files(call: NWChemCall, process: NWChemProcess, grounds: list[GroundStateTask]) -> dict[str, str]:
    """Names in NWChem's folder of the orbital files that the deck names; those on disk are put there."""
    made = [ground.output for ground in grounds]
    read = [name for ground in grounds for name in ground.vectors.files]
    names = dict.fromkeys([*made, *read, call.task.vectors, call.orbitals])
    files = {name: f"orbitals{k}.movecs" for k, name in enumerate(names)}
    for name, short in files.items():
        if name not in made:
            path = find_movecs(name, call.deck.permanent_dir)
            if path is None:
                raise DeckError(call.task.place, f"orbitals {name}: no such file, and no task makes them")
            shutil.copyfile(path, process.folder / short)
    return files


def _known_files(call: NWChemCall, process: NWChemProcess, orbitals: Orbitals) -> dict[str, str]:
    """`_files` for orbitals that are known."""
    files = dict.fromkeys((call.task.vectors, call.orbitals), "known.movecs")
    system = call.task.system
    repulsion = float(molecule(system).energy_nuc())
    write_movecs(process.folder / "known.movecs", orbitals, nwchem_order(system), repulsion)
    return files


def _judge(call: NWChemCall, agreement: Agreement, converged: bool) -> bool:
    """Whether the response must be learned from NWChem's stream alone, as the codes differ; say so.

    Raises DeckError where that is not possible either.
    """
    print(f"hybrid-propagate: NWChem and PySCF on NWChem's grid differ by: {agreement}", file=sys.stderr)
    if not agreement.failures and not call.task.system.functional.stand_in:
        return False
    obstacles = _obstacles(call, agreement, converged)
    if obstacles:
        raise DeckError(
            call.task.place,
            "NWChem and PySCF differ too much for PySCF to probe the response, and it cannot be learned "
            f"from NWChem's densities alone ({', '.join(obstacles)}); --surrogate none runs NWChem alone",
        )
    print("hybrid-propagate: the response is learned from NWChem's density stream alone", file=sys.stderr)
    return True


def _obstacles(call: NWChemCall, agreement: Agreement, converged: bool) -> list[str]:
    """What stands in the way of learning from densities alone."""
    real_time = call.task.real_time
    apart = agreement.overlap > OVERLAP or agreement.dipole > DIPOLE
    return [
        reason
        for applies, reason in (
            (apart, "; ".join(agreement.failures)),
            (not converged, "the orbitals come from no SCF of this system"),
            (real_time.propagator != "magnus", f"propagator {real_time.propagator}"),
            (real_time.absorbing, "an absorbing potential"),
        )
        if applies
    ]


def fock_of_orbitals(orbitals: Orbitals, overlap: np.ndarray) -> np.ndarray:
    """F = S C ε Cᵀ S, (n_spin, n, n) complex Hermitian."""
    covariant = overlap @ orbitals.coefficients
    return np.einsum("smi,si,sni->smn", covariant, orbitals.energies, covariant).astype(complex)


def needed_grounds(deck: Deck, task: PropagationTask) -> list[GroundStateTask]:
    """The ground states, in order, that a propagation's orbitals come from."""
    load = task.real_time.load
    wanted = {task.vectors, *(load.files if load.kind == "vectors" else ())}
    before = deck.tasks[: deck.tasks.index(task)]
    chosen: list[GroundStateTask] = []
    for ground in reversed([t for t in before if isinstance(t, GroundStateTask)]):
        if ground.output in wanted:
            chosen.insert(0, ground)
            wanted.discard(ground.output)
            wanted.update(ground.vectors.files)
    return chosen
