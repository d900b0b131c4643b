"""The Magnus step: order, unitarity, self-consistency, and NWChem's algorithm written out literally."""

import numpy as np
import pytest
import scipy.linalg
from hybrid_propagate.adapters.system import Field, RealTime
from hybrid_propagate.adapters.system.field import amplitude
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.loop.problem import Problem, initial_state, make_step
from hybrid_propagate.driver.propagators.magnus import NoFixedPoint, StepRules, canonical_norm, magnus_step
from hybrid_propagate.driver.propagators.state import State
from pyscf import gto, scf
from toy_engine import kicked, make_chain, toy_problem


def chain_problem(n_spin: int, real_time: RealTime) -> Problem:
    return toy_problem(*make_chain(5 + n_spin % 2, n_spin, 0.25, 0.3), real_time)


def excited_state(problem: Problem) -> State:
    """Far from the ground state: orbitals turned by 0.3 rad along the dipole, and a Fock matrix that fits."""
    dipole = problem.basis.fock_in(problem.engine.integrals.dipole[2])
    turns = np.array(
        [scipy.linalg.expm(-0.3j * d) for d in np.broadcast_to(dipole, problem.ground_build.fock.shape)]
    )
    density = turns @ problem.ground_density @ turns.conj().swapaxes(1, 2)
    return initial_state(problem, density, problem.reference_fock(density)[0], 0, 0.0)


def propagated(n_spin: int, dt: float, t_end: float) -> State:
    problem = chain_problem(n_spin, kicked(0.0, t_end, dt))
    step = make_step(problem)
    state = excited_state(problem)
    for _ in range(round(t_end / dt)):
        state, _ = step(state, lambda p: problem.reference_fock(p)[0])
    return state


@pytest.mark.parametrize("n_spin", [1, 2])
def test_second_order_in_the_time_step(n_spin: int) -> None:
    """Halving dt divides the error by four."""
    exact = propagated(n_spin, 0.0025, 4.0).density
    errors = [np.linalg.norm(propagated(n_spin, dt, 4.0).density - exact) for dt in (0.2, 0.1, 0.05)]
    assert errors[0] < 0.02
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("n_spin", [1, 2])
def test_hermiticity_trace_and_idempotency_stay_to_rounding(n_spin: int) -> None:
    state = propagated(n_spin, 0.2, 60.0)
    P, weight = state.density, 3 - n_spin
    np.testing.assert_allclose(P, P.conj().swapaxes(1, 2), atol=1e-13)
    np.testing.assert_allclose(P @ P, weight * P, atol=1e-11)
    assert np.trace(P.sum(axis=0)).real == pytest.approx(6 if n_spin == 1 else 3, abs=1e-11)


def test_energy_is_conserved_without_a_field() -> None:
    """To the second order of the step; a factor four when dt is halved."""
    problem = chain_problem(1, kicked(0.0, 1.0, 0.1))

    def energy(density: np.ndarray) -> float:
        energies = problem.reference_fock(density)[1]
        return energies.core + energies.coulomb + energies.exchange_correlation

    start = energy(excited_state(problem).density)
    drifts = [abs(energy(propagated(1, dt, 20.0).density) - start) for dt in (0.2, 0.1)]
    assert drifts[0] < 1e-4
    assert drifts[1] < 0.3 * drifts[0]


def test_the_mid_point_fock_matrix_is_self_consistent() -> None:
    """F(t + dt/2) = ½ [F(t) + F[P(t + dt)]] and Y(t + dt) = exp(-i dt F(t + dt/2)) Y(t)."""
    problem = chain_problem(1, kicked(0.0, 1.0, 0.2))
    state = excited_state(problem)
    after, changes = make_step(problem)(state, lambda p: problem.reference_fock(p)[0])
    mid_point = 0.5 * (state.fock + problem.reference_fock(after.density)[0])
    np.testing.assert_allclose(after.fock_half, mid_point, atol=1e-11)
    U = scipy.linalg.expm(-0.2j * mid_point[0])
    np.testing.assert_allclose(after.density[0], U @ state.density[0] @ U.conj().T, atol=1e-11)
    assert changes[-1].max() <= 1e-12 < changes[0].max()


def test_a_step_without_fixed_point_is_reported() -> None:
    """A Fock matrix that jumps between two values at every build."""
    problem = chain_problem(1, kicked(0.0, 1.0, 0.2))
    state = excited_state(problem)
    calls = [0]

    def jumping(density: np.ndarray) -> np.ndarray:
        calls[0] += 1
        return problem.reference_fock(density)[0] * (1.0 + 0.5 * (calls[0] % 2))

    rules = StepRules(
        0.2,
        1e-9,
        lambda t: None,
        lambda F, Y: scipy.linalg.expm(-0.2j * F) @ Y,
        canonical_norm(problem.basis.to_canonical),
    )
    with pytest.raises(NoFixedPoint, match=r"t = 0\.00000 au did not become self-consistent in 200"):
        magnus_step(state, jumping, rules)
    assert calls[0] == 200


