"""`--check`: what a deck takes and why it is refused, told before it runs."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import TASKS, read_deck
from hybrid_propagate.adapters.deck.xc import Attenuation, accepted_words, functional
from hybrid_propagate.adapters.pyscf import engine, ground_state, two_electron
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.quadrature import GRID_LEVEL
from hybrid_propagate.adapters.system.formula import formula
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.forecast import cost, motion, words, work
from hybrid_propagate.driver.forecast.cost import Asked, cost_of, seconds_counts
from hybrid_propagate.driver.forecast.forecast import Forecast, forecast
from hybrid_propagate.driver.forecast.symmetry import symmetry
from hybrid_propagate.driver.forecast.work import size_of
from hybrid_propagate.driver.loop import controller, hybrid
from hybrid_propagate.driver.loop import motion as loop_motion
from hybrid_propagate.driver.loop.problem import NO_FIELD, make_problem
from hybrid_propagate.driver.run import surrogates
from hybrid_propagate.surrogate.kernel import (
    analytic,
    cholesky_vectors,
    factored_mean_field,
    pair_interpolation,
    pair_kernel,
)
from hybrid_propagate.surrogate.kernel.analytic import analytic_kernel
from hybrid_propagate.surrogate.nonlinear import cubature, nonlinear_response
from hybrid_propagate.surrogate.weak_fields import pair_response
from pyscf import dft, symm
from small_decks import HYDRIDE, WATER, kicked

ROOT = Path(__file__).parents[3]


def test_sizes_are_those_of_the_engine() -> None:
    task = read_deck(ROOT / "examples/water.nw").propagations[0]
    engine = make_engine(task.system, 1e9)
    size = size_of(task.system)
    assert engine.quadrature is not None
    assert (size.functions, size.spins, size.occupied) == (13, 1, 5)
    assert (size.kernels, size.exchange, size.components) == (1, True, 4)
    assert math.isclose(size.points, engine.quadrature.weights.size, rel_tol=0.1)


def test_limits_are_those_of_the_programs_parts() -> None:
    assert (work.SMALL, work.MOST_KERNEL, work.DOUBLE_PAIRS, work.MAKING) == (
        two_electron.SMALL,
        analytic.MAX_BYTES,
        analytic._SINGLE_PRECISION_PAIRS,
        analytic.BUILDING,
    )
    assert work.INTEGRALS_SHARE == engine.INTEGRALS_SHARE
    assert work.FACTORS_SHARE == factored_mean_field.SHARE
    assert (work.MOST_MODES, work.VECTORS) == (surrogates.MOST_MODES, cholesky_vectors.VECTORS)
    assert work.MATRICES_BESIDE_VECTORS == pair_kernel._HELD_BESIDE_VECTORS
    halves = (pair_kernel.HALF_TRANSFORMED, pair_kernel.REST_SHARE)
    assert halves == (work.HALF_TRANSFORMED, work.REST_SHARE)
    assert (work.PAIR_MATRICES, work.SINGLE_MATRICES, motion.WEAK) == (
        pair_kernel._HELD,
        pair_kernel._HELD_SINGLE,
        pair_response.WEAK,
    )
    assert (cost.PIECES, cost.HELD) == (hybrid.SEGMENT_BYTES, loop_motion.HELD)
    assert cost.MOST_EXACT == pair_response.MOST_EXACT
    assert ground_state._FITTED_FROM == cost.FITTED_FROM
    assert motion.NO_FIELD == NO_FIELD
    assert pair_interpolation.FROM_PAIRS == cost.INTERPOLATED
    assert set(work._POINTS[1]) == set(GRID_LEVEL)
    assert (motion.CURVED, motion.NONLINEAR, motion.LEAST_STEPS, motion.DEFECT_GAIN) == (
        surrogates.CURVED,
        surrogates.NONLINEAR,
        surrogates.LEAST_STEPS,
        controller.DEFECT_GAIN,
    )
    assert (cost.ROWS, cost.CANDIDATES, cost.MOST) == (
        nonlinear_response.TRAINED * cubature.TESTS,
        cubature.CANDIDATES,
        cubature.MOST,
    )


def test_a_resonant_field_moves_more_than_its_size_tells(tmp_path: Path) -> None:
    """∫ E0 sin(ωt) exp(-(t-t0)²/2s²) exp(iωt) dt = E0 s √(2π) / 2; a kick's impulse is max dt / 2."""
    pulse = "type gaussian\n    frequency 0.378\n    center 60.0\n    width 10.0"
    for shape, size in (("type delta", 1e-3), (pulse, 1e-2 * 10.0 * math.sqrt(2.0 * math.pi) / 2.0)):
        (tmp_path / "a.nw").write_text(kicked(tmax=150.0, kick=1e-2).replace("type delta", shape))
        task = read_deck(tmp_path / "a.nw").propagations[0]
        assert motion.change(task) == pytest.approx(size, rel=1e-2)


