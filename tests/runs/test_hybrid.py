"""The hybrid against the same engine's reference steps alone, by the command line."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main

WATER = """
start {name}
geometry "m" units angstroms nocenter noautosym noautoz
  O   0.00000   0.00000   0.11730
  H   0.00000   0.75720  -0.46920
  H   0.00000  -0.75720  -0.46920
end
set geometry "m"
basis
  * library {basis}
end
charge {charge}
dft
  xc {xc}
  {shell}
end
task dft energy
rt_tddft
  tmax {tmax}
  dt {dt}
  tag "run"
  field "f"
    {field}
  end
  excite "m" with "f"
  print dipole field energy convergence
end
task dft rt_tddft
"""
KICK = "type delta\n polarization z\n max 0.0001"


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: list[str], **words: object
) -> tuple[dict, np.ndarray]:
    """Summary and dipole of one run."""
    defaults = {"basis": "sto-3g", "charge": 0, "xc": "pbe0", "shell": "", "dt": 0.2, "field": KICK}
    monkeypatch.chdir(folder)
    Path(f"{name}.nw").write_text(WATER.format(name=name, **{**defaults, **words}))
    assert main([f"{name}.nw", *options]) == 0
    with h5py.File(f"{name}.h5") as file:
        return json.loads(Path(f"{name}.json").read_text()), file["dynamics/dipole"][()]


def error(dipole: np.ndarray, reference: np.ndarray) -> float:
    """RMS(μ - μ_ref) / RMS(μ_ref - μ_ref(0))."""
    return float(np.sqrt(np.mean((dipole - reference) ** 2) / np.mean((reference - reference[0]) ** 2)))


@pytest.mark.parametrize(
    ("words", "most_builds"),
    [
        # The last step in the field, four points and their mirror images: the kernel is exact.
        ({"tmax": 12.0}, 10),
        ({"tmax": 10.0, "charge": 1, "shell": "odft\n mult 2"}, 10),
        ({"tmax": 12.0, "xc": "hfexch"}, 10),
        ({"tmax": 8.0, "xc": "xtpss03 ctpss03"}, 10),
    ],
    ids=["pbe0", "open shell", "Hartree-Fock", "meta-GGA"],
)
def test_kick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: dict, most_builds: int) -> None:
    _, reference = run(tmp_path, monkeypatch, "none", ["--surrogate", "none"], **words)
    summary, dipole = run(tmp_path, monkeypatch, "hybrid", [], **words)
    assert summary["tolerance_met"]
    assert error(dipole, reference) < 1e-3
    assert summary["fock_builds"] <= most_builds
    assert summary["surrogate_steps"] > 0.95 * summary["steps"]


def test_resonant_pulse_needs_eight_times_fewer_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = "type gaussian\n polarization z\n frequency 0.45\n center 30.0\n width 10.0\n max 0.03"
    plain, reference = run(tmp_path, monkeypatch, "none", ["--surrogate", "none"], tmax=120.0, field=pulse)
    summary, dipole = run(tmp_path, monkeypatch, "hybrid", ["--tol", "1e-2"], tmax=120.0, field=pulse)
    assert error(dipole, reference) < 1e-2
    assert 8 * summary["fock_builds"] < plain["fock_builds"]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, np.ndarray]:
    """Reference steps alone."""
    with pytest.MonkeyPatch.context() as patched:
        return run(tmp_path_factory.mktemp("storm"), patched, "none", ["--surrogate", "none"], **STORM)


STORM = {"tmax": 30.0, "dt": 0.1, "field": "type cw\n polarization z\n frequency 0.3\n max 0.2"}


def test_failing_response_is_noticed(
    storm: tuple[dict, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the functional's points the response fails in a field this strong."""
    monkeypatch.setattr("hybrid_propagate.driver.run.surrogates.nonlinear_source", lambda *given: None)
    _, reference = storm
    summary, dipole = run(tmp_path, monkeypatch, "hybrid", ["--tol", "1e-2"], **STORM)
    assert summary["rejected"] > 0
    met = error(dipole, reference) <= 1e-2
    assert met or not summary["tolerance_met"]


def test_a_storm_takes_few_builds(
    storm: tuple[dict, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, reference = storm
    summary, dipole = run(tmp_path, monkeypatch, "hybrid", ["--tol", "1e-2"], **STORM)
    assert 20 * summary["fock_builds"] < plain["fock_builds"]
    assert error(dipole, reference) <= summary["estimated_error"] <= 1e-2


def test_estimate_is_not_below_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, reference = run(tmp_path, monkeypatch, "none", ["--surrogate", "none"], tmax=30.0)
    for tolerance in (1e-2, 1e-3, 1e-4):
        summary, dipole = run(tmp_path, monkeypatch, "hybrid", ["--tol", str(tolerance)], tmax=30.0)
        assert error(dipole, reference) < summary["error_bound"]
        assert error(dipole, reference) < tolerance


def test_a_long_run_takes_few_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step lacks shows at once and does not add up: halved segments would lack as much."""
    summary, _ = run(tmp_path, monkeypatch, "long", ["--save-density", "0"], tmax=600.0)
    assert summary["tolerance_met"]
    assert summary["fock_builds"] < 100
