"""What a change of the density is made of: occupied-empty transitions, and the atoms left and reached."""

from dataclasses import dataclass

import numpy as np

from .response import StoredResponse

#: Transitions of less weight are not listed.
LEAST_WEIGHT = 0.01


@dataclass(frozen=True)
class Transition:
    """A part of a line, or of what moves in a window of time.

    spin: 0 alpha or both, 1 beta.
    occupied, empty: numbers of the orbitals, from 1, in order of energy.
    weight: share of the whole; all weights sum to 1, and some of a line's may be negative.
    """

    spin: int
    occupied: int
    empty: int
    weight: float


@dataclass(frozen=True)
class AtomShare:
    """What is taken from an atom and brought to it.

    atom: number, from 1, in the order of the geometry.
    leaves: share of the whole that comes from occupied orbitals there.
    arrives: share that goes to empty orbitals there; over all atoms both sum to 1.
    """

    atom: int
    leaves: float
    arrives: float


def parts_of(
    weights: np.ndarray, response: StoredResponse
) -> tuple[tuple[Transition, ...], tuple[AtomShare, ...]]:
    """Of weights (d,) of the response's pairs that sum to 1: the largest transition first, atoms in order."""
    order = np.argsort(-np.abs(weights))
    transitions = tuple(
        Transition(int(spin), int(occupied) + 1, int(empty) + 1, float(weights[row]))
        for row in order[: int((np.abs(weights) > LEAST_WEIGHT).sum())]
        for spin, occupied, empty in (response.pairs[row],)
    )
    spin, occupied, empty = response.pairs.T
    leaves, arrives = weights @ response.shares[spin, occupied], weights @ response.shares[spin, empty]
    atoms = enumerate(zip(leaves.tolist(), arrives.tolist(), strict=True), start=1)
    return transitions, tuple(AtomShare(atom, *shares) for atom, shares in atoms)
