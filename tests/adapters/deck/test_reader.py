"""What decks say, read: systems, tasks and propagations, against values written down beside them."""

import math
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import (
    Deck,
    DeckError,
    GroundStateTask,
    LinearResponseTask,
    PropagationTask,
    Vectors,
)
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import DensityPlot, DipoleContributions, Excitation, Field, MOCap
from hybrid_propagate.adapters.system.geometry import ANGSTROM_PER_BOHR
from hybrid_propagate.adapters.system.real_time import EVERY, Load
from pyscf import scf

DECKS = Path(__file__).parents[2] / "support/decks"

WATER = """\
geometry nocenter noautosym
  O 0 0 0.12
  H 0 0.76 -0.47
  H 0 -0.76 -0.47
end
basis
  * library sto-3g
end
task dft energy
"""
RUN = "rt_tddft\n tmax 2.4\n dt 0.2\n{}\nend\ntask dft rt_tddft\n"


def read(folder: Path, text: str) -> Deck:
    """Deck of a text."""
    path = folder / "deck.nw"
    path.write_text(text)
    return read_deck(path)


def last(deck: Deck) -> PropagationTask:
    """The last task, which is a propagation."""
    task = deck.tasks[-1]
    assert isinstance(task, PropagationTask)
    return task


def test_kicks_of_methanol(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    deck = read_deck(DECKS / "methanol_kicks.nw")
    assert (deck.prefix, deck.title) == ("methanol", "Methanol, z and x kicks")
    assert deck.permanent_dir == tmp_path / "perm"
    ground, response, kick_z, kick_x = deck.tasks
    assert isinstance(ground, GroundStateTask)
    assert isinstance(response, LinearResponseTask)
    assert isinstance(kick_z, PropagationTask)
    assert isinstance(kick_x, PropagationTask)
    assert (ground.energy_tolerance, ground.density_tolerance) == pytest.approx((1e-8, 1e-7), rel=1e-14)
    assert (ground.vectors, ground.output, ground.skip) == (Vectors("atomic"), "methanol.movecs", False)
    assert ground.place.line == 29
    system = ground.system
    assert (system.charge, system.multiplicity, system.open_shell, system.spherical) == (0, 1, False, True)
    assert (system.grid, system.functional.directive) == ("fine", "pbe0")
    # 6-31G* pure: C and O 3s2p1d = 14 each, H 2s.
    assert system.n_basis == 2 * 14 + 4 * 2
    assert (response.n_roots, response.singlet, response.triplet) == (6, True, False)
    assert kick_z.vectors == "methanol.movecs"
    run = kick_z.real_time
    assert (run.tag, run.n_checks, run.n_prints, run.n_restarts) == ("kick_z", 5, EVERY, 0)
    assert astuple(run.tolerances) == pytest.approx((1e-9, 1e-11, 1e-8), rel=1e-14)
    (kick,) = run.fields
    assert replace(kick, maximum=0.0) == Field("kick", "delta", (0.0, 0.0, 1.0), 0.0)
    assert kick.maximum == pytest.approx(2e-4, rel=1e-14)
    assert run.excitations == (Excitation("system", "kick"),)
    assert kick_x.real_time.fields[0].direction == (1.0, 0.0, 0.0)
    assert kick_x.real_time.quantities == {"dipole"}
    assert kick_x.real_time.n_checks == 10


def test_fragments_of_a_helium_pair() -> None:
    deck = read_deck(DECKS / "helium_fragments.nw")
    left, right, both, run = deck.tasks
    assert isinstance(left, GroundStateTask)
    assert isinstance(right, GroundStateTask)
    assert isinstance(both, GroundStateTask)
    assert isinstance(run, PropagationTask)
    names = [task.system.geometry.name for task in (left, right, both, run)]
    assert names == ["left", "right", "both", "both"]
    assert [task.system.charge for task in (left, right, both)] == [1, 0, 1]
    assert [task.system.multiplicity for task in (left, right, both)] == [2, 1, 2]
    assert right.system.open_shell  # odft stays in force
    assert (left.output, right.output, both.output) == ("left.movecs", "right.movecs", "both.movecs")
    assert both.vectors == Vectors("fragment", ("left.movecs", "right.movecs"))
    assert both.skip
    assert not left.skip
    np.testing.assert_allclose(both.system.geometry.positions[1], [0, 0, 6.0])
    assert [geometry.name for geometry in run.system.geometries] == ["left", "right", "both"]
    real_time = run.real_time
    assert real_time.load == Load("vectors", ("both.movecs",))
    assert real_time.quantities == {"dipole", "charge", "s2", "energy"}
    up, down = real_time.fields
    assert (up.spin, down.spin) == ("alpha", "beta")
    assert up.angles == (45.0, 30.0)
    expected = (math.sqrt(0.5) * math.cos(math.pi / 6), math.sqrt(0.5) * 0.5, math.sqrt(0.5))
    np.testing.assert_allclose(up.direction, expected, atol=1e-15)
    assert (up.maximum, up.frequency, up.phase, up.center, up.width) == pytest.approx(
        (-0.001, 0.5, 0.25, 2.0, 0.6), rel=1e-14
    )


def test_upper_case_tabs_zmatrix_sp_shells_and_no_start() -> None:
    deck = read_deck(DECKS / "nitric_oxide.INP")
    assert deck.prefix == "nitric_oxide.INP"
    run = last(deck)
    system = run.system
    assert (system.multiplicity, system.open_shell) == (2, True)
    # Centre of nuclear charge of N at 0 and O at 1.15 Angstrom is 8/15 of the way.
    z = np.array([-8 / 15, 7 / 15]) * 1.15 / ANGSTROM_PER_BOHR
    np.testing.assert_allclose(system.geometry.positions[:, 2], z, rtol=1e-12)
    assert [shell[0] for shell in system.basis["O"]] == [0, 0, 1]
    assert system.basis["O"][2][1] == pytest.approx([5.03315, 0.155916], rel=1e-14)
    assert run.real_time.mocap == MOCap(emin=4 * 0.1, checks=False)
    assert run.real_time.propagator == "rk4"
    assert run.real_time.no_propagation


def test_ecp_snapshots_and_dipole_contributions() -> None:
    run = last(read_deck(DECKS / "gold_hydride.nw"))
    assert run.system.geometry.tags == ("Au", "H1")
    assert run.system.ecp["Au"][0] == 60
    assert set(run.system.ecp) == {"Au"}
    real_time = run.real_time
    assert (real_time.check_level, real_time.static, real_time.profile) == (2, True, True)
    assert len(real_time.quantities) == 10
    assert real_time.dipole_contributions == DipoleContributions(2, (1, 4), None)
    plot = DensityPlot((-5.0, -5.0, -6.0), (5.0, 5.0, 8.0), (10, 10, 14), "total")
    assert real_time.visualization is not None
    assert real_time.visualization.plot == plot


def test_nwchems_count_of_points_follows_its_reading_of_numbers(tmp_path: Path) -> None:
    # NWChem 7.0.2 makes 13 points of tmax 2.4 and dt 0.2.
    assert last(read(tmp_path, WATER + RUN.format(""))).real_time.n_points == 13


def test_positions_are_centred_on_nuclear_charge(tmp_path: Path) -> None:
    # NWChem 7.0.2 prints O at -0.04 -0.05 -0.10, H at 0.26 0.75 0.00 Angstrom.
    text = WATER.replace("nocenter", "").replace("O 0 0 0.12", "O 1.0 0.0 0.0")
    text = text.replace("H 0 0.76 -0.47", "H 1.3 0.8 0.1").replace("H 0 -0.76 -0.47", "H 1.1 -0.3 0.9")
    positions = last(read(tmp_path, text + RUN.format(""))).system.geometry.positions * ANGSTROM_PER_BOHR
    expected = [[-0.04, -0.05, -0.10], [0.26, 0.75, 0.0], [0.06, -0.35, 0.80]]
    np.testing.assert_allclose(positions, expected, atol=1e-12)


def test_zmatrix_of_hydrogen_peroxide_lies_as_in_nwchem(tmp_path: Path) -> None:
    zmatrix = """\
geometry noautosym
 zmatrix
  O
  O 1 1.4
  H 1 r 2 a
  H 2 r 1 a 3 t
  variables
  r 0.96
  a 104.5
  constants
  t 111.0
 end
end
"""
    # Printed by NWChem 7.0.2 for this block, Angstrom.
    expected = [
        [-0.03313038, -0.04820500, -0.70000000],
        [-0.03313038, -0.04820500, 0.70000000],
        [0.89629136, -0.04820500, -0.94036480],
        [-0.36620534, 0.81948494, 0.94036480],
    ]
    text = zmatrix + WATER[WATER.index("basis") :] + RUN.format("")
    positions = last(read(tmp_path, text)).system.geometry.positions * ANGSTROM_PER_BOHR
    np.testing.assert_allclose(positions, expected, atol=1e-8)


def test_zmatrix_with_a_second_angle_lies_as_in_nwchem(tmp_path: Path) -> None:
    zmatrix = """\
geometry noautosym nocenter
 zmatrix
  C
  O 1 1.2
  H 1 1.1 2 121.0
  H 1 1.1 2 120.0 3 110.0 -1
  H 2 1.0 1 100.0 3 -40.0
 end
end
"""
    # Printed by NWChem 7.0.2 for this block, Angstrom.
    expected = [
        [0.00000000, 0.00000000, 0.00000000],
        [0.00000000, 0.00000000, 1.20000000],
        [0.94288403, 0.00000000, -0.56654188],
        [-0.76938667, -0.56173316, -0.55000000],
        [0.75440651, -0.63302222, 1.37364818],
    ]
    text = zmatrix + WATER[WATER.index("basis") :].replace("task", "charge 1\ntask") + RUN.format("")
    positions = last(read(tmp_path, text)).system.geometry.positions * ANGSTROM_PER_BOHR
    np.testing.assert_allclose(positions, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("units", "bohr"), [("au", 1.0), ("bohr", 1.0), ("nm", 10 / 0.529177249), ("pm", 0.01 / 0.529177249)]
)
def test_units(tmp_path: Path, units: str, bohr: float) -> None:
    text = f"geometry units {units} nocenter\nHe 0 0 2\nend\nbasis\nHe library 3-21G\nend\ntask scf\n"
    run = last(read(tmp_path, text + RUN.format("")))
    assert run.system.geometry.positions[0, 2] == pytest.approx(2 * bohr, rel=1e-14)


def test_xyz_file_second_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.xyz").write_text("1\nfirst\nNe 0 0 0\n2\nsecond\nHe 0 0 0\nHe 0 0 1.0\n")
    block = "geometry units au nocenter noautosym\nload frame 2 two.xyz\nend\n"
    text = block + "basis\n* library 3-21G\nend\ntask dft\n"
    system = last(read(tmp_path, text + RUN.format(""))).system
    assert system.geometry.tags == ("He", "He")
    assert system.geometry.positions[1, 2] == pytest.approx(1.0 / ANGSTROM_PER_BOHR, rel=1e-14)


def test_tags_choose_their_basis_as_in_nwchem(tmp_path: Path) -> None:
    # NWChem 7.0.2 counts 37 functions for these tags: Oa takes the basis of O, H2 that of H.
    text = """\
geometry noautosym
 O 0 0 0
 O1 0 0 2
 H 0 0 3
 H2 0 1 0
 Oa 0 0 7
end
basis
 O library 6-31G*
 O1 library sto-3g
 H library sto-3g
end
task dft
"""
    assert last(read(tmp_path, text + RUN.format(""))).system.n_basis == 37


@pytest.mark.parametrize(
    ("entries", "functions", "energy"),
    [
        # Total energies of NWChem 7.0.2, Hartree-Fock. `*` adds to what a tag has under its own name …
        ("* library STO-3G\n O library 6-31G", 14 + 2, -75.968399355965),
        ("O library 6-31G\n * library 3-21G\n O D\n  0.8 1.0", 24 + 4, -76.008604705060),
        ("* library STO-3G\n * library 3-21G", 14 + 6, -75.676549973808),
        # … and leaves an element's entry without use. Tags, those of `except` too, tell cases apart.
        ("oxygen library 6-31G\n * library STO-3G", 5 + 2, -74.963805065884),
        ("* library STO-3G except o\n O library 6-31G", 14 + 2, -75.968399355965),
        ("* library STO-3G except O H\n O library 6-31G\n H library STO-3G", 9 + 2, -75.958956596221),
    ],
)
def test_star_adds_to_other_entries(tmp_path: Path, entries: str, functions: int, energy: float) -> None:
    text = f"""\
geometry noautosym noautoz
 O 0 0 0
 H 0 0.8 0.6
 H 0 -0.8 0.6
end
basis
  {entries}
end
dft
  xc hfexch
end
task dft
"""
    system = last(read(tmp_path, text + RUN.format(""))).system
    assert system.n_basis == functions
    assert scf.RHF(molecule(system)).kernel() == pytest.approx(energy, abs=2e-6)


def test_star_with_exceptions_and_ghost_centres(tmp_path: Path) -> None:
    text = """\
geometry noautosym nocenter
 O 0 0 0
 O1 0 0 2
 bqH 0 0 4
end
basis
 * library 6-31G** except O1
 O1 library O sto-3g
end
task dft
"""
    system = last(read(tmp_path, text + RUN.format(""))).system
    # Cartesian 6-31G**: O 15, H 5; STO-3G O 5.
    assert system.n_basis == 15 + 5 + 5
    assert list(system.geometry.atomic_numbers) == [8, 8, 0]


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        # Functions of cartesian water: O + 2 H, counted from the sets' published contractions.
        ("STO-3G", 5 + 2 * 1),
        ("6-31G**", 15 + 2 * 5),
        ("6-311++G(2d,2p)", 5 + 4 * 3 + 2 * 6 + 2 * (4 + 2 * 3)),
        ("cc-pVDZ", 3 + 2 * 3 + 6 + 2 * (2 + 3)),
        ("aug-cc-pvdz", 4 + 3 * 3 + 2 * 6 + 2 * (3 + 6)),
        ("def2-sv(p)", 3 + 2 * 3 + 6 + 2 * 2),
        ("def2-svp", 3 + 2 * 3 + 6 + 2 * (2 + 3)),
        ("Ahlrichs pVDZ", 3 + 2 * 3 + 6 + 2 * (2 + 3)),
    ],
)
def test_library_sets(tmp_path: Path, name: str, functions: int) -> None:
    text = WATER.replace("sto-3g", f'"{name}"')
    assert last(read(tmp_path, text + RUN.format(""))).system.n_basis == functions


