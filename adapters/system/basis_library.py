"""Basis sets and effective core potentials by NWChem's library names.

From the library that NWCHEM_BASIS_LIBRARY names, the Basis Set Exchange and PySCF, or an installed NWChem.

NWChem 7.0 ships the older EMSL numbers of each set, which the Basis Set Exchange keeps as version 0.
"""

import contextlib
import functools
import os
from pathlib import Path
from typing import Any

from ..regular_file import RefusedFile, read_regular
from .elements import SYMBOLS
from .library_file import file_element, set_file, set_key
from .system import Shells

#: NWChem library names whose set the Basis Set Exchange keeps under another name.
_BSE_NAMES = {
    "lanl2dz_ecp": "LANL2DZ",
    "crenbl_ecp": "CRENBL",
    "crenbs_ecp": "CRENBS",
    "sbkjc_vdz_ecp": "SBKJC-VDZ",
    "stuttgart_rlc_ecp": "Stuttgart RLC",
    "stuttgart_rsc_1997_ecp": "Stuttgart RSC 1997",
    "stuttgart_rsc_ano_ecp": "Stuttgart RSC ANO",
    "stuttgart_rsc_segmented_ecp": "Stuttgart RSC Segmented + ECP",
    "weigend_coulomb_fitting": "def2-universal-JFIT",
    "dgauss_a1_dft_coulomb_fitting": "dgauss-a1-dftjfit",
    "dgauss_a2_dft_coulomb_fitting": "dgauss-a2-dftjfit",
    "dzvp_dft_orbital": "dgauss-dzvp",
    "dzvp2_dft_orbital": "dgauss-dzvp2",
    "tzvp_dft_orbital": "dgauss-tzvp",
    "dzp": "jorge-DZP",
    "tzp": "jorge-TZP",
    "qzp": "jorge-QZP",
    "adzp": "jorge-ADZP",
    "atzp": "jorge-ATZP",
    "aqzp": "jorge-AQZP",
}
#: Sets that only PySCF has.
_PYSCF_NAMES = {"3-21++g": "3-21++g", "3-21++gs": "3-21++g*", "3-21gs": "3-21g*"}


#: Folder of an installed NWChem's library, as Debian has it, and the line of its settings that names it.
_INSTALLED = Path("/usr/share/nwchem/libraries")
_SETTINGS = (Path.home() / ".nwchemrc", Path("/etc/nwchemrc"))


def library_key(name: str) -> str:
    """NWChem's file name of a library set, see `set_key`."""
    return set_key(name)


def library_shells(name: str, atomic_number: int, file: Path | None = None) -> Shells | None:
    """Shells of one element in a library set; None if the set does not have it (see `library_has`).

    file: a file of NWChem's library format, or a folder of such files, instead of the libraries.
    """
    entry = _found(name, atomic_number, file)
    return None if entry is None else entry[0]


def library_ecp(name: str, atomic_number: int, file: Path | None = None) -> Any | None:
    """Effective core potential of one element in PySCF's format; None if the set has none for it."""
    entry = _found(name, atomic_number, file)
    return None if entry is None else entry[1]


def library_has(name: str, file: Path | None = None) -> bool:
    """True if a library set of this name is known."""
    if file is not None:
        return set_file(file, name) is not None
    key = library_key(name)
    known = key in _PYSCF_NAMES or _bse_name(key) is not None
    return known or any(set_file(folder, name) for folder in (*_chosen(), *_installed()))


def _found(name: str, atomic_number: int, file: Path | None) -> tuple[Shells | None, Any | None] | None:
    """From the file named, the user's own library, the Basis Set Exchange and PySCF, an installed NWChem."""
    if file is not None:
        path = set_file(file, name)
        return None if path is None else file_element(path, name, atomic_number)
    for folder in _chosen():
        if path := set_file(folder, name):
            return file_element(path, name, atomic_number)
    key = library_key(name)
    if key in _PYSCF_NAMES or _bse_name(key) is not None:
        return _element(key, atomic_number)
    for folder in _installed():
        if path := set_file(folder, name):
            return file_element(path, name, atomic_number)
    return None


