"""A density functional: libxc parts and the share of exact exchange."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Functional:
    """An exchange-correlation functional.

    directive: the deck's own words (`pbe0`, `xpbe96 cpbe96`), for logs.
    pyscf: PySCF's description of the same functional (`0.25*HF + 0.75*PBE, PBE`); `HF` for Hartree-Fock.
    stand_in: only NWChem has the functional, and `pyscf` describes one near it.
    """

    directive: str
    pyscf: str
    stand_in: bool = False
