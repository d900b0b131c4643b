"""The trained network as a surrogate: the contract of all, on graphs that keep docs/neural/graphs.md."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hybrid_propagate.adapters.system import RealTime
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.driver.dataset.trajectories import point_problem
from hybrid_propagate.surrogate.contract import (
    GroundProblem,
    SurrogateCase,
    SurrogateContract,
    surrogate_case,
)
from hybrid_propagate.surrogate.kernel.analytic import apply_auxiliary_kernel
from hybrid_propagate.surrogate.on_the_fly.first_guess import FirstGuess
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse
from hybrid_propagate.surrogate.runtime.fitting_factors import fitting_factors, lowdin_orbitals
from hybrid_propagate.surrogate.runtime.network_response import (
    NetworkNotApplicable,
    NetworkResponse,
    check_applicable,
    open_graphs,
)
from hybrid_propagate.surrogate.runtime.neural_surrogate import NeuralSurrogate
from hybrid_propagate.surrogate.runtime.session import Device, DeviceError, GraphError, open_session
from hybrid_propagate.surrogate.samples.sampling import Point, rotated_densities, solve_point
from small_graphs import KERNELS, METADATA, write_small_graphs

WATER = np.array([[0.0, 0.02, 0.12], [0.0, 0.75, -0.45], [0.0, -0.78, -0.48]])


@cache
def point(xc: str = "pbe0", charge: int = 0, basis: str = "STO-3G") -> Point:
    molecule = Molecule("H2O", ("O", "H", "H"), WATER, charge, 1 + charge, held_out=False)
    return solve_point(system_of(molecule, Level(basis, xc), WATER))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs")
    write_small_graphs(path)
    return path


@pytest.fixture(scope="module")
def network(folder: Path) -> NetworkResponse:
    here = point()
    graphs = open_graphs(folder, "cpu")
    return NetworkResponse(graphs, here.engine.mol, here.orbitals.density(), here.system.functional.pyscf)


class TestNeuralSurrogate(SurrogateContract):
    """Zero-shot, with what anchors teach."""

    network: NetworkResponse

    @pytest.fixture(autouse=True)
    def _network(self, network: NetworkResponse) -> None:
        self.network = network

    @pytest.fixture
    def case(self) -> SurrogateCase:
        return surrogate_case(point_problem(point(), RealTime(1.0, 0.1)), 0.01)

    def make(self, ground: GroundProblem) -> NeuralSurrogate:
        return NeuralSurrogate(
            ground.engine, ground.basis, ground.ground_density, ground.ground_build, self.network
        )


class TestHybrid(TestNeuralSurrogate):
    """The network as what the on-the-fly response starts from."""

    def make(self, ground: GroundProblem) -> OnTheFlyResponse:  # type: ignore[override]
        guess = FirstGuess(self.network.prior(), 0.1)
        return OnTheFlyResponse(
            ground.engine, ground.basis, ground.ground_density, ground.ground_build, guess, 1e-5
        )


def test_the_graph_is_the_response_that_was_written_into_it(network: NetworkResponse) -> None:
    """ΔF = J and exact exchange by the engine + Bᵀ W B δP, in the AO basis."""
    here = point()
    rng = np.random.default_rng(1)
    change = rng.standard_normal((1, 7, 7)) + 1j * rng.standard_normal((1, 7, 7))
    change = change + change.conj().swapaxes(1, 2)
    B = fitting_factors(here.engine.mol).factors
    root = np.linalg.inv(lowdin_orbitals(here.engine.mol))
    x, _ = network.pack(root @ change[0] @ root)
    xc = network.unpack(np.mean(KERNELS) * B.T @ (B @ x), np.zeros(21))
    expected = here.engine.mean_field_response(change)[0] + root @ xc @ root
    found = network.prior()(change)[0]
    np.testing.assert_allclose(found, expected, atol=2e-6 * np.abs(expected).max())


def test_a_correction_is_added_to_the_analytic_kernel(tmp_path: Path) -> None:
    write_small_graphs(tmp_path, base="kernel")
    here = point()
    density, xc = here.orbitals.density(), here.system.functional.pyscf
    corrected = NetworkResponse(open_graphs(tmp_path, "cpu"), here.engine.mol, density, xc)
    kernel = here.kernel
    assert kernel is not None
    change = here.basis.density_out(rotated_densities(here, np.random.default_rng(3), 1) - here.density)
    root = corrected.root
    B = fitting_factors(here.engine.mol).factors
    x, _ = corrected.pack(np.linalg.inv(lowdin_orbitals(here.engine.mol)) @ change[0, 0] @ root)
    xc_part = root @ corrected.unpack(np.mean(KERNELS) * B.T @ (B @ x), np.zeros(21)) @ root
    expected = apply_auxiliary_kernel(kernel, change)[0] + xc_part
    np.testing.assert_allclose(corrected.prior()(change[0]), expected, atol=1e-5 * np.abs(expected).max())


def test_the_spread_is_that_of_the_members(network: NetworkResponse) -> None:
    B = fitting_factors(point().engine.mol).factors
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal(28), rng.standard_normal(21)
    response_x, response_y, spread = network.respond(x, y)
    apart = np.std(KERNELS) * np.linalg.norm(B.T @ (B @ x))
    expected = apart / np.hypot(np.linalg.norm(response_x), np.linalg.norm(response_y))
    np.testing.assert_allclose(spread, expected, rtol=1e-4)
    # A linear response: the smallest kicks have the same spread.
    np.testing.assert_allclose(network.respond(1e-30 * x, 1e-30 * y)[2], spread, rtol=1e-4)


@pytest.mark.parametrize(
    ("here", "metadata", "message"),
    [
        (lambda: point(charge=1), {}, "closed shells"),
        (lambda: point("b3lyp"), {}, "serves Hartree-Fock and pbe0_sto-3g alone"),
        (lambda: point(basis="6-31G"), {}, "serves Hartree-Fock and pbe0_sto-3g alone"),
        (lambda: point(), {"elements": "1 6"}, "knows no element of number 8; it knows 1, 6"),
    ],
)
def test_what_it_was_not_made_for_is_named(
    here: Callable[[], Point], metadata: dict[str, str], message: str
) -> None:
    check_applicable(METADATA, point().system)
    with pytest.raises(NetworkNotApplicable, match=message):
        check_applicable(METADATA | metadata, here().system)


def test_at_hartree_fock_the_network_adds_nothing(folder: Path) -> None:
    """In any basis: the response is Coulomb and exchange, and certain."""
    here = point("hf", basis="6-31G")
    check_applicable(METADATA, here.system)
    exact = NetworkResponse(open_graphs(folder, "cpu"), here.engine.mol, here.orbitals.density(), "HF")
    change = here.basis.density_out(rotated_densities(here, np.random.default_rng(3), 1) - here.density)[0]
    total = np.linalg.norm(change)
    change = change / total * 1e-4
    density = here.orbitals.density()
    expected = here.engine.fock(density + change).fock - here.engine.fock(density).fock
    np.testing.assert_allclose(exact.prior()(change), expected, atol=1e-5 * np.abs(expected).max())
    assert exact.respond(*exact.pack(exact.root @ change[0] @ exact.root))[2] == 0.0


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_device_that_is_not_really_used_is_an_error(
    device: Device, listed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the build lists as available, the session's own providers count."""
    session = onnxruntime.InferenceSession

    def on_the_cpu(*arguments: object, **named: object) -> onnxruntime.InferenceSession:
        return session(*arguments, **(named | {"providers": ["CPUExecutionProvider"]}))

    monkeypatch.setattr(onnxruntime, "InferenceSession", on_the_cpu)
    if listed:
        names = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    with pytest.raises(DeviceError, match=f"--device {device}: ONNX Runtime uses CPUExecutionProvider here"):
        open_session(folder / "response.onnx", device)


