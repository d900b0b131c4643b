"""Matrices of local potentials on points that are given: V_μν = Σ_g w V(r_g) φ_μ(r_g) φ_ν(r_g)."""

import numpy as np
from pyscf import gto

from ..system import SpatialCap, System


def absorbing_matrix(mol: gto.Mole, system: System, cap: SpatialCap) -> np.ndarray:
    """Γ of a `spatialcap`, (n, n) Hartree, real and symmetric."""
    matrix = np.zeros((mol.nao, mol.nao))
    for k in range(cap.counts[2]):
        points = cap.layer(k)
        values = cap.potential(system.geometry, points)
        inside = values > 0.0
        aos = mol.eval_gto("GTOval", points[inside])
        matrix += aos.T @ (values[inside, None] * aos)
    return matrix * float(np.prod(cap.spacings))
