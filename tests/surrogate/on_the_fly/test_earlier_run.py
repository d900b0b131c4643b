"""The response of an earlier run at another geometry: turned with the molecule, nearly right, or refused."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.files.checksum import seal
from hybrid_propagate.adapters.system import System
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.surrogate.matrices.kabsch import kabsch
from hybrid_propagate.surrogate.matrices.packing import make_packing, pack, unpack
from hybrid_propagate.surrogate.on_the_fly.earlier_run import (
    EarlierRun,
    PriorError,
    carried_points,
    carried_prior,
    correction_of,
    read_earlier_run,
)
from hybrid_propagate.surrogate.samples.sampling import Point, solve_point
from scipy.spatial.transform import Rotation

WATER = np.array([[0.0, 0.02, 0.12], [0.0, 0.75, -0.45], [0.0, -0.78, -0.48]])
TURN = Rotation.from_euler("zyx", [0.7, -1.1, 2.0]).as_matrix()


@cache
def point(moved: float, turned: bool) -> Point:
    """Water with TPSS, for which there is no analytic kernel: atoms moved (Å, rms), then turned."""
    positions = WATER + moved * np.array([[0.6, -0.3, 0.8], [-1.0, 0.9, 0.2], [0.1, 1.2, -1.1]]) / 0.78
    positions = positions @ TURN.T + 1.0 if turned else positions
    molecule = Molecule("H2O", ("O", "H", "H"), positions, 0, 1, held_out=False)
    return solve_point(system_of(molecule, Level("STO-3G", "xtpss03 ctpss03"), positions))


def earlier_run() -> EarlierRun:
    """One that has met every direction."""
    here = point(0.0, False)
    packing = make_packing(np.zeros_like(here.basis.irreps))
    nothing = np.zeros(packing.n_imag)
    directions = np.linalg.qr(np.random.default_rng(1).standard_normal((packing.n_real,) * 2))[0]
    images = [
        pack(packing, here.basis.fock_in(here.engine.response(here.basis.density_out(change))))[0]
        for change in (unpack(packing, x, nothing) for x in directions)
    ]
    geometry = here.system.geometry
    return EarlierRun(
        Path("earlier.h5"),
        {},
        geometry.atomic_numbers,
        geometry.positions,
        here.orbitals.density(),
        here.basis,
        {"x0_q": directions, "x0_k": np.array(images)},
    )


def errors(here: Point) -> tuple[float, float]:
    """Of the carried response and of its base, Coulomb and exchange; relative, over random changes."""
    base = here.engine.mean_field_response
    correction = correction_of(earlier_run(), here.system, 1e9, analytic=False)
    prior = carried_prior(correction, base, here.engine.integrals.overlap, here.basis)
    rng = np.random.default_rng(2)
    found = []
    for _ in range(3):
        change = rng.standard_normal(here.density.shape)
        change = here.basis.density_out(change + change.swapaxes(1, 2)).astype(complex)
        exact = here.engine.response(change)
        size = np.linalg.norm(here.basis.fock_in(exact))
        found.append(
            [np.linalg.norm(here.basis.fock_in(guess(change) - exact)) / size for guess in (prior, base)]
        )
    carried, without = np.sqrt(np.mean(np.square(found), axis=0)).tolist()
    return carried, without


def test_it_turns_with_the_molecule() -> None:
    """What is left is the quadrature's, which does not turn."""
    carried, base = errors(point(0.0, True))
    assert carried < 2e-3 * base


@pytest.mark.parametrize("turned", [False, True])
def test_it_serves_another_geometry(turned: bool) -> None:
    """Atoms moved by 0.02 Å: most of what Coulomb and exchange leave out is right."""
    carried, base = errors(point(0.02, turned))
    assert base > 0.1
    assert carried < 0.15 * base


