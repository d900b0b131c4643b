"""One geometry's share of a data set: solved, sampled, checked and written as a part."""

import os
from pathlib import Path

import numpy as np

from ..adapters.basis_table import BasisTable, basis_table
from ..adapters.geometry import ANGSTROM_PER_BOHR
from ..surrogate.response_pairs import (
    KINDS,
    SPLITS,
    Geometries,
    Pairs,
    ResponsePairs,
    write_pairs,
)
from ..surrogate.response_samples import Point, lowdin, respond, rotated_densities, solve_point
from .dataset_config import DatasetConfig, Level, Molecule, system_of
from .distorted_geometries import distorted

#: |tr PS − N| and dipole deviations above these mean that a pair is wrong, not rounded.
_TRACE, _DIPOLE = 1e-6, 1e-6


_GEOMETRY_ARRAYS = ("positions", "overlap", "dipole", "density", "fock", "dipole_moment")


class CheckFailed(Exception):
    """A sample that contradicts itself. One line."""


def geometry_of(config: DatasetConfig, molecule: Molecule, number: int) -> np.ndarray:
    """Positions (n_atoms, 3), Å: number 0 the equilibrium, others distorted; the same at all levels."""
    if number == 0:
        return molecule.positions
    return distorted(molecule.positions, _random(config, molecule, number, 0), config.geometries.displacement)


def split_of(config: DatasetConfig, molecule: Molecule, number: int) -> int:
    """Index into SPLITS; a held-out molecule's geometries are all for testing. The equilibrium is trained."""
    if molecule.held_out:
        return SPLITS.index("test")
    sampling = config.geometries
    last_test = round(sampling.count * sampling.test)
    last_validation = last_test + round(sampling.count * sampling.validation)
    # Geometries are independent draws, so the last ones are as good as any.
    from_end = sampling.count - number
    if from_end <= last_test:
        return SPLITS.index("test")
    return SPLITS.index("validation" if from_end <= last_validation else "train")


def make_part(config: DatasetConfig, molecule: Molecule, level: Level, number: int, path: Path) -> int:
    """Solve one geometry and write its pairs to `path` (npz), whole; the number of pairs.

    Raises NotConverged, CheckFailed, OSError.
    """
    system = system_of(molecule, level, geometry_of(config, molecule, number))
    point = solve_point(system)
    rng = _random(config, molecule, number, 1)
    densities = rotated_densities(point, rng, config.pairs.rotations)
    kinds = np.full(len(densities), KINDS.index("rotation"), np.int8)
    change, fock, kernel = respond(point, densities)
    arrays = {**_geometry_arrays(point), "kind": kinds, "change": change, "response": fock}
    if kernel is not None:
        arrays["kernel"] = kernel
    _check(point, densities)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(part, path)
    return len(densities)


def join_parts(
    config: DatasetConfig, molecule: Molecule, level: Level, parts: dict[int, Path], path: Path
) -> int:
    """One file of response pairs from the parts by geometry number; the number of pairs."""
    loaded = {number: np.load(part) for number, part in sorted(parts.items())}
    first = next(iter(loaded.values()))
    system = system_of(molecule, level, molecule.positions)

    def stacked(name: str) -> np.ndarray:
        return np.array([part[name] for part in loaded.values()])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part[name] for part in loaded.values()])

    counts = [len(part["kind"]) for part in loaded.values()]
    split = np.array([split_of(config, molecule, number) for number in loaded], np.int8)
    content = ResponsePairs(
        {
            "molecule": molecule.name,
            "basis": level.basis,
            "functional": system.functional.directive,
            "pyscf_xc": system.functional.pyscf,
            "charge": molecule.charge,
            "multiplicity": molecule.multiplicity,
            "n_spin": system.n_spin,
            "held_out": molecule.held_out,
            "splits": SPLITS,
            "kinds": KINDS,
            "seed": config.seed,
        },
        system.geometry.atomic_numbers,
        BasisTable(*(first[f"basis_{name}"] for name in BasisTable.__dataclass_fields__)),
        Geometries(**{name: stacked(name) for name in _GEOMETRY_ARRAYS}, split=split),
        Pairs(
            np.repeat(np.arange(len(loaded), dtype=np.int32), counts),
            joined("kind"),
            joined("change"),
            joined("response"),
            joined("kernel") if "kernel" in first else None,
        ),
    )
    write_pairs(path, content)
    return int(sum(counts))


def _geometry_arrays(point: Point) -> dict[str, np.ndarray]:
    geometry = point.system.geometry
    at_rest = point.basis.fock_in(point.base.fock)
    table = basis_table(point.engine.mol)
    return {
        "positions": geometry.positions * ANGSTROM_PER_BOHR,
        "overlap": point.engine.integrals.overlap,
        # Alpha and beta orbitals span the same functions: either gives the Löwdin matrices.
        "dipole": np.real(point.to_lowdin[0] @ point.dipole[:, 0] @ point.to_lowdin[0].T),
        "density": np.real(lowdin(point.density, point.to_lowdin)),
        "fock": np.real(lowdin(at_rest, point.to_lowdin)),
        "dipole_moment": _dipole_moment(point, point.density),
        **{f"basis_{name}": getattr(table, name) for name in BasisTable.__dataclass_fields__},
    }


def _dipole_moment(point: Point, density: np.ndarray) -> np.ndarray:
    geometry = point.system.geometry
    electronic = np.einsum("xsij,sji->x", point.dipole, density).real
    return geometry.charges @ geometry.positions - electronic


def _check(point: Point, densities: np.ndarray) -> None:
    """tr PS = N of every density, and the dipole of P0 as PySCF computes it from the AO density."""
    system = point.system
    n_electrons = int(system.geometry.atomic_numbers.sum()) - system.charge
    ao = point.basis.density_out(densities)
    numbers = np.einsum("psij,ji->p", ao, point.engine.integrals.overlap).real
    if np.abs(numbers - n_electrons).max(initial=0.0) > _TRACE:
        raise CheckFailed(f"tr PS of a sample is {numbers.max():.8f} for {n_electrons} electrons")
    from pyscf.scf.hf import dip_moment

    total = point.orbitals.density().sum(0)
    expected = dip_moment(point.engine.mol, total, unit="AU", verbose=0)
    if np.abs(_dipole_moment(point, point.density) - expected).max() > _DIPOLE:
        raise CheckFailed(f"the dipole moment of the ground state is not {expected}")


def _random(config: DatasetConfig, molecule: Molecule, number: int, purpose: int) -> np.random.Generator:
    """Seeded by what it is for, so that neither order nor the number of processes matters."""
    name = [ord(letter) for letter in molecule.name]
    return np.random.default_rng([config.seed, number, purpose, *name])
