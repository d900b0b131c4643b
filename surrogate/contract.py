"""What every surrogate must keep, whatever it is: tests to inherit.

class TestMySurrogate(SurrogateContract):
    @pytest.fixture
    def case(self):
        return surrogate_case(problem, 0.01)

    def make(self, ground):
        return MySurrogate(ground.engine, ground.basis, ...)
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg

from ..adapters.engine import Engine, FockBuild
from ..adapters.working_basis import WorkingBasis
from .surrogate import Surrogate


class GroundProblem(Protocol):
    """What a surrogate is made from; the driver's `Problem` is one."""

    @property
    def engine(self) -> Engine:
        """The reference code."""
        ...

    @property
    def basis(self) -> WorkingBasis:
        """The working basis."""
        ...

    @property
    def ground_density(self) -> np.ndarray:
        """P0', (n_spin, m, m) complex, working basis."""
        ...

    @property
    def ground_build(self) -> FockBuild:
        """The engine's Fock matrix, AO basis, and energies at it."""
        ...


@dataclass(frozen=True, eq=False)
class SurrogateCase:
    """A ground state, and densities P' (k, n_spin, m, m) of a short excursion from it."""

    ground: GroundProblem
    densities: np.ndarray

    def reference(self, density: np.ndarray) -> np.ndarray:
        """F' of the engine."""
        basis = self.ground.basis
        return basis.fock_in(self.ground.engine.fock(basis.density_out(density)).fock)


def surrogate_case(ground: GroundProblem, size: float) -> SurrogateCase:
    """Ten densities along a path of unitary turns, each idempotent, at most `size` rad away."""
    shape = ground.ground_density.shape
    rng = np.random.default_rng(11)
    A, B = rng.standard_normal((2, *shape)) + 1j * rng.standard_normal((2, *shape))
    A, B = A + A.conj().swapaxes(1, 2), B + B.conj().swapaxes(1, 2)
    densities = []
    for s in np.linspace(0.1, 1.0, 10):
        U = np.array([scipy.linalg.expm(-1j * size * (s * a + s * s * b)) for a, b in zip(A, B, strict=True)])
        densities.append(U @ ground.ground_density @ U.conj().swapaxes(1, 2))
    return SurrogateCase(ground, np.array(densities))


