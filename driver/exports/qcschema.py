"""A run's ground state as QCSchema (MolSSI, version 1 of `qcschema_output`), its trajectory in `extras`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.stored_system import stored_system
from ...adapters.files.trajectory import Contents, TrajectoryError
from ...adapters.system import System
from ...adapters.system.elements import SYMBOLS
from ...atomic.whole_file import write_whole
from .table import columns


def write_qcschema(run: Path, contents: Contents, path: Path) -> None:
    """Write the record. Raises OSError, TrajectoryError."""
    write_whole(path, json.dumps(qcschema(run, contents), indent=1, allow_nan=False) + "\n")


def qcschema(run: Path, contents: Contents) -> dict[str, Any]:
    """The record of one run; atomic units throughout, as the schema asks. Raises TrajectoryError."""
    if "total_energy" not in contents.ground:
        raise TrajectoryError(f"{run}: has no ground state; a run of hybrid-propagate stores it")
    system, attributes = stored_system(run), contents.attributes
    energy = float(contents.ground["total_energy"])
    name, _, version = str(attributes.get("creator", "hybrid-propagate 0")).partition(" ")
    occupations = contents.ground["occupations"]
    electrons = occupations.sum(axis=1)
    alpha, beta = (electrons[0] / 2.0, electrons[0] / 2.0) if len(electrons) == 1 else electrons
    return {
        "schema_name": "qcschema_output",
        "schema_version": 1,
        "molecule": _molecule(system),
        "driver": "energy",
        "model": {
            "method": system.functional.directive,
            "basis": str(attributes.get("basis", "of the deck")),
        },
        "keywords": {},
        "properties": {
            "return_energy": energy,
            "scf_total_energy": energy,
            "calcinfo_natom": system.geometry.n_atoms,
            "calcinfo_nbasis": system.n_basis,
            "calcinfo_nmo": occupations.shape[1],
            "calcinfo_nalpha": round(float(alpha)),
            "calcinfo_nbeta": round(float(beta)),
        },
        "return_result": energy,
        "success": True,
        "provenance": {"creator": name, "version": version, "routine": "hybrid-propagate"},
        "extras": {
            "rt_tddft": {key: _plain(values) for key, values in columns(contents).items()},
            **{key: str(attributes[key]) for key in ("title", "field") if key in attributes},
        },
    }


def _plain(values: np.ndarray) -> list[Any]:
    """NaN, where a quantity was not printed, is null: JSON has no word for it."""
    return [None if value != value else value for value in values.tolist()]


def _molecule(system: System) -> dict[str, Any]:
    geometry = system.geometry
    return {
        "schema_name": "qcschema_molecule",
        "schema_version": 2,
        "symbols": [SYMBOLS[number] for number in geometry.atomic_numbers.tolist()],
        "geometry": geometry.positions.ravel().tolist(),
        "molecular_charge": float(system.charge),
        "molecular_multiplicity": system.multiplicity,
        "fix_com": True,
        "fix_orientation": True,
    }
