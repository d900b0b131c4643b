"""Lines that NWChem 7.0.2 propagates alike with and without, and every refusal of a deck in one go."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import (
    Deck,
    DeckError,
    DensityPlotTask,
    ExcitedDensityTask,
    GroundStateTask,
    PropagationTask,
)
from hybrid_propagate.adapters.deck.reader import read_deck

DECK = """{top}
geometry "m" nocenter noautosym
  O 0 0 0.12
  H 0 0.76 -0.47
  H 0 -0.76 -0.47
end
set geometry "m"
basis
  * library sto-3g
end
dft
  xc pbe0
  {dft}
end
{middle}
task dft energy
rt_tddft
  tmax 2.4
  dt 0.2
end
task dft rt_tddft
"""


def read(folder: Path, top: str = "", dft: str = "", middle: str = "") -> Deck:
    path = folder / "deck.nw"
    path.write_text(DECK.format(top=top, dft=dft, middle=middle))
    return read_deck(path)


#: With each of these NWChem's dipoles of a kicked water are the same to the last digit, energies to 1e-11.
BLOCKS = [
    "property\n dipole\nend",
    "stepper\n maxiter 5\nend",
    "nwpw\n simulation_cell\n  ngrid 16 16 16\n end\n cutoff 10\nend",
    "esp\n recalculate\nend",
    "md\n data 10\nend",
    "tce\n ccsd\nend",
    "constraints\n fix atom 1\nend",
]
KEYS = [
    "set driver:linopt 0",
    "set fock:mirrmat f",
    "set dft:print_mats T",
    "unset task:*",
    "set lindep:n_dep 0",
]
DFT = ["disp vdw 3", "xdm a1 0.3 a2 2.1", "steric", "swapab", "lock"]


@pytest.mark.parametrize("lines", [*BLOCKS, *KEYS])
def test_a_notice_and_on(tmp_path: Path, lines: str) -> None:
    plain, deck = read(tmp_path), read(tmp_path, middle=lines)
    assert [type(task) for task in deck.tasks] == [type(task) for task in plain.tasks]
    assert deck.tasks[1].real_time == plain.tasks[1].real_time
    (notice,) = deck.notices
    assert notice.startswith(f"{tmp_path}/deck.nw:15: ")
    assert lines.split()[0] in notice


def test_words_behind_echo_are_nwchems_to_ignore(tmp_path: Path) -> None:
    """NWChem 7.0.2: the same dipoles to the last digit."""
    deck = read(tmp_path, middle='echo "a title" and more')
    assert (len(deck.tasks), deck.notices) == (len(read(tmp_path).tasks), ())


@pytest.mark.parametrize("line", DFT)
def test_a_dft_line_gets_a_notice(tmp_path: Path, line: str) -> None:
    deck = read(tmp_path, dft=line)
    assert deck.tasks[0].system.functional == read(tmp_path).tasks[0].system.functional
    (notice,) = deck.notices
    assert notice.startswith(f"{tmp_path}/deck.nw:13: dft {line.split()[0]}: ")


@pytest.mark.parametrize(
    ("line", "level", "written"),
    [
        # 75 shells of 302 points, and NWChem's medium has 49 of 434.
        ("grid lebedev 75 11", "medium", "grid lebedev 75 11"),
        ("grid ssf", "medium", "grid ssf"),
        ("grid treutler fine", "fine", "grid treutler fine"),
        ("grid lebedev 100 17", "xfine", "grid lebedev 100 17"),
    ],
)
def test_another_quadrature_is_the_nearest_level(tmp_path: Path, line: str, level: str, written: str) -> None:
    deck = read(tmp_path, dft=line)
    task = deck.tasks[0]
    assert isinstance(task, GroundStateTask)
    assert task.system.grid == level
    assert written in task.nwchem_only_lines
    assert deck.notices[0].startswith(f"{tmp_path}/deck.nw:13: grid: ")


def test_a_tddft_block_is_judged_at_its_task(tmp_path: Path) -> None:
    block = "tddft\n cdspectrum\n nroots 2\nend"
    assert isinstance(read(tmp_path, middle=block).tasks[-1], PropagationTask)
    with pytest.raises(DeckError, match=r":16: tddft directive 'cdspectrum' is not carried out"):
        read(tmp_path, middle=f"{block}\ntask tddft energy")


def test_the_density_of_an_excited_state(tmp_path: Path) -> None:
    block = (
        "tddft\n civecs\n nroots 3\n notriplet\n target 2\n grad\n  root 2\n  solve_thresh 1d-6\n end\nend"
    )
    task = read(tmp_path, middle=f"{block}\ntask tddft gradient").tasks[1]
    assert isinstance(task, ExcitedDensityTask)
    assert task.output == "deck.dmat"
    words = " ".join(" ".join(task.block).split())
    assert words == ("tddft nroots 3 rpa notriplet target 2 civecs grad root 2 solve_thresh 1e-06 end end")
    with pytest.raises(DeckError, match="grad directive 'roots' is not carried out; accepted: root"):
        read(tmp_path, middle="tddft\n grad\n  roots 2\n end\nend")


def test_all_refusals_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeckError) as refused:
        read(
            tmp_path,
            top="cosmo\n dielec 10\nend",
            dft="lb94\n rodft",
            middle="set foo:bar 1\ntask mp2 energy",
        )
    lines = [str(refused.value), *refused.value.further]
    found = [line.removeprefix(f"{tmp_path}/deck.nw:").split(":")[0] for line in lines]
    assert found == ["1", "15", "16", "18", "19"]
    assert ["cosmo" in lines[0], "lb94" in lines[1], "rodft" in lines[2]] == [True] * 3


def test_what_follows_from_a_refusal_is_not_refused_again(tmp_path: Path) -> None:
    """Without its basis no task can be set up, nor a geometry excited that is refused."""
    text = DECK.format(top="", dft="", middle="").replace("library sto-3g", "library sto-4g-none")
    (tmp_path / "deck.nw").write_text(text)
    with pytest.raises(DeckError) as refused:
        read_deck(tmp_path / "deck.nw")
    assert refused.value.further == ()


def test_task_dplot_and_its_block(tmp_path: Path) -> None:
    limits = "limitxyz units au\n -3 3 12\n -3 3 12\n -3 3 6"
    box = f"dplot\n vectors a.mos\n {limits}\n gaussian\n output g.cube\nend"
    text = DECK.format(top="", dft="vectors output a.mos", middle="").replace(
        "task dft energy\n", f"task dft energy\n{box}\ntask dplot\nunset dplot:*\n"
    )
    (tmp_path / "deck.nw").write_text(text)
    _, plot, _ = read_deck(tmp_path / "deck.nw").tasks
    assert isinstance(plot, DensityPlotTask)
    assert (plot.vectors, plot.plot.output, plot.plot.spacings) == ("a.mos", "g.cube", (12, 12, 6))


def test_an_optimisation_is_a_ground_state_whose_nuclei_move(tmp_path: Path) -> None:
    block = "driver\n tight\n maxiter 30\n gmax 0.5\n xyz w\nend"
    text = DECK.format(top="", dft="", middle=block).replace("task dft energy", "task dft optimize")
    (tmp_path / "deck.nw").write_text(text)
    deck = read_deck(tmp_path / "deck.nw")
    assert isinstance(deck.tasks[0], GroundStateTask)
    assert deck.tasks[0].relax == ("tight", "maxiter 30", "gmax 0.5")
    assert deck.notices == (f"{tmp_path}/deck.nw:19: driver xyz: passed over",)
    assert read(tmp_path).tasks[0].relax is None


@pytest.mark.parametrize("operation", ["property", "gradient"])
def test_other_tasks_of_a_ground_state(tmp_path: Path, operation: str) -> None:
    text = DECK.format(top="", dft="", middle="").replace("task dft energy", f"task dft {operation}")
    (tmp_path / "deck.nw").write_text(text)
    deck = read_deck(tmp_path / "deck.nw")
    assert isinstance(deck.tasks[0], GroundStateTask)
    assert f"of task dft {operation} only the ground state is made" in deck.notices[0]
