"""The system of a trajectory file, from what the file keeps of it."""

import json
from pathlib import Path

import numpy as np

from ..system import Functional, Geometry, Shells, System
from ..system.elements import SYMBOLS, element_of_tag
from ..system.geometry import ANGSTROM_PER_BOHR
from .plain_hdf5 import open_hdf5
from .read_errors import reason
from .trajectory import TrajectoryError


def stored_system(path: Path) -> System:
    """The system without its effective core potentials, for its basis functions and charges.

    Raises TrajectoryError for a file that is none of a run, and for one of old that does not tell which atoms
    have which basis.
    """
    try:
        with open_hdf5(path) as file:
            attributes = dict(file.attrs)
            numbers = np.asarray(file["geometry/atomic_numbers"])
            positions = np.asarray(file["geometry/positions"], float)
            tags = (
                [tag.decode() for tag in np.asarray(file["geometry/tags"])] if "geometry/tags" in file else []
            )
        settings = {name: json.loads(text) for name, text in json.loads(str(attributes["settings"])).items()}
        basis: dict[str, Shells] = settings["basis"]
        return System(
            geometry=(geometry := _geometry(tags or _tags(path, numbers, basis), numbers, positions)),
            geometries=(geometry,),
            basis=basis,
            spherical=bool(settings["spherical"]),
            ecp={},
            fitting_basis=None,
            charge=int(settings["charge"]),
            multiplicity=int(settings["multiplicity"]),
            open_shell=bool(settings["odft"]),
            functional=Functional(str(attributes.get("functional", settings["xc"])), str(settings["xc"])),
            grid=str(settings["grid"]),
        )
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise TrajectoryError(f"{path}: not the trajectory of a run ({reason(error)})") from error


def _geometry(tags: list[str], numbers: np.ndarray, positions: np.ndarray) -> Geometry:
    return Geometry("geometry", tuple(tags), numbers, numbers.astype(float), positions / ANGSTROM_PER_BOHR)


def _tags(path: Path, numbers: np.ndarray, basis: dict[str, Shells]) -> list[str]:
    """Of a file of format 1, where each element has one tag alone."""
    by_element: dict[int | None, list[str]] = {}
    for tag in basis:
        by_element.setdefault(element_of_tag(tag), []).append(tag)
    tags = []
    for number in numbers.tolist():
        of_it = by_element.get(number, [])
        if len(of_it) != 1:
            raise TrajectoryError(
                f"{path}: of an earlier version, which does not tell the basis of each {SYMBOLS[number]}"
            )
        tags.append(of_it[0])
    return tags