def test_what_is_not_linear_costs_less_than_the_reference_and_more_than_what_is(tmp_path: Path) -> None:
    """Docs/results/strong_fields.md: of 4009 builds a few are left, and steps are dearer."""
    seconds, memory = [], []
    for kick, asked in ((1e-4, Asked(4e9)), (0.5, Asked(4e9)), (1e-4, Asked(4e9, surrogate=False))):
        (tmp_path / "a.nw").write_text(kicked(tmax=1000.0, kick=kick, basis="6-31G", xc="pbe0"))
        deck = read_deck(tmp_path / "a.nw")
        told = cost_of(deck, {k: size_of(task.system) for k, task in enumerate(deck.tasks)}, asked)
        seconds.append(told.seconds)
        memory.append(told.memory)
    assert seconds[0] < seconds[1] < seconds[2]
    assert memory[2] < memory[0] < memory[1]


def test_long_times_are_told_in_hours() -> None:
    assert [words._time(minutes) for minutes in (2.0, 170.0, 3490.0)] == ["120 s", "170 minutes", "58 hours"]


@pytest.mark.parametrize("word", accepted_words())
def test_functionals_are_told_apart_as_pyscf_does(word: str) -> None:
    """Rung, exact exchange, attenuation."""
    cam = Attenuation(0.33, 0.0, 0.65) if word.startswith("xcam") or word == "xwpbe" else None
    if word == "srhfexch":
        cam = Attenuation(0.33, 0.0, 1.0)
    xc = functional((word,), cam).pyscf
    numint = dft.numint.NumInt()
    omega, long_range, share = numint.rsh_and_hybrid_coeff(xc)
    assert work._kind(xc) == numint._xc_type(xc)
    assert bool(work._ATTENUATED.search(xc)) is bool(omega)
    assert work._has_exchange(xc) is (share != 0 or long_range != 0)


@pytest.mark.parametrize(
    ("atoms", "n"),
    [
        (WATER, 4),
        ("  H 0 0 0\n  H 0.3 0.4 0.5", 8),
        ("  O 0 0 0", 8),
        (
            "  C 0 0 0\n  H 0.63 0.63 0.63\n  H -0.63 -0.63 0.63\n  H -0.63 0.63 -0.63\n  H 0.63 -0.63 -0.63",
            4,
        ),
        ("  N 0 0 0\n  H 0 0.94 0.38\n  H 0.814 -0.47 0.38\n  H -0.814 -0.47 0.38", 2),
        ("  O 0 0.7 0\n  O 0 -0.7 0\n  H 0.9 0.9 0.3\n  H -0.9 -0.9 0.3", 2),
        ("  C 0 0 0\n  H 0 0 1.1\n  F 1.3 0 -0.4\n  Cl -0.8 1.5 -0.5\n  Br -0.9 -1.6 -0.5", 1),
    ],
)
def test_symmetry_is_that_of_pyscf(atoms: str, n: int, tmp_path: Path) -> None:
    """Operations of PySCF's subgroup of D2h: C2v has 4 of them."""
    (tmp_path / "a.nw").write_text(kicked(atoms, tmax=20.0, dft="  mult 3" if "\n" not in atoms else ""))
    system = read_deck(tmp_path / "a.nw").propagations[0].system
    mol = molecule(system)
    group, _, axes = symm.detect_symm(mol._atom, mol._basis)
    linear = {"SO3": "D2h", "Dooh": "D2h", "Coov": "C2v"}
    subgroup, _ = symm.geom.as_subgroup(group, axes, linear.get(group))
    found = symmetry(system, on_grid=False)
    assert found.operations == n == len(symm.param.IRREP_ID_TABLE[subgroup])
    assert found.polar == (subgroup in ("C1", "Cs", "C2", "C2v"))


