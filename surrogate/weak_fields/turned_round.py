"""The operation of a molecule that turns weak motion round, where it has one.

Odd under it is what a field moves to first order; what that drives to second order is even. So F of the
motion turned round is the image of F, and need not be built: F'_pq s_p s_q, s the orbitals' signs.
"""

from collections.abc import Iterable

import numpy as np

from ..matrices.occupied_empty import OccupiedEmpty

#: F'0 may connect irreps by so much, Hartree: rounding. Of more, first order might be taken for second.
EXACT = 2e-8
#: Operations of D2h, as numbers: an irrep is odd where it shares an odd number of bits with one.
_OPERATIONS = range(1, 8)


def turning_signs(irreps: np.ndarray, moved: Iterable[int], fock: np.ndarray) -> np.ndarray | None:
    """The signs of orbitals (n_spin, m) under an operation that turns the motion of some irreps round.

    irreps: of the orbitals, (n_spin, m), numbered as in `adapters/pyscf/point_symmetry`. moved: of pairs, all
    that fields move. fock: F'0 (n_spin, m, m). None where no operation does, or F'0 is not symmetric.
    """
    apart = irreps[:, :, None] != irreps[:, None, :]
    if np.abs(fock[apart]).max(initial=0.0) > EXACT:
        return None
    wanted = list(moved)
    for operation in _OPERATIONS:
        if wanted and all(_is_odd(irrep & operation) for irrep in wanted):
            return np.where(_is_odd(irreps & operation), -1.0, 1.0)
    return None


def turned(signs: np.ndarray, pairs: OccupiedEmpty) -> np.ndarray:
    """Signs (d,) of the pairs, of those of the orbitals (n_spin, m)."""
    return pairs.block(signs[:, :, None] * signs[:, None, :])


def _is_odd(bits: np.ndarray | int) -> np.ndarray:
    return np.bitwise_count(np.asarray(bits)) % 2 == 1
