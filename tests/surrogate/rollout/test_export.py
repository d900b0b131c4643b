"""Graphs beside numpy in an ionising field, for every functional; and what is not written."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hybrid_propagate.adapters.deck.xc import Attenuation, functional
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.pyscf.quadrature import ao_values
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.surrogate.rollout import export, magnus_step
from hybrid_propagate.surrogate.rollout.changes import in_range
from hybrid_propagate.surrogate.rollout.compare import (
    GraphsDiffer,
    by_numpy,
    check_graphs,
    run_graphs,
    trajectory_error,
)
from hybrid_propagate.surrogate.rollout.differences import differences
from hybrid_propagate.surrogate.rollout.export import export_graphs
from hybrid_propagate.surrogate.rollout.expressions import evaluate, exp, of_name
from hybrid_propagate.surrogate.rollout.fock_matrix import density_at_rest
from hybrid_propagate.surrogate.rollout.functionals import formula, potential_at
from hybrid_propagate.surrogate.rollout.graphs import FILES, graphs_of
from hybrid_propagate.surrogate.rollout.magnus_step import TooLong, series
from hybrid_propagate.surrogate.rollout.molecule import (
    RolloutMatrices,
    RolloutPoints,
    TooLarge,
    molecule_of,
)
from pyscf import dft
from pyscf_systems import GIB, water

DT = 0.2
WORDS = (
    "hfexch",
    "slater vwn_5",
    "pbe96",
    "pbe0",
    "b3lyp",
    "becke88 lyp",
    "xcamb88 lyp 0.81 vwn_5 0.19 hfexch",
)
CASES = [(words, False) for words in WORDS] + [("pbe0", True), (WORDS[-1], True), ("slater vwn_5", True)]


@cache
def case(words: str, cation: bool) -> tuple[PySCFEngine, RolloutMatrices]:
    """Water or its cation in STO-3G, the functional on a small grid, for what the graphs do with it."""
    cam = Attenuation(0.33, 0.19, 0.46) if words.startswith("xcam") else None
    system = replace(water(cation=cation, grid="xcoarse"), functional=functional(tuple(words.split()), cam))
    engine, orbitals = solve_ground_state(make_engine(system, GIB), None, 50)
    density = np.real(orbitals.density())
    engine = expanded_about(engine, density, kernel=False)
    build = engine.fock(density.astype(complex))
    basis = make_working_basis(engine.integrals, np.real(build.fock))
    molecule = molecule_of(engine, basis, density, build, GIB)
    if engine.quadrature is None:
        return engine, molecule
    grids = dft.gen_grid.Grids(engine.mol)
    grids.atom_grid = (10, 26)
    grids.build()
    return engine, on(engine, molecule, grids.coords, grids.weights)


def on(
    engine: PySCFEngine, molecule: RolloutMatrices, coords: np.ndarray, weights: np.ndarray
) -> RolloutMatrices:
    """The molecule with its functional on some points."""
    functional = engine.system.functional
    made = formula(functional.pyscf, functional.directive, open_shell=engine.system.open_shell)
    assert made is not None
    orbitals = ao_values(engine.mol, coords, made.n_components) @ molecule.basis
    return replace(molecule, points=RolloutPoints(made, coords, weights, orbitals, 0.01))


@pytest.mark.parametrize(("words", "cation"), CASES)
def test_a_hundred_steps_in_an_ionising_field_as_by_numpy(words: str, *, cation: bool) -> None:
    engine, molecule = case(words, cation)
    t = DT * np.arange(101)
    fields = np.zeros((101, 2, 3))
    fields[:, 0] = 0.2 * (np.sin(0.378 * t) * np.exp(-(((t - 8.0) / 4.0) ** 2)))[:, None] * [0.3, 0.5, 0.8]
    fields[0, 1, 2] = 1e-4
    contents = {name: model.SerializeToString() for name, model in graphs_of(molecule, DT, {}).items()}
    found = run_graphs(contents, fields, by_block=True)
    reference = by_numpy(molecule, DT, engine)
    for k in range(2):
        wanted = reference.run(fields[:, k])
        # What the strong field moves is no small change.
        assert np.abs(wanted - wanted[0]).max() > (0.3, 1e-6)[k]
        # Of the kick's 1e-5 au what is left is rounding.
        assert trajectory_error(found[:, k], wanted) < (1e-8, 1e-6)[k]
    # One step after the other, and another number of trajectories, are the same.
    again = run_graphs(contents, fields[:5, :1], by_block=False)
    assert again[:, 0] == pytest.approx(found[:5, 0], abs=1e-12)


@pytest.mark.parametrize(("words", "cation"), [("pbe0", False), ("slater vwn_5", True)])
def test_single_precision_keeps_a_weak_kick(words: str, *, cation: bool) -> None:
    """Of a signal of 1e-5 au four digits are left after 300 steps."""
    engine, molecule = case(words, cation)
    made = graphs_of(in_range(molecule), DT, {}, "float32")
    contents = {name: model.SerializeToString() for name, model in made.items()}
    fields = np.zeros((301, 1, 3))
    fields[0, 0, 2] = 1e-4
    wanted = by_numpy(molecule, DT, engine).run(fields[:, 0])
    moved = wanted - wanted[0]
    assert 1e-6 < np.abs(moved).max() < 1e-4
    assert trajectory_error(run_graphs(contents, fields, by_block=True)[:, 0], moved) < 1e-4


def test_single_precision_in_a_strong_field_is_compared_before_it_is_written(tmp_path: Path) -> None:
    engine, molecule = case("pbe0", True)
    said: list[str] = []
    paths = export_graphs(engine, molecule, DT, tmp_path / "new", {"precision": "float32"}, said.append)
    assert 0.0 < float(said[-1].split()[-1]) < 1e-5
    session = onnxruntime.InferenceSession(paths[1], providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    assert told["precision"] == "float32"
    assert np.shape(json.loads(told["dipole_at_rest"])) == (3,)
    assert {entry.type for entry in (*session.get_inputs(), *session.get_outputs())} == {"tensor(float)"}
    assert session.get_outputs()[-1].name == "dipole_change"
    wrong = replace(molecule, coulomb=molecule.coulomb * (1.0 + 1e-3))
    made = graphs_of(in_range(wrong), DT, {}, "float32")
    contents = {name: model.SerializeToString() for name, model in made.items()}
    said_so = r"^step: differs from numpy by \d.*, allowed 1e-05; --precision float64 loses less$"
    with pytest.raises(GraphsDiffer, match=said_so):
        check_graphs(contents, by_numpy(molecule, DT, engine), "float32")


@pytest.mark.parametrize("words", ["pbe0", "xcamb88 lyp 0.81 vwn_5 0.19 hfexch"])
def test_differences_are_those_of_the_formula(words: str) -> None:
    cam = Attenuation(0.33, 0.19, 0.46) if words.startswith("xcam") else None
    made = formula(functional(tuple(words.split()), cam).pyscf, words, open_shell=False)
    assert made is not None
    random = np.random.default_rng(0)
    rho = np.exp(random.uniform(-5.0, 1.0, 50)) * np.array([[1.0], *random.uniform(-1.0, 1.0, (3, 1))])
    names = list(made.inputs[0])
    moved, rests = differences(made.potential[0])
    at_rest = dict(zip(names, rho, strict=True))
    values = dict(zip(rests, evaluate(list(rests.values()), at_rest), strict=True))
    for size in (1e-2, 0.5):
        change = size * rho * random.uniform(-1.0, 1.0, rho.shape)
        found = evaluate(moved, values | dict(zip(names, change, strict=True)))
        wanted = potential_at(made, (rho + change)[None])[0] - potential_at(made, rho[None])[0]
        assert np.array(found) == pytest.approx(wanted, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("words", WORDS[2:])
def test_single_precision_holds_the_tail_of_a_density(words: str) -> None:
    """B3LYP once lost 3e-4 of a kick by four points with 5e-6 to 2e-5 electrons a cubic bohr."""
    engine, molecule = case(words, False)
    tail = on(engine, molecule, np.linspace([0.0, 0.0, 3.8], [0.0, 0.0, 6.0], 20), np.ones(20))
    assert tail.points is not None
    density = density_at_rest(tail, tail.points)[0, 0]
    assert density.min() < 1e-9
    assert density.max() > 1e-5
    kept = in_range(tail).points
    assert kept is not None
    assert len(kept.weights) == 20


def test_the_exponential_of_a_large_number_changes_to_that_of_a_small_one() -> None:
    """As of Becke 88 at short range near a nucleus: exp(-6000) was nothing, and its change no number."""
    (moved,), rests = differences([exp(-of_name("x"))])
    x = np.array([6000.0, 2.0, 2.0])
    values = dict(zip(rests, evaluate(list(rests.values()), {"x": x}), strict=True))
    found = evaluate([moved], values | {"x": np.array([-5998.0, 5998.0, 1e-9])})[0]
    assert found == pytest.approx([np.exp(-2.0), -np.exp(-2.0), -1e-9 * np.exp(-2.0)], rel=1e-7)


def test_the_files_tell_what_they_are(tmp_path: Path) -> None:
    engine, molecule = case("pbe0", False)
    said: list[str] = []
    paths = export_graphs(engine, molecule, DT, tmp_path / "new", {"molecule": "H2O"}, said.append)
    assert [path.name for path in paths] == list(FILES.values())
    assert "against numpy: at most" in said[-1]
    for path in paths:
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        told = session.get_modelmeta().custom_metadata_map
        assert (told["molecule"], told["dt"], told["held_out_error"]) == ("H2O", "0.2", "0.01")
        assert molecule.points is not None
        assert told["points"] == json.dumps(len(molecule.points.weights))
        shapes = [entry.shape for entry in (*session.get_inputs(), *session.get_outputs())]
        assert all("batch" in shape for shape in shapes)


def test_graphs_that_differ_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, molecule = case("pbe0", False)
    wrong = replace(molecule, coulomb=molecule.coulomb * (1.0 + 1e-4))
    with pytest.raises(GraphsDiffer, match=r"^step: differs from numpy by \d.*, allowed 1e-06$"):
        export_graphs(engine, wrong, DT, tmp_path, {}, lambda _: None)
    monkeypatch.setattr(export, "graphs_of", without_nodes(graphs_of))
    with pytest.raises(GraphsDiffer, match=r"^step: ONNX Runtime: .*"):
        export_graphs(engine, molecule, DT, tmp_path, {}, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def without_nodes(
    make: Callable[..., dict[str, onnx.ModelProto]],
) -> Callable[..., dict[str, onnx.ModelProto]]:
    def broken(*given: object) -> dict[str, onnx.ModelProto]:
        models = make(*given)
        del models["start"].graph.node[:]
        return models

    return broken


def test_numbers_that_are_none_are_a_difference() -> None:
    engine, molecule = case("hfexch", False)
    broken = replace(molecule, exchange=np.full_like(molecule.coulomb, np.nan))
    contents = {name: model.SerializeToString() for name, model in graphs_of(broken, DT, {}).items()}
    with pytest.raises(GraphsDiffer, match="step: differs from numpy by nan"):
        check_graphs(contents, by_numpy(molecule, DT, engine))


def test_too_large_and_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, molecule = case("pbe0", False)
    density = np.real(engine.mol.intor("int1e_ovlp"))[None]
    basis = make_working_basis(engine.integrals, engine.integrals.core[None])
    build = engine.fock(density.astype(complex))
    with pytest.raises(TooLarge, match=r"^7 orbitals: matrices of 0.0 GB do not fit in the memory allowed"):
        molecule_of(engine, basis, density, build, 1e3)
    monkeypatch.setattr(magnus_step, "MOST_TERMS", 20)
    with pytest.raises(TooLong, match="accepted: a smaller dt"):
        graphs_of(molecule, 5.0, {})


def test_the_series_is_that_of_the_exponential() -> None:
    x, terms = np.linspace(-1.0, 1.0, 7), series(9.0)
    # cos(n arccos x) is T_n.
    found = sum(c * (-1j) ** n * np.cos(n * np.arccos(x)) for n, c in enumerate(terms))
    assert found == pytest.approx(np.exp(-9j * x), abs=1e-13)
