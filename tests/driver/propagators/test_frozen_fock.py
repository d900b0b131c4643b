"""Euler and frozen Runge-Kutta steps against the formulas of NWChem's source, and against each other."""

from math import factorial

import numpy as np
import pytest
import scipy.linalg
from hybrid_propagate.driver.loop.problem import initial_state
from hybrid_propagate.driver.propagators.frozen_fock import frozen_fock_step
from toy_engine import kicked, make_chain, toy_problem


def random_hermitian(m: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((1, m, m)) + 1j * rng.standard_normal((1, m, m))
    return A + A.conj().swapaxes(1, 2)


def state_of(density: np.ndarray, fock: np.ndarray):
    system, engine = make_chain(4, 1, 0.25, 0.3)
    return initial_state(toy_problem(system, engine, kicked(0.0, 1.0, 0.1)), density, fock, 0, 0.0)


def step_of(density: np.ndarray, fock: np.ndarray, dt: float, order: int) -> np.ndarray:
    return frozen_fock_step(state_of(density, fock), lambda p: fock, lambda t: None, dt, order).density


def test_euler() -> None:
    """P + (-i dt) (F P - P F)."""
    P, F = random_hermitian(4, 1), random_hermitian(4, 2)
    np.testing.assert_allclose(step_of(P, F, 0.1, 1), P - 0.1j * (F @ P - P @ F), atol=1e-13)


def test_runge_kutta() -> None:
    """The classical scheme written out: k1 = f(P), k2 = f(P + k1/2), ..., f(P) = -i dt [F, P], F frozen."""
    P, F = random_hermitian(4, 1), random_hermitian(4, 2)

    def f(p: np.ndarray) -> np.ndarray:
        return -0.1j * (F @ p - p @ F)

    k1 = f(P)
    k2 = f(P + k1 / 2)
    k3 = f(P + k2 / 2)
    k4 = f(P + k3)
    np.testing.assert_allclose(step_of(P, F, 0.1, 4), P + (k1 + 2 * k2 + 2 * k3 + k4) / 6, atol=1e-13)


@pytest.mark.parametrize("order", [1, 4])
def test_order_of_one_step(order: int) -> None:
    """Against exp(-i dt F) P exp(i dt F): the error is the series' next term, dt^(n+1)/(n+1)! [F, ...]."""
    P, F = random_hermitian(4, 1), random_hermitian(4, 2)
    term = P
    for _ in range(order + 1):
        term = F @ term - term @ F
    dt = 1e-3
    U = scipy.linalg.expm(-1j * dt * F[0])
    error = np.linalg.norm(step_of(P, F, dt, order)[0] - U @ P[0] @ U.conj().T)
    expected = dt ** (order + 1) / factorial(order + 1) * np.linalg.norm(term)
    assert error == pytest.approx(expected, rel=0.05)


def test_the_new_fock_matrix_holds_the_new_field() -> None:
    P, F = random_hermitian(4, 1), random_hermitian(4, 2)
    V = random_hermitian(4, 3)
    after = frozen_fock_step(state_of(P, F), lambda p: 2.0 * p, lambda t: t * V, 0.1, 1)
    assert (after.step, after.time) == (1, 0.1)
    np.testing.assert_allclose(after.fock, 2.0 * after.density + 0.1 * V, atol=1e-14)
