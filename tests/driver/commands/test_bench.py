"""The command `hybrid-bench`, from its command line to its files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.bench import main
from small_decks import HYDRIDE, kicked
from terminal import at_a_terminal

COMMAND = (sys.executable, "-m", "hybrid_propagate.driver.commands.bench")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
AT_A_TERMINAL = """import sys
from hybrid_propagate.driver.commands import bench, start
bench.SURROGATES = ('response', 'none')
sys.exit(start.bench())
"""
DECK = kicked(HYDRIDE, start="hydride", head='title "LiH"', tmax=8.0)


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.fixture(autouse=True)
def _hybrid_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrogate that learns on the fly; the others have tests of their own."""
    monkeypatch.setattr("hybrid_propagate.driver.commands.bench.SURROGATES", ("response", "none"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "hydride.nw").write_text(DECK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_case_from_deck_to_tables_and_once_more_for_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["hydride.nw", "--engines", "pyscf", "--baselines", "esprit,linear-response"]
    options += ["--tolerances", "1e-3", "--repeats", "1", "--timed-steps", "8"]
    assert main(options) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "hydride/reference: " in said.err
    text = Path("bench/benchmark.md").read_text()
    assert "| PySCF engine (8 steps timed) |" in text
    assert "LiH: 6 functions, 39 steps of 0.2 au." in text
    assert Path("bench/benchmark.png").stat().st_size > 5000
    found = json.loads(Path("bench/benchmark.json").read_text())
    (case,) = found["cases"]
    methods = {entry["method"]: entry for entry in case["measured"]["entries"]}
    assert set(methods) == {"hybrid, response", "ESPRIT", "linear response"}
    hybrid = methods["hybrid, response"]
    assert hybrid["score"]["trajectory_error"] < 1e-3
    assert hybrid["states"] < 1e-3
    assert hybrid["builds"] < 0.2 * case["measured"]["reference"]["builds"]
    # Two Fock builds a step at least, and those of NWChem's checks.
    assert 78 <= case["measured"]["reference"]["builds"] <= 130
    assert methods["linear response"]["score"]["spectrum_nrmse"] < 1e-2
    assert found["conditions"]["versions"]["pyscf"]
    (timed,) = case["rounds"]
    assert set(timed["cpu"]) == {"pyscf", "hybrid, response"}

    # Nothing is measured twice: a terminal shows what is written; without its rounds, the rounds alone.
    for output in ("file", "pipe", "terminal"):
        code, screen, found = at_a_terminal(folder, [sys.executable, "-c", AT_A_TERMINAL, *options], output)
        written = "bench/benchmark.md bench/benchmark.json bench/benchmark.png"
        assert (code, screen) == (0, f"hybrid-bench: written: {written}\n")
        assert found == ""
    assert main([*options, "--repeat-timings"]) == 0
    again = [line for line in capsys.readouterr().err.splitlines() if line.endswith(" …")]
    assert again == [
        "hybrid-bench: hydride/rounds/1-pyscf …",
        "hybrid-bench: hydride/rounds/1-response …",
    ]


def test_stopped_and_started_again_it_goes_on(folder: Path) -> None:
    options = ["hydride.nw", "--engines", "none", "--baselines", "esprit", "--tolerances", "1e-3"]
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120.0
    while not (folder / "bench/work/hydride/reference/piece.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait() == 130
    assert said.splitlines()[-1] == (
        "hybrid-bench: interrupted; what was measured is kept, start it again to go on"
    )
    assert "Traceback" not in said
    # In a batch job: plain lines.
    assert said.splitlines()[0] == "hybrid-bench: hydride/reference …"
    assert not set("\x1b\r") & set(said)
    assert not (folder / "bench/benchmark.md").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.nw"], "none.nw"),
        (["hydride.nw:3"], "hydride.nw:3: 3 steps; accepted: 8 or more"),
        (["hydride.nw", "hydride.nw:20"], "two decks are named hydride"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = [line for line in said.err.splitlines() if "left out: nwchem" not in line]
    assert line.startswith("hybrid-bench: ")
    assert message in line


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--engines", "gaussian", "'gaussian'; accepted: pyscf, nwchem, none"),
        (
            "--baselines",
            "dmd,magic",
            "'magic'; accepted: dmd, esprit, pade, linear-response, larger-step, nwchem-tddft, none",
        ),
        ("--tolerances", "1e-3,-1", "'-1' is not a positive number"),
        ("--repeats", "-1", "'-1' is not a whole number from 0 on"),
    ],
)
def test_bad_options_say_what_is_accepted(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hydride.nw", option, value])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_reference_that_fails_leaves_the_case_out_by_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One iteration is too few for any SCF.
    Path("hydride.nw").write_text(DECK.replace("  xc pbe0\n", "  xc pbe0\n  iterations 1\n"))
    assert main(["hydride.nw", "--engines", "none"]) == 1
    said = capsys.readouterr().err
    assert "left out: hydride: hydride/reference: exit code 1: the SCF did not converge" in said
    assert "Traceback" not in said


def test_a_deck_that_lets_no_step_be_changed_is_measured_without(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("hydride.nw").write_text(DECK.replace("  tmax 8.0\n  dt 0.2\n", "  dt 0.2; tmax 2.0\n"))
    options = ["--engines", "pyscf", "--baselines", "larger-step", "--tolerances", "1e-2", "--repeats", "1"]
    assert main(["hydride.nw", *options]) == 0
    said = capsys.readouterr().err
    assert "left out: larger step: hydride.nw: 0 lines set tmax" in said
    assert "left out: pyscf: hydride.nw: 0 lines set tmax" in said


def test_nwchem_is_left_out_by_name_where_it_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NWCHEM_COMMAND", "no-nwchem-here")
    assert main(["none.nw", "--engines", "nwchem"]) == 2
    assert "left out: nwchem: no-nwchem-here is not on the PATH" in capsys.readouterr().err


def test_scaling_from_deck_to_table(folder: Path) -> None:
    options = ["--scaling", "--engines", "pyscf", "--timed-steps", "6", "--tolerances", "1e-3"]
    assert main(["hydride.nw:10", *options]) == 0
    table = Path("bench/benchmark.md").read_text()
    assert "| hydride | 6 | 10 |" in table
    (size,) = json.loads(Path("bench/benchmark.json").read_text())["sizes"]
    assert size["reference"] > 0.0
    assert size["nwchem"] is None
