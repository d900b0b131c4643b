"""The same spherical atom in a Gaussian basis, by PySCF: an independent check of the radial solver.

The density is kept spherical: each shell's electrons are spread evenly over its 2l + 1 orbitals, for each
spin, and the Fock matrix is diagonalised for each l by itself. Basis: even-tempered, uncontracted s, p, d, so
its error is about a millihartree and falls as the ratio of exponents does.
"""
# ruff: noqa: E741 (l is the angular momentum)

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..solver.configuration import Configuration
from ..solver.elements import SYMBOLS
from ..solver.errors import ConvergenceError, InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def gaussian_energy(z: int, configuration: Configuration, tolerance: float = 1e-8) -> float:
    """Total LSDA energy (Slater exchange, VWN correlation), Hartree.

    Raises InputError for shells beyond d, ConvergenceError when the cycle fails.
    """
    if any(s.l > 2 for s in configuration.shells):
        raise InputError("the Gaussian basis holds s, p and d shells only")
    from pyscf.lib.diis import DIIS

    field, core, overlap, blocks = _element(z)
    fock = np.stack([core, core])
    # The bare nucleus binds too tightly for most shells; damping the first cycles costs less than a better
    # start.
    mixer = DIIS()
    mixer.space = 10
    old = np.inf
    for cycle in range(100):
        densities = _densities(fock, overlap, blocks, configuration)
        field.max_cycle = 0
        potential = field.get_veff(field.mol, densities)
        fock = core + np.asarray(potential)
        electronic = float(np.einsum("sij,ji->", densities, core)) + float(potential.ecoul + potential.exc)
        if abs(electronic - old) < tolerance and cycle > 3:
            return electronic
        old = electronic
        fock = mixer.update(fock)
    raise ConvergenceError(f"PySCF: no self-consistency for {SYMBOLS[z - 1]} {configuration}")


@lru_cache(maxsize=4)
def _element(z: int) -> tuple[Any, Array, Array, dict[int, Indices]]:
    """Unrestricted Kohn-Sham object, core Hamiltonian, overlap, and AO indices (2l+1, n_l) for each l."""
    from pyscf import dft, gto

    limits = {0: (3e-3, 2e3 * z**2), 1: (3e-3, 50.0 * z**1.5), 2: (5e-3, 30.0 * z)}
    shells = [
        [l, [float(a), 1.0]]
        for l, (low, high) in limits.items()
        for a in np.geomspace(low, high, int(np.ceil(np.log(high / low) / np.log(2.6))) + 1)
    ]
    symbol = SYMBOLS[z - 1]
    molecule = gto.M(atom=[[symbol, (0, 0, 0)]], basis={symbol: shells}, spin=None, verbose=0)
    field: Any = dft.UKS(molecule)
    field.xc = "slater,vwn"
    # Spherical densities, products of d functions up to l = 4: 50 directions integrate them exactly.
    field.grids.atom_grid = {symbol: (150, 50)}
    field.grids.prune = None
    offsets = molecule.ao_loc_nr()
    blocks: dict[int, list[Indices]] = {l: [] for l in limits}
    for i in range(molecule.nbas):
        blocks[int(molecule.bas_angular(i))].append(np.arange(offsets[i], offsets[i + 1]))
    return field, field.get_hcore(), field.get_ovlp(), {l: np.array(b).T for l, b in blocks.items()}


def _densities(
    fock: Array, overlap: Array, blocks: dict[int, Indices], configuration: Configuration
) -> Array:
    from scipy.linalg import eigh

    densities = np.zeros_like(fock)
    for l, index in blocks.items():
        shells = [s for s in configuration.shells if s.l == l]
        if not shells:
            continue
        block_overlap = overlap[np.ix_(index[0], index[0])]
        for spin in range(2):
            radial = np.mean([fock[spin][np.ix_(i, i)] for i in index], axis=0)
            vectors = eigh(radial, block_overlap)[1]
            filling = np.zeros(vectors.shape[1])
            for shell in shells:
                filling[shell.n - l - 1] = shell.spin_occupations[spin] / (2 * l + 1)
            block = (vectors * filling) @ vectors.T
            for i in index:
                densities[spin][np.ix_(i, i)] = block
    return densities