class SurrogateContract(ABC):
    """Inherited by a surrogate's own test class, which gives the fixture `case`, a `SurrogateCase`.

    anchor_leaves: share of its residual that an anchor may leave where it was.
    refines: whether it has directions that a Fock build makes exact.
    """

    anchor_leaves, refines = 1e-4, True

    @abstractmethod
    def make(self, ground: GroundProblem) -> Surrogate:
        """A fresh surrogate about a ground state."""

    def taught(self, case: SurrogateCase) -> Surrogate:
        """One that has walked half the path and seen an anchor."""
        surrogate = self.make(case.ground)
        for density in case.densities[:5]:
            surrogate.visit(density)
        surrogate.observe(case.densities[4], case.reference(case.densities[4]))
        return surrogate

    def test_predictions_are_hermitian(self, case: SurrogateCase) -> None:
        surrogate = self.taught(case)
        for density in case.densities:
            fock = surrogate.predict(density)
            assert fock.shape == density.shape
            np.testing.assert_allclose(fock, fock.conj().swapaxes(1, 2), atol=1e-12)

    def test_exact_at_the_ground_density(self, case: SurrogateCase) -> None:
        base = case.ground.ground_density
        exact = case.reference(base)
        for surrogate in (self.make(case.ground), self.taught(case)):
            np.testing.assert_allclose(surrogate.predict(base), exact, atol=1e-7)

    def test_predicting_teaches_nothing(self, case: SurrogateCase) -> None:
        surrogate = self.taught(case)
        first = surrogate.predict(case.densities[7])
        surrogate.predict(case.densities[2])
        np.testing.assert_array_equal(surrogate.predict(case.densities[7]), first)

    def test_a_visit_is_about_the_density_that_it_is_given(self, case: SurrogateCase) -> None:
        """Whatever was predicted for last."""
        one, other = self.taught(case), self.taught(case)
        one.predict(case.densities[2])
        other.predict(case.densities[7])
        for _ in range(5):
            assert one.visit(case.densities[7]) == other.visit(case.densities[7])

    def test_spreads_are_finite_and_not_negative(self, case: SurrogateCase) -> None:
        surrogate = self.taught(case)
        for density in (case.ground.ground_density, *case.densities):
            spread = surrogate.visit(density).spread
            assert np.isfinite(spread)
            assert spread >= 0.0

    def test_spreads_are_of_the_size_of_the_residual(self, case: SurrogateCase) -> None:
        """After an anchor, further along the path: at most five times too small, nor 50 times too large
        where the residual is above a thousandth. Of a linear engine nothing is left over to compare with."""
        surrogate = self.make(case.ground)
        for density in case.densities:
            surrogate.visit(density)
        surrogate.refine(0.01, 3)
        surrogate.observe(case.densities[3], case.reference(case.densities[3]))
        at_ground = case.reference(case.ground.ground_density)
        for density in case.densities[5:]:
            fock = case.reference(density)
            true = np.linalg.norm(fock - surrogate.predict(density)) / np.linalg.norm(fock - at_ground)
            # A surrogate may look at what is new only every few visits.
            visits = []
            for _ in range(5):
                visits.append(surrogate.visit(density).spread)
            spread = visits[-1]
            assert 0.2 * true < spread + 1e-5, f"residual {true:.1e}, spread {spread:.1e}"
            small = case.ground.engine.linear or spread < 50.0 * max(true, 1e-3)
            assert small, f"residual {true:.1e}, spread {spread:.1e}"

    def test_a_measurement_is_what_it_says(self, case: SurrogateCase) -> None:
        """Defect, response and force as norms of matrices; residual their share."""
        surrogate = self.make(case.ground)
        density = case.densities[4]
        predicted = surrogate.visit(density)
        predicted = surrogate.predict(density)
        fock = case.reference(density)
        at_ground = case.reference(case.ground.ground_density)
        measured = surrogate.observe(density, fock)
        wrong = fock - predicted
        response = float(np.linalg.norm(fock - at_ground))
        np.testing.assert_allclose(measured.response, response, rtol=1e-9)
        np.testing.assert_allclose(measured.defect, np.linalg.norm(wrong), atol=1e-6 * response)
        force = np.linalg.norm(wrong @ density - density @ wrong)
        np.testing.assert_allclose(measured.force, force, atol=1e-5 * response)
        np.testing.assert_allclose(measured.residual, measured.defect / measured.response, rtol=1e-12)

    def test_an_anchor_makes_it_exact_there(self, case: SurrogateCase) -> None:
        surrogate = self.taught(case)
        density = case.densities[8]
        # A surrogate may look at what is new only every few visits.
        for _ in range(8):
            surrogate.visit(density)
        fock = case.reference(density)
        before = surrogate.observe(density, fock).residual
        after = surrogate.observe(density, fock).residual
        assert after <= max(self.anchor_leaves * before, 2e-6), f"residual {before:.1e}, then {after:.1e}"

    def test_refinement_reduces_the_residual(self, case: SurrogateCase) -> None:
        """Measured against the engine at the densities visited, for as many Fock builds as it takes."""
        surrogate = self.make(case.ground)
        for _ in range(4):
            for density in case.densities:
                surrogate.visit(density)
        before = self.residual(case, surrogate)
        builds = surrogate.refine(1e-9, 1000)
        assert builds >= 0
        if builds == 0:
            assert before < 1e-5 or not self.refines
        else:
            assert self.residual(case, surrogate) < 0.5 * before
        assert surrogate.refine(1e-9, 0) == 0

    def residual(self, case: SurrogateCase, surrogate: Surrogate) -> float:
        """Of the first step of the path, where the response is linear."""
        density = case.densities[0]
        fock, at_ground = case.reference(density), case.reference(case.ground.ground_density)
        return float(np.linalg.norm(fock - surrogate.predict(density)) / np.linalg.norm(fock - at_ground))

    def test_saving_and_loading(self, case: SurrogateCase) -> None:
        """Bit for bit the same predictions, now and after the same further lessons."""
        surrogate = self.taught(case)
        arrays = {name: np.array(value) for name, value in surrogate.save().items()}
        again = self.make(case.ground)
        again.load(arrays)
        for one in (surrogate, again):
            one.refine(1e-4, 3)
        for density in case.densities:
            np.testing.assert_array_equal(again.predict(density), surrogate.predict(density))
            assert again.visit(density) == surrogate.visit(density)
        fock = case.reference(case.densities[9])
        assert again.observe(case.densities[9], fock) == surrogate.observe(case.densities[9], fock)
        np.testing.assert_array_equal(again.predict(case.densities[6]), surrogate.predict(case.densities[6]))
        np.testing.assert_array_equal(again.energies(case.densities), surrogate.energies(case.densities))

    def test_energies_at_the_ground_density(self, case: SurrogateCase) -> None:
        base = case.ground.ground_build.energies
        found = self.taught(case).energies(case.ground.ground_density[None])
        np.testing.assert_allclose(found, [[base.core, base.coulomb, base.exchange_correlation]], atol=1e-10)

    def test_energies_belong_to_the_fock_matrix(self, case: SurrogateCase) -> None:
        """dE = Σ Tr F dP along the path from the ground density, integrated by Simpson's rule."""
        surrogate = self.taught(case)
        base, change = case.ground.ground_density, case.densities[4] - case.ground.ground_density
        s = np.linspace(0.0, 1.0, 21)
        slopes = np.array([np.vdot(surrogate.predict(base + x * change), change).real for x in s])
        weights = np.array([1.0, *([4.0, 2.0] * 9), 4.0, 1.0]) / 60.0
        energies = surrogate.energies(np.array([base, base + change])).sum(axis=1)
        size = np.abs(slopes - slopes[0]).max()
        np.testing.assert_allclose(energies[1] - energies[0], weights @ slopes, atol=2e-5 * size + 1e-12)