def test_fitting_basis(tmp_path: Path) -> None:
    fitting = 'basis "cd basis" spherical\n* library "Weigend Coulomb Fitting"\nend\n'
    system = last(read(tmp_path, fitting + WATER + RUN.format(""))).system
    assert system.fitting_basis is not None
    assert set(system.fitting_basis) == {"O", "H"}
    assert system.fitting_spherical
    assert not system.spherical


def test_settings_of_an_rt_block_do_not_leak_but_loads_do(tmp_path: Path) -> None:
    first = RUN.format(" load restart\n tag a\n static")
    second = RUN.format("")
    deck = read(tmp_path, WATER + first + second + "unset rt_tddft:*\n" + second)
    runs = [task.real_time for task in deck.tasks if isinstance(task, PropagationTask)]
    assert [run.load.kind for run in runs] == ["restart", "restart", "scf"]
    assert [run.static for run in runs] == [True, False, False]
    assert [run.tag for run in runs] == ["a", "<rt_tddft>:", "<rt_tddft>:"]


def test_the_same_propagation_twice(tmp_path: Path) -> None:
    deck = read(tmp_path, WATER + RUN.format("") + "task dft rt_tddft\n")
    assert [type(task) for task in deck.tasks] == [GroundStateTask, PropagationTask, PropagationTask]