def _chosen() -> tuple[Path, ...]:
    """The library that the user's environment names for NWChem."""
    folder = os.environ.get("NWCHEM_BASIS_LIBRARY")
    return (Path(folder),) if folder else ()


@functools.cache
def _installed() -> tuple[Path, ...]:
    named = []
    for settings in _SETTINGS:
        with contextlib.suppress(OSError, RefusedFile):
            lines = (line.split() for line in read_regular(settings, 2**20).decode("latin-1").splitlines())
            named += [Path(w[1]) for w in lines if len(w) == 2 and w[0].lower() == "nwchem_basis_library"]
    return tuple(folder for folder in (*named, _INSTALLED) if folder.is_dir())


def library_names() -> list[str]:
    """NWChem names of the known library sets."""
    return sorted({*_bse_index(), *_BSE_NAMES, *_PYSCF_NAMES})


@functools.cache
def _metadata() -> dict[str, Any]:
    import basis_set_exchange

    return {entry["display_name"]: entry for entry in basis_set_exchange.get_metadata().values()}


@functools.cache
def _bse_index() -> dict[str, str]:
    return {library_key(name): name for name in _metadata()}


def _bse_name(key: str) -> str | None:
    return _BSE_NAMES.get(key) or _bse_index().get(key)


@functools.cache
def _element(key: str, atomic_number: int) -> tuple[Shells | None, Any | None] | None:
    if key in _PYSCF_NAMES:
        return _pyscf_element(_PYSCF_NAMES[key], atomic_number)
    import basis_set_exchange

    name = _bse_name(key)
    if name is None:
        return None
    versions = _metadata()[name]["versions"]
    for version in sorted(versions):
        if str(atomic_number) in versions[version]["elements"]:
            data = basis_set_exchange.get_basis(
                name, elements=[atomic_number], version=version, optimize_general=True
            )
            return _convert(data["elements"][str(atomic_number)])
    return None


def _convert(element: dict[str, Any]) -> tuple[Shells | None, Any | None]:
    """A Basis Set Exchange element to PySCF's shells and ECP.

    Shells come in the order of NWChem's own library files, which is the order of its density matrices: by
    angular momentum, an SP shell (its S, then its P) behind the plain P.
    """
    shells: Shells = []
    for shell in sorted(
        element.get("electron_shells", []),
        key=lambda shell: (max(shell["angular_momentum"]), len(shell["angular_momentum"])),
    ):
        exponents = [float(x) for x in shell["exponents"]]
        momenta, columns = shell["angular_momentum"], shell["coefficients"]
        for momentum, column in zip(
            momenta if len(momenta) > 1 else momenta * len(columns), columns, strict=True
        ):
            rows = [[e, float(c)] for e, c in zip(exponents, column, strict=True) if float(c) != 0.0]
            shells.append([momentum, *rows])
    return shells or None, _convert_ecp(element)


def _convert_ecp(element: dict[str, Any]) -> Any | None:
    if "ecp_potentials" not in element:
        return None
    highest = max(potential["angular_momentum"][0] for potential in element["ecp_potentials"])
    channels = []
    for potential in element["ecp_potentials"]:
        l_value = potential["angular_momentum"][0]
        terms: list[list[list[float]]] = [[] for _ in range(7)]
        for power, exponent, coefficient in zip(
            potential["r_exponents"],
            potential["gaussian_exponents"],
            potential["coefficients"][0],
            strict=True,
        ):
            terms[int(power)].append([float(exponent), float(coefficient)])
        channels.append([-1 if l_value == highest else l_value, terms])
    channels.sort(key=lambda channel: channel[0])
    return [int(element["ecp_electrons"]), channels]


def _pyscf_element(name: str, atomic_number: int) -> tuple[Shells | None, Any | None] | None:
    from pyscf import gto
    from pyscf.lib.exceptions import BasisNotFoundError

    try:
        return gto.basis.load(name, SYMBOLS[atomic_number]), None
    except (BasisNotFoundError, KeyError, RuntimeError):
        return None