def test_nwchems_norm_is_the_largest_element_in_its_basis() -> None:
    problem = chain_problem(2, kicked(0.0, 1.0, 0.2))
    state = excited_state(problem)
    T = problem.basis.to_canonical
    density = T @ state.density @ T.transpose(0, 2, 1)
    norm = canonical_norm(T)(state.orbitals, state.occupations)
    np.testing.assert_allclose(norm, np.abs(density).max(axis=(1, 2)), rtol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-7, 1e-12])
def test_nwchems_algorithm_step_by_step(tolerance: float) -> None:
    """Hydrogen, Hartree-Fock, 50 steps: dipoles to 1e-10, and as many interpolations at every step.

    Dense exponentials, and P' itself propagated in the canonical basis U s^(-1/2).
    """
    mol = gto.M(atom="H 0 0 0; H 0 0 1.4", unit="Bohr", basis="6-31g", verbose=0)
    kick = Field("kick", "delta", (0.0, 0.0, 1.0), 0.5)
    dt = 0.2
    real_time = RealTime(10.2, dt, n_checks=0, tolerances=Tolerances(interpol=tolerance), fields=(kick,))
    dipoles, counts = literal_nwchem(mol, kick, dt, 50, tolerance)
    problem = hydrogen_problem(mol, real_time)
    step = make_step(problem)
    state = initial_state(
        problem, problem.ground_density, problem.basis.fock_in(problem.ground_build.fock), 0, 0.0
    )
    for expected, n in zip(dipoles, counts, strict=True):
        density = problem.basis.density_out(state.density).real.sum(axis=0)
        ours = -np.vdot(problem.engine.integrals.dipole[2], density)
        assert ours == pytest.approx(expected, abs=1e-10)
        state, changes = step(state, lambda p: problem.reference_fock(p)[0])
        assert len(changes) + 1 == n
    assert max(abs(d - dipoles[0]) for d in dipoles) > 0.05
    assert max(counts) > 2


def hydrogen_problem(mol: gto.Mole, real_time: RealTime) -> Problem:
    """Our propagation of the same molecule, with PySCF's get_jk as the engine's Fock matrix."""
    from hybrid_propagate.adapters.engine import Energies, FockBuild, Integrals
    from hybrid_propagate.adapters.working_basis import make_working_basis
    from hybrid_propagate.driver.loop.problem import Coupling

    system, toy = make_chain(mol.nao, 1, 0.0, 0.0)
    S, D = mol.intor("int1e_ovlp"), mol.intor("int1e_r")
    h = mol.intor("int1e_kin") + mol.intor("int1e_nuc")
    mean_field = scf.RHF(mol).run(conv_tol=1e-13)

    class HartreeFock(type(toy)):
        def fock(self, density: np.ndarray) -> FockBuild:
            J, K = scf.hf.get_jk(mol, density[0], hermi=0)
            return FockBuild((h + J.real - 0.5 * K)[None], Energies(0.0, 0.0, 0.0))

    integrals = Integrals(S, h, D, np.zeros((3, 3, *S.shape)), np.zeros(3), 0.0, np.ones(len(S)), 0.0 * D)
    engine = HartreeFock(integrals, toy.repulsion, 1.0, 0.0, mean_field.make_rdm1()[None])
    base = engine.fock(engine.reference.astype(complex))
    basis = make_working_basis(integrals, base.fock.real)
    couplings = tuple(
        Coupling(field, basis.fock_in(D[2][None]).astype(complex)) for field in real_time.fields
    )
    density = basis.density_in(engine.reference).astype(complex)
    return Problem(system, real_time, engine, basis, base, density, couplings)


def literal_nwchem(
    mol: gto.Mole, kick: Field, dt: float, n_steps: int, tolerance: float
) -> tuple[list[float], list[int]]:
    """Electronic z dipoles before each step, and the number of interpolations of each."""
    S, D = mol.intor("int1e_ovlp"), mol.intor("int1e_r")[2]
    h = mol.intor("int1e_kin") + mol.intor("int1e_nuc")
    s, U = np.linalg.eigh(S)
    X, Y = U / np.sqrt(s), U * np.sqrt(s)

    def fock(P_orthogonal: np.ndarray, t: float) -> np.ndarray:
        J, K = scf.hf.get_jk(mol, X @ P_orthogonal @ X.T, hermi=0)
        return X.T @ (h + J.real - 0.5 * K + amplitude(kick, t, dt) * D) @ X

    def stepped(F: np.ndarray) -> np.ndarray:
        W = scipy.linalg.expm(-1j * dt * F)
        return W @ P @ W.conj().T

    P = Y.T @ scf.RHF(mol).run(conv_tol=1e-13).make_rdm1() @ Y
    t, dipoles, counts = 0.0, [], []
    F = F_half = fock(P, t)
    for _ in range(n_steps):
        dipoles.append(float(-np.trace(D @ (X @ P @ X.T)).real))
        new = stepped(2.0 * F - F_half)
        norms: list[float] = []
        while len(norms) < 2 or abs(norms[-1] - norms[-2]) > tolerance:
            F_new = fock(new, t + dt)
            F_half = 0.5 * (F + F_new)
            new = stepped(F_half)
            norms.append(float(np.abs(new).max()))
        P, F, t = new, F_new, t + dt
        counts.append(len(norms))
    return dipoles, counts