def test_the_kernel_is_as_large_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.nw").write_text(kicked(HYDRIDE, tmax=1.0, kick=0.1))
    told = forecast(tmp_path / "a.nw", "pyscf", None, Asked(1e9))
    system = read_deck(tmp_path / "a.nw").propagations[0].system
    engine = make_engine(system, 1e9)
    n = engine.mol.nao
    kernel = analytic_kernel(engine, 2.0 * np.eye(n)[None] / n, 1e9)
    assert kernel is not None
    assert math.isclose(told.tasks[-1].kernel, kernel.n_bytes, rel_tol=0.3)


def test_more_steps_take_longer_and_more_functions_more_memory(tmp_path: Path) -> None:
    costs = []
    for name, tmax, basis in (("a", 20.0, "STO-3G"), ("b", 200.0, "STO-3G"), ("c", 20.0, "aug-cc-pVTZ")):
        (tmp_path / f"{name}.nw").write_text(kicked(tmax=tmax, basis=basis))
        deck = read_deck(tmp_path / f"{name}.nw")
        sizes = {k: size_of(task.system) for k, task in enumerate(deck.tasks)}
        costs.append(cost_of(deck, sizes, Asked(4e9)))
    assert costs[1].seconds > costs[0].seconds
    large = size_of(deck.tasks[0].system)
    assert costs[2].memory > costs[0].memory + work.held_integrals(large, 4e9)


def test_a_weak_kick_costs_little_more_the_longer_it_is_followed(tmp_path: Path) -> None:
    """Modes give all its steps: a hundredth of what a step takes beyond weak motion."""
    slopes = []
    for kick in (1e-4, 1e-2):
        seconds = []
        for tmax in (200.0, 2200.0):
            text = kicked(tmax=tmax, kick=kick, basis="6-31G*", atoms="  N 0 0 0\n  N 0 0 1.1\n  O 0 0 2.3")
            (tmp_path / "a.nw").write_text(text)
            deck = read_deck(tmp_path / "a.nw")
            sizes = {k: size_of(task.system) for k, task in enumerate(deck.tasks)}
            seconds.append(cost_of(deck, sizes, Asked(4e9)).seconds)
        slopes.append((seconds[1] - seconds[0]) / 10000)
    assert slopes[0] < 1e-3 < 10.0 * slopes[0] < slopes[1]


@pytest.mark.parametrize(
    ("kick", "words", "weak"), [(5e-4, "", True), (5e-4, "static", False), (2e-3, "", False)]
)
def test_motion_is_told_weak_as_the_loop_finds_it(
    kick: float, words: str, weak: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=40.0, kick=kick, basis="6-31G", steps=words))
    task = read_deck(tmp_path / "a.nw").propagations[0]
    assert motion.weak(task, 5) == weak
    engine, orbitals = solve_ground_state(make_engine(task.system, 1e9), None, 50)
    coupling = engine.integrals.dipole[2]
    coefficients = orbitals.coefficients[0]
    pushed = coefficients.T @ coupling @ coefficients
    size = 0.1 * kick * 2.0 * math.sqrt(2.0 * float((pushed[:5, 5:] ** 2).sum()))
    assert (size <= motion.WEAK) == (weak or words != "")


