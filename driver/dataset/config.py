"""What `hybrid-dataset` is to make: a YAML file as typed values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ...adapters.deck.xc import FunctionalError, functional
from ...adapters.files.configuration import FORBID, Source, Where, read_configuration
from ...adapters.system import Functional, Geometry, System
from ...adapters.system.basis_library import library_ecp, library_has, library_shells
from ...adapters.system.elements import element_of_tag
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.errors import BadInput


class DatasetConfigError(BadInput):
    """A configuration that cannot be used. One line: file, what is wrong, what is accepted."""


@dataclass(frozen=True)
class Level:
    """Basis by its NWChem library name, functional by NWChem's words."""

    __pydantic_config__ = FORBID
    basis: str
    xc: str

    @property
    def name(self) -> str:
        """For file names."""
        return f"{self.xc}_{self.basis}".lower().replace(" ", "-").replace("*", "s")


@dataclass(frozen=True, eq=False)
class Molecule:
    """Equilibrium positions in Å, (n_atoms, 3); held_out: no part of the training set."""

    name: str
    symbols: tuple[str, ...]
    positions: np.ndarray
    charge: int
    multiplicity: int
    held_out: bool


@dataclass(frozen=True)
class Sampling:
    """How many geometries of each molecule, how far distorted, and which share is kept from training.

    displacement: least and largest root mean square displacement of an atom, Å.
    """

    __pydantic_config__ = FORBID
    count: Annotated[int, Field(ge=1)] = 40
    displacement: tuple[float, float] = (0.02, 0.15)
    validation: Annotated[float, Field(ge=0, le=1)] = 0.1
    test: Annotated[float, Field(ge=0, le=1)] = 0.1


@dataclass(frozen=True)
class PairCounts:
    """Response pairs of one geometry: from random rotations, and visited by its trajectories."""

    __pydantic_config__ = FORBID
    rotations: Annotated[int, Field(ge=0)] = 20
    visited: Annotated[int, Field(ge=0)] = 10


@dataclass(frozen=True)
class Trajectories:
    """Hybrid trajectories. dt in au; tolerance: trajectory error; fields: their kinds, taken in turn.

    count: trajectories of each geometry. keep: geometries of each molecule and level whose trajectories are
    written as files too.
    """

    __pydantic_config__ = FORBID
    count: Annotated[int, Field(ge=0)] = 1
    steps: Annotated[int, Field(ge=1)] = 200
    dt: Annotated[float, Field(gt=0)] = 0.2
    tolerance: Annotated[float, Field(gt=0)] = 1e-2
    fields: Annotated[tuple[Literal["kick", "pulse", "resonant"], ...], Field(min_length=1)] = (
        "kick",
        "pulse",
        "resonant",
    )
    keep: Annotated[int, Field(ge=0)] = 2


@dataclass(frozen=True, eq=False)
class DatasetConfig:
    """The whole file. folder: where the data set goes."""

    folder: Path
    seed: int
    levels: tuple[Level, ...]
    molecules: tuple[Molecule, ...]
    geometries: Sampling
    pairs: PairCounts
    trajectories: Trajectories


@dataclass(frozen=True)
class MoleculeEntry:
    """A molecule as a file names it: a name that ASE knows, or atoms, lines of `symbol x y z` in Å."""

    __pydantic_config__ = FORBID
    name: Annotated[str, Field(pattern=r"^[^/]+$")]
    atoms: str | None = None
    charge: int = 0
    multiplicity: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class _Content:
    """The file as it is written."""

    __pydantic_config__ = FORBID
    folder: Path
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    seed: int = 0
    molecules: tuple[str | MoleculeEntry, ...] = ()
    held_out: tuple[str | MoleculeEntry, ...] = ()
    geometries: Sampling = Sampling()
    pairs: PairCounts = PairCounts()
    trajectories: Trajectories = Trajectories()


