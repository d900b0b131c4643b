"""What moves in a window of time, and from which occupied orbitals.

An idempotent density of filling f (2 for a closed shell, 1 for a spin) has, to second order,

    δP'_aa = Σ_i |δP'_ai|² / f,     n_ia = |δP'_ai|² / f

electrons that have gone from i to a. To first order the dipole is δμ = −2 Σ_ai D_ai Re δP'_ai: a sum over
occupied orbitals too, as in NWChem's `dipcontribs`.
"""

from dataclasses import dataclass, replace

import numpy as np

from .parts import AtomShare, Transition, parts_of
from .response import StoredResponse
from .spectrum import Pulse, Signal, SpectrumError

#: First and last occupied orbital, from 1, in order of energy.
Occupied = tuple[int, int]


@dataclass(frozen=True)
class Moved:
    """The electrons that have left occupied orbitals, on average over a window of time.

    start, end: au, of the points that were looked at.
    electrons: their number, to second order in the field.
    transitions: where they have come from and gone to, the largest part first.
    atoms: the same by atoms, in the order of the geometry.
    """

    start: float
    end: float
    electrons: float
    transitions: tuple[Transition, ...]
    atoms: tuple[AtomShare, ...]


def moved(response: StoredResponse, start: float, end: float, occupied: Occupied | None = None) -> Moved:
    """Between two times, au, from the occupied orbitals named, or all.

    Raises SpectrumError where no point kept lies in the window, none of the orbitals is occupied, or nothing
    has moved.
    """
    rows = np.flatnonzero((response.time >= start) & (response.time <= end))
    if not rows.size:
        first, last = response.time[0], response.time[-1]
        raise SpectrumError(
            f"no point between {start:g} and {end:g} au; the run has {first:g} to {last:g} au"
        )
    means = np.mean(np.abs(response.values[rows]) ** 2, axis=0, dtype=float) / response.filling
    means = np.where(chosen(response, occupied), means, 0.0)
    electrons = float(means.sum())
    if not electrons > 0.0:
        raise SpectrumError(f"nothing has moved between {start:g} and {end:g} au")
    times = response.time[rows]
    return Moved(float(times[0]), float(times[-1]), electrons, *parts_of(means / electrons, response))


def chosen(response: StoredResponse, occupied: Occupied | None) -> np.ndarray:
    """(d,) whether a pair is of the occupied orbitals named. Raises SpectrumError where none is."""
    number = response.pairs[:, 1] + 1
    if occupied is None:
        return np.ones(len(number), bool)
    first, last = occupied
    found = (number >= first) & (number <= last)
    highest = response.highest_occupied + 1
    if max(first, 1) > min(last, highest):
        raise SpectrumError(f"no occupied orbital from {first} to {last}; accepted: 1 to {highest}")
    return found


def dipole_of(response: StoredResponse, occupied: Occupied) -> np.ndarray:
    """(k, 3) change of the dipole, au, that the occupied orbitals named make, to first order.

    Raises SpectrumError where the run kept no dipoles of its pairs, or none of the orbitals is occupied.
    """
    if response.dipoles is None:
        raise SpectrumError("the run kept no dipoles of its orbitals; a new run keeps them")
    rows = chosen(response, occupied)
    return -2.0 * np.real(response.values[:, rows]) @ response.dipoles[rows]


def partial_signal(signal: Signal, response: StoredResponse | None, occupied: Occupied) -> Signal:
    """The signal that the occupied orbitals named make alone, at the points kept.

    Raises SpectrumError where the run kept no response, or none of the orbitals is occupied.
    """
    if response is None:
        raise SpectrumError(f"{signal.name}: it kept no response to tell its occupied orbitals apart")
    if isinstance(signal.kick, Pulse) and len(response.time) < len(signal.time):
        raise SpectrumError(
            f"{signal.name}: a pulse needs all points in time, of which the response keeps some"
        )
    return replace(signal, time=response.time, dipole=dipole_of(response, occupied))


def atom_charges(response: StoredResponse, rows: np.ndarray) -> np.ndarray:
    """(k, n_atoms) change of the atoms' charges, e, at the points `rows`, to second order.

    By Löwdin's populations of the density that the block implies: δP'_ab = Σ_i δP'_ai δP'_bi* / f, and
    δP'_ij = −Σ_a δP'_ai* δP'_aj / f.
    """
    n_spin, _, m = response.orbitals.shape
    spin, occupied, empty = response.pairs.T
    found = np.zeros((len(rows), response.on.shape[1]))
    for k, row in enumerate(rows):
        block = np.zeros((n_spin, m, m), complex)
        block[spin, empty, occupied] = response.values[row]
        adjoint = block.conj().swapaxes(1, 2)
        change = np.real(block + adjoint + (block @ adjoint - adjoint @ block) / response.filling)
        functions = np.sum((response.lowdin @ change) * response.lowdin, axis=(0, 2))
        found[k] = -functions @ response.on
    return found


def populations(response: StoredResponse) -> np.ndarray:
    """(k, n_spin, m) change of the occupations of all orbitals, to second order."""
    n_spin, _, m = response.orbitals.shape
    numbers = np.abs(response.values) ** 2 / response.filling
    spin, occupied, empty = response.pairs.T
    found = np.zeros((n_spin, m, len(numbers)))
    np.add.at(found, (spin, empty), numbers.T)
    np.subtract.at(found, (spin, occupied), numbers.T)
    return found.transpose(2, 0, 1)
