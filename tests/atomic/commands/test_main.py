"""`hybrid-atomic` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hybrid_propagate.atomic.commands.main import main
from hybrid_propagate.atomic.commands.study import _errors
from nist import nist_table

COMMAND = [sys.executable, "-m", "hybrid_propagate.atomic.commands.main"]


def test_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "Fe", "--xc", "vwn", "--spin", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["total_energy"] == pytest.approx(nist_table("lsd").totals[26, 0], abs=1e-6)
    assert found["eigenvalues"]["3d"]["up"] == pytest.approx(
        nist_table("lsd").eigenvalues[26, 0, "3d", "D"], abs=2e-6
    )
    parts = found["kinetic"] + found["nuclear"] + found["hartree"] + found["exchange_correlation"]
    assert parts == pytest.approx(found["total_energy"], abs=1e-9)
    assert err.count("iteration") == found["iterations"]
    assert "inf" not in err, "the first iteration has nothing to compare with"


def test_exchange_counts_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Exchange alone: -2.7236397926 Hartree, helium by HelFEM (Lehtola, its pull request 217)."""
    assert main(["solve", "He", "--no-correlation", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total_energy"] == pytest.approx(-2.7236397926, abs=1e-9)
    assert main(["solve", "He", "--xc", "lda_x", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "lda_x is exchange, which is always there; --no-correlation leaves it alone" in err
    assert err.count("\n") == 1


def test_tables_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "carbon.png"
    assert main(["solve", "C", "--spin", "--plot", str(figure)]) == 0
    out = capsys.readouterr().out
    assert "2p" in out
    assert "total energy" in out
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_preset_is_hydrogen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--preset", "hydrogenic", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total_energy"] == pytest.approx(-0.5, abs=1e-10)


def test_uniform_mesh(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--mesh", "uniform", "--r-max", "12", "--num-points", "1500", "--density-mixing", "0.4"]
    assert main(["solve", "He", *grid, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mesh"] == {"kind": "uniform", "points": 1498, "r_max": pytest.approx(12.0)}
    assert found["total_energy"] == pytest.approx(-2.8348, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["solve", "Xx"], 2, "unknown element"),
        (["solve"], 2, "no element"),
        (["solve", "He", "--configuration", "1s3"], 2, "holds 0 to 2"),
        (["solve", "Cs", "--r-max", "8"], 2, "too small"),
        (["solve", "U", "--order", "6"], 2, "cannot resolve"),
        (["solve", "Ne", "--num-points", "99"], 2, "belongs to the uniform mesh"),
        (["solve", "He", "--plot", "x.doc"], 2, "cannot plot"),
        (["solve", "H", "--configuration", "1s1 5g1"], 1, "5g is not bound"),
        (["study", "--z", "5-3", "--out", "unused"], 2, "range"),
    ],
)
def test_errors_are_one_line(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    out, err = capsys.readouterr()
    last = err.strip().splitlines()[-1]
    assert last.startswith("hybrid-atomic: ")
    assert message in last
    assert "Traceback" not in err
    assert out == ""


def test_console_reads_lines_and_survives_errors() -> None:
    lines = "N --spin\ndensity\nenergies\nXx\n--preset nope\nsolve 'Fe\nplot \"x\nquit\n"
    done = subprocess.run([*COMMAND, "console"], input=lines, capture_output=True, text=True, check=True)
    assert "E = -54.13679866 Ha" in done.stdout
    assert "unknown element" in done.stdout
    assert "cannot read '--preset nope'" in done.stdout
    assert done.stdout.count("no closing quotation") == 2


def test_console_takes_solve_and_plot(tmp_path: Path) -> None:
    lines = f"plot\nsolve He\nplot {tmp_path / 'he.svg'}\nplot {tmp_path / 'he.txt'}\nenergies now\nquit\n"
    done = subprocess.run([*COMMAND, "console"], input=lines, capture_output=True, text=True, check=True)
    assert "no atom yet" in done.stdout
    # NIST's LDA total of helium, physics.nist.gov/PhysRefData/DFTdata.
    assert "E = -2.83483" in done.stdout
    assert (tmp_path / "he.svg").read_text().startswith("<?xml")
    assert "cannot plot to" in done.stdout
    assert "one word too many" in done.stdout


def test_the_summary_has_the_error_that_the_figure_has() -> None:
    """Three elements fill no row of the periodic table, and have a mean error all the same."""
    assert _errors({1: 13.598, 2: 24.587 + 0.3, 3: 5.392 - 0.6})["all"] == pytest.approx(0.3, abs=2e-3)
    assert _errors({}) == {}


def test_study_writes_data_and_figures_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", "--z", "4", "--count", "8", "--out", str(tmp_path), "--workers", "1", "--no-pyscf"]
    assert main(words) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["stable_ground_states_lsda"] == ["Be"]
    assert not summary["controls"]["Be [He] 2s1 2p1"]["stable"]
    # With spin and without.
    assert summary["ok"] + summary["unbound"] + summary["failed"] == summary["records"] == 16
    for name in ("energy_landscape", "stability", "ionisation", "trajectories", "phase_portraits"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    before = (tmp_path / "results.jsonl").read_text()
    assert main(words) == 0
    assert (tmp_path / "results.jsonl").read_text() == before