def test_automatic_falls_back_to_the_cpu(folder: Path) -> None:
    session = open_session(folder / "response.onnx", "auto")
    expected = "CUDA" if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else "CPU"
    assert session.get_providers()[0].startswith(expected)


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    (tmp_path / "response.onnx").write_bytes(b"nothing")
    with pytest.raises(GraphError, match=r"response\.onnx: "):
        open_session(tmp_path / "response.onnx", "cpu")
    with pytest.raises(GraphError, match=r"none\.onnx"):
        open_session(tmp_path / "none.onnx", "cpu")


def test_graphs_of_other_tokens_are_named(tmp_path: Path) -> None:
    write_small_graphs(tmp_path, tokens="6x0e+4x1o+3x2e")
    with pytest.raises(GraphError, match=r"graphs for tokens 6x0e\+4x1o\+3x2e, of another version; this is"):
        open_graphs(tmp_path, "cpu")


def test_graphs_of_another_format_are_named(tmp_path: Path) -> None:
    write_small_graphs(tmp_path, format="2")
    with pytest.raises(GraphError, match="graphs for format 2, of another version; this is 3"):
        open_graphs(tmp_path, "cpu")


def test_running_needs_no_torch() -> None:
    code = (
        "import sys; from hybrid_propagate.surrogate.runtime import neural_surrogate; "
        "from hybrid_propagate.surrogate.runtime import session; "
        "print({'torch', 'e3nn', 'onnx'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "set()\n"
