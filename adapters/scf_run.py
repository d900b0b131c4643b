"""One SCF, as it went: what PySCF and NWChem are compared by, with and without a better start."""

from dataclasses import dataclass

from .orbitals import Orbitals


@dataclass(frozen=True, eq=False)
class ScfRun:
    """A finished SCF.

    energies: total energy after each iteration, Hartree. seconds: wall time, start-up of the code included.
    orbitals: in PySCF's order of functions. tolerance: threshold on the last change of the energy, Hartree.
    """

    energies: tuple[float, ...]
    converged: bool
    seconds: float
    orbitals: Orbitals
    tolerance: float

    @property
    def iterations(self) -> int:
        """Fock matrices diagonalised until convergence, as the code itself counts them."""
        return len(self.energies)

    @property
    def energy(self) -> float:
        """Total energy, Hartree."""
        return self.orbitals.total_energy
