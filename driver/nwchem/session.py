"""One propagation task's NWChem: its deck, its ground state, and the engine that stands beside it."""

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask
from ...adapters.engine import FockBuild
from ...adapters.log.header import GroundStateSummary, ground_state_section
from ...adapters.nwchem.agreement import DIPOLE, OVERLAP, Agreement, compare
from ...adapters.nwchem.basis_order import density_from_nwchem, density_to_nwchem, nwchem_order
from ...adapters.nwchem.deck_writer import nwchem_deck, same_calculation
from ...adapters.nwchem.gridpts import GridFileError, read_grid
from ...adapters.nwchem.movecs import find_movecs, read_movecs, write_movecs
from ...adapters.nwchem.process import NAME, NWChemError, NWChemProcess
from ...adapters.nwchem.rest_force import MagnusStep, rest_force
from ...adapters.nwchem.rt_restart import RestartPoint, rounding
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.pyscf.molecule import molecule
from ...surrogate.kernel.analytic import AuxiliaryKernel
from ...surrogate.matrices.occupied_empty import occupied_empty
from ...surrogate.on_the_fly.streamed_response import StreamedResponse
from ..loop.problem import Problem
from .reference import BEFORE, MANY_POINTS, NWChemReference
from .stream import NWChemStream, first_guesses, stream_expansion_point

#: Propagations that one NWChem can be asked for; more than a run of a million steps has segments.
_MOST_TASKS = 20_000


