"""What `hybrid-dataset` is to make: a YAML file as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from ...adapters.deck.xc import FunctionalError, functional
from ...adapters.regular_file import read_regular
from ...adapters.system import Functional, Geometry, System
from ...adapters.system.basis_library import library_has, library_shells
from ...adapters.system.elements import element_of_tag
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.errors import BadInput


class DatasetConfigError(BadInput):
    """A configuration that cannot be used. One line: file, what is wrong, what is accepted."""


@dataclass(frozen=True)
class Level:
    """Basis by its NWChem library name, functional by NWChem's words."""

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

    count: int = 40
    displacement: tuple[float, float] = (0.02, 0.15)
    validation: float = 0.1
    test: float = 0.1


@dataclass(frozen=True)
class PairCounts:
    """Response pairs of one geometry: from random rotations, and visited by its trajectories."""

    rotations: int = 20
    visited: int = 10


@dataclass(frozen=True)
class Trajectories:
    """Hybrid trajectories. dt in au; tolerance: trajectory error; fields: their kinds, taken in turn.

    count: trajectories of each geometry. keep: geometries of each molecule and level whose trajectories are
    written as files too.
    """

    count: int = 1
    steps: int = 200
    dt: float = 0.2
    tolerance: float = 1e-2
    fields: tuple[str, ...] = ("kick", "pulse", "resonant")
    keep: int = 2


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


#: Of a configuration.
_MOST_BYTES = 2**24
_FIELDS = ("kick", "pulse", "resonant")
_T = TypeVar("_T")


