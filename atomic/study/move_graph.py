"""The discrete dynamics: configurations as nodes, one-electron moves as edges, steepest descent of the
energy.

A node is a set of occupations of the spin shells (n, l, σ). Two nodes are joined when one electron, moved or
turned over, makes one from the other; turning all spins over changes nothing. From each node the walk goes to
the lowest
neighbour until none is lower: that node is an attractor, and all that lead there are its basin.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..solver.configuration import Configuration

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Basin:
    """An attractor of the descent, its energy (Hartree), the lowest barrier and the nodes that lead to it.

    escape: energy of its lowest neighbour above it, Hartree; None when it has no neighbour.
    """

    attractor: Configuration
    energy: float
    escape: float | None
    members: tuple[Configuration, ...]


def basins(energies: Mapping[Configuration, float]) -> list[Basin]:
    """The basins of one element's configurations, the lowest attractor first.

    energies: Hartree; only configurations with equal numbers of electrons can be neighbours.
    """
    neighbours = _all_neighbours(energies)
    lowest = {c: min(near, key=energies.__getitem__, default=c) for c, near in neighbours.items()}
    ends: dict[Configuration, list[Configuration]] = {}
    for start in energies:
        node = start
        while energies[lowest[node]] < energies[node]:
            node = lowest[node]
        ends.setdefault(node, []).append(start)
    found = [
        Basin(
            attractor=c,
            energy=energies[c],
            escape=energies[lowest[c]] - energies[c] if neighbours[c] else None,
            members=tuple(members),
        )
        for c, members in ends.items()
    ]
    return sorted(found, key=lambda b: b.energy)


def descents(energies: Mapping[Configuration, float]) -> dict[Configuration, Configuration]:
    """The steepest downhill neighbour of each configuration, itself where none is lower."""
    return {c: min([*near, c], key=energies.__getitem__) for c, near in _all_neighbours(energies).items()}


def _all_neighbours(energies: Mapping[Configuration, float]) -> dict[Configuration, list[Configuration]]:
    nodes = list(energies)
    shells = sorted({(s.n, s.l) for c in nodes for s in c.shells})
    column = {shell: k for k, shell in enumerate(shells)}
    up = np.zeros((len(nodes), len(shells), 2))
    for row, node in enumerate(nodes):
        for s in node.shells:
            up[row, column[s.n, s.l]] = s.spin_occupations
    joined = _one_electron_apart(up, up) | _one_electron_apart(up, up[..., ::-1])
    np.fill_diagonal(joined, False)
    return {node: [nodes[k] for k in np.flatnonzero(row)] for node, row in zip(nodes, joined, strict=True)}


def _one_electron_apart(states: Array, others: Array) -> NDArray[np.bool_]:
    """(N, M) whether one electron moved makes one of the other, from occupations (N, shells, 2), (M, …)."""
    change = np.abs(states[:, None] - others[None]).reshape(len(states), len(others), -1)
    moved, whole = change > 1e-9, np.abs(change - 1) < 1e-9
    balanced = np.abs(states.sum(axis=(1, 2))[:, None] - others.sum(axis=(1, 2))) < 1e-9
    return (moved.sum(axis=2) == 2) & (whole.sum(axis=2) == 2) & balanced
