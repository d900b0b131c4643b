"""What every surrogate must keep, whatever it is: subclass `SurrogateContract` and say how to make one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from hybrid_propagate.driver.loop.problem import Problem
from hybrid_propagate.surrogate.surrogate import Surrogate


@dataclass(frozen=True, eq=False)
class Case:
    """A problem, how a surrogate for it is made, and densities of a short excursion from its ground state."""

    problem: Problem
    densities: np.ndarray

    def reference(self, density: np.ndarray) -> np.ndarray:
        """F' of the engine."""
        return self.problem.reference_fock(density)[0]


def make_case(problem: Problem, size: float) -> Case:
    """Ten densities along a path of unitary turns, each idempotent, at most `size` rad away."""
    shape = problem.ground_density.shape
    rng = np.random.default_rng(11)
    A, B = rng.standard_normal((2, *shape)) + 1j * rng.standard_normal((2, *shape))
    A, B = A + A.conj().swapaxes(1, 2), B + B.conj().swapaxes(1, 2)
    densities = []
    for s in np.linspace(0.1, 1.0, 10):
        U = np.array([scipy.linalg.expm(-1j * size * (s * a + s * s * b)) for a, b in zip(A, B, strict=True)])
        densities.append(U @ problem.ground_density @ U.conj().swapaxes(1, 2))
    return Case(problem, np.array(densities))


class SurrogateContract(ABC):
    """Tests inherited by every surrogate's own test class, which gives the fixture `case`."""

    @abstractmethod
    def make(self, problem: Problem) -> Surrogate:
        """A fresh surrogate for a problem."""

    def taught(self, case: Case) -> Surrogate:
        """One that has walked half the path and seen an anchor."""
        surrogate = self.make(case.problem)
        for density in case.densities[:5]:
            surrogate.predict(density)
            surrogate.visit()
        surrogate.observe(case.densities[4], case.reference(case.densities[4]))
        return surrogate

    def test_predictions_are_hermitian(self, case: Case) -> None:
        surrogate = self.taught(case)
        for density in case.densities:
            fock = surrogate.predict(density)
            assert fock.shape == density.shape
            np.testing.assert_allclose(fock, fock.conj().swapaxes(1, 2), atol=1e-12)

    def test_exact_at_the_ground_density(self, case: Case) -> None:
        base = case.problem.ground_density
        exact = case.reference(base)
        for surrogate in (self.make(case.problem), self.taught(case)):
            np.testing.assert_allclose(surrogate.predict(base), exact, atol=1e-7)

    def test_predicting_teaches_nothing(self, case: Case) -> None:
        surrogate = self.taught(case)
        first = surrogate.predict(case.densities[7])
        surrogate.predict(case.densities[2])
        np.testing.assert_array_equal(surrogate.predict(case.densities[7]), first)

    def test_spreads_are_finite_and_not_negative(self, case: Case) -> None:
        surrogate = self.taught(case)
        for density in (case.problem.ground_density, *case.densities):
            surrogate.predict(density)
            spread = surrogate.visit().spread
            assert np.isfinite(spread)
            assert spread >= 0.0

    def test_a_measurement_is_what_it_says(self, case: Case) -> None:
        """Defect, response and force as norms of matrices; residual their share."""
        surrogate = self.make(case.problem)
        density = case.densities[4]
        predicted = surrogate.predict(density)
        surrogate.visit()
        predicted = surrogate.predict(density)
        fock = case.reference(density)
        at_ground = case.reference(case.problem.ground_density)
        measured = surrogate.observe(density, fock)
        wrong = fock - predicted
        response = np.linalg.norm(fock - at_ground)
        np.testing.assert_allclose(measured.response, response, rtol=1e-9)
        np.testing.assert_allclose(measured.defect, np.linalg.norm(wrong), atol=1e-6 * response)
        force = np.linalg.norm(wrong @ density - density @ wrong)
        np.testing.assert_allclose(measured.force, force, atol=1e-5 * response)
        np.testing.assert_allclose(measured.residual, measured.defect / measured.response, rtol=1e-12)

    def test_an_anchor_makes_it_exact_there(self, case: Case) -> None:
        surrogate = self.taught(case)
        density = case.densities[8]
        # A surrogate may look at what is new only every few visits.
        for _ in range(8):
            surrogate.predict(density)
            surrogate.visit()
        fock = case.reference(density)
        before = surrogate.observe(density, fock).residual
        after = surrogate.observe(density, fock).residual
        assert after <= max(1e-4 * before, 2e-6)

    def test_refinement_reduces_the_residual(self, case: Case) -> None:
        """Measured against the engine at the densities visited, for as many Fock builds as it takes."""
        surrogate = self.make(case.problem)
        for _ in range(4):
            for density in case.densities:
                surrogate.predict(density)
                surrogate.visit()
        before = self.residual(case, surrogate)
        builds = surrogate.refine(1e-9, 1000)
        assert builds >= 0
        if builds == 0:
            assert before < 1e-5
        else:
            assert self.residual(case, surrogate) < 0.5 * before
        assert surrogate.refine(1e-9, 0) == 0

    def residual(self, case: Case, surrogate: Surrogate) -> float:
        """Of the first step of the path, where the response is linear."""
        density = case.densities[0]
        fock, at_ground = case.reference(density), case.reference(case.problem.ground_density)
        return float(np.linalg.norm(fock - surrogate.predict(density)) / np.linalg.norm(fock - at_ground))

    def test_saving_and_loading(self, case: Case) -> None:
        """Bit for bit the same predictions, now and after the same further lessons."""
        surrogate = self.taught(case)
        arrays = {name: np.array(value) for name, value in surrogate.save().items()}
        again = self.make(case.problem)
        again.load(arrays)
        for one in (surrogate, again):
            one.refine(1e-4, 3)
        for density in case.densities:
            np.testing.assert_array_equal(again.predict(density), surrogate.predict(density))
            assert again.visit() == surrogate.visit()
        fock = case.reference(case.densities[9])
        assert again.observe(case.densities[9], fock) == surrogate.observe(case.densities[9], fock)
        np.testing.assert_array_equal(again.predict(case.densities[6]), surrogate.predict(case.densities[6]))
        np.testing.assert_array_equal(again.energies(case.densities), surrogate.energies(case.densities))

    def test_energies_at_the_ground_density(self, case: Case) -> None:
        base = case.problem.ground_build.energies
        found = self.taught(case).energies(case.problem.ground_density[None])
        np.testing.assert_allclose(found, [[base.core, base.coulomb, base.exchange_correlation]], atol=1e-10)

    def test_energies_belong_to_the_fock_matrix(self, case: Case) -> None:
        """dE = Σ Tr F dP along the path from the ground density, integrated by Simpson's rule."""
        surrogate = self.taught(case)
        base, change = case.problem.ground_density, case.densities[4] - case.problem.ground_density
        s = np.linspace(0.0, 1.0, 21)
        slopes = np.array([np.vdot(surrogate.predict(base + x * change), change).real for x in s])
        weights = np.array([1.0, *([4.0, 2.0] * 9), 4.0, 1.0]) / 60.0
        energies = surrogate.energies(np.array([base, base + change])).sum(axis=1)
        size = np.abs(slopes - slopes[0]).max()
        np.testing.assert_allclose(energies[1] - energies[0], weights @ slopes, atol=2e-5 * size + 1e-12)
