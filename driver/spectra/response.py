"""What a run keeps of its density: the block between empty and occupied orbitals, and each line's part in it.

To first order δP'_ai = f (x + iy)_ai, f the filling. A line is a mode x_n sin ω_n(t − t₀), y_n cos ω_n(t −
t₀), which a linear fit at the known ω_n finds. Its transitions i → a have the weights of Casida's X² − Y²,

    w_ia = x_ia y_ia / Σ x y
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...adapters.files.plain_hdf5 import open_hdf5, open_own_hdf5
from .band import band
from .spectrum import Kick, SpectrumError

#: A pair that moves less than this share of the one that moves most is at rest: single precision.
AT_REST = 1e-7


@dataclass(frozen=True, eq=False)
class StoredResponse:
    """d pairs of orbitals at k points after a kick; what weak fields leave at rest may be missing.

    time: (k,) au.
    values: (k, d) complex δP'_ai since the first point stored, in single precision.
    pairs: (d, 3) spin, occupied and empty orbital, from 0.
    gaps: (d,) ε_a − ε_i, Hartree.
    orbitals: (n_spin, n, m) in the basis functions.
    shares: (n_spin, m, n_atoms) of each orbital on the atoms, by Löwdin's orthogonal functions.
    dipoles: (d, 3) ⟨i|r|a⟩ of each pair, bohr; None in a file of an earlier version.
    highest_occupied: orbital, from 0.
    lowdin: (n_spin, n, m) orbitals in Löwdin's functions. on: (n, n_atoms) 1 where a function is the atom's.
    """

    time: np.ndarray
    values: np.ndarray
    pairs: np.ndarray
    gaps: np.ndarray
    orbitals: np.ndarray
    shares: np.ndarray
    dipoles: np.ndarray | None
    highest_occupied: int
    lowdin: np.ndarray
    on: np.ndarray

    @property
    def filling(self) -> float:
        """Electrons in an occupied orbital."""
        return 2.0 if len(self.orbitals) == 1 else 1.0

    @cached_property
    def moved(self) -> np.ndarray:
        """Which pairs are not at rest: a kick moves few irreps."""
        largest = [np.abs(part(self.values)).max(axis=0, initial=0.0) for part in (np.real, np.imag)]
        sizes = np.maximum(*largest)
        return np.flatnonzero(sizes > AT_REST * sizes.max(initial=0.0))

    def matrix(self, block: np.ndarray) -> np.ndarray:
        """(n_spin, n, n) real symmetric in the basis functions, from a block (d,) of empty and occupied."""
        spin, occupied, empty = self.pairs.T
        n_spin, _, m = self.orbitals.shape
        whole = np.zeros((n_spin, m, m))
        whole[spin, empty, occupied] = whole[spin, occupied, empty] = block
        return self.orbitals @ whole @ self.orbitals.swapaxes(1, 2)


@dataclass(frozen=True, eq=False)
class Modes:
    """x and y, (r, d) each, of r lines, per unit of impulse; see the module."""

    x: np.ndarray
    y: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """(r, d) of the transitions, each line's summing to 1."""
        products = self.x * self.y
        return products / products.sum(axis=1, keepdims=True)


def read_response(path: Path, *, own: bool = False) -> StoredResponse | None:
    """Out of a trajectory file, `<start>.h5`; None where the run kept none. Raises SpectrumError.

    own: this process has written it just now.
    """
    try:
        with (open_own_hdf5 if own else open_hdf5)(path) as store:
            if "dynamics/response_step" not in store or "ground/pairs" not in store:
                return None
            steps = np.asarray(store["dynamics/response_step"])
            times = np.asarray(store["dynamics/time"])
            # A run that an earlier version began, or another file, lacks its first points.
            if steps[0] != 0 or steps[-1] >= len(times):
                return None
            # In the file's own precision: half of the bytes.
            parts = [np.asarray(store[f"dynamics/response_{part}"]) for part in ("real", "imag")]
            values = np.empty(parts[0].shape, np.complex64)
            values.real, values.imag = parts
            time = times[steps]
            orbitals = np.asarray(store["ground/basis_coefficients"])
            lowdin = _in_lowdin_functions(orbitals, np.asarray(store["matrices/overlap"]))
            atoms = np.asarray(store["basis/atom_index"])
            dipoles = np.asarray(store["ground/pair_dipoles"]) if "ground/pair_dipoles" in store else None
            pairs, energies = np.asarray(store["ground/pairs"]), np.asarray(store["ground/basis_energies"])
            highest = int(pairs[:, 1].max())
            if "ground/pairs_kept" in store:
                kept = np.asarray(store["ground/pairs_kept"])
                pairs, dipoles = pairs[kept], None if dipoles is None else dipoles[kept]
            finite = all(np.isfinite(numbers).all() for numbers in (values, energies, orbitals))
            if not (values.shape == parts[1].shape == (len(time), len(pairs)) and finite):
                raise ValueError("its rows are not of its points and pairs, or not numbers")
            if dipoles is not None and not (dipoles.shape == (len(pairs), 3) and np.isfinite(dipoles).all()):
                raise ValueError("the pairs' dipoles are not of its pairs, or not numbers")
            spin, occupied, empty = pairs.T
            gaps = energies[spin, empty] - energies[spin, occupied]
            on = np.eye(int(atoms.max()) + 1)[atoms]
            shares = np.einsum("snm,na->sma", lowdin**2, on)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise SpectrumError(f"{path}: no response that can be read ({error})") from error
    values -= values[0].copy()
    return StoredResponse(time, values, pairs, gaps, orbitals, shares, dipoles, highest, lowdin, on)


def _in_lowdin_functions(orbitals: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    sizes, vectors = np.linalg.eigh(overlap)
    return (vectors * np.sqrt(sizes)) @ vectors.T @ orbitals


def line_modes(response: StoredResponse, kick: Kick, omega: np.ndarray, highest: float) -> Modes:
    """The modes of lines at omega (r,), au, of a fit up to the frequency `highest`."""
    window = band(response.time, kick.centre, highest)
    sines, cosines = window.waves(omega)
    gain = window.gain(omega) * kick.window(omega) * kick.impulse
    moved = response.moved
    values = response.values[:, moved]
    found = np.zeros((2, len(omega), len(response.gaps)))
    for own, part, basis, odd in (
        (found[0], np.real(values).astype(float), sines, True),
        (found[1], np.imag(values).astype(float), cosines, False),
    ):
        # There are more pairs than lines, so the fit's weights are filtered, not the pairs.
        # By the columns' products, whose rounding is below that of samples in single precision.
        rounding = np.finfo(float).eps * max(basis.shape)
        weights = np.linalg.pinv(basis.T @ basis, rcond=rounding, hermitian=True) @ basis.T
        own[:, moved] = window.at_given(weights, odd=odd) @ part / gain[:, None]
    return Modes(*found)
