"""The discrete dynamics: configurations as nodes, one-electron moves as edges, steepest descent of the
energy.

A node is a set of occupations of the spin shells (n, l, σ). Two nodes are joined when one electron, moved or
turned over, makes one from the other; turning all spins over changes nothing. From each node the walk goes to
the lowest
neighbour until none is lower: that node is an attractor, and all that lead there are its basin.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..solver.configuration import Configuration

State = frozenset[tuple[tuple[int, int, int], float]]


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


def _all_neighbours(energies: Mapping[Configuration, float]) -> dict[Configuration, set[Configuration]]:
    states = {c: _states(c) for c in energies}
    owner = {s: c for c, both in states.items() for s in both}
    places = {shell for s in owner for shell, _ in s}
    return {c: _neighbours(both[0], owner, places) - {c} for c, both in states.items()}


def _states(configuration: Configuration) -> tuple[State, State]:
    up = {(s.n, s.l, i): f for s in configuration.shells for i, f in enumerate(s.spin_occupations) if f > 0}
    return _freeze(up), _freeze({(n, k, 1 - s): f for (n, k, s), f in up.items()})


def _freeze(occupations: Mapping[tuple[int, int, int], float]) -> State:
    return frozenset((shell, round(f, 9)) for shell, f in occupations.items() if f > 1e-9)


def _neighbours(
    state: State, owner: Mapping[State, Configuration], places: set[tuple[int, int, int]]
) -> set[Configuration]:
    occupations = dict(state)
    found: set[Configuration] = set()
    for source, filling in occupations.items():
        if filling < 1:
            continue
        for target in places - {source}:
            room = 2 * target[1] + 1 - occupations.get(target, 0.0)
            if room >= 1:
                moved = {**occupations, source: filling - 1, target: occupations.get(target, 0.0) + 1}
                reached = owner.get(_freeze(moved))
                if reached is not None:
                    found.add(reached)
    return found
