"""The smallest complete engine, and the hybrid loop run on it: start here to connect a code of your own.

A chain of sites with one orthonormal function each (Pariser-Parr-Pople model with local density exchange):

    F_σ,ij = h_ij + δ_ij [Σ_k γ_ik n_k + v(n_σ,i)] - a γ_ij P_σ,ij,   v(n) = -(4/3) c (2 n)^(1/3)

The engine keeps the promises of `adapters.engine.Engine` and nothing else; `adapters.contract` tests them.
Run the file to see the loop propagate it.
"""

from dataclasses import dataclass, replace

import numpy as np
from hybrid_propagate.adapters.deck import Place, PropagationTask
from hybrid_propagate.adapters.engine import Energies, FockBuild, Integrals
from hybrid_propagate.adapters.system import Excitation, Field, Functional, Geometry, RealTime, System
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.driver.loop.controller import Ledger, Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.problem import Problem, initial_state, make_problem
from hybrid_propagate.driver.loop.progress import Progress, Tally
from hybrid_propagate.driver.loop.reference import EmbeddedReference
from hybrid_propagate.driver.loop.run import run
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.surrogate.contract import GroundProblem
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse

#: Hopping and distance between neighbours (Hartree, bohr).
HOPPING, SPACING = -0.25, 2.5


@dataclass(frozen=True, eq=False)
class ToyEngine:
    """repulsion γ: (n, n); hybrid a: share of exact exchange; local c: strength of the local exchange.

    reference: density (n_spin, n, n) about which `response` is taken.
    """

    integrals: Integrals
    repulsion: np.ndarray
    hybrid: float
    local: float
    reference: np.ndarray

    @property
    def exact_exchange(self) -> bool:
        """Whether the Fock matrix responds to the imaginary part of the density."""
        return self.hybrid != 0.0

    @property
    def linear(self) -> bool:
        """Whether the Fock matrix is linear in the density."""
        return self.local == 0.0

    def fock(self, density: np.ndarray) -> FockBuild:
        """Fock matrix and energies of a complex Hermitian density, (n_spin, n, n)."""
        n_spin = len(density)
        total = np.real(density).sum(axis=0)
        J = self.coulomb(total)
        exchange = self._exact_exchange(density)
        # 2 n_σ: a closed shell's density holds both spins.
        populations = np.diagonal(np.real(density), axis1=1, axis2=2) * n_spin
        potential = -4.0 / 3.0 * self.local * np.cbrt(populations)
        local_energy = -self.local * float((populations ** (4 / 3)).sum()) / n_spin
        energies = Energies(
            core=float(np.vdot(self.integrals.core, total)),
            coulomb=0.5 * float(np.vdot(J, total)),
            exchange_correlation=local_energy + 0.5 * float(np.vdot(density, exchange).real),
        )
        return FockBuild(self.integrals.core + J + exchange + _diagonal(potential), energies)

    def response(self, change: np.ndarray) -> np.ndarray:
        """First-order change of the Fock matrix at the reference density, (n_spin, n, n)."""
        n_spin = len(change)
        populations = np.diagonal(np.real(self.reference), axis1=1, axis2=2) * n_spin
        moved = np.diagonal(np.real(change), axis1=1, axis2=2) * n_spin
        kernel = -4.0 / 9.0 * self.local * np.cbrt(populations) ** -2
        return self.mean_field_response(change) + _diagonal(kernel * moved)

    def mean_field_response(self, change: np.ndarray) -> np.ndarray:
        """The Coulomb and exact-exchange part of `response`."""
        return self.coulomb(np.real(change).sum(axis=0)) + self._exact_exchange(change)

    def coulomb(self, change: np.ndarray) -> np.ndarray:
        """J (n, n) of a real total density."""
        return np.diag(self.repulsion @ np.diagonal(change))

    def _exact_exchange(self, density: np.ndarray) -> np.ndarray:
        share = -0.5 if len(density) == 1 else -1.0
        return share * self.hybrid * self.repulsion * density


