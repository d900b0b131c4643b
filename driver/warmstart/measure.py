"""SCFs with and without a predicted start: iterations, seconds with the guess's own, same energies or not."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...adapters.deck import GroundStateTask
from ...adapters.nwchem.scf import run_nwchem_scf
from ...adapters.pyscf.engine import PySCFEngine, make_engine
from ...adapters.pyscf.scf import run_pyscf_scf
from ...adapters.scf_run import ScfRun
from ...adapters.system import Geometry
from ...surrogate.starting_density.extrapolation import Extrapolation, Snapshot, snapshot
from ...surrogate.starting_density.predictor import DensityPredictor
from ...surrogate.starting_density.pyscf_guess import STANDARD
from .choice import Start, choose_start


@dataclass(frozen=True)
class Code:
    """Which code runs the SCF. nwchem: its command, None for PySCF. memory: bytes for integrals."""

    nwchem: str | None
    memory: float

    @property
    def standard(self) -> str:
        """The guess it starts from by itself."""
        return STANDARD if self.nwchem is None else "NWChem's atomic guess"


@dataclass(frozen=True, eq=False)
class Comparison:
    """One system's SCF, from the code's own guess (cold) and from a predicted start (warm).

    guess_seconds: integrals for the check, prediction and check, what the warm run has on top.
    """

    start: Start
    guess_seconds: float
    cold: ScfRun
    warm: ScfRun

    @property
    def difference(self) -> float:
        """Energy of the warm run less that of the cold one, Hartree."""
        return self.warm.energy - self.cold.energy

    @property
    def same(self) -> bool:
        """Whether both converged, to the same energy within the SCF's threshold."""
        return self.cold.converged and self.warm.converged and abs(self.difference) <= self.warm.tolerance


def find_start(
    ground: GroundStateTask, predictors: Sequence[DensityPredictor], memory: float
) -> tuple[PySCFEngine, Start, float]:
    """Integrals, the best start, and the seconds that both took."""
    began = time.perf_counter()
    engine = make_engine(replace(ground.system, grid="xcoarse"), memory)
    start = choose_start(engine, predictors)
    return engine, start, time.perf_counter() - began


def compare_scf(
    ground: GroundStateTask, engine: PySCFEngine, start: Start, guess_seconds: float, code: Code
) -> Comparison:
    """Run both SCFs. Raises NWChemError."""
    if code.nwchem is not None:
        cold = run_nwchem_scf(ground, code.nwchem, None)
        # Without a better guess than the standard one, NWChem's own is kept.
        warm = run_nwchem_scf(ground, code.nwchem, None if start.name == STANDARD else start.orbitals)
    else:
        cold = run_pyscf_scf(ground.system, None, max_iterations=ground.max_iterations)
        packed = engine.two_electron.packed
        warm = run_pyscf_scf(ground.system, start.density, packed, ground.max_iterations)
    return Comparison(start, guess_seconds, cold, warm)


def compare_along(
    ground: GroundStateTask, frames: Sequence[Geometry], predictors: Sequence[DensityPredictor], code: Code
) -> Iterator[Comparison]:
    """The same at each frame in turn, every one extrapolated from those converged before it."""
    done: list[Snapshot] = []
    for frame in frames:
        here = replace(ground, system=replace(ground.system, geometry=frame))
        known = [Extrapolation(tuple(done))] if done else []
        engine, start, seconds = find_start(here, [*known, *predictors], code.memory)
        comparison = compare_scf(here, engine, start, seconds, code)
        done.append(snapshot(here.system, comparison.warm.orbitals.density()))
        yield comparison
