"""The seam to a reference code as a whole: from its ground state to what it says of a finished run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ...adapters.engine import Energies, FockBuild
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine
from ...surrogate.surrogate import Surrogate
from .controller import Target
from .problem import Problem
from .reference import Reference


@dataclass(frozen=True, eq=False)
class GroundState:
    """Where a propagation starts from.

    engine: the embedded engine, expanded about the orbitals' density.
    orbitals: converged, or as the deck names them.
    build: the reference's Fock matrix at their density.
    seconds: that it took to get there.
    directions: (k, 3) of all fields that the deck has for it, this propagation's and others'.
    """

    engine: PySCFEngine
    orbitals: Orbitals
    build: FockBuild
    seconds: float
    directions: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))


class Backend(Protocol):
    """The reference code of one propagation task."""

    def ground_state(self, known: Orbitals | None) -> GroundState:
        """The task's ground state; `known`: its orbitals, where an earlier part of the run has them."""
        ...

    def surrogate_and_reference(
        self, problem: Problem, target: Target, tell: Callable[[str, float], None]
    ) -> tuple[Surrogate | None, Reference]:
        """What makes most steps, None for reference steps alone, and what measures it.

        tell: takes words and the share done meanwhile.
        """
        ...

    def first_build(self, problem: Problem, density: np.ndarray) -> tuple[np.ndarray, Energies]:
        """Field-free F' (n_spin, m, m) at the P' that a run starts from, and the energies there."""
        ...

    def summary(self, seconds: Mapping[str, float], wall: float) -> dict[str, object] | None:
        """For the run's JSON file; seconds: of this process, by part; wall: in all. None: nothing to add."""
        ...


def embedded_first_build(problem: Problem, density: np.ndarray) -> tuple[np.ndarray, Energies]:
    """`Backend.first_build` by the embedded engine; no build where P' is the ground state's."""
    if density is problem.ground_density:
        return problem.ground_fock.astype(complex), problem.ground_build.energies
    return problem.reference_fock(density)