def make_chain(
    n_sites: int, n_spin: int, hybrid: float, local: float, tilt: float = 0.1
) -> tuple[System, ToyEngine]:
    """A chain along z with an electron a site (one less when `n_spin` is 2), in its ground state.

    tilt: how much deeper each site lies than the one before, so that no density is symmetric by accident.
    """
    z = SPACING * (np.arange(n_sites) - 0.5 * (n_sites - 1))
    distance = np.abs(z[:, None] - z)
    repulsion = 1.0 / np.sqrt(distance**2 + 4.0)
    core = np.diag(-repulsion.sum(axis=1) - tilt * np.arange(n_sites)) + HOPPING * (distance == SPACING)
    dipole = np.zeros((3, n_sites, n_sites))
    dipole[2] = np.diag(z)
    quadrupole = np.zeros((3, 3, n_sites, n_sites))
    quadrupole[2, 2] = np.diag(z**2)
    nuclear = 0.5 * float((repulsion * (distance > 0.0)).sum())
    # Sites on a line have no angular momentum.
    angular = np.zeros_like(dipole)
    ones = np.ones(n_sites)
    integrals = Integrals(np.eye(n_sites), core, dipole, quadrupole, np.zeros(3), nuclear, ones, angular)
    engine = ToyEngine(integrals, repulsion, hybrid, local, np.zeros((n_spin, n_sites, n_sites)))
    engine = replace(engine, reference=_ground_state(engine, _occupations(n_sites, n_spin)))
    positions = np.zeros((n_sites, 3))
    positions[:, 2] = z
    geometry = Geometry("chain", ("H",) * n_sites, np.ones(n_sites, int), np.ones(n_sites), positions)
    system = System(
        geometry=geometry,
        geometries=(geometry,),
        basis={"H": [[0, [1.0, 1.0]]]},
        spherical=True,
        ecp={},
        fitting_basis=None,
        charge=n_spin - 1,
        multiplicity=n_spin,
        open_shell=n_spin == 2,
        functional=Functional("toy", "toy"),
        grid="medium",
    )
    return system, engine


def toy_problem(system: System, engine: ToyEngine, real_time: RealTime) -> Problem:
    """A propagation from the ground state."""
    ground_build = engine.fock(engine.reference)
    basis = make_working_basis(engine.integrals, np.real(ground_build.fock))
    task = PropagationTask(Place("toy", 1), system, real_time, "")
    return make_problem(task, engine, basis, ground_build, engine.reference)


def start(problem: Problem, target: Target) -> Progress:
    """The state before the first step."""
    fock = problem.basis.fock_in(problem.ground_build.fock).astype(complex)
    state = initial_state(problem, problem.ground_density, fock, 0, 0.0)
    return Progress(state, problem.ground_build.energies, Ledger(length=target.max_ml_steps), Tally())


def make_response(ground: GroundProblem) -> OnTheFlyResponse:
    """The on-the-fly response, with no analytic kernel to begin with."""
    return OnTheFlyResponse(
        ground.engine, ground.basis, ground.ground_density, ground.ground_build, None, 1e-5
    )


def kicked(maximum: float, tmax: float, dt: float) -> RealTime:
    """A delta kick along the chain, the mid-point Fock matrix converged."""
    kick = Field("kick", "delta", (0.0, 0.0, 1.0), maximum)
    return RealTime(
        tmax,
        dt,
        n_checks=0,
        tolerances=Tolerances(interpol=1e-12),
        fields=(kick,),
        excitations=(Excitation("chain", "kick"),),
    )


def _diagonal(values: np.ndarray) -> np.ndarray:
    """(n_spin, n) to (n_spin, n, n)."""
    return values[:, :, None] * np.eye(values.shape[1])


def _occupations(n_sites: int, n_spin: int) -> np.ndarray:
    """(n_spin, n): the lowest orbitals filled."""
    paired = n_sites // 2
    counts = (paired,) if n_spin == 1 else (paired, paired - 1)
    return np.array([(np.arange(n_sites) < count) * (3.0 - n_spin) for count in counts])


def _ground_state(engine: ToyEngine, occupations: np.ndarray) -> np.ndarray:
    """Real density (n_spin, n, n), by damped iteration."""
    density = occupations.mean(axis=1)[:, None, None] * np.eye(occupations.shape[1])
    for _ in range(2000):
        _, orbitals = np.linalg.eigh(np.real(engine.fock(density).fock))
        new = (orbitals * occupations[:, None, :]) @ orbitals.transpose(0, 2, 1)
        if np.abs(new - density).max() < 1e-14:
            break
        density = 0.5 * (density + new)
    return density


def main() -> None:
    """Compare the hybrid loop with reference steps alone on a chain of six sites."""
    system, engine = make_chain(6, 1, hybrid=0.25, local=0.3)
    problem = toy_problem(system, engine, kicked(0.02, 200.0, 0.2))
    target = Target(error=1e-3, max_ml_steps=500, duration=200.0)
    reference = EmbeddedReference(problem)
    for name, surrogate in (("reference steps", None), ("hybrid", make_response(problem))):
        progress = start(problem, target)
        run(Hybrid(problem, surrogate, reference, target, Limits()), progress, lambda now: False)
        change = progress.state.density - problem.ground_density
        tally = progress.tally
        print(f"{name:16} {tally.fock_builds:5} Fock builds, |δP| at the end {np.linalg.norm(change):.8f}")


if __name__ == "__main__":
    main()
