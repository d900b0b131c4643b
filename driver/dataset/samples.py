"""One geometry's share of a data set: solved, sampled, checked and written as a part."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from ...adapters.files.basis_table import BasisTable, basis_table
from ...adapters.system import System
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.errors import Failed
from ...atomic.whole_file import whole_file
from ...surrogate.samples.pairs_file import KINDS, SPLITS, Geometries, Pairs, ResponsePairs, write_pairs
from ...surrogate.samples.sampling import SIZES, Point, lowdin, respond, rotated_densities, solve_point
from .config import DatasetConfig, Level, Molecule, system_of
from .geometries import distorted
from .trajectories import random_field, visited_densities

#: |tr PS − N| and dipole deviations above these mean that a pair is wrong, not rounded.
_TRACE, _DIPOLE = 1e-6, 1e-6

_GEOMETRY_ARRAYS = ("positions", "overlap", "dipole", "density", "fock", "dipole_moment")


class CheckFailed(Failed):
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


def make_part(
    config: DatasetConfig, molecule: Molecule, level: Level, number: int, path: Path, trajectories: Path
) -> None:
    """Solve one geometry and write its pairs to `path` (npz), whole.

    trajectories: folder for those that are kept. Raises NotConverged, NoFixedPoint, CheckFailed, OSError.
    """
    system = system_of(molecule, level, geometry_of(config, molecule, number))
    point = solve_point(system)
    rng = _random(config, molecule, number, 1)
    densities = rotated_densities(point, rng, config.pairs.rotations)
    stem = f"{molecule.name}_{level.name}_g{number:04d}"
    keep = trajectories / stem if number < config.trajectories.keep else None
    densities = np.concatenate([densities, _visited(config, point, number, rng, keep)])
    kinds = np.full(len(densities), KINDS.index("trajectory"), np.int8)
    kinds[: config.pairs.rotations] = KINDS.index("rotation")
    change, fock, kernel = respond(point, densities)
    arrays = {**geometry_arrays(point), "kind": kinds, "change": change, "response": fock}
    if kernel is not None:
        arrays["kernel"] = kernel
    _check(point, densities)
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _visited(
    config: DatasetConfig, point: Point, number: int, rng: np.random.Generator, keep: Path | None
) -> np.ndarray:
    """Densities met by the geometry's trajectories, at random times after the field has begun to act."""
    asked, wanted = config.trajectories, config.pairs.visited
    found = []
    for k in range(asked.count):
        kind = asked.fields[(number * asked.count + k) % len(asked.fields)]
        applied = random_field(point, kind, rng, asked.dt)
        path = None if keep is None else keep.with_name(f"{keep.name}_{k}_{kind}.h5")
        met = visited_densities(point, applied, asked.steps, asked.dt, asked.tolerance, path)
        changes = np.linalg.norm((met - point.density).reshape(len(met), -1), axis=1)
        found.append(met[changes > SIZES[0]])
    met = np.concatenate(found) if found else np.zeros((0, *point.density.shape), complex)
    return met[rng.choice(len(met), min(wanted, len(met)), replace=False)]


def join_parts(
    config: DatasetConfig, molecule: Molecule, level: Level, parts: dict[int, Path], path: Path
) -> int:
    """One file of response pairs from the parts by geometry number; the number of pairs."""
    numbers = sorted(parts)
    loaded = [dict(np.load(parts[number], allow_pickle=False)) for number in numbers]
    split = np.array([split_of(config, molecule, number) for number in numbers], np.int8)
    attributes = {
        "molecule": molecule.name,
        "basis": level.basis,
        "held_out": molecule.held_out,
        "seed": config.seed,
    }
    content = response_pairs(system_of(molecule, level, molecule.positions), attributes, loaded, split)
    write_pairs(path, content)
    return len(content.pairs.kind)


def response_pairs(
    system: System,
    attributes: Mapping[str, object],
    parts: Sequence[Mapping[str, np.ndarray]],
    split: np.ndarray,
) -> ResponsePairs:
    """A file's content from arrays by name, one set a geometry (`geometry_arrays` and those of its pairs)."""
    first = parts[0]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part[name] for part in parts])

    counts = [len(part["kind"]) for part in parts]
    return ResponsePairs(
        {
            **attributes,
            "functional": system.functional.directive,
            "pyscf_xc": system.functional.pyscf,
            "charge": system.charge,
            "multiplicity": system.multiplicity,
            "n_spin": system.n_spin,
            "splits": SPLITS,
            "kinds": KINDS,
        },
        system.geometry.atomic_numbers,
        BasisTable(**{field.name: first[f"basis_{field.name}"] for field in fields(BasisTable)}),
        Geometries(
            **{name: np.array([part[name] for part in parts]) for name in _GEOMETRY_ARRAYS}, split=split
        ),
        Pairs(
            np.repeat(np.arange(len(parts), dtype=np.int32), counts),
            joined("kind"),
            joined("change"),
            joined("response"),
            joined("kernel") if "kernel" in first else None,
        ),
    )


def geometry_arrays(point: Point) -> dict[str, np.ndarray]:
    """What a file keeps of a geometry, by name; of the basis too, as `basis_<name>`."""
    geometry = point.system.geometry
    at_rest = point.basis.fock_in(point.ground_build.fock)
    table = basis_table(point.engine.mol)
    return {
        "positions": geometry.positions * ANGSTROM_PER_BOHR,
        "overlap": point.engine.integrals.overlap,
        # Alpha and beta orbitals span the same functions: either gives the Löwdin matrices.
        "dipole": np.real(point.to_lowdin[0] @ point.dipole[:, 0] @ point.to_lowdin[0].T),
        "density": np.real(lowdin(point.density, point.to_lowdin)),
        "fock": np.real(lowdin(at_rest, point.to_lowdin)),
        "dipole_moment": _dipole_moment(point, point.density),
        **{f"basis_{name}": getattr(table, name) for name in (field.name for field in fields(BasisTable))},
    }


def _dipole_moment(point: Point, density: np.ndarray) -> np.ndarray:
    mol = point.engine.mol
    return mol.atom_charges() @ mol.atom_coords() - np.einsum("xsij,sji->x", point.dipole, density).real


def _check(point: Point, densities: np.ndarray) -> None:
    """tr PS = N of every density, and the dipole of P0 as PySCF computes it from the AO density."""
    n_electrons = point.engine.mol.nelectron
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