@dataclass(eq=False)
class NWChemSession:
    """A resident NWChem for one propagation; a context manager.

    hybrid: a surrogate makes most steps. memory: bytes for the embedded engine. seconds: until it was ready.
    base: NWChem's own Fock matrix at its ground state, from its orbitals and their energies, where the
    response is learned from its stream alone; None where the embedded engine stands for NWChem.
    known: its converged orbitals, where an earlier run or task has them; then it makes no SCF.
    scf_seconds: from its start to the end of its SCF. earlier: of a run, before it was resumed.
    """

    deck: Deck
    task: PropagationTask
    command: str
    keep: bool
    hybrid: bool
    memory: float
    write: Callable[[str], None]
    stopping: Callable[[], bool]
    process: NWChemProcess
    agreement: Agreement | None = None
    seconds: float = 0.0
    reference: NWChemReference | None = None
    base: FockBuild | None = None
    known: Orbitals | None = None
    scf_seconds: float = 0.0
    earlier: Mapping[str, float] = field(default_factory=dict)

    def __enter__(self) -> "NWChemSession":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.close()
        if self.keep:
            print(f"hybrid-propagate: NWChem's files are in {self.process.folder}", file=sys.stderr)

    def ground_state(self) -> tuple[PySCFEngine, Orbitals]:
        """NWChem's ground state, and the embedded engine referred to it.

        Raises NWChemError, MovecsError, and DeckError where a surrogate is wanted and the codes disagree.
        """
        began = time.perf_counter()
        system, process = self.task.system, self.process
        grounds = needed_grounds(self.deck, self.task)
        converged = any(
            g.output == self.starting_orbitals and not g.skip and same_calculation(g.system, system)
            for g in grounds[-1:]
        )
        if self.known is None:
            files = self._files(grounds)
        else:
            grounds, files = [], self._known_files(self.known)
        n_points, n_checks = MANY_POINTS, 0
        if not self.hybrid:
            n_points, n_checks = self.task.real_time.n_points, self.task.real_time.n_checks
        text = nwchem_deck(NAME, grounds, self.task, files, n_points, n_checks, _MOST_TASKS)
        process.start(text, self.stopping)
        self.scf_seconds = time.perf_counter() - began
        order = nwchem_order(system)
        orbitals = read_movecs(process.folder / files[self.starting_orbitals], order, system.n_spin)
        density = orbitals.density()
        if self.hybrid:
            first = density_to_nwchem(density.astype(complex), order)
            real_time = self.task.real_time
            # Before t = 0 no field acts.
            process.send(RestartPoint(MANY_POINTS - 2, -BEFORE * real_time.dt, first))
            _, printed = process.receive()
            point, _ = process.receive()
            points = None
            if process.grid_block:
                try:
                    points = read_grid(sorted(process.folder.glob(f"{NAME}.gridpts.*")), process.grid_block)
                except GridFileError as error:
                    raise NWChemError(f"NWChem's grid cannot be used: {error}") from error
            engine = expanded_about(make_engine(system, self.memory, points), density, kernel=True)
            end, error = (density_from_nwchem(p, order) for p in (point.densities, rounding(point.densities)))
            magnus = real_time.propagator == "magnus" and real_time.mocap is None
            rest = rest_force(engine, density, MagnusStep(end, error, real_time.dt)) if magnus else None
            self.agreement = compare(engine, orbitals, printed, converged, rest)
            if self._judge(self.agreement, converged):
                fock = fock_of_orbitals(orbitals, engine.integrals.overlap)
                self.base = FockBuild(fock, printed.energies)
            elif rest is not None:
                engine = replace(engine, shift=rest.shift)
        else:
            engine = expanded_about(make_engine(system, self.memory), density, kernel=False)
        energies = process.energies
        if self.known is not None:
            orbitals = self.known
        elif "Total DFT" in energies:
            orbitals = replace(orbitals, total_energy=energies["Total DFT"])
            names = ("Total DFT", "One electron", "Coulomb", "Exchange-Corr.", "Nuclear repulsion")
            summary = GroundStateSummary(*(energies.get(name, np.nan) for name in names))
            self.write(ground_state_section(self.deck.title, system, len(order[0]), summary))
        self.seconds = time.perf_counter() - began
        return engine, orbitals

    @property
    def starting_orbitals(self) -> str:
        """Name of the file, in the deck's words, that the propagation starts from."""
        load = self.task.real_time.load
        return load.files[0] if load.kind == "vectors" else self.task.vectors

    def make_reference(self, problem: Problem) -> NWChemReference:
        """The reference for the loop."""
        self.reference = NWChemReference(problem, self.process, whole=not self.hybrid)
        return self.reference

    def learn_from_stream(
        self, problem: Problem, kernel: AuxiliaryKernel | None
    ) -> tuple[StreamedResponse, NWChemStream]:
        """Surrogate and reference where `base` says so; kernel: of the embedded engine, a first guess.

        Raises DeckError.
        """
        reference = self.make_reference(problem)
        try:
            space = occupied_empty(problem.ground_density, problem.basis.energies)
        except ValueError as error:
            raise DeckError(self.task.place, f"{error}; --surrogate none runs NWChem alone") from error
        if kernel is None:
            raise DeckError(self.task.place, "too many orbitals for a response learned from NWChem's stream")
        stream = NWChemStream(reference, space)
        guesses = first_guesses(kernel, problem.basis, space)
        surrogate = StreamedResponse(space, stream_expansion_point(problem), *guesses, stream.probe)
        stream.find_rest(surrogate)
        reference.fock_of = surrogate.predict
        return surrogate, stream

    def split(self, seconds: Mapping[str, float], wall: float) -> dict[str, float]:
        """Wall seconds in NWChem, probes of the response, surrogate, driver; seconds: of the run, by part."""
        reference = self.reference
        if reference is None:
            return {}
        seconds = {part: value - self.earlier.get(part, 0.0) for part, value in seconds.items()}
        refinement = seconds.get("refinement", 0.0)
        nwchem, probes = self.scf_seconds + reference.seconds, reference.probe_seconds
        # What anchors, audits and probes take beyond both codes' work is steps of the surrogate.
        parts = ("reference steps", "anchors", "audits")
        steps = sum(seconds.get(part, 0.0) for part in parts) - reference.seconds - probes
        if self.base is None:
            probes += refinement
        else:
            steps += refinement
        own = ("surrogate steps", "analytic kernel")
        surrogate = sum(seconds.get(part, 0.0) for part in own) + max(steps, 0.0) if self.hybrid else 0.0
        rest = max(wall - nwchem - probes - surrogate, 0.0)
        return {"NWChem": nwchem, "probes": probes, "surrogate": surrogate, "driver": rest}

    def summary(self, seconds: Mapping[str, float], wall: float) -> dict[str, object]:
        """For the run's JSON file; seconds: of the run, by part; wall: in all."""
        reference = self.reference
        points = self.process.seconds
        return {
            "command": self.command,
            "split": self.split(seconds, wall),
            "response": None if not self.hybrid else "PySCF" if self.base is None else "NWChem's stream",
            "agreement": None if self.agreement is None else asdict(self.agreement),
            "seconds": 0.0 if reference is None else reference.seconds,
            "seconds_per_step": float(np.median(points)) if points else None,
            "points": len(points),
            "entries": 0 if reference is None else reference.entries,
            "checks": [] if reference is None else [asdict(check) for check in reference.checks],
        }

    def _files(self, grounds: list[GroundStateTask]) -> dict[str, str]:
        """Names in NWChem's folder of the orbital files that the deck names; those on disk are put there."""
        made = [ground.output for ground in grounds]
        read = [name for ground in grounds for name in ground.vectors.files]
        names = dict.fromkeys([*made, *read, self.task.vectors, self.starting_orbitals])
        files = {name: f"orbitals{k}.movecs" for k, name in enumerate(names)}
        for name, short in files.items():
            if name not in made:
                path = find_movecs(name, self.deck.permanent_dir)
                if path is None:
                    raise DeckError(self.task.place, f"orbitals {name}: no such file, and no task makes them")
                shutil.copyfile(path, self.process.folder / short)
        return files

    def _known_files(self, orbitals: Orbitals) -> dict[str, str]:
        """`_files` for orbitals that are known."""
        files = dict.fromkeys((self.task.vectors, self.starting_orbitals), "known.movecs")
        system = self.task.system
        repulsion = float(molecule(system).energy_nuc())
        write_movecs(self.process.folder / "known.movecs", orbitals, nwchem_order(system), repulsion)
        return files

    def _judge(self, agreement: Agreement, converged: bool) -> bool:
        """Whether the response must be learned from NWChem's stream alone, as the codes differ; say so.

        Raises DeckError where that is not possible either.
        """
        found = (
            f"total energy {agreement.energy:.0e} Ha, overlap {agreement.overlap:.0e}, dipole "
            f"{agreement.dipole:.0e} au"
        )
        if agreement.orbital_energies is not None:
            found += f", orbital energies {agreement.orbital_energies:.0e} Ha"
        if agreement.force is not None:
            found += f", force {agreement.force:.0e} Ha, at rest {agreement.at_rest:.0e}"
        print(f"hybrid-propagate: NWChem and PySCF on NWChem's grid differ by: {found}", file=sys.stderr)
        system, real_time = self.task.system, self.task.real_time
        if not agreement.failures and not system.functional.stand_in:
            return False
        obstacles = [
            reason
            for applies, reason in (
                (agreement.overlap > OVERLAP or agreement.dipole > DIPOLE, "; ".join(agreement.failures)),
                (not converged, "the orbitals come from no SCF of this system"),
                (real_time.propagator != "magnus", f"propagator {real_time.propagator}"),
                (real_time.mocap is not None, "mocap"),
            )
            if applies
        ]
        if obstacles:
            raise DeckError(
                self.task.place,
                "NWChem and PySCF differ too much for PySCF to probe the response, and it cannot be learned "
                f"from NWChem's densities alone ({', '.join(obstacles)}); --surrogate none runs NWChem alone",
            )
        print("hybrid-propagate: the response is learned from NWChem's density stream alone", file=sys.stderr)
        return True


def fock_of_orbitals(orbitals: Orbitals, overlap: np.ndarray) -> np.ndarray:
    """F = S C ε Cᵀ S, (n_spin, n, n) complex Hermitian."""
    covariant = overlap @ orbitals.coefficients
    return np.einsum("smi,si,sni->smn", covariant, orbitals.energies, covariant).astype(complex)


def open_session(
    deck: Deck,
    task: PropagationTask,
    command: str,
    keep: bool,
    hybrid: bool,
    memory: float,
    write: Callable[[str], None],
    stopping: Callable[[], bool],
) -> NWChemSession:
    """A session whose process has a folder, and has not been started. Raises NWChemError."""
    process = NWChemProcess(command, task.system.n_spin, task.system.n_basis, keep=keep)
    return NWChemSession(deck, task, command, keep, hybrid, memory, write, stopping, process)


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
