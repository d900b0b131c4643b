"""exp(-i dt F) on orbitals against scipy's dense matrix exponential."""

import numpy as np
import pytest
import scipy.linalg
from hybrid_propagate.driver.propagators.exponential import (
    interaction_phases,
    propagate,
    propagate_lossy,
    propagate_weakly,
)


def hermitian(m: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((m, m)) + 1j * rng.standard_normal((m, m))
    return 0.5 * (matrix + matrix.conj().T)


def orbitals(m: int, k: int) -> np.ndarray:
    rng = np.random.default_rng(m + k)
    return np.linalg.qr(rng.standard_normal((m, k)) + 1j * rng.standard_normal((m, k)))[0]


@pytest.mark.parametrize("dt", [1e-3, 0.05, 0.2, 1.0])
@pytest.mark.parametrize(
    "levels",
    [
        np.linspace(-1.0, 3.0, 12),
        # 1s levels of oxygen (-19 Ha) and silicon (-66 Ha) below the valence: dt |F| up to 66.
        np.concatenate([[-19.2, -1.3, -0.6, -0.5], np.linspace(0.1, 4.0, 8)]),
        np.concatenate([[-66.0, -6.0], np.linspace(-0.5, 22.0, 10)]),
        np.full(12, 0.7),
    ],
    ids=["valence", "oxygen core", "silicon core", "degenerate"],
)
def test_series(levels: np.ndarray, dt: float) -> None:
    """Both spins at once, each with its own spectrum."""
    m = len(levels)
    fock = np.array([np.diag(levels) + 0.1 * hermitian(m, 1), np.diag(levels[::-1]) + 0.02 * hermitian(m, 2)])
    Y = np.array([orbitals(m, 5), orbitals(m, 5)[::-1]])
    expected = np.array([scipy.linalg.expm(-1j * dt * f) @ y for f, y in zip(fock, Y, strict=True)])
    ours = propagate(fock, Y, dt)
    np.testing.assert_allclose(ours, expected, atol=1e-12)
    # Unitary: orbitals stay orthonormal.
    overlap = ours.conj().swapaxes(1, 2) @ ours
    np.testing.assert_allclose(overlap, np.broadcast_to(np.eye(5), overlap.shape), atol=1e-12)


@pytest.mark.parametrize("m", [2, 40, 41])
def test_few_functions_and_more(m: int) -> None:
    """By powers of F up to 40 functions, by Chebyshev's series beyond."""
    levels = np.linspace(-19.0, 3.0, m)
    fock, Y = np.diag(levels) + 0.05 * hermitian(m, 3), orbitals(m, 2)
    expected = scipy.linalg.expm(-0.2j * fock) @ Y
    np.testing.assert_allclose(propagate(fock[None], Y[None], 0.2)[0], expected, atol=1e-12)


def test_chebyshev_of_a_diagonal_matrix_is_the_phases() -> None:
    energies = np.array([-20.0, -1.0, 0.3, 5.0])
    Y = orbitals(4, 2)
    ours = propagate(np.diag(energies)[None].astype(complex), Y[None], 0.4)[0]
    np.testing.assert_allclose(ours, np.exp(-0.4j * energies)[:, None] * Y, atol=1e-13)


@pytest.mark.parametrize("highest", [7.1e4, 1e9])
def test_a_spectrum_too_wide_for_a_series(highest: float) -> None:
    """Of a basis function of exponent 1.6e6: a bound of the series' terms overflowed, and it had no end."""
    levels = np.array([-0.7, -0.4, -0.1, 0.3, 1.7, highest])
    U, Y = np.linalg.eigh(hermitian(6, 4))[1], orbitals(6, 2)
    phases = np.exp(-0.125j * levels)
    ours = propagate((U @ np.diag(levels) @ U.conj().T)[None], Y[None], 0.125)[0]
    # F itself is rounded at its largest element.
    np.testing.assert_allclose(ours, U @ (phases[:, None] * (U.conj().T @ Y)), atol=1e-15 * highest)
    np.testing.assert_allclose(ours.conj().T @ ours, np.eye(2), atol=1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_comes_back_so(value: float) -> None:
    """And at once: the series has no end for an infinite spectrum."""
    with np.errstate(invalid="ignore", over="ignore"):
        after = propagate(np.full((1, 3, 3), value, complex), orbitals(3, 2)[None], 0.1)
    assert not np.isfinite(after).any()


def test_error_of_the_interaction_picture_is_of_second_order_in_the_perturbation() -> None:
    """Halving V divides the error by four; it is below (dt V)² / 2."""
    energies = np.array([[-19.2, -1.3, -0.6, -0.5, 0.2, 0.9, 2.0, 3.5]])
    V, Y, dt = hermitian(8, 3)[None], orbitals(8, 4)[None], 0.2
    phases = interaction_phases(energies, dt)
    errors = []
    for size in (4e-4, 2e-4, 1e-4):
        F = np.diag(energies[0]) + size * V[0]
        expected = scipy.linalg.expm(-1j * dt * F) @ Y[0]
        errors.append(np.linalg.norm(propagate_weakly(size * V, Y, phases)[0] - expected))
        assert errors[-1] < 0.5 * (dt * size * np.linalg.norm(V)) ** 2
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.02)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.02)


def test_the_interaction_picture_is_unitary_and_exact_without_perturbation() -> None:
    energies = np.array([[-19.2, -1.3, 0.2, 0.9], [-19.0, -1.2, 0.3, 1.0]])
    Y = np.array([orbitals(4, 2), orbitals(4, 2)[::-1]])
    phases = interaction_phases(energies, 0.3)
    still = propagate_weakly(np.zeros((2, 4, 4), complex), Y, phases)
    np.testing.assert_allclose(still, np.exp(-0.3j * energies)[:, :, None] * Y, atol=1e-14)
    moved = propagate_weakly(1e-3 * np.array([hermitian(4, 1), hermitian(4, 2)]), Y, phases)
    overlap = moved.conj().swapaxes(1, 2) @ moved
    np.testing.assert_allclose(overlap, np.broadcast_to(np.eye(2), overlap.shape), atol=1e-13)


def test_first_order_change_of_a_two_level_system() -> None:
    """By hand: <2|Y> = -i V sin(ω dt/2) / (ω/2) exp(-i dt (ε1 + ε2)/2) for Y = |1>, ω = ε2 - ε1."""
    e1, e2, V, dt = -0.5, 0.4, 1e-6, 0.7
    phases = interaction_phases(np.array([[e1, e2]]), dt)
    Y = np.array([[[1.0], [0.0]]], dtype=complex)
    ours = propagate_weakly(np.array([[[0.0, V], [V, 0.0]]], dtype=complex), Y, phases)[0, 1, 0]
    w = e2 - e1
    expected = -1j * V * np.sin(w * dt / 2) / (w / 2) * np.exp(-0.5j * dt * (e1 + e2))
    assert ours == pytest.approx(expected, abs=1e-17)


def test_absorbed_orbitals() -> None:
    """A level with decay rate γ loses exp(-2 γ dt) of its norm."""
    fock = np.diag([-0.5, 0.3 - 0.2j])[None]
    Y = np.eye(2, dtype=complex)[None]
    norms = np.linalg.norm(propagate_lossy(fock, Y, 0.5)[0], axis=0) ** 2
    np.testing.assert_allclose(norms, [1.0, np.exp(-2 * 0.2 * 0.5)], rtol=1e-13)
