"""What every engine must keep, whatever it is: tests to inherit.

    class TestMyEngine(EngineContract):
        @pytest.fixture
        def case(self):
            return engine_case(my_engine, ground_density)

`HartreeFockContract` is for codes that take molecules: their Hartree-Fock is compared with PySCF's.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from .engine import Engine
from .pyscf.engine import make_engine
from .system import System

#: Sizes of the turns, rad: a first-order change, and a density well away from the ground state.
_SMALL, _LARGE = 1e-3, 0.1
#: Step of central differences, as a share of the change.
_STEP = 0.5
#: Memory for the engine compared with, bytes.
_MEMORY = 2.0**30


@dataclass(frozen=True, eq=False)
class EngineCase:
    """An engine and densities for it, all (n_spin, n, n), AO basis.

    ground: real, at which the engine's `response` is taken.
    change: complex Hermitian and small, from there to an idempotent density.
    excited: complex, idempotent, well away from `ground`.
    """

    engine: Engine
    ground: np.ndarray
    change: np.ndarray
    excited: np.ndarray


def engine_case(engine: Engine, ground: np.ndarray) -> EngineCase:
    """Densities by random turns of the ground state's; ground: real, (n_spin, n, n)."""
    small, large = (turned(ground, engine.integrals.overlap, size) for size in (_SMALL, _LARGE))
    return EngineCase(engine, ground, small - ground, large)


def turned(density: np.ndarray, overlap: np.ndarray, size: float) -> np.ndarray:
    """T P Tᵀ* with T = exp(-i size S⁻¹A) of random Hermitian A, |A| about 1: idempotent if P is."""
    rng = np.random.default_rng(7)
    turns = []
    for _ in density:
        A = rng.standard_normal(overlap.shape) + 1j * rng.standard_normal(overlap.shape)
        A = A + A.conj().T
        turns.append(scipy.linalg.expm(-1j * size * np.linalg.solve(overlap, A / np.linalg.norm(A, 2))))
    T = np.array(turns)
    return T @ density @ T.conj().swapaxes(1, 2)


