"""What a trajectory file keeps of the density for its lines: the block between empty and occupied orbitals.

To first order all that a density changes lies there, so these few numbers tell what a line is made of.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from ...surrogate.kernel.pair_kernel import moved_blocks
from ...surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from ...surrogate.on_the_fly.response import base_irreps
from ..loop.problem import Problem, active_dipoles
from ..loop.regime import begins_weak
from ..loop.segment import Segment
from ..spectra.spectrum import HIGHEST
from .block import points_of

#: The block is kept at every point where it fits this many bytes, and at fewer points or not at all
#: otherwise.
MOST_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class ResponseRows:
    """pairs: all of the block; kept: numbers of those with a column; every: one point in so many is kept."""

    pairs: OccupiedEmpty
    kept: np.ndarray
    every: int

    @property
    def orbitals(self) -> np.ndarray:
        """(d, 3) int: spin, occupied and empty orbital of each pair, from 0, in the working basis."""
        m = self.pairs.shape[-1]
        spin, rest = np.divmod(self.pairs.index, m * m)
        empty, occupied = np.divmod(rest, m)
        return np.stack([spin, occupied, empty], axis=1).astype(np.int32)

    @cached_property
    def _own(self) -> OccupiedEmpty:
        """Pairs with a column."""
        return self.pairs.some(self.kept)

    def arrays(self, problem: Problem) -> dict[str, np.ndarray]:
        """What a trajectory file keeps once, by name."""
        return {
            "pairs": self.orbitals,
            "pair_dipoles": self._dipoles(problem),
            "pairs_kept": self.kept.astype(np.int32),
        }

    def _dipoles(self, problem: Problem) -> np.ndarray:
        """(d, 3) ⟨i|r|a⟩ of each pair, bohr."""
        spin, occupied, empty = self.orbitals.T
        n_spin = problem.system.n_spin
        matrices = [
            problem.basis.fock_in(np.broadcast_to(axis, (n_spin, *axis.shape)))
            for axis in problem.engine.integrals.dipole
        ]
        return np.stack([np.real(matrix[spin, occupied, empty]) for matrix in matrices], axis=1)

    def rows(self, segment: Segment) -> dict[str, np.ndarray]:
        """Rows of the file for a segment's points; empty where none of them is kept."""
        points = points_of(segment)
        kept = np.flatnonzero((points - 1) % self.every == 0)
        if not kept.size:
            return {}
        formed = segment.formed
        own = self._own
        block = own.block(segment.held[kept]) if formed is None else formed.block(own, kept)
        return {
            "response_real": np.real(block).astype(np.float32),
            "response_imag": np.imag(block).astype(np.float32),
            "response_step": (points[kept] - 1).astype(np.int32),
        }


def response_rows(problem: Problem, ground: Mapping[str, np.ndarray] | None = None) -> ResponseRows | None:
    """What fits; None for a state whose orbitals are not all full or empty, or for too large a block.

    ground: of the trajectory file that is gone on from, whose columns stay what they are.
    """
    try:
        pairs = occupied_empty(problem.ground_density, problem.basis.energies)
    except ValueError:
        return None
    if not pairs.n_pairs:
        return None
    kept = _moved(problem, pairs)
    if ground is not None:
        kept = np.asarray(ground.get("pairs_kept", np.arange(pairs.n_pairs)))
    whole = 8 * len(kept) * problem.n_steps
    every = max(math.ceil(whole / MOST_BYTES), 1)
    # Twice the highest line shown must stay below Nyquist's frequency: see `spectra.band`.
    most = math.pi / (2.0 * HIGHEST / EV_PER_HARTREE * problem.real_time.dt)
    return ResponseRows(pairs, kept, every) if every <= most else None


def _moved(problem: Problem, pairs: OccupiedEmpty) -> np.ndarray:
    """Numbers of the pairs that move: in weak motion those of the irreps that fields move."""
    if not begins_weak(problem):
        return np.arange(pairs.n_pairs)
    pushes = np.array([np.real(pairs.block(coupling.matrix)) for coupling in problem.couplings])
    dipoles = np.array([np.real(pairs.block(matrix)) for matrix in active_dipoles(problem)])
    irreps = base_irreps(problem.basis, problem.ground_density)
    return np.sort(np.concatenate(moved_blocks(pairs, irreps, pushes.reshape(-1, pairs.n_pairs), dipoles)))
