"""Every command but `hybrid-propagate` at a terminal and in a batch job: nothing that it finds is lost.

What takes long is made small, or made up: what is tested is where words go, not what they say. For
`hybrid-bench` see `test_bench`, for `hybrid-propagate` `test_start`.
"""

import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_decks import kicked
from terminal import at_a_terminal, in_a_batch_job

HYDROGEN = "  H 0 0 0\n  H 0 0 0.74"
DECK = kicked(HYDROGEN, start="h2", tmax=20.0, kick=0.01)
PROBE = """  field "probe"
    type delta
    polarization z
    max 0.001
  end
  excite "molecule" with "probe\""""
PUMP = kicked(HYDROGEN, start="pump", tmax=12.0, kick=0.01, rest=PROBE)
CAMPAIGN = """folder: hydrogen
molecule: {name: H2, functional: hf, basis: STO-3G, tmax: 4, dt: 0.2}
geometries:
  thermal: {temperature: 300, count: 1}
axes:
  kicks: {along: [z]}
"""
DATASET = """folder: data
seed: 3
levels: [{basis: STO-3G, xc: hf}]
geometries: {count: 3, displacement: [0.02, 0.1], validation: 0.34, test: 0.33}
pairs: {rotations: 2, visited: 2}
trajectories: {steps: 60, fields: [kick], keep: 0}
molecules: [H2]
"""
#: Modules that import torch, which alone takes seconds: the work is made up, the command is not.
NETWORK = """import sys, types
def module(name, **names):
    made = types.ModuleType(name)
    vars(made).update(names)
    sys.modules['hybrid_propagate.surrogate.training.' + name] = made
"""
EXPORT = (
    NETWORK
    + """
def export(weights, folder, calibration, dt, precision, say):
    say('encode: traced')
    return [folder / 'encode.onnx']
module('export', export=export)
from hybrid_propagate.driver.commands.start import export as command
sys.exit(command(['weights.pt', 'graphs']))
"""
)
TRAIN = (
    NETWORK
    + """
import contextlib, pathlib
def fit(config, device, say, rank):
    say('response: step 1 of 2')
    return pathlib.Path('trained/weights.pt')
module('config', ConfigError=ValueError, read_config=lambda path: None)
module('fit', fit=fit)
module('trainer', joined_processes=lambda device: contextlib.nullcontext(0))
from hybrid_propagate.driver.commands.start import train as command
sys.exit(command(['train.yaml']))
"""
)


@dataclass(frozen=True)
class Command:
    """words: as typed.

    printed: what standard output has; progress: a line that standard error has in a batch job.
    outputs: where the standard output goes.
    typed: lines for its standard input.
    """

    words: tuple[str, ...]
    printed: str
    progress: str
    outputs: tuple[str, ...] = ("file", "pipe", "terminal")
    typed: str = ""


COMMANDS = {
    "read": Command(("hybrid-read", "h2.h5", "--to", "csv"), r"^h2\.csv$", ""),
    "spectrum": Command(("hybrid-spectrum", "h2.h5"), r"^ +energy \(eV\)", r"^hybrid-spectrum: note: "),
    "warmstart": Command(
        ("hybrid-warmstart", "h2.nw", "--output", "guess"), r"^guess: minao", r"^hybrid-warmstart: neural: "
    ),
    "atomic": Command(("hybrid-atomic", "solve", "H"), r"total energy", r"^iteration +1 "),
    "console": Command(
        ("hybrid-atomic", "console"),
        # Of hydrogen, VWN: NIST's table of total energies.
        r"^E = -0\.44567",
        r"^iteration +1 ",
        ("file",),
        "solve H\nquit\n",
    ),
    "study": Command(
        ("hybrid-atomic", "study", "--z", "1", "--count", "1", "--no-pyscf", "--out", "study"),
        r"^  \"lowest_is_experimental\": 1",
        r"^energies: 2 of 2, ",
        # It draws figures, which takes seconds.
        ("file",),
    ),
    "campaign": Command(
        ("hybrid-campaign", "campaign.yaml", "--workers", "1"),
        r"^hydrogen/campaign\.html$",
        r"^g0001: 1/1 items",
        # It takes seconds.
        ("file",),
    ),
    "pump-probe": Command(
        ("hybrid-pump-probe", "pump.nw", "--delays", "2", "--window", "4", "--tau", "5"),
        r"^ +delay \(au\)",
        r"^pump_pump_probe: probes$",
        # It takes seconds.
        ("file",),
    ),
    "dataset": Command(
        ("hybrid-dataset", "config.yaml"),
        r"^data/pairs/H2_hf_sto-3g\.h5: 12 pairs at 3 geometries$",
        r"^H2_hf_sto-3g: 3/3 geometries$",
    ),
    "export": Command((sys.executable, "-c", EXPORT), r"^graphs/encode\.onnx$", r"^encode: traced$"),
    "train": Command((sys.executable, "-c", TRAIN), r"^trained/weights\.pt$", r"^response: step 1 of 2$"),
}
#: Those that have tests of their own for this.
ELSEWHERE = {"hybrid-propagate", "hybrid-bench"}


def test_no_command_is_left_out() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        scripts = set(tomllib.load(file)["project"]["scripts"])
    assert scripts == ELSEWHERE | {f"hybrid-{name}" for name in COMMANDS if f"hybrid-{name}" in scripts}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a run, and a data set."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "h2.nw").write_text(DECK)
    (folder / "pump.nw").write_text(PUMP)
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "config.yaml").write_text(DATASET)
    for words in (["hybrid-propagate", "h2.nw"], COMMANDS["dataset"].words):
        ended = in_a_batch_job(folder, words)
        assert ended.returncode == 0, ended.stderr
    return folder


def _undo(folder: Path) -> None:
    """Take away what would leave a command nothing to do."""
    shutil.rmtree(folder / "data/pairs", ignore_errors=True)
    (folder / "data/parts/H2_hf_sto-3g/g0002.npz").unlink(missing_ok=True)
    shutil.rmtree(folder / "study", ignore_errors=True)
    shutil.rmtree(folder / "hydrogen", ignore_errors=True)


@pytest.mark.parametrize(
    ("name", "output"), [(name, output) for name, one in COMMANDS.items() for output in one.outputs]
)
def test_at_a_terminal_results_are_where_standard_output_is(folder: Path, name: str, output: str) -> None:
    """And no terminal's codes with them."""
    _undo(folder)
    command = COMMANDS[name]
    code, screen, found = at_a_terminal(folder, command.words, output, command.typed)
    assert code == 0, screen
    assert re.search(command.printed, screen if output == "terminal" else found, re.MULTILINE)
    if output != "terminal":
        assert "\x1b" not in found
        assert not re.search(command.printed, screen, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_in_a_batch_job_progress_is_plain_lines_on_standard_error(folder: Path, name: str) -> None:
    """Apart from the results."""
    _undo(folder)
    command = COMMANDS[name]
    ended = in_a_batch_job(folder, command.words, command.typed)
    assert ended.returncode == 0, ended.stderr
    assert re.search(command.printed, ended.stdout, re.MULTILINE)
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "\r" not in ended.stderr
    if command.progress:
        assert re.search(command.progress, ended.stderr, re.MULTILINE)
        assert not re.search(command.progress, ended.stdout, re.MULTILINE)
