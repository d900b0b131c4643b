"""NWChem's `xc` directive as a PySCF (libxc) functional description."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Functional:
    """An exchange-correlation functional.

    directive: the deck's own words (`pbe0`, `xpbe96 cpbe96`), for logs.
    pyscf: PySCF's description of the same functional (`0.25*HF + 0.75*PBE, PBE`); `HF` for Hartree-Fock.
    """

    directive: str
    pyscf: str
