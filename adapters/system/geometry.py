"""Nuclei of one named NWChem geometry."""

from dataclasses import dataclass

import numpy as np

#: What NWChem 7.0.2 uses (its log: scale by 1.889725989), from the nuclear repulsion energies it prints.
ANGSTROM_PER_BOHR = 0.529177249


@dataclass(frozen=True, eq=False)
class Geometry:
    """A named set of nuclei.

    tags: one a nucleus, as the deck writes them (`O`, `H1`, `bqO`); bases and ECPs are looked up by tag.
    atomic_numbers: (n_atoms,) int; 0 for a centre without nucleus.
    charges: (n_atoms,) nuclear charges (the deck may set them apart from the element).
    positions: (n_atoms, 3) bohr.
    """

    name: str
    tags: tuple[str, ...]
    atomic_numbers: np.ndarray
    charges: np.ndarray
    positions: np.ndarray

    @property
    def n_atoms(self) -> int:
        """Number of centres."""
        return len(self.tags)