def test_linear_response_brings_its_ground_state(tmp_path: Path) -> None:
    text = WATER.replace("task dft energy", "task tddft") + RUN.format("")
    assert [type(task) for task in read(tmp_path, text).tasks] == [
        GroundStateTask,
        LinearResponseTask,
        PropagationTask,
    ]


def test_task_scf_is_hartree_fock_and_rt_uses_the_dft_settings(tmp_path: Path) -> None:
    deck = read(tmp_path, WATER.replace("dft energy", "scf energy") + RUN.format(""))
    ground = deck.tasks[0]
    assert isinstance(ground, GroundStateTask)
    assert ground.system.functional.pyscf == "HF"
    # NWChem's dft default is the local density approximation.
    assert last(deck).system.functional.pyscf == "1*LDA_X, 1*LDA_C_VWN"


def test_open_shell_scf_is_unrestricted_only(tmp_path: Path) -> None:
    text = WATER.replace("task dft energy", "charge 1\nscf\n doublet\n{}\nend\ntask scf\ndft\n mult 2\nend")
    ground = read(tmp_path, text.format("uhf") + RUN.format("")).tasks[0]
    assert isinstance(ground, GroundStateTask)
    assert ground.system.open_shell
    with pytest.raises(DeckError, match=r"deck\.nw:10: restricted open-shell scf is not carried out"):
        read(tmp_path, text.format("rohf") + RUN.format(""))