@pytest.mark.parametrize(
    ("field", "weak", "driven", "way"),
    [
        ("type cw\n frequency 0.05\n max 1e-6", True, 199, "by relaxation"),
        (
            "type hann\n frequency 0.4\n center 5.0\n width 10.0\n max 1e-6",
            True,
            50,
            "by relaxation while a field lasts, then by its modes",
        ),
        ("type cw\n frequency 0.05\n max 1e-3", False, 199, ""),
        ("type hann\n frequency 0.4\n center 5.0\n width 10.0\n max 1e-3", False, 50, ""),
    ],
)
def test_a_pulse_is_told_weak_as_the_loop_finds_it(
    field: str, weak: bool, driven: int, way: str, tmp_path: Path
) -> None:
    text = kicked(tmax=40.0, basis="6-31G")
    (tmp_path / "a.nw").write_text(text.replace("type delta\n", "").replace("max 0.0001", field))
    task = read_deck(tmp_path / "a.nw").propagations[0]
    assert motion.weak(task, 5) == weak
    assert motion.driven_steps(task.real_time) == driven
    engine, orbitals = solve_ground_state(make_engine(task.system, 1e9), None, 50)
    density = orbitals.density()
    build = engine.fock(density)
    basis = make_working_basis(engine.integrals, np.real(build.fock))
    problem = make_problem(task, engine, basis, build, density)
    assert (problem.driven_size <= motion.WEAK) == weak
    # A switch within rounding of a point may count as reached.
    assert 0 <= min(problem.last_field_step + 1, problem.n_steps) - driven <= 1
    told = forecast(tmp_path / "a.nw", "pyscf", None, Asked(1e9))
    assert (f"pairs an irrep, {way}\n" in "\n".join(words.words(told))) == weak


def test_each_further_run_of_a_deck_takes_memory(tmp_path: Path) -> None:
    """Measured: 38 MB in the three kicks of NWChem's own tutorial deck."""
    one = kicked(tmax=20.0)
    again = "unset rt_tddft:*\nrt_tddft" + one.split("rt_tddft", 1)[1].replace('"kick"', '"other"')
    memory = []
    for name, text in (("a", one), ("b", one + again), ("c", one + again + again)):
        (tmp_path / f"{name}.nw").write_text(text)
        told = forecast(tmp_path / f"{name}.nw", "pyscf", None, Asked(4e9))
        assert told.refusals == ()
        assert told.cost is not None
        memory.append(told.cost.memory)
    steps = np.diff(memory)
    assert (steps > 4e6).all()
    assert steps[0] == pytest.approx(steps[1])


def test_a_range_separated_exchange_is_read_as_one_set_of_integrals(tmp_path: Path) -> None:
    """Where they are computed anew, both operators are. Measured: cytosine's deck takes what is told."""
    held, direct = [], []
    for name, xc in (("a", "pbe0"), ("b", "cam-b3lyp")):
        text = kicked(tmax=20.0, xc=xc, basis="aug-cc-pVDZ").split("rt_tddft")[0]
        dft = "  direct\n  cam 0.33 cam_alpha 0.19 cam_beta 0.46\n" if xc != "pbe0" else ""
        words = "xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00" if dft else xc
        (tmp_path / f"{name}.nw").write_text(text.replace(f"xc {xc}\n", f"xc {words}\n{dft}"))
        size = size_of(read_deck(tmp_path / f"{name}.nw").tasks[0].system)
        assert size.pairs == 43 * 44 // 2
        for found, memory in ((held, 4e9), (direct, 1e6)):
            counts = cost._builds(size, 1, memory, parts=1.0)
            found.append({name: cost.SECONDS[name] * counts[name] for name in ("two-electron", "anew")})
    assert held[1] == held[0]
    assert held[0]["anew"] == direct[0]["two-electron"] == direct[1]["two-electron"] == 0.0
    assert direct[0]["anew"] > 5 * held[0]["two-electron"]
    assert direct[1]["anew"] == 2.0 * direct[0]["anew"]


def test_integrals_of_shells_far_apart_cost_nothing(tmp_path: Path) -> None:
    """Of two molecules, near and far. Aspirin in a large basis was told eight times too long."""
    pairs = []
    for name, z in (("one", None), ("near", 2.0), ("far", 60.0)):
        more = "" if z is None else f"  O 0 0 {z}; H 0 0.8 {z + 0.6}; H 0 -0.8 {z + 0.6}\n"
        atoms = f"  O 0 0 0; H 0 0.8 0.6; H 0 -0.8 0.6\n{more}"
        deck = f"geometry units angstroms\n{atoms}end\nbasis\n* library 6-31G\nend\ntask dft\n"
        (tmp_path / f"{name}.nw").write_text(f"start {name}\n{deck}")
        pairs.append(size_of(read_deck(tmp_path / f"{name}.nw").tasks[0].system).primitive_pairs)
    one, near, far = pairs
    assert one == 30 * 31 / 2
    assert far == 2.0 * one
    assert 3.0 * one < near <= 60 * 61 / 2


