"""Orbitals as a Molden file, by PySCF's own writer: for viewers, and for codes that read that format."""

from pathlib import Path

from pyscf import gto
from pyscf.tools import molden

from ...atomic.whole_file import whole_file
from ..orbitals import Orbitals


def write_molden(path: Path, mol: gto.Mole, orbitals: Orbitals) -> None:
    """Write orbitals (PySCF's order of functions) of all spins. Raises OSError.

    The format has no functions beyond g; PySCF leaves such out.
    """
    spins = ("Alpha", "Beta")[: len(orbitals.coefficients)]
    with whole_file(path) as part, part.open("w") as file:
        molden.header(mol, file, ignore_h=True)
        for spin, C, energies, occupations in zip(
            spins, orbitals.coefficients, orbitals.energies, orbitals.occupations, strict=True
        ):
            molden.orbital_coeff(mol, file, C, spin, ene=energies, occ=occupations, ignore_h=True)
