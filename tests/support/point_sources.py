"""Sources of learned points that tests share."""

from dataclasses import replace
from functools import cache

import numpy as np
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, one_electron
from hybrid_propagate.adapters.pyscf.quadrature import Quadrature, make_quadrature
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.surrogate.contract import GroundProblem
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import NonlinearResponse, PointSource
from pyscf import dft, gto
from pyscf_systems import solved

#: |δP| from which on they are wanted.
WANTED_FROM = 0.02


@cache
def ground_of(xc: str, cation: bool = False) -> tuple[PySCFEngine, WorkingBasis, np.ndarray]:
    """Engine about water's ground state in STO-3G, working basis, P0 (AO basis)."""
    engine, orbitals = solved(xc, cation)
    density = np.real(orbitals.density())
    engine = expanded_about(engine, density, kernel=True)
    fock = engine.fock(density.astype(complex)).fock
    return engine, make_working_basis(engine.integrals, np.real(fock)), density


@cache
def source(xc: str, cation: bool = False) -> PointSource:
    """Points for an error of one per cent."""
    engine, basis, density = ground_of(xc, cation)
    assert engine.quadrature is not None
    ground = basis.density_in(density).astype(complex)
    return PointSource(engine.quadrature, basis, density, ground, 1e-2, 1e-3, WANTED_FROM)


@cache
def learned(xc: str, cation: bool = False) -> NonlinearResponse:
    """The nonlinear part on them."""
    found = source(xc, cation).make()
    assert found is not None
    return found


@cache
def lithium_hydride() -> tuple[Quadrature, WorkingBasis, np.ndarray]:
    """Quadrature, working basis and P0, PBE0/6-31G."""
    mol = gto.M(atom="Li 0 0 0; H 0 0 1.5949", basis="6-31g", verbose=0)
    mean_field = dft.RKS(mol, xc="pbe0").run(conv_tol=1e-9)
    density, fock = (np.asarray(matrix)[None] for matrix in (mean_field.make_rdm1(), mean_field.get_fock()))
    basis = make_working_basis(one_electron(mol, mol.atom_charges()), fock)
    return make_quadrature(mol, "pbe0", 3, np.inf), basis, density


def whole_source(problem: GroundProblem) -> PointSource:
    """With points that are learned once, their first order in them."""
    engine, basis, ground = problem.engine, problem.basis, problem.ground_density
    assert isinstance(engine, PySCFEngine)
    assert engine.quadrature is not None
    density = np.real(basis.density_out(ground))
    source = PointSource(engine.quadrature, basis, density, ground, 0.02, 0.02, 0.0, whole=True)
    found = source.make()
    assert found is not None
    return replace(source, carried=found.points())
