"""Elimination inside the elements, against dense matrices."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.eigenstates import (
    RadialProblem,
    bound_states,
    channel_matrices,
    element_blocks,
    in_order,
)
from hybrid_propagate.atomic.solver.elimination import eliminate, solve_shifted
from hybrid_propagate.atomic.solver.mesh import spectral_mesh
from hybrid_propagate.atomic.solver.model import Model, Orbital, Relativity

SHELLS = ((1, 0), (3, 0), (2, 1), (4, 3))


def problem_of(relativity: Relativity) -> tuple[RadialProblem, np.ndarray, np.ndarray]:
    """Some orbitals of copper's bare nucleus behind a soft wall; shifts off their levels; the potential."""
    mesh = spectral_mesh(29.0, relativity != "none", r_max=20.0, order=10)
    j = {0: 0.5, 1: 1.5, 3: 2.5} if relativity == "dirac" else {}
    orbitals = tuple(Orbital(n, angular, 1.0, 2.0, j=j.get(angular)) for n, angular in SHELLS)
    problem = RadialProblem(29.0, Model(relativity=relativity), mesh, orbitals)
    return problem, np.array([-400.0, -45.0, -101.0, -20.0]), 3 / (1 + mesh.radius[None])


@pytest.mark.parametrize("relativity", ["none", "scalar", "dirac"])
def test_it_solves_what_the_dense_matrices_do(relativity: Relativity) -> None:
    problem, shifts, potential = problem_of(relativity)
    n = len(problem.mesh.radius)
    b = np.random.default_rng(5).normal(size=(4, n))
    blocks = element_blocks(problem, shifts, potential)
    dense = {i: m for members, m in channel_matrices(problem, shifts, potential) for i in members}
    found = solve_shifted(blocks, shifts, b)
    eliminated = eliminate(blocks, shifts)
    follow, shared = eliminated.response_factors()
    for i in range(4):
        shifted = dense[i] - shifts[i] * np.eye(n)
        # The matrix is graded: a nucleus's entries are a million times an outer node's.
        exact = np.linalg.inv(shifted)
        size = np.sqrt(np.abs(np.outer(np.diag(exact), np.diag(exact)))).max()
        assert found[i] == pytest.approx(exact @ b[i], rel=0, abs=1e-8 * size * n)
        inner = np.zeros((n + 1, n + 1))
        p = problem.mesh.order
        for e, block in enumerate(eliminated.inverse[i]):
            inner[e * p : e * p + p - 1, e * p : e * p + p - 1] = block
        whole = follow[i] @ shared[i] @ follow[i].T + inner[:-1, :-1]
        assert whole == pytest.approx(exact, rel=0, abs=1e-8 * size)


def test_nodes_tell_whether_states_are_in_order() -> None:
    problem, _, potential = problem_of("none")
    states = bound_states(problem.mesh, problem.orbitals, potential, 29.0, problem.model)
    assert in_order(problem, states)
    wrong = (problem.orbitals[0], Orbital(2, 0, 1.0, 2.0), *problem.orbitals[2:])
    assert not in_order(RadialProblem(29.0, problem.model, problem.mesh, wrong), states)
