"""The guard rails: the best of several predictions is taken, what cannot help is dropped with its reason."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hybrid_propagate.adapters.orbitals import Orbitals
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, make_engine
from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf
from hybrid_propagate.adapters.system import System
from hybrid_propagate.driver.warmstart.choice import choose_start
from hybrid_propagate.surrogate.starting_density.predictor import NotApplicable
from hybrid_propagate.surrogate.starting_density.purification import purify
from pyscf_systems import GIB, water


@dataclass(frozen=True, eq=False)
class Told:
    """A predictor that was told what to predict."""

    name: str
    density: np.ndarray

    def predict(self, system: System) -> np.ndarray:
        return self.density


@dataclass(frozen=True)
class Unable:
    name: str = "unable"

    def predict(self, system: System) -> np.ndarray:
        raise NotApplicable("unable: knows nothing of water")


@cache
def case(cation: bool = False) -> tuple[PySCFEngine, Orbitals]:
    """Engine and ground state of water or its cation, PBE/6-31G."""
    system = water("PBE", "6-31g", cation=cation, grid="coarse")
    return make_engine(system, GIB), run_pyscf_scf(system, None).orbitals


def turned(orbitals: Orbitals, angle: float) -> np.ndarray:
    """The density with the highest occupied orbital turned into the lowest empty one."""
    C = orbitals.coefficients.copy()
    k = int(orbitals.occupations[0].sum() * len(C) / 2) - 1
    high, low = C[0][:, k].copy(), C[0][:, k + 1].copy()
    C[0][:, k] = np.cos(angle) * high + np.sin(angle) * low
    return np.einsum("smi,si,sni->smn", C, orbitals.occupations, C)


@pytest.mark.parametrize("cation", [False, True])
def test_the_lowest_energy_wins(cation: bool) -> None:
    engine, orbitals = case(cation)
    exact, near = Told("exact", orbitals.density()), Told("near", turned(orbitals, 0.05))
    start = choose_start(engine, [near, exact])
    assert start.name == "exact"
    assert start.notes == ()
    assert start.seconds > 0
    assert choose_start(engine, [exact, near]).name == "exact"
    assert choose_start(engine, [near]).name == "near"


@pytest.mark.parametrize("cation", [False, True])
def test_orbitals_make_the_density_and_diagonalise_within_it(cation: bool) -> None:
    """For a converged density they are the SCF's own: levels agree but for the coarse grid."""
    engine, orbitals = case(cation)
    start = choose_start(engine, [Told("exact", orbitals.density())])
    np.testing.assert_allclose(start.orbitals.density(), orbitals.density(), atol=1e-10)
    S = engine.integrals.overlap
    for C in start.orbitals.coefficients:
        np.testing.assert_allclose(C.T @ S @ C, np.eye(len(S)), atol=1e-10)
    np.testing.assert_allclose(start.orbitals.energies, orbitals.energies, atol=0.02)
    assert start.energy == pytest.approx(orbitals.total_energy, abs=0.05)


def test_the_standard_guess_stands_where_nothing_is_better() -> None:
    """PySCF's minao, and orbitals of ten electrons from its Fock matrix."""
    engine, orbitals = case()
    start = choose_start(engine, [])
    assert start.name == "minao"
    assert np.vdot(start.orbitals.density(), engine.integrals.overlap) == pytest.approx(10.0)
    assert start.energy > orbitals.total_energy
    assert (
        run_pyscf_scf(engine.system, start.density).iterations
        == run_pyscf_scf(engine.system, None).iterations
    )


def test_what_cannot_help_is_dropped_with_its_reason() -> None:
    engine, orbitals = case()
    good, S = orbitals.density(), engine.integrals.overlap
    blurred = 0.8 * good + 0.2 * 10.0 / len(S) * np.linalg.inv(S)
    assert purify(blurred, S, (5,)).electron_error < 1e-9
    predictors = [
        Told("heavy", 1.05 * good),
        Told("blurred", blurred),
        Told("shapeless", good[0]),
        Told("broken", good * np.nan),
        Told("excited", turned(orbitals, np.pi / 2)),
        Unable(),
    ]
    start = choose_start(engine, predictors)
    assert start.name == "minao"
    reasons = (
        "heavy: dropped, wrong by 0.5 electrons",
        "blurred: dropped, not idempotent",
        "shapeless: dropped, it is no density of this system",
        "broken: dropped, it is no density of this system",
        "unable: knows nothing of water",
        "excited: dropped, its energy",
    )
    assert len(start.notes) == len(reasons)
    for note, reason in zip(start.notes, reasons, strict=True):
        assert note.startswith(reason)
    assert choose_start(engine, [*predictors, Told("good", good)]).name == "good"