def test_points_go_with_their_atoms() -> None:
    run = earlier_run()
    near = run.positions + np.array([[0.3, 0.0, 0.1], [0.0, -0.2, 0.0], [0.1, 0.1, 0.4]])
    rest = np.array([[0.5, 1e-3, 0.0], [0.2, 1e-3, 0.0], [0.1, 1e-3, 0.0]])
    learned = {**run.learned, "nonlinear_points": np.column_stack([near, rest])}
    here = point(0.0, True).system.geometry.positions
    moved = carried_points(replace(run, learned=learned), here)
    assert moved is not None
    assert moved[:, 3:] == pytest.approx(rest)
    assert moved[:, :3] == pytest.approx(here + (near - run.positions) @ TURN.T, abs=1e-6)
    assert carried_points(run, here) is None


@pytest.mark.parametrize(
    "positions",
    [WATER, np.array([[0.0, 0.0, 0.1], [0.0, 0.0, 1.2]]), np.random.default_rng(3).standard_normal((5, 3))],
    ids=["planar", "linear", "general"],
)
def test_kabsch_finds_the_turn(positions: np.ndarray) -> None:
    found = kabsch(positions, positions @ TURN.T + 2.0)
    np.testing.assert_allclose(np.linalg.det(found), 1.0)
    centred = positions - positions.mean(0)
    np.testing.assert_allclose(centred @ found.T, centred @ TURN.T, atol=1e-12)


def test_kabsch_makes_no_turn_that_the_nuclei_do_not_ask_for() -> None:
    """About the axis of a linear molecule, and of an atom at all."""
    linear = np.array([[0.1, 0.2, 0.3]]) * np.array([[-1.0], [0.0], [1.7]])
    np.testing.assert_allclose(kabsch(linear, 1.1 * linear), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(kabsch(linear[:1], linear[1:2]), np.eye(3), atol=1e-12)
    bent = linear @ Rotation.from_euler("x", 0.3).as_matrix().T
    assert Rotation.from_matrix(kabsch(linear, bent)).magnitude() <= 0.3 + 1e-12


def write(path: Path, system: System, learned: bool) -> None:
    """The parts of a trajectory file that are asked for first."""
    here = point(0.0, False)
    with h5py.File(path, "w") as file:
        file.attrs["settings"] = '{"xc": "pbe0"}'
        file["geometry/atomic_numbers"] = system.geometry.atomic_numbers
        file["geometry/positions"] = system.geometry.positions
        for name in ("coefficients", "energies", "occupations"):
            file[f"ground/{name}"] = getattr(here.orbitals, name)
        for name in ("coefficients", "dual", "to_canonical", "energies", "irreps"):
            file[f"ground/basis_{name}"] = getattr(here.basis, name)
        if learned:
            file["checkpoint/surrogate/x0_q"] = np.zeros((0, 28))
    seal(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path, system: path.write_text("text"), "not the trajectory file of a run"),
        (lambda path, system: path.write_bytes(b"\x89HDF"), "no checksum at its end"),
        (lambda path, system: write(path, system, False), "its run learned no response"),
    ],
)
def test_other_files_are_refused(spoil: Callable[[Path, System], None], message: str, tmp_path: Path) -> None:
    system = point(0.0, False).system
    path = tmp_path / "run.h5"
    spoil(path, system)
    with pytest.raises(PriorError, match=message) as raised:
        read_earlier_run(path, {"xc": "pbe0"}, system)
    assert str(raised.value).startswith(f"{path}: ")


def test_what_does_not_match_is_named(tmp_path: Path) -> None:
    system = point(0.0, False).system
    path = tmp_path / "run.h5"
    write(path, system, True)
    assert len(read_earlier_run(path, {"xc": "pbe0"}, system).learned["x0_q"]) == 0
    with pytest.raises(PriorError, match="a run with other basis, xc than the deck's"):
        read_earlier_run(path, {"xc": "hf", "basis": "6-31G"}, system)
    other = Molecule("HOH", ("H", "O", "H"), WATER, 0, 1, held_out=False)
    with pytest.raises(PriorError, match="other atoms, or in another order"):
        read_earlier_run(path, {"xc": "pbe0"}, system_of(other, Level("STO-3G", "pbe0"), WATER))