def read_config(path: Path) -> DatasetConfig:
    """Read a configuration. Raises DatasetConfigError."""
    import yaml

    try:
        content = yaml.safe_load(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise DatasetConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetConfigError(f"{path}: not a text file") from error
    except yaml.YAMLError as error:
        raise DatasetConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    top = _mapping(path, "the file", content)
    known = {field.name for field in fields(DatasetConfig)} | {"held_out"}
    _refuse_unknown(path, "the file", top, known)
    for name in ("folder", "levels"):
        if not top.get(name):
            raise DatasetConfigError(f"{path}: {name} is missing")
    if not (top.get("molecules") or top.get("held_out")):
        raise DatasetConfigError(f"{path}: molecules are missing")
    levels = tuple(_make(path, "levels", Level, entry) for entry in _list(path, "levels", top["levels"]))
    molecules = [
        _molecule(path, entry, held_out=key == "held_out")
        for key in ("molecules", "held_out")
        for entry in _list(path, key, top.get(key) or [])
    ]
    names = [molecule.name for molecule in molecules]
    if len(set(names)) < len(names):
        raise DatasetConfigError(f"{path}: two molecules of one name; give each a name of its own")
    trajectories = _make(path, "trajectories", Trajectories, top.get("trajectories") or {})
    if unknown := set(trajectories.fields) - set(_FIELDS):
        raise DatasetConfigError(
            f"{path}: trajectories: fields: {min(unknown)!r}; accepted: {', '.join(_FIELDS)}"
        )
    geometries = _make(path, "geometries", Sampling, top.get("geometries") or {})
    _check_levels(path, levels, molecules)
    _check_numbers(path, geometries, trajectories)
    return DatasetConfig(
        Path(str(top["folder"])),
        _whole(path, "seed", top.get("seed", 0)),
        levels,
        tuple(molecules),
        geometries,
        _make(path, "pairs", PairCounts, top.get("pairs") or {}),
        trajectories,
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


def _check_levels(path: Path, levels: tuple[Level, ...], molecules: list[Molecule]) -> None:
    numbers = {element_of_tag(symbol) or 0 for molecule in molecules for symbol in molecule.symbols}
    for level in levels:
        try:
            functional_of(level)
        except FunctionalError as error:
            raise DatasetConfigError(f"{path}: levels: xc: {error}") from error
        if not library_has(level.basis):
            raise DatasetConfigError(f"{path}: levels: basis: no library set is called {level.basis!r}")
        for number in numbers:
            if library_shells(level.basis, number) is None:
                raise DatasetConfigError(
                    f"{path}: levels: basis {level.basis} has no element of number {number}"
                )


def _check_numbers(path: Path, geometries: Sampling, trajectories: Trajectories) -> None:
    low, high = geometries.displacement
    shares = geometries.validation, geometries.test
    for holds, what in (
        (geometries.count > 0, "geometries: count: at least 1"),
        (0.0 < low <= high, "geometries: displacement: two lengths above 0, the smaller one first"),
        (min(shares) >= 0.0 and sum(shares) <= 1.0, "geometries: validation, test: shares of at most 1"),
        (trajectories.steps > 0, "trajectories: steps: at least 1"),
        (trajectories.dt > 0.0, "trajectories: dt: above 0"),
        (trajectories.tolerance > 0.0, "trajectories: tolerance: above 0"),
        (len(trajectories.fields) > 0, "trajectories: fields: at least one"),
    ):
        if not holds:
            raise DatasetConfigError(f"{path}: {what}")


def _molecule(path: Path, entry: object, *, held_out: bool) -> Molecule:
    """A name that ASE knows (`H2O`), or a mapping with atoms, lines of `symbol x y z` in Å."""
    where = "held_out" if held_out else "molecules"
    if isinstance(entry, str):
        entry = {"name": entry}
    given = _mapping(path, where, entry)
    _refuse_unknown(path, where, given, {"name", "atoms", "charge", "multiplicity"})
    name = str(given.get("name", ""))
    if not name or "/" in name:
        raise DatasetConfigError(f"{path}: {where}: a molecule needs a name without '/'")
    if "atoms" in given:
        symbols, positions = _atoms(path, name, str(given["atoms"]))
    else:
        from ase.build import molecule

        try:
            atoms = molecule(name)
        except KeyError:
            raise DatasetConfigError(
                f"{path}: {where}: ASE has no molecule {name!r}; give its atoms, one 'symbol x y z' a line"
            ) from None
        symbols, positions = tuple(atoms.get_chemical_symbols()), atoms.get_positions()
    charge, multiplicity = (
        _whole(path, f"{name}: {key}", given.get(key, default))
        for key, default in (("charge", 0), ("multiplicity", 1))
    )
    n_electrons = sum(element_of_tag(symbol) or 0 for symbol in symbols) - charge
    if n_electrons < 1 or not 0 < multiplicity <= n_electrons + 1 or (n_electrons + multiplicity) % 2 == 0:
        raise DatasetConfigError(
            f"{path}: {name}: {n_electrons} electrons cannot have multiplicity {multiplicity}"
        )
    return Molecule(name, symbols, positions, charge, multiplicity, held_out)


def _whole(path: Path, where: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DatasetConfigError(f"{path}: {where}: {value!r} is not a whole number")
    return value


def _atoms(path: Path, name: str, text: str) -> tuple[tuple[str, ...], np.ndarray]:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    wrong = DatasetConfigError(f"{path}: molecule {name}: atoms are lines of 'symbol x y z', in Å")
    if not rows or not all(len(row) == 4 and element_of_tag(row[0]) for row in rows):
        raise wrong
    try:
        return tuple(row[0] for row in rows), np.array([[float(word) for word in row[1:]] for row in rows])
    except ValueError:
        raise wrong from None


def _make(path: Path, where: str, kind: type[_T], entry: object) -> _T:
    """A flat dataclass from a mapping; lists become tuples."""
    given = _mapping(path, where, entry)
    _refuse_unknown(path, where, given, {field.name for field in fields(kind)})  # pyright: ignore[reportArgumentType]
    types = get_type_hints(kind)
    try:
        return kind(**{name: _value(types[name], value) for name, value in given.items()})
    except (TypeError, ValueError) as error:
        raise DatasetConfigError(f"{path}: {where}: {error}") from error


def _value(wanted: Any, value: Any) -> Any:
    """A value of the type wanted; YAML takes 1e-2 for a word. Raises ValueError."""
    if get_origin(wanted) is tuple:
        inner = get_args(wanted)
        if not isinstance(value, list) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
            count = "" if inner[-1] is Ellipsis else f"{len(inner)} "
            raise ValueError(f"{value!r} is not a list of {count}values")
        return tuple(_value(inner[0], one) for one in value)
    if wanted is int and not (isinstance(value, int) and value >= 0):
        raise ValueError(f"{value!r} is not a whole number")
    return wanted(value)


def _mapping(path: Path, where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DatasetConfigError(f"{path}: {where}: names with values expected, found {value!r}")
    return value


def _list(path: Path, where: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise DatasetConfigError(f"{path}: {where}: a list expected, found {value!r}")
    return value


def _refuse_unknown(path: Path, where: str, given: Mapping[str, Any], known: set[str]) -> None:
    for name in given:
        if name not in known:
            raise DatasetConfigError(
                f"{path}: {where}: unknown {name!r}; accepted: {', '.join(sorted(known))}"
            )