def test_check_prints_what_will_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=20.0))
    assert main([str(tmp_path / "a.nw"), "--check"]) == 0
    shown = capsys.readouterr().out
    assert "  <rt_tddft>: 99 steps to 20 au; " in shown
    for part in (
        "H2O",
        "7 functions",
        "99 steps",
        "weak motion, about 2 pairs an irrep, by its modes",
        "MB",
        "processor time",
        "dt 0.2",
        "spectrum:",
    ):
        assert part in shown
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize(
    ("surrogate", "changes", "refusal"),
    [
        ("rollout", {"atoms": "  Li 0 0 0\n  H 0 0 1.6", "dft": "  xc m06"}, "m06"),
        ("rollout", {"rest": "  static"}, "graphs have the magnus propagator"),
        ("neural", {"atoms": "  Ar 0 0 0"}, "--surrogate neural"),
        ("rollout", {}, ""),
        ("response", {}, ""),
    ],
)
def test_check_refuses_what_its_surrogate_cannot_serve(
    surrogate: str,
    changes: dict[str, object],
    refusal: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the run itself would, with the deck's line and a way out."""
    (tmp_path / "a.nw").write_text(kicked(tmax=20.0, **changes))  # pyright: ignore[reportArgumentType]
    assert main([str(tmp_path / "a.nw"), "--check", "--surrogate", surrogate]) == (2 if refusal else 0)
    shown = capsys.readouterr().err
    assert refusal in shown
    if refusal:
        assert "a.nw:" in shown
        assert "accepted: --surrogate response" in shown


@pytest.mark.parametrize(
    ("kick", "memory", "surrogate", "open_ended"),
    [(0.5, 1e6, True, True), (0.5, 1e11, True, False), (1e-4, 1e6, True, False), (0.5, 1e6, False, False)],
)
def test_strong_motion_without_a_kernel_has_two_ends(
    kick: float, memory: float, surrogate: bool, open_ended: bool, tmp_path: Path
) -> None:
    """A hundred directions, or one a step, each a Coulomb-exchange build."""
    (tmp_path / "a.nw").write_text(kicked(tmax=300.0, kick=kick))
    deck = read_deck(tmp_path / "a.nw")
    sizes = {k: replace(size_of(task.system), functions=160) for k, task in enumerate(deck.tasks)}
    told = cost_of(deck, sizes, Asked(memory, surrogate=surrogate))
    assert (told.most > told.seconds) is open_ended
    least, most = (replace(told, seconds=1e3, most=seconds) for seconds in (1e3, 1e4))
    shown = [words.words(Forecast("a.nw", "", (), cost=ends))[-1] for ends in (least, most)]
    assert [" 17 minutes of" in shown[0], " 17 minutes to 167 minutes of" in shown[1]] == [True, True]


@pytest.mark.parametrize(("xc", "anew"), [("pbe0", True), ("hfexch", False)])
def test_a_response_that_is_formed_anew_has_one_end(xc: str, anew: bool, tmp_path: Path) -> None:
    """As the run does where vectors of three indices fit; without a quadrature it meets directions."""
    (tmp_path / "a.nw").write_text(kicked(tmax=300.0, kick=0.5, xc=xc))
    deck = read_deck(tmp_path / "a.nw")
    sizes = {k: replace(size_of(task.system), functions=260) for k, task in enumerate(deck.tasks)}
    told = cost_of(deck, sizes, Asked(2e10))
    assert (told.most == told.seconds) is anew
    assert bool(work.factor_bytes(sizes[0], 2e10)) is anew
    assert not work.factor_bytes(sizes[0], 1e9)
    assert not work.factor_bytes(replace(sizes[0], functions=60), 2e10)


@pytest.mark.parametrize(("xc", "learns"), [("pbe0", False), ("xpbe96 cpbe96", True)])
def test_beside_exact_exchange_a_grid_takes_the_place_of_learned_points(
    xc: str, learns: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=300.0, kick=0.5, xc=xc))
    deck = read_deck(tmp_path / "a.nw")
    sizes = {k: replace(size_of(task.system), functions=260) for k, task in enumerate(deck.tasks)}
    counts = seconds_counts(deck, sizes, Asked(2e10))
    assert (counts["cell"] > 0) is learns
    assert (counts["formed"] > 0) is not learns
    assert counts["vectors"] > 0