def test_orbitals_that_no_longer_fit_give_way_to_the_atomic_guess(tmp_path: Path) -> None:
    text = WATER + "basis\n * library 6-31G\nend\ntask dft energy\n" + RUN.format("")
    second = read(tmp_path, text).tasks[1]
    assert isinstance(second, GroundStateTask)
    assert second.vectors == Vectors("atomic")


def test_a_basis_changed_behind_the_ground_state(tmp_path: Path) -> None:
    text = WATER + "basis\n * library 6-31G\nend\n" + RUN.format("")
    with pytest.raises(DeckError, match=r"orbitals deck\.movecs have 7 basis functions, the system 13"):
        read(tmp_path, text)


def test_a_notice_where_nwchem_would_turn_the_molecule(tmp_path: Path) -> None:
    (notice,) = read(tmp_path, WATER.replace("noautosym", "") + RUN.format("")).notices
    assert "deck.nw:1: geometry 'geometry' lacks noautosym" in notice
    assert read(tmp_path, WATER + RUN.format("")).notices == ()


def test_eof_ends_the_deck_and_stop_is_an_error(tmp_path: Path) -> None:
    assert len(read(tmp_path, WATER + RUN.format("") + "eof\nnonsense\n").tasks) == 2
    # NWChem 7.0.2 ends with exit code 255 there.
    with pytest.raises(DeckError, match="stop ends NWChem with an error"):
        read(tmp_path, WATER + RUN.format("") + "stop\n")
