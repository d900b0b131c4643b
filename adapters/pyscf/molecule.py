"""A system as a PySCF molecule."""

from pyscf import gto

from ..system import System
from ..system.elements import SYMBOLS


def molecule(system: System) -> gto.Mole:
    """Build the PySCF molecule of a system: positions in bohr, basis and ECP by tag, no symmetry, no output.

    Atoms keep the order of `system.geometry`, shells the order of `system.basis`. A centre without nucleus
    becomes a ghost atom that carries its tag's basis functions.
    """
    geometry = system.geometry
    numbers = dict(zip(geometry.tags, geometry.atomic_numbers, strict=True))
    # PySCF looks bases up by label, and reads the element from the label's letters: tags are numbered.
    labels = {tag: _label(int(numbers[tag]), k) for k, tag in enumerate(dict.fromkeys(geometry.tags))}
    return gto.M(
        atom=[
            (labels[tag], xyz.tolist()) for tag, xyz in zip(geometry.tags, geometry.positions, strict=True)
        ],
        unit="Bohr",
        basis={labels[tag]: shells for tag, shells in system.basis.items() if tag in labels},
        ecp={labels[tag]: ecp for tag, ecp in system.ecp.items() if tag in labels},
        charge=system.charge,
        spin=system.multiplicity - 1,
        cart=not system.spherical,
        symmetry=False,
        verbose=0,
    )


def _label(atomic_number: int, k: int) -> str:
    return f"{SYMBOLS[atomic_number]}{k}" if atomic_number else f"GHOST{k}"
