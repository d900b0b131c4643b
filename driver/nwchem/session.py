"""A resident NWChem as the reference code of one propagation; implements `Backend`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from ...adapters.deck import DeckError
from ...adapters.engine import Energies
from ...adapters.nwchem.process import NWChemProcess
from ...adapters.orbitals import Orbitals
from ...surrogate.kernel.analytic import analytic_kernel
from ...surrogate.matrices.occupied_empty import occupied_empty
from ...surrogate.on_the_fly.streamed_response import StreamedResponse
from ...surrogate.surrogate import Surrogate
from ..loop.backend import GroundState, embedded_first_build
from ..loop.controller import Target
from ..loop.problem import Problem
from ..loop.reference import Reference
from .reference import NWChemReference
from .start import NWChemCall, NWChemStart, start_nwchem
from .stream import NWChemStream, first_guesses, stream_expansion_point

#: Makes the surrogate of a run where the embedded engine stands for NWChem.
MakeSurrogate = Callable[[GroundState, Problem, Target, Callable[[str, float], None]], Surrogate]


@dataclass(eq=False)
class NWChemSession:
    """The life of one NWChem process; a context manager.

    call: what it is asked for.
    process: it.
    make_surrogate: where the embedded engine stands for NWChem.
    start: what its start has shown, after `ground_state`.
    reference: its steps, after `surrogate_and_reference`.
    streamed: the surrogate, where it learns from NWChem's densities alone.
    """

    call: NWChemCall
    process: NWChemProcess
    make_surrogate: MakeSurrogate
    start: NWChemStart | None = None
    reference: NWChemReference | None = None
    streamed: StreamedResponse | None = None

    def __enter__(self) -> "NWChemSession":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.close()
        if self.call.keep:
            print(f"hybrid-propagate: NWChem's files are in {self.process.folder}", file=sys.stderr)

    def ground_state(self, known: Orbitals | None) -> GroundState:
        """See `Backend`. Raises NWChemError, MovecsError, DeckError."""
        call = self.call if known is None else replace(self.call, known=known)
        self.start = start_nwchem(call, self.process)
        return self.start.ground

    def surrogate_and_reference(
        self, problem: Problem, target: Target, tell: Callable[[str, float], None]
    ) -> tuple[Surrogate | None, Reference]:
        """See `Backend`. Raises DeckError, PriorError."""
        assert self.start is not None
        self.reference = NWChemReference(problem, self.process, whole=not self.call.hybrid)
        if not self.call.hybrid:
            return None, self.reference
        if self.start.streamed:
            found = self._learning_from_stream(self.start.ground, problem, self.reference, tell)
            self.streamed, stream = found
            return self.streamed, stream
        return self.make_surrogate(self.start.ground, problem, target, tell), self.reference

    def first_build(self, problem: Problem, density: np.ndarray) -> tuple[np.ndarray, Energies]:
        """See `Backend`; where the codes differ, none gives NWChem's Fock matrix but the surrogate."""
        if self.streamed is None:
            return embedded_first_build(problem, density)
        fock = self.streamed.predict(density)
        return fock, Energies(*self.streamed.energies(density[None])[0].tolist())

    def summary(self, seconds: Mapping[str, float], wall: float) -> dict[str, object]:
        """See `Backend`."""
        reference, points = self.reference, self.process.seconds
        agreement = None if self.start is None else self.start.agreement
        streamed = self.streamed is not None
        return {
            "command": self.call.command,
            "split": self._split(seconds, wall),
            "response": None if not self.call.hybrid else "NWChem's stream" if streamed else "PySCF",
            "agreement": None if agreement is None else asdict(agreement),
            "seconds": 0.0 if reference is None else reference.seconds,
            "seconds_per_step": float(np.median(points)) if points else None,
            "points": len(points),
            "entries": 0 if reference is None else reference.entries,
            "resumed_dipole": None if reference is None else reference.resumed,
            "checks": [] if reference is None else [asdict(check) for check in reference.checks],
        }

    def _learning_from_stream(
        self,
        ground: GroundState,
        problem: Problem,
        reference: NWChemReference,
        tell: Callable[[str, float], None],
    ) -> tuple[StreamedResponse, NWChemStream]:
        """Surrogate and reference where the codes differ; the embedded kernel is a first guess."""
        place = self.call.task.place
        try:
            space = occupied_empty(problem.ground_density, problem.basis.energies)
        except ValueError as error:
            raise DeckError(place, f"{error}; --surrogate none runs NWChem alone") from error
        kernel = analytic_kernel(ground.engine, ground.orbitals.density(), self.call.memory, tell)
        if kernel is None:
            raise DeckError(place, "too many orbitals for a response learned from NWChem's stream")
        stream = NWChemStream(reference, space)
        guesses = first_guesses(kernel, problem.basis, space)
        surrogate = StreamedResponse(space, stream_expansion_point(problem), *guesses, stream.probe)
        stream.find_rest(surrogate)
        reference.fock_of = surrogate.predict
        return surrogate, stream

    def _split(self, seconds: Mapping[str, float], wall: float) -> dict[str, float]:
        """Wall seconds in NWChem, probes of the response, surrogate, driver."""
        reference, start = self.reference, self.start
        if reference is None or start is None:
            return {}
        refinement = seconds.get("refinement", 0.0)
        nwchem, probes = start.scf_seconds + reference.seconds, reference.probe_seconds
        # What anchors, audits and probes take beyond both codes' work is steps of the surrogate.
        parts = ("reference steps", "anchors", "audits")
        steps = sum(seconds.get(part, 0.0) for part in parts) - reference.seconds - probes
        if self.streamed is None:
            probes += refinement
        else:
            steps += refinement
        own = sum(seconds.get(part, 0.0) for part in ("surrogate steps", "analytic kernel"))
        surrogate = own + max(steps, 0.0) if self.call.hybrid else 0.0
        rest = max(wall - nwchem - probes - surrogate, 0.0)
        return {"NWChem": nwchem, "probes": probes, "surrogate": surrogate, "driver": rest}


def open_session(call: NWChemCall, make_surrogate: MakeSurrogate) -> NWChemSession:
    """A session whose process has a folder, and has not been started. Raises NWChemError."""
    system = call.task.system
    process = NWChemProcess(call.command, system.n_spin, system.n_basis, keep=call.keep)
    return NWChemSession(call, process, make_surrogate)