class EngineContract:
    """Inherited by an engine's own test class, which gives the fixture `case`, an `EngineCase`."""

    def test_integrals_are_symmetric(self, case: EngineCase) -> None:
        """Of n functions that are not linearly dependent."""
        integrals = case.engine.integrals
        n = case.ground.shape[-1]
        assert integrals.dipole.shape == (3, n, n)
        assert integrals.quadrupole.shape == (3, 3, n, n)
        assert integrals.angular.shape == (3, n, n)
        np.testing.assert_allclose(integrals.angular, -integrals.angular.swapaxes(-1, -2), atol=1e-10)
        for matrix in (integrals.overlap, integrals.core, integrals.dipole, integrals.quadrupole):
            np.testing.assert_allclose(matrix, matrix.swapaxes(-1, -2), atol=1e-10)
        assert np.linalg.eigvalsh(integrals.overlap).min() > 0.0

    def test_fock_matrices_are_hermitian(self, case: EngineCase) -> None:
        """At a complex density too, and of its shape."""
        for density in (case.ground.astype(complex), case.excited):
            fock = case.engine.fock(density).fock
            assert fock.shape == density.shape
            np.testing.assert_allclose(fock, fock.conj().swapaxes(1, 2), atol=1e-10)

    def test_parts_of_the_energy(self, case: EngineCase) -> None:
        """E_core = Tr h P and E_J = ½ Tr J P of the real part of the total density."""
        engine, total = case.engine, np.real(case.excited).sum(axis=0)
        energies = engine.fock(case.excited).energies
        np.testing.assert_allclose(energies.core, np.vdot(engine.integrals.core, total), rtol=1e-9)
        np.testing.assert_allclose(
            energies.coulomb, 0.5 * np.vdot(engine.coulomb(total), total), rtol=1e-9, atol=1e-12
        )

    def test_fock_matrix_is_the_derivative_of_the_energy(self, case: EngineCase) -> None:
        """dE = Σ_σ Tr F_σ dP_σ at an excited density, by central differences."""
        change = case.excited - case.ground
        h = 1e-2
        energies = [
            case.engine.fock(case.excited + sign * h * change).energies.electronic for sign in (1.0, -1.0)
        ]
        slope = np.vdot(case.engine.fock(case.excited).fock, change).real
        np.testing.assert_allclose((energies[0] - energies[1]) / (2.0 * h), slope, rtol=1e-5)

    def test_response_is_the_derivative_of_the_fock_matrix(self, case: EngineCase) -> None:
        """At the ground state, by central differences."""
        engine, ground = case.engine, case.ground.astype(complex)
        forward, backward = (engine.fock(ground + s * _STEP * case.change).fock for s in (1.0, -1.0))
        expected = (forward - backward) / (2.0 * _STEP)
        error = np.linalg.norm(engine.response(case.change) - expected)
        assert error < 1e-4 * np.linalg.norm(expected), f"relative error {error / np.linalg.norm(expected)}"

    def test_responses_are_linear_and_hermitian(self, case: EngineCase) -> None:
        """`response` and `mean_field_response`, for complex changes."""
        other = turned(case.ground, case.engine.integrals.overlap, 0.5) - case.ground
        for response in (case.engine.response, case.engine.mean_field_response):
            image = response(case.change + 0.3 * other)
            size = np.abs(image).max()
            parts = response(case.change) + 0.3 * response(other)
            np.testing.assert_allclose(image, parts, atol=1e-5 * size)
            np.testing.assert_allclose(image, image.conj().swapaxes(1, 2), atol=1e-10 * size)

    def test_mean_field_response_is_coulomb_and_exact_exchange(self, case: EngineCase) -> None:
        """J sees the real part alone; the imaginary part is left to exact exchange."""
        engine, change = case.engine, case.change
        coulomb = engine.coulomb(np.ascontiguousarray(np.real(change).sum(axis=0)))
        exchange = engine.mean_field_response(change) - coulomb
        moved = engine.mean_field_response(1j * np.imag(change))
        np.testing.assert_allclose(np.imag(exchange), np.imag(moved), atol=1e-10)
        assert bool(np.abs(exchange).max() > 1e-8) == engine.exact_exchange
        assert bool(np.abs(moved).max() > 1e-8) == engine.exact_exchange

    def test_the_rest_of_the_response_is_local(self, case: EngineCase) -> None:
        """What `mean_field_response` lacks is real and sees the real part alone; nothing if `linear`."""
        engine, change = case.engine, case.change
        rest = engine.response(change) - engine.mean_field_response(change)
        np.testing.assert_allclose(np.imag(rest), 0.0, atol=1e-12)
        of_real = engine.response(np.real(change)) - engine.mean_field_response(np.real(change))
        np.testing.assert_allclose(rest, of_real, atol=1e-12)
        assert bool(np.abs(rest).max() > 1e-8) == (not engine.linear)

    def test_a_linear_engine_is_linear_anywhere(self, case: EngineCase) -> None:
        """`linear` says that F[P] − F[P0] = response(P − P0) at any distance, and what is not says so."""
        engine, ground = case.engine, case.ground.astype(complex)
        difference = engine.fock(case.excited).fock - engine.fock(ground).fock
        curved = difference - engine.response(case.excited - ground)
        assert bool(np.abs(curved).max() < 1e-9) == engine.linear


class HartreeFockContract(ABC):
    """Inherited by the test class of an engine for molecules, which gives the fixture `molecule`, a `System`.

    Basis functions are in PySCF's order and normalisation: `adapters.files.basis_table`.
    """

    @abstractmethod
    def make(self, system: System) -> Engine:
        """The engine of a Hartree-Fock system."""

    def test_hartree_fock_agrees_with_pyscf(self, molecule: System) -> None:
        """Integrals, energies and Fock matrices of a complex density, to nine digits."""
        engine, expected = self.make(molecule), make_engine(molecule, _MEMORY)
        for name in ("overlap", "core", "dipole"):
            found = getattr(engine.integrals, name)
            np.testing.assert_allclose(found, getattr(expected.integrals, name), atol=1e-9, err_msg=name)
        np.testing.assert_allclose(
            engine.integrals.nuclear_repulsion, expected.integrals.nuclear_repulsion, rtol=1e-9
        )
        density = _occupied(molecule, expected.integrals.overlap, expected.integrals.core)
        density = turned(density, expected.integrals.overlap, _LARGE)
        build, known = engine.fock(density), expected.fock(density)
        np.testing.assert_allclose(build.fock, known.fock, atol=1e-9)
        for name in ("core", "coulomb", "exchange_correlation"):
            np.testing.assert_allclose(
                getattr(build.energies, name), getattr(known.energies, name), rtol=1e-9
            )


def _occupied(system: System, overlap: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The lowest orbitals of the core Hamiltonian filled: a density (n_spin, n, n) of any system."""
    counts = system.electrons if system.open_shell else system.electrons[:1]
    C = scipy.linalg.eigh(core, overlap)[1]
    return np.array([(3 - len(counts)) * C[:, :n] @ C[:, :n].T for n in counts])