def read_config(path: Path) -> DatasetConfig:
    """Read a configuration. Raises DatasetConfigError."""
    content, source = read_configuration(path, _Content, DatasetConfigError)
    entries = [
        ((key, number), entry)
        for key in ("molecules", "held_out")
        for number, entry in enumerate(getattr(content, key))
    ]
    if not entries:
        raise source.refused((), "molecules are missing")
    molecules: list[Molecule] = []
    for where, entry in entries:
        named = MoleculeEntry(entry) if isinstance(entry, str) else entry
        molecules.append(molecule_of(named, source, where, held_out=where[0] == "held_out"))
        if any(other.name == named.name for other in molecules[:-1]):
            raise source.refused(where, "two molecules of one name; give each a name of its own")
    low, high = content.geometries.displacement
    if not 0.0 < low <= high:
        where = ("geometries", "displacement")
        raise source.refused(where, "two lengths above 0, the smaller one first")
    if content.geometries.validation + content.geometries.test > 1.0:
        raise source.refused(("geometries",), "validation, test: shares of at most 1")
    numbers = {element_of_tag(symbol) or 0 for molecule in molecules for symbol in molecule.symbols}
    for number, level in enumerate(content.levels):
        check_level(level, numbers, source, ("levels", number))
    return DatasetConfig(
        content.folder,
        content.seed,
        content.levels,
        tuple(molecules),
        content.geometries,
        content.pairs,
        content.trajectories,
    )


def system_of(molecule: Molecule, level: Level, positions: np.ndarray) -> System:
    """The system at positions (n_atoms, 3) in Å. Raises FunctionalError."""
    numbers = np.array([element_of_tag(symbol) for symbol in molecule.symbols])
    geometry = Geometry(
        "geometry", molecule.symbols, numbers, numbers.astype(float), positions / ANGSTROM_PER_BOHR
    )
    return System(
        geometry=geometry,
        geometries=(geometry,),
        basis={
            symbol: library_shells(level.basis, int(number)) or []
            for symbol, number in zip(molecule.symbols, numbers, strict=True)
        },
        spherical=True,
        ecp={},
        fitting_basis=None,
        charge=molecule.charge,
        multiplicity=molecule.multiplicity,
        open_shell=molecule.multiplicity > 1,
        functional=functional_of(level),
        grid="medium",
    )


def functional_of(level: Level) -> Functional:
    """The level's functional; `hf` is Hartree-Fock. Raises FunctionalError."""
    return functional(tuple("hfexch" if word == "hf" else word for word in level.xc.lower().split()))


def check_level(level: Level, numbers: set[int], source: Source, where: Where) -> None:
    """Refuse a functional or basis that there is not, or a basis that lacks an element; raises its error."""
    try:
        functional_of(level)
    except FunctionalError as error:
        raise source.refused((*where, "xc"), str(error)) from error
    if not library_has(level.basis):
        raise source.refused((*where, "basis"), f"no library set is called {level.basis!r}")
    for number in sorted(numbers):
        if library_shells(level.basis, number) is None:
            raise source.refused(
                (*where, "basis"), f"{level.basis} has no basis for the element of number {number}"
            )
        if library_ecp(level.basis, number) is not None:
            raise source.refused(
                (*where, "basis"),
                f"{level.basis} has a core potential for element {number}; accepted: all-electron sets",
            )


def molecule_of(entry: MoleculeEntry, source: Source, where: Where, *, held_out: bool = False) -> Molecule:
    """The molecule of an entry that stands there. Raises the source's error."""
    name = entry.name
    if entry.atoms is not None:
        symbols, positions = _atoms(entry.atoms, name, source, where)
    else:
        from ase.build import molecule

        try:
            atoms = molecule(name)
        except KeyError:
            raise source.refused(
                where, f"ASE has no molecule {name!r}; give its atoms, one 'symbol x y z' a line"
            ) from None
        symbols, positions = tuple(atoms.get_chemical_symbols()), atoms.get_positions()
    charge, multiplicity = entry.charge, entry.multiplicity
    n_electrons = sum(element_of_tag(symbol) or 0 for symbol in symbols) - charge
    if n_electrons < 1 or multiplicity > n_electrons + 1 or (n_electrons + multiplicity) % 2 == 0:
        raise source.refused(
            where, f"{name}: {n_electrons} electrons cannot have multiplicity {multiplicity}"
        )
    return Molecule(name, symbols, positions, charge, multiplicity, held_out)


def _atoms(text: str, name: str, source: Source, where: Where) -> tuple[tuple[str, ...], np.ndarray]:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    wrong = source.refused(where, f"molecule {name}: atoms are lines of 'symbol x y z', in Å")
    if not rows or not all(len(row) == 4 and element_of_tag(row[0]) for row in rows):
        raise wrong
    try:
        positions = np.array([[float(word) for word in row[1:]] for row in rows])
    except ValueError:
        raise wrong from None
    if not np.isfinite(positions).all():
        raise wrong
    return tuple(row[0] for row in rows), positions