def test_json_of_a_deck_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=20.0))
    assert main([str(tmp_path / "a.nw"), "--check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "hybrid-propagate check 1"
    assert told["refused"] is False
    assert [task["kind"] for task in told["tasks"]] == ["ground state", "propagation"]
    assert told["tasks"][1]["steps"] == 99
    assert told["memory_mb"] > 100
    page = (ROOT / "docs/files.md").read_text().split("## Check")[1].split("\n## ")[0]
    assert set(told) | set(told["tasks"][1]) <= set(page.replace("`", " ").replace(",", " ").split())


def test_json_of_a_deck_that_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.nw"
    path.write_text(kicked(tmax=20.0).replace("task dft rt_tddft", "task dft hessian"))
    assert main([str(path), "--check", "--json"]) == 2
    (refusal,) = json.loads(capsys.readouterr().out)["refusals"]
    line = path.read_text().splitlines().index("task dft hessian") + 1
    assert (refusal["file"], refusal["line"]) == (str(path), line)
    assert "hessian" in refusal["message"]
    assert refusal["hint"].startswith("accepted: ")


def test_every_refused_task_is_told(tmp_path: Path) -> None:
    """Two propagations that start from files that there are not."""
    text = kicked(tmax=20.0)
    for name in ("one", "two"):
        text += f"unset rt_tddft:*\nrt_tddft\n tmax 2\n dt 0.2\n load vectors {name}.movecs\nend\n"
        text += "task dft rt_tddft\n"
    (tmp_path / "a.nw").write_text(text)
    told = forecast(tmp_path / "a.nw", "pyscf", None, Asked(1e9))
    assert [refusal.message.split(":")[0] for refusal in told.refusals] == [
        "orbitals one.movecs",
        "orbitals two.movecs",
    ]


def test_a_run_without_a_step_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=1.0, dt=2.0))
    with pytest.raises(DeckError, match=r"a\.nw:\d+: tmax 1 lies before the end of the first step of dt 2"):
        read_deck(tmp_path / "a.nw")


@pytest.mark.parametrize("theory_operation", TASKS)
def test_every_task_listed_is_read(theory_operation: tuple[str, str], tmp_path: Path) -> None:
    plot = "dplot\n  limitxyz\n  0 1 2\n  0 1 2\n  0 1 2\nend\n"
    text = kicked(tmax=20.0).replace("task dft rt_tddft\n", plot + "task {} {}\n".format(*theory_operation))
    (tmp_path / "a.nw").write_text(text)
    assert len(read_deck(tmp_path / "a.nw").tasks) == 2


@pytest.mark.parametrize(
    ("what", "name"), [("xc", "pbe0"), ("basis", "6-31g"), ("tasks", "task dft rt_tddft")]
)
def test_list(what: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--list", what])
    assert ended.value.code == 0
    assert name in capsys.readouterr().out.splitlines()


def test_json_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.nw").write_text(kicked(tmax=20.0))
    assert main([str(tmp_path / "a.nw"), "--json"]) == 2
    assert "--json is for --check" in capsys.readouterr().err


def test_a_check_imports_no_pyscf(tmp_path: Path) -> None:
    """It would take longer than all the rest."""
    (tmp_path / "a.nw").write_text(kicked(tmax=20.0))
    code = (
        "import sys\nfrom hybrid_propagate.driver.commands.propagate import main\n"
        f"assert main([{str(tmp_path / 'a.nw')!r}, '--check']) == 0\n"
        "print('pyscf' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"


def test_the_formula_is_in_hills_order() -> None:
    assert formula([8, 1, 1, 6, 0]) == "CH2O"
    assert formula([11, 17]) == "ClNa"
