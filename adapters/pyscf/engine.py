"""The embedded reference code: integrals and functionals by PySCF, Fock matrices assembled for propagation.

    F_σ = h + J[Re P] - a K[P_σ] - b K_lr[P_σ] + V_xc,σ[Re P]

with ½ (a K + b K_lr)[P] of the total P for a closed shell.
"""

from dataclasses import dataclass, replace

import numpy as np
from pyscf import dft, gto

from ..engine import Energies, FockBuild, Integrals
from ..system import System
from ..system.masses import MASSES
from ..system.system import cartesian_scale
from .molecule import molecule
from .quadrature import (
    GRID_LEVEL,
    ExpansionPoint,
    Quadrature,
    apply_kernel,
    exchange_correlation,
    make_expansion_point,
    make_kernel,
    make_quadrature,
    quadrature_on,
)
from .two_electron import ExchangeOperator, TwoElectron, coulomb, coulomb_and_exchange, make_two_electron

#: Share of the memory allowed that two-electron integrals may take.
INTEGRALS_SHARE = 7 / 8


@dataclass(frozen=True, eq=False)
class PySCFEngine:
    """One system's reference code.

    quadrature: None for Hartree-Fock. expansion_point, kernel: about which changes are computed.
    shift: a constant (n_spin, n, n) on top of every Fock matrix; no energy belongs to it.
    """

    system: System
    mol: gto.Mole
    integrals: Integrals
    two_electron: TwoElectron
    quadrature: Quadrature | None
    expansion_point: ExpansionPoint | None
    kernel: np.ndarray | None
    shift: np.ndarray | None = None

    @property
    def exact_exchange(self) -> bool:
        """Whether the Fock matrix responds to the imaginary part of the density."""
        return self.two_electron.operator.present

    @property
    def linear(self) -> bool:
        """Whether the Fock matrix is linear in the density (Hartree-Fock)."""
        return self.quadrature is None

    def fock(self, density: np.ndarray) -> FockBuild:
        """Fock matrix and energies of a complex Hermitian density, (n_spin, n, n)."""
        real = np.ascontiguousarray(np.real(density))
        total = real.sum(axis=0)
        J, exchange_part = self._coulomb_and_exchange(density)
        fock = self.integrals.core + J + exchange_part
        # E_x = ½ Σ_σ Tr P_σ F_x,σ; the closed shell's ½ is in F_x already.
        exchange_correlation_energy = 0.5 * float(np.vdot(density, exchange_part).real)
        if self.quadrature is not None and self.expansion_point is not None:
            energy, potential = exchange_correlation(self.quadrature, self.expansion_point, real)
            exchange_correlation_energy += energy
            fock += potential
        if self.shift is not None:
            fock += self.shift
        energies = Energies(
            core=float(np.vdot(self.integrals.core, total)),
            coulomb=0.5 * float(np.vdot(J, total)),
            exchange_correlation=exchange_correlation_energy,
        )
        return FockBuild(fock, energies)

    def response(self, change: np.ndarray) -> np.ndarray:
        """First-order change of the Fock matrix at the expansion point, (n_spin, n, n) Hermitian."""
        image = self.mean_field_response(change)
        if self.quadrature is not None and self.kernel is not None:
            image += apply_kernel(self.quadrature, self.kernel, np.ascontiguousarray(np.real(change)))
        return image

    def mean_field_response(self, change: np.ndarray) -> np.ndarray:
        """J[Re δP] and exact exchange of δP: linear, and needs no quadrature."""
        J, exchange_part = self._coulomb_and_exchange(change)
        return J + exchange_part

    def coulomb(self, change: np.ndarray) -> np.ndarray:
        """J (n, n) of a real symmetric total density."""
        return coulomb(self.two_electron, change)

    def _coulomb_and_exchange(self, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J (n, n) of the total Re P, and what exact exchange adds to F, (n_spin, n, n)."""
        J, K = coulomb_and_exchange(self.two_electron, density)
        return J, (-0.5 if len(density) == 1 else -1.0) * K


def make_engine(
    system: System, memory: float, points: tuple[np.ndarray, np.ndarray] | None = None
) -> PySCFEngine:
    """Integrals and grid for a system; `memory` in bytes bounds what is kept of both.

    points: coordinates (n_grid, 3) in bohr and weights of another code's grid, instead of PySCF's.
    The quadrature has no expansion point yet: `expanded_about` gives it one.
    """
    mol = molecule(system)
    spin = system.multiplicity - 1
    xc = system.functional.pyscf
    omega, alpha, hybrid = dft.numint.NumInt().rsh_and_hybrid_coeff(xc, spin)
    # PySCF gives the full-range share at short range and α at long range.
    operator = ExchangeOperator(omega, hybrid, alpha - hybrid if omega else 0.0)
    fitting = None
    if system.fitting_basis is not None:
        fitting = molecule(replace(system, basis=system.fitting_basis, ecp={}))._basis
    # Integrals first: to compute them at every build costs far more than values on the grid do.
    two_electron = make_two_electron(mol, operator, fitting, INTEGRALS_SHARE * memory)
    left = (memory - two_electron.n_bytes) / 2
    quadrature = None
    if dft.numint.NumInt()._xc_type(xc) != "HF":
        if points is None:
            quadrature = make_quadrature(mol, xc, GRID_LEVEL[system.grid], left)
        else:
            quadrature = quadrature_on(mol, xc, *points, left)
    return PySCFEngine(
        system=system,
        mol=mol,
        integrals=one_electron(mol, system.geometry.atomic_numbers),
        two_electron=two_electron,
        quadrature=quadrature,
        expansion_point=None,
        kernel=None,
    )


def expanded_about(engine: PySCFEngine, density: np.ndarray, *, kernel: bool) -> PySCFEngine:
    """The engine with changes counted from a real `density` (n_spin, n, n).

    kernel: with f_xc, which `response` needs.
    """
    if engine.quadrature is None:
        return engine
    expansion_point = make_expansion_point(engine.quadrature, density)
    return replace(
        engine,
        expansion_point=expansion_point,
        kernel=make_kernel(engine.quadrature, expansion_point) if kernel else None,
    )


def one_electron(mol: gto.Mole, atomic_numbers: np.ndarray) -> Integrals:
    """One-electron matrices of a molecule whose nuclei are these elements; 0 for a ghost."""
    masses = np.array(MASSES)[np.minimum(atomic_numbers, len(MASSES) - 1)]
    centre = masses @ mol.atom_coords() / masses.sum() if masses.sum() else np.zeros(3)
    with mol.with_common_orig(centre):
        quadrupole = mol.intor("int1e_rr").reshape(3, 3, mol.nao, mol.nao)
    with mol.with_common_orig(np.zeros(3)):
        dipole = mol.intor("int1e_r")
        # i r × p with p = -i ∇.
        angular = mol.intor("int1e_cg_irxp")
    core = mol.intor("int1e_kin") + mol.intor("int1e_nuc")
    if mol.has_ecp():
        core += mol.intor("ECPscalar")
    overlap, repulsion = mol.intor("int1e_ovlp"), float(mol.energy_nuc())
    return Integrals(overlap, core, dipole, quadrupole, centre, repulsion, _scale(mol), angular)


def _scale(mol: gto.Mole) -> np.ndarray:
    """`Integrals.scale`, (n,)."""
    ends = mol.ao_loc_nr()
    lengths = [cartesian_scale(mol.bas_angular(shell)) if mol.cart else 1.0 for shell in range(mol.nbas)]
    return np.repeat(lengths, np.diff(ends))
