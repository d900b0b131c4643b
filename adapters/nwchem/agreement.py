"""Whether NWChem, and the embedded engine on NWChem's own grid and orbitals, compute the same."""

from dataclasses import dataclass

import numpy as np

from ..orbitals import Orbitals
from ..pyscf.engine import PySCFEngine
from .printed_points import PrintedPoint
from .rest_force import RestForce


@dataclass(frozen=True)
class Agreement:
    """Largest differences between the codes at NWChem's ground-state density.

    energy: total, Hartree; overlap: of NWChem's orbitals, from the unit matrix; dipole: au; orbital_energies:
    Hartree, between NWChem's eigenvalues and the diagonal of our Fock matrix; these differ by the convergence
    of the SCF, whose last Fock matrix but one they belong to. None for orbitals that no SCF has made.
    force, at_rest: of `RestForce`, before it is taken into account; None where the step is not Magnus'.
    """

    energy: float
    overlap: float
    dipole: float
    orbital_energies: float | None
    force: float | None = None
    at_rest: float | None = None

    def __str__(self) -> str:
        """The differences in words."""
        found = f"total energy {self.energy:.0e} Ha, overlap {self.overlap:.0e}, dipole {self.dipole:.0e} au"
        if self.orbital_energies is not None:
            found += f", orbital energies {self.orbital_energies:.0e} Ha"
        if self.force is not None:
            found += f", force {self.force:.0e} Ha, at rest {self.at_rest:.0e}"
        return found

    @property
    def failures(self) -> list[str]:
        """What differs by more than the same physics can, in words; empty where the codes agree."""
        orbital_energies = ORBITAL_ENERGIES
        if self.at_rest is not None:
            orbital_energies = CONVERGED + UNCONVERGED * self.at_rest
        return [
            f"{name} {value:.1e} {unit} (at most {most:g})"
            for name, value, unit, most in (
                ("total energy", self.energy, "Ha", ENERGY),
                ("overlap", self.overlap, "", OVERLAP),
                ("dipole", self.dipole, "au", DIPOLE),
                ("orbital energies", self.orbital_energies, "Ha", orbital_energies),
                ("force", self.force, "Ha", FORCE),
            )
            if value is not None and not value <= most
        ]


#: Differences that rounding, integral screening and the SCF's convergence explain.
ENERGY, OVERLAP, DIPOLE, ORBITAL_ENERGIES, FORCE = 2e-6, 1e-6, 1e-6, 2e-3, 1e-5
#: Orbital energies of a converged SCF differ by no more; else by this many times what drives it still.
CONVERGED, UNCONVERGED = 5e-6, 100.0


def compare(
    engine: PySCFEngine,
    orbitals: Orbitals,
    printed: PrintedPoint,
    converged: bool,
    rest: RestForce | None = None,
) -> Agreement:
    """Compare an engine, referred to NWChem's `orbitals`, with what NWChem printed for their density.

    converged: the orbitals come from an SCF of this very system and functional. rest: what NWChem's first
    step says, if it has made one.
    """
    system, integrals = engine.system, engine.integrals
    density = orbitals.density()
    build = engine.fock(density.astype(complex))
    e = build.energies
    total = e.electronic + integrals.nuclear_repulsion
    label = (system.geometry.name, "total" if system.open_shell else "")
    electronic = np.einsum("xmn,smn->x", integrals.dipole, density)
    dipole = system.geometry.charges @ system.geometry.positions - electronic
    overlaps, energies = [], []
    for c, f, own in zip(orbitals.coefficients, np.real(build.fock), orbitals.energies, strict=True):
        overlaps.append(np.abs(c.T @ integrals.overlap @ c - np.eye(c.shape[1])).max())
        energies.append(np.abs(np.einsum("mi,mn,ni->i", c, f, c, optimize=True) - own).max())
    return Agreement(
        abs(total - printed.values["Etot", "", ""][0]),
        float(max(overlaps)),
        float(np.abs(dipole - printed.values["Dipole moment", *label]).max()),
        float(max(energies)) if converged else None,
        *((None, None) if rest is None else (rest.force, rest.at_rest)),
    )
