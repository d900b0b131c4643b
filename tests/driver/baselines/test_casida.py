"""Linear response: against PySCF's solver, and its dipole against closed forms and the propagation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.baselines.casida import (
    NoLinearResponse,
    all_excitations,
    induced_dipole,
    solve_casida,
)
from hybrid_propagate.driver.bench.reference import converge, make_reference_run, single_propagation
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.surrogate.samples.resonances import Excitations
from pyscf import dft, gto, tdscf
from small_decks import HYDRIDE, kicked

BERYLLIUM_HYDRIDE = "  Be 0 0 0\n  H 0 0 1.343"


def deck(folder: Path, **parts: Any) -> Path:
    path = folder / "small.nw"
    named = {"atoms": HYDRIDE, "tmax": 1.0, "dt": 0.1, "steps": "  tolerances interpol 1d-10"} | parts
    path.write_text(kicked(**named))
    return path


@pytest.mark.parametrize(
    ("atoms", "block", "spin"),
    [(HYDRIDE, "", 0), (BERYLLIUM_HYDRIDE, "  odft\n  mult 2", 1)],
    ids=["closed", "open"],
)
def test_excitations_are_those_of_pyscf(tmp_path: Path, atoms: str, block: str, spin: int) -> None:
    ground, _ = single_propagation(read_deck(deck(tmp_path, atoms=atoms, dft=block)))
    found = all_excitations(*converge(ground))
    mol = gto.M(atom=atoms, basis="sto-3g", spin=spin, verbose=0)
    mean_field = (dft.UKS if spin else dft.RKS)(mol, xc="pbe0")
    mean_field.conv_tol = 1e-10
    mean_field.run()
    solver = tdscf.TDDFT(mean_field)
    solver.nstates, solver.verbose = 4, 0
    solver.kernel()
    assert found.energies[:4] == pytest.approx(solver.e, abs=2e-4)
    assert found.strengths[:4].sum() == pytest.approx(solver.oscillator_strength().sum(), abs=2e-3)


def test_one_pair_by_hand() -> None:
    found = solve_casida(np.array([[0.5]]), np.array([[0.1]]), np.array([[0.0, 0.0, 2.0]]))
    energy = np.sqrt(0.4 * 0.6)
    assert found.energies == pytest.approx([energy])
    # f = ⅔ ω d², d² = (A - B) r² / ω.
    assert found.strengths == pytest.approx([2.0 / 3.0 * 0.4 * 4.0])


def test_a_ground_state_that_is_no_minimum_is_refused() -> None:
    with pytest.raises(NoLinearResponse, match="no minimum"):
        solve_casida(np.array([[0.1]]), np.array([[0.2]]), np.ones((1, 3)))
    with pytest.raises(NoLinearResponse, match="no minimum"):
        solve_casida(np.array([[0.1]]), np.array([[-0.2]]), np.ones((1, 3)))


def test_a_constant_field_drives_an_oscillator_as_in_the_text_books() -> None:
    excitations = Excitations(np.array([0.4]), np.array([[0.0, 0.0, 1.5]]))
    field = np.zeros((400, 3))
    field[:, 2] = 1e-3
    found = induced_dipole(excitations, field, 0.2)
    # 2 d² E ∫ sin ω(t - t') dt' = 2 d² E (1 - cos ωt) / ω.
    expected = 2.0 * 1.5**2 * 1e-3 * (1.0 - np.cos(0.4 * 0.2 * np.arange(400))) / 0.4
    assert found[:, 2] == pytest.approx(expected, abs=1e-14)
    assert not found[:, :2].any()


def test_a_weak_kick_gives_the_propagated_dipole_better_with_smaller_steps(tmp_path: Path) -> None:
    errors = []
    for dt in (0.4, 0.2):
        path = deck(tmp_path, tmax=12.0, dt=dt, kick=2e-4 / dt)
        ground, task = single_propagation(read_deck(path))
        run = make_reference_run(path)
        excitations = all_excitations(*converge(ground))
        moved = run.dipole[0] + induced_dipole(excitations, run.field, task.real_time.dt)
        errors.append(trajectory_error(moved, run.dipole))
    # Second-order Magnus: half the step, a quarter of the error.
    assert errors[1] < 2e-2
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)
