"""Small systems and densities that the engine's tests share."""

from dataclasses import replace
from functools import cache

import numpy as np
from hybrid_propagate.adapters.orbitals import Orbitals
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.system import Functional, Geometry, System
from pyscf import dft, gto
from pyscf.data.elements import charge

GIB = 2.0**30
WATER = (("O", "H", "H"), ((0.0, 0.0, 0.22), (0.0, 1.43, -0.89), (0.1, -1.43, -0.88)))
#: Named functionals as PySCF writes them.
FUNCTIONALS = {
    "HF": "HF",
    "LDA": "LDA, VWN",
    "PBE": "PBE, PBE",
    "PBE0": "PBE0",
    "TPSS": "TPSS, TPSS",
    "CAM-B3LYP": "CAMB3LYP",
}


def water(
    xc: str = "HF",
    basis: str = "sto-3g",
    *,
    cation: bool = False,
    grid: str = "medium",
    spherical: bool = False,
) -> System:
    """A bent, slightly distorted water molecule, or its radical cation."""
    tags, positions = WATER
    neutral = small_system(tags, np.array(positions), basis, Functional(xc, FUNCTIONALS.get(xc, xc)))
    state = {"charge": int(cation), "multiplicity": 1 + cation, "open_shell": cation}
    return replace(neutral, spherical=spherical, grid=grid, **state)


def small_system(tags: tuple[str, ...], positions: np.ndarray, basis: str, functional: Functional) -> System:
    """A neutral closed shell at positions (n_atoms, 3) in bohr; basis: PySCF's name of a set."""
    numbers = np.array([charge(tag) for tag in tags])
    geometry = Geometry("small", tags, numbers, numbers.astype(float), positions)
    return System(
        geometry=geometry,
        geometries=(geometry,),
        basis={tag: gto.basis.load(basis, tag) for tag in set(tags)},
        spherical=True,
        ecp={},
        fitting_basis=None,
        charge=0,
        multiplicity=1,
        open_shell=False,
        functional=functional,
        grid="medium",
    )


@cache
def solved(xc: str, cation: bool = False) -> tuple[PySCFEngine, Orbitals]:
    """Engine and ground state of water or its cation, STO-3G."""
    return solve_ground_state(make_engine(water(xc, cation=cation), GIB), None, 50)


def excited_density(engine: PySCFEngine, orbitals: Orbitals, angle: float) -> np.ndarray:
    """The ground state's density turned by a random exp(i angle A): complex, idempotent, (n_spin, n, n)."""
    rng = np.random.default_rng(3)
    n_spin, _, m = orbitals.coefficients.shape
    A = rng.standard_normal((n_spin, m, m)) + 1j * rng.standard_normal((n_spin, m, m))
    values, vectors = np.linalg.eigh(A + A.conj().swapaxes(1, 2))
    turn = (vectors * np.exp(1j * angle * values)[:, None, :]) @ vectors.conj().swapaxes(1, 2)
    C = orbitals.coefficients @ turn
    return (C * orbitals.occupations[:, None, :]) @ C.conj().swapaxes(1, 2)


def pyscf_mean_field(engine: PySCFEngine):
    """PySCF's own RKS or UKS of the engine's system, on its grid without any point left out."""
    make = dft.UKS if engine.system.open_shell else dft.RKS
    mean_field = make(engine.mol, xc=engine.system.functional.pyscf)
    mean_field.grids.level = {"medium": 3, "coarse": 1}[engine.system.grid]
    return mean_field


def pyscf_fock(engine: PySCFEngine, density: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """F (n_spin, n, n) of a complex density by PySCF's get_jk and nr_rks/nr_uks, and its energies by name."""
    mean_field = pyscf_mean_field(engine)
    mean_field.grids.build()
    xc, mol = engine.system.functional.pyscf, engine.mol
    omega, alpha, hybrid = mean_field._numint.rsh_and_hybrid_coeff(xc, mol.spin)
    core = mean_field.get_hcore()
    J, K = dft.rks.RKS(mol).get_jk(mol, density, hermi=0)
    # What Fock matrices of a real operator see of a Hermitian density.
    J = np.asarray(J).real.sum(axis=0)
    K = hybrid * np.asarray(K)
    if omega:
        K = K + (alpha - hybrid) * np.asarray(mean_field.get_k(mol, density, hermi=0, omega=omega))
    share = 0.5 if len(density) == 1 else 1.0
    real = density.real
    exc, V = 0.0, np.zeros(density.shape)
    if mean_field._numint._xc_type(xc) != "HF":
        integrate = mean_field._numint.nr_uks if len(density) == 2 else mean_field._numint.nr_rks
        _, exc, V = integrate(mol, mean_field.grids, xc, real if len(real) == 2 else real[0])
    total = real.sum(axis=0)
    energies = {
        "core": float(np.vdot(core, total)),
        "coulomb": 0.5 * float(np.vdot(J, total)),
        "exchange_correlation": float(exc) - 0.5 * share * float(np.vdot(density, K).real),
    }
    return core + J - share * K + np.asarray(V).reshape(density.shape), energies
