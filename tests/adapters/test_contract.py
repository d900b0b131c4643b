"""The contract of engines: the toy engine and PySCF's plain Hartree-Fock keep it, broken ones do not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.contract import EngineCase, EngineContract, HartreeFockContract, engine_case
from hybrid_propagate.adapters.engine import Energies, Engine, FockBuild, Integrals
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System
from pyscf import scf
from pyscf_systems import water
from toy_engine import ToyEngine, make_chain


def toy_case(n_spin: int, hybrid: float, local: float) -> EngineCase:
    _, engine = make_chain(6, n_spin, hybrid, local)
    return engine_case(engine, engine.reference)


class TestToyEngine(EngineContract):
    """Of examples/toy_engine.py, the smallest engine that there is."""

    @pytest.fixture(
        params=[(1, 0.25, 0.3), (2, 0.25, 0.3), (1, 0.0, 0.3), (2, 1.0, 0.0)],
        ids=["hybrid", "open shell", "pure functional", "Hartree-Fock"],
    )
    def case(self, request: pytest.FixtureRequest) -> EngineCase:
        return toy_case(*request.param)


class PlainHartreeFock:
    """PySCF's own J and K of a molecule, closed shell or open."""

    exact_exchange = linear = True

    def __init__(self, system: System) -> None:
        mol = self.mol = molecule(system)
        core = scf.hf.get_hcore(mol)
        n = mol.nao
        self.integrals = Integrals(
            mol.intor("int1e_ovlp"),
            core,
            mol.intor("int1e_r"),
            mol.intor("int1e_rr").reshape(3, 3, n, n),
            np.zeros(3),
            float(mol.energy_nuc()),
            np.ones(n),
            mol.intor("int1e_cg_irxp"),
        )

    def fock(self, density: np.ndarray) -> FockBuild:
        real = density.real.sum(axis=0)
        response = self.response(density)
        J = self.coulomb(real)
        core = float(np.vdot(self.integrals.core, real))
        exchange = 0.5 * float(np.vdot(density, response - J).real)
        energies = Energies(core, 0.5 * float(np.vdot(J, real)), exchange)
        return FockBuild(self.integrals.core + response, energies)

    def response(self, change: np.ndarray) -> np.ndarray:
        share = 0.5 if len(change) == 1 else 1.0
        K = np.array([scf.hf.get_jk(self.mol, one, hermi=0)[1] for one in change])
        return self.coulomb(change.real.sum(axis=0)) - share * K

    def mean_field_response(self, change: np.ndarray) -> np.ndarray:
        return self.response(change)

    def coulomb(self, change: np.ndarray) -> np.ndarray:
        return np.asarray(scf.hf.get_jk(self.mol, change, hermi=1)[0])


class TestHartreeFock(EngineContract, HartreeFockContract):
    """A second engine for molecules, whose numbers come from PySCF by another way."""

    @pytest.fixture(params=[False, True], ids=["water", "its cation"])
    def molecule(self, request: pytest.FixtureRequest) -> System:
        return water("HF", cation=request.param)

    @pytest.fixture
    def case(self, molecule: System) -> EngineCase:
        engine = self.make(molecule)
        run = (scf.UHF if molecule.open_shell else scf.RHF)(engine.mol).run(conv_tol=1e-12)
        return engine_case(
            engine, np.reshape(run.make_rdm1(), (molecule.n_spin, *engine.mol.intor("int1e_ovlp").shape))
        )

    def make(self, system: System) -> PlainHartreeFock:
        return PlainHartreeFock(system)


class Wrong:
    """An engine with one method changed."""

    def __init__(self, engine: Engine, name: str, method: Callable[..., object]) -> None:
        self._engine, self._name, self._method = engine, name, method

    def __getattr__(self, name: str) -> object:
        return self._method if name == self._name else getattr(self._engine, name)


def with_energies(
    engine: ToyEngine, change: Callable[[Energies], Energies]
) -> Callable[[np.ndarray], FockBuild]:
    def fock(density: np.ndarray) -> FockBuild:
        build = engine.fock(density)
        return FockBuild(build.fock, change(build.energies))

    return fock


TOY = toy_case(1, 0.25, 0.3)
ENGINE = TOY.engine
assert isinstance(ENGINE, ToyEngine)
BROKEN: dict[str, tuple[str, Callable[..., object]]] = {
    "test_fock_matrices_are_hermitian": (
        "fock",
        lambda density: FockBuild(ENGINE.fock(density).fock + 1e-6j, ENGINE.fock(density).energies),
    ),
    "test_parts_of_the_energy": (
        "fock",
        with_energies(ENGINE, lambda e: replace(e, core=e.core + 1e-3, coulomb=e.coulomb - 1e-3)),
    ),
    "test_fock_matrix_is_the_derivative_of_the_energy": (
        "fock",
        with_energies(ENGINE, lambda e: replace(e, exchange_correlation=1.001 * e.exchange_correlation)),
    ),
    "test_response_is_the_derivative_of_the_fock_matrix": (
        "response",
        lambda change: 1.001 * ENGINE.response(change),
    ),
    "test_responses_are_linear_and_hermitian": (
        "response",
        lambda change: ENGINE.response(change) + 1e-3 * np.abs(change),
    ),
    "test_mean_field_response_is_coulomb_and_exact_exchange": (
        "mean_field_response",
        lambda change: ENGINE.mean_field_response(change.real),
    ),
    "test_the_rest_of_the_response_is_local": (
        "mean_field_response",
        lambda change: ENGINE.response(change),
    ),
}


@pytest.mark.parametrize("test", BROKEN)
def test_a_broken_engine_is_found(test: str) -> None:
    case = replace(TOY, engine=Wrong(ENGINE, *BROKEN[test]))
    with pytest.raises(AssertionError):
        getattr(EngineContract(), test)(case)


def test_an_engine_that_says_that_it_is_linear_and_is_not_is_found() -> None:
    class Linear(ToyEngine):
        linear = True  # type: ignore[override]

    engine = Linear(*(getattr(ENGINE, name) for name in ENGINE.__dataclass_fields__))
    with pytest.raises(AssertionError):
        EngineContract().test_a_linear_engine_is_linear_anywhere(replace(TOY, engine=engine))
