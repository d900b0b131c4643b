"""What an earlier weak run learned of the response between empty and occupied orbitals, for a kernel.

Such a run keeps corrections to its own kernel. They hardly depend on geometry (`on_the_fly/earlier_run`), and
are added to the kernel of a new one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ...adapters.working_basis import WorkingBasis
from ..kernel.pair_kernel import PairBlock, pairs_by_irrep
from ..matrices.lowdin import overlap_root
from ..matrices.occupied_empty import OccupiedEmpty, occupied_empty
from ..matrices.packing import make_packing, unpack
from ..on_the_fly.earlier_run import Correction, EarlierRun, turned
from ..on_the_fly.learned_map import LearnedMap
from ..on_the_fly.response import base_irreps
from .pair_response import NEARLY_DIAGONAL

#: A direction of which less lies in a block says nothing of it.
_SHARE = 0.1


def pair_correction_of(run: EarlierRun, system: System) -> Correction:
    """Directions that the run has measured while its motion was weak, turned to lie as `system` does."""
    density = run.basis.density_in(run.density).astype(complex)
    shape = (0, *density.shape)
    directions, corrections = [np.zeros(shape)], [np.zeros(shape)]
    if "pairs0_inputs" in run.learned:
        pairs = occupied_empty(density, run.basis.energies, NEARLY_DIAGONAL)
        for k, index in enumerate(pairs_by_irrep(pairs, base_irreps(run.basis, density))):
            for found, name in ((directions, "inputs"), (corrections, "corrections")):
                rows = run.learned[f"pairs{k}_{name}"]
                whole = np.zeros((len(rows), pairs.n_pairs), complex)
                whole[:, index] = rows
                found.append(np.real(pairs.matrix(whole)))
    then = replace(system, geometry=replace(system.geometry, positions=run.positions))
    return turned(run, molecule(then), system, np.concatenate(directions), np.concatenate(corrections))


def carried_blocks(
    correction: Correction,
    blocks: Sequence[PairBlock],
    pairs: OccupiedEmpty,
    overlap: np.ndarray,
    basis: WorkingBasis,
) -> tuple[PairBlock, ...]:
    """The kernel with the correction. overlap, basis: S and working basis of this run's geometry."""
    if not len(correction.directions):
        return tuple(blocks)
    turn = (overlap_root(overlap) @ basis.coefficients).transpose(0, 2, 1) @ correction.orbitals
    packing = make_packing(np.zeros(correction.orbitals.shape[::2], int))
    nothing = np.zeros(packing.n_imag)

    def here(packed: np.ndarray) -> np.ndarray:
        matrices = [turn @ unpack(packing, row, nothing) @ turn.transpose(0, 2, 1) for row in packed]
        return np.real(pairs.block(np.array(matrices)))

    directions, corrections = here(correction.directions), here(correction.images)
    found = []
    for block in blocks:
        known = LearnedMap(block.real)
        for x, lacking in zip(directions[:, block.index], corrections[:, block.index], strict=True):
            if np.linalg.norm(x) > _SHARE:
                known.add(x, x @ block.real + lacking)
        known.fit()
        found.append(replace(block, real=known.matrix))
    return tuple(found)
