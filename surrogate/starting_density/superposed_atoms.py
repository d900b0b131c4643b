"""Densities from this package's own atoms, put side by side at the nuclei.

    potential   (T + Σ_A V_A) C = S C ε
    density     the same with v_xc[Σ_A n_A] in place of Σ_A v_xc[n_A]: the Fock matrix of the sum of densities

V_A is the effective potential of the neutral atom, its nucleus included (Lehtola, J. Chem. Theory Comput.
15, 1593 (2019)); the second is one step of Harris, Phys. Rev. B 31, 1770 (1985). Neither needs an integral
over two electrons: V is local and is integrated on a small grid. LDA atoms, whatever the functional.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from pyscf import dft

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from .predictor import NotApplicable
from .purification import density_of_fock

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

#: PySCF's level of the grid that V is integrated on.
_GRID_LEVEL = 0
#: Radii of the atoms' tables, bohr: logarithmic, as close to the nucleus as a grid point comes.
_RADII = np.geomspace(1e-7, 40.0, 500)


@dataclass(frozen=True)
class SuperposedAtoms:
    """Predicts the density of neutral atoms side by side; what: superposed densities or potentials."""

    what: Literal["density", "potential"]

    @property
    def name(self) -> str:
        """`atomic-density` or `atomic-potential`."""
        return f"atomic-{self.what}"

    def predict(self, system: System) -> np.ndarray:
        """Idempotent density (n_spin, n, n). Raises NotApplicable where there is an ECP."""
        if system.ecp:
            raise NotApplicable(f"{self.name}: knows atoms with all their electrons only, no ECP")
        mol = molecule(system)
        grids = dft.gen_grid.Grids(mol)
        grids.level = _GRID_LEVEL
        grids.build()
        V = self._potential(system, np.asarray(grids.coords))
        ao = dft.numint.eval_ao(mol, grids.coords)
        fock = mol.intor("int1e_kin") + ao.T @ (ao * (V * grids.weights)[:, None])
        occupied = mol.nelec[: system.n_spin]
        return density_of_fock(np.array([fock] * system.n_spin), mol.intor("int1e_ovlp"), occupied)

    def _potential(self, system: System, points: np.ndarray) -> np.ndarray:
        """V (n_points,) in Hartree."""
        total, density, own = (np.zeros(len(points)) for _ in range(3))
        geometry = system.geometry
        for z, centre in zip(geometry.atomic_numbers.tolist(), geometry.positions, strict=True):
            if z == 0:
                continue
            r = np.clip(np.linalg.norm(points - centre, axis=1), _RADII[0], _RADII[-1])
            n, rV, v_xc = _splines(z)(np.log(r)).T
            total += rV / r
            density += n
            own += v_xc
        if self.what == "density":
            from ...atomic.solver.functionals import exchange_correlation

            total += exchange_correlation(np.maximum(density, 0.0)[None])[2][0] - own
        return total


@lru_cache(maxsize=120)
def _splines(z: int) -> CubicSpline:
    """n, r V and v_xc[n] of an atom over ln r."""
    # Every run imports this module, and few solve atoms.
    from scipy.interpolate import CubicSpline

    from ...atomic.solver.functionals import exchange_correlation
    from ...atomic.starting_density import radial_table

    density, potential = radial_table(z, _RADII)
    v_xc = exchange_correlation(density)[2][0]
    return CubicSpline(np.log(_RADII), np.stack([density[0], _RADII * potential[0], v_xc], axis=1))
