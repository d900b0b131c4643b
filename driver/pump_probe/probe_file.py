"""Files of a pump and its probes between their start and the map: one a trajectory, whole or not there.

Each carries the key of what it was made from; a file of another key is made anew. One that is not complete
holds the state to go on from.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.files.read_errors import reason
from ...atomic.errors import BadInput
from ..propagators.state import State
from .course import Course

_STATE = ("orbitals", "occupations", "density", "fock", "fock_half")


class ProbeFileError(BadInput):
    """A file of an earlier part of the work that cannot be read. One line."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a file holds.

    complete: whether there is nothing left to be done.
    arrays: by name.
    """

    complete: bool
    arrays: Mapping[str, np.ndarray]


def key_of(*parts: object) -> str:
    """A short text that is another one where anything among the parts is."""
    text = json.dumps(parts, default=_plain, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def write_kept(path: Path, key: str, arrays: Mapping[str, np.ndarray], *, complete: bool) -> None:
    """Write a file in one go. Raises OSError."""
    with new_hdf5(path) as file:
        file.attrs.update({"key": key, "complete": complete})
        for name, array in arrays.items():
            file[name] = array


def read_kept(path: Path, key: str) -> Kept | None:
    """What the file of this key holds; None where there is none. Raises ProbeFileError."""
    if not path.exists():
        return None
    try:
        with open_hdf5(path) as file:
            if str(file.attrs["key"]) != key:
                return None
            found: dict[str, np.ndarray] = {}

            def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
                if isinstance(item, h5py.Dataset):
                    found[name] = np.asarray(item)

            file.visititems(take)
            return Kept(bool(file.attrs["complete"]), found)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ProbeFileError(
            f"{path}: cannot be read ({reason(error)}); remove it to make it anew"
        ) from error


def course_arrays(course: Course) -> dict[str, np.ndarray]:
    """A trajectory without its densities."""
    arrays = {"first": np.array(course.first), "dipole": np.array(course.dipole)}
    states = {"state": course.state, **{f"branch_{step}": state for step, state in course.branches.items()}}
    for lead, state in states.items():
        arrays[f"{lead}/place"] = np.array([state.step, state.time])
        arrays.update({f"{lead}/{name}": getattr(state, name) for name in _STATE})
    return arrays


def course_of(arrays: Mapping[str, np.ndarray]) -> Course:
    """What `course_arrays` gave."""
    leads = sorted({name.split("/")[0] for name in arrays if "/" in name})
    states = {lead: _state(arrays, lead) for lead in leads}
    branches = {state.step: state for lead, state in states.items() if lead.startswith("branch_")}
    return Course(int(arrays["first"]), states["state"], list(arrays["dipole"]), branches)


def _state(arrays: Mapping[str, np.ndarray], lead: str) -> State:
    step, time = np.asarray(arrays[f"{lead}/place"]).tolist()
    return State(int(step), time, *(np.asarray(arrays[f"{lead}/{name}"]) for name in _STATE))


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
