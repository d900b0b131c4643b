"""What is solved: the equation, the functional, the terms switched on."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..nucleus.potential import Nucleus, nuclear_potential
from ..nucleus.radius import edge, stable_mass_number
from ..units import SPEED_OF_LIGHT
from .configuration import Configuration, with_polarisation
from .elements import LETTERS
from .errors import InputError
from .functionals import check_correlation

Array = NDArray[np.float64]
Relativity = Literal["none", "scalar", "dirac"]


@dataclass(frozen=True)
class Model:
    """Kohn-Sham model of a spherical atom.

    xc: "vwn", "pz" or the libxc name of an LDA correlation; exchange is always Dirac's.
    spin: spin-polarised (LSDA). zeta: (N↑ − N↓)/N, None for Hund's rule.
    relativity: Schrödinger ("none"), scalar-relativistic (Koelling and Harmon) or Dirac.
    relativistic_exchange: the MacDonald-Vosko factor on exchange, used only when relativity is not "none".
    use_hartree, use_exchange, use_correlation: without all three, the hydrogenic atom.
    speed_of_light: au; the NIST tables of 1997 used 137.0359895.
    nucleus: a point, a uniform sphere or Fermi's distribution.
    mass_number: of the sphere or Fermi nucleus; None for the valley of stability.
    """

    xc: str = "vwn"
    spin: bool = False
    zeta: float | None = None
    relativity: Relativity = "none"
    relativistic_exchange: bool = True
    use_hartree: bool = True
    use_exchange: bool = True
    use_correlation: bool = True
    speed_of_light: float = SPEED_OF_LIGHT
    nucleus: Nucleus = "point"
    mass_number: float | None = None

    def nuclear_potential(self, z: float, radius: Array) -> Array:
        """Potential energy of an electron in the nucleus's field, Hartree, at radii above 0 (bohr)."""
        mass_number = 0 if self.nucleus == "point" else self.mass_number or stable_mass_number(z)
        return nuclear_potential(self.nucleus, z, mass_number, radius)

    def nuclear_edge(self, z: float) -> float:
        """Radius where the mesh needs an element's end, bohr; 0 for a point."""
        return 0.0 if self.nucleus == "point" else edge(self.mass_number or stable_mass_number(z))

    @property
    def exchange_light_speed(self) -> float | None:
        """Speed of light for the exchange correction, None where exchange is not corrected."""
        corrected = self.relativistic_exchange and self.relativity != "none"
        return self.speed_of_light if corrected else None

    @property
    def interacting(self) -> bool:
        """Whether the potential depends on the density."""
        return self.use_hartree or self.use_exchange or self.use_correlation


@dataclass(frozen=True)
class Orbital:
    """One radial Kohn-Sham orbital: quantum numbers, spin (0 up or unpolarised, 1 down), occupation,
    capacity.

    j is None without spin-orbit coupling.
    """

    n: int
    l: int  # noqa: E741
    occupation: float
    capacity: float
    spin: int = 0
    j: float | None = None

    @property
    def kappa(self) -> int:
        """Dirac's κ: l for j = l − ½, −l − 1 for j = l + ½; −1 (no spin-orbit term) when j is None."""
        if self.j is None:
            return -1
        return self.l if self.j < self.l else -self.l - 1

    @property
    def label(self) -> str:
        """As in 3d, 3d3/2."""
        return f"{self.n}{LETTERS[self.l]}" + (f"{int(2 * self.j)}/2" if self.j is not None else "")


def check_model(model: Model) -> None:
    """Raises InputError for a model that does not exist."""
    if model.relativity not in ("none", "scalar", "dirac"):
        raise InputError(f"unknown relativity {model.relativity!r}: give none, scalar or dirac")
    if model.spin and model.relativity == "dirac":
        raise InputError("spin polarisation needs relativity none or scalar: the Dirac equation mixes spins")
    if model.zeta is not None and not model.spin:
        raise InputError("zeta needs spin polarisation")
    if model.zeta is not None and abs(model.zeta) > 1:
        raise InputError(f"zeta is (N(up) - N(down))/N, between -1 and 1, not {model.zeta:g}")
    if not model.speed_of_light > 1:
        raise InputError(f"speed of light {model.speed_of_light:g} au: give a positive number near 137")
    if model.nucleus not in ("point", "sphere", "fermi"):
        raise InputError(f"unknown nucleus {model.nucleus!r}: give point, sphere or fermi")
    if model.mass_number is not None and (model.nucleus == "point" or not 1 <= model.mass_number <= 600):
        raise InputError("mass_number is from 1 to 600 and belongs to the sphere and fermi nuclei")
    check_correlation(model.xc)


def orbitals_of(configuration: Configuration, model: Model) -> tuple[Orbital, ...]:
    """The orbitals to solve for, empty spin partners of occupied shells included.

    Dirac: a shell's electrons are spread over j = l ∓ ½ in proportion to 2j + 1.
    """
    if model.spin and model.zeta is not None:
        configuration = with_polarisation(configuration, model.zeta)
    orbitals: list[Orbital] = []
    for shell in configuration.shells:
        base = Orbital(shell.n, shell.l, shell.occupation, shell.capacity)
        if model.spin:
            half = shell.capacity / 2
            up, down = shell.spin_occupations
            orbitals += [replace(base, occupation=f, capacity=half, spin=s) for s, f in enumerate((up, down))]
        elif model.relativity == "dirac":
            for j in (shell.l - 0.5, shell.l + 0.5):
                if j > 0:
                    share = (2 * j + 1) / shell.capacity
                    orbitals.append(
                        replace(base, occupation=share * shell.occupation, capacity=2 * j + 1, j=j)
                    )
        else:
            orbitals.append(base)
    return tuple(orbitals)
