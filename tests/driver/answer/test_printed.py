"""The table of lines that ends a run."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.driver.answer.as_json import lines_json
from hybrid_propagate.driver.answer.printed import MOST_SHOWN, doubts, line_table
from hybrid_propagate.driver.page.lines import Root
from hybrid_propagate.driver.spectra.lines import AbsorptionLine, KickedRun
from hybrid_propagate.driver.spectra.parts import AtomShare, Transition
from hybrid_propagate.driver.spectra.spectrum import Kick, Signal

Z = (0.0, 0.0, 1.0)
LINE = AbsorptionLine(
    10.25,
    1e-3,
    0.1,
    2e-4,
    Z,
    0.1,
    10.248,
    0.099,
    (Transition(0, 4, 6, 0.98), Transition(0, 3, 6, 0.02)),
    (AtomShare(1, 1.0, 0.5), AtomShare(2, 0.0, 0.5)),
)


def kick(axis: int) -> KickedRun:
    time = 0.2 * np.arange(100)
    return KickedRun(Signal("run", time, np.zeros((100, 3)), Kick(np.eye(3)[axis], 1e-5, 0.0, 0.2, 1)), 1e-3)


def test_a_line_stands_in_a_row() -> None:
    """The time step's shift falls with its square."""
    table = line_table("water", [LINE], [kick(axis) for axis in range(3)], []).splitlines()
    assert table[0] == "water: lines from kicks along x, y, z; f: oscillator strength"
    assert table[2].split() == [
        *("10.2500", "±0.0010", "0.1000", "±0.0002", "z"),
        *("10.2480", "0.0990", "4→6", "98", "%"),
    ]
    assert table[3] == (
        "  A step of 0.2 au moves the strongest line, 10.250 eV, by +2.0 meV; "
        "one of 0.1 au would move it by +0.5 meV, with twice as many steps"
    )


@pytest.mark.parametrize(
    ("electrons", "absorbing", "said"),
    [(10, False, ""), (1, False, "strengths add up to 1.2, more than the 1 electrons"), (10, True, "damps")],
)
def test_what_speaks_against_lines(electrons: int, absorbing: bool, said: str) -> None:
    found = doubts([replace(LINE, strength=0.6)] * 2, electrons, absorbing=absorbing)
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_a_root_stands_beside_its_line_and_a_dark_one_beside_none() -> None:
    roots = [Root(10.2481, 0.0), Root(10.2479, 0.0988), Root(11.0, 0.5)]
    row = line_table("water", [LINE], [kick(2)], roots).splitlines()[2]
    assert row.split()[-2:] == ["10.2479", "0.0988"]


def test_what_is_not_known_is_left_out() -> None:
    plain = AbsorptionLine(10.25, 1e-3, 0.1, 2e-4, (0.6, 0.0, 0.8), 0.1)
    table = line_table("run", [plain], [kick(2)], []).splitlines()
    assert table[0] == "run: lines from a kick along z; f: oscillator strength for light along z"
    assert table[2].split()[4:] == ["(0.60,", "0,", "0.80)"]
    assert len(table) == 3
    assert "no line stands out" in line_table("run", [], [kick(2)], [])


def test_the_first_line_and_the_strongest_are_shown() -> None:
    """The first one is what absorption begins with, and is often the weakest."""
    lines = [AbsorptionLine(10.0 + n, 1e-3, 0.1 * (n + 1), 1e-4, Z, 0.1) for n in range(MOST_SHOWN + 3)]
    table = line_table("run", lines, [kick(2)], []).splitlines()
    assert len(table) == 2 + MOST_SHOWN
    assert [row.split()[0] for row in table[2:4]] == ["10.0000", "14.0000"]
    assert f"the first and the {MOST_SHOWN - 1} strongest of {MOST_SHOWN + 3}" in table[0]
    assert len(line_table("run", lines[:MOST_SHOWN], [kick(2)], []).splitlines()) == 2 + MOST_SHOWN


def test_json_has_the_same_numbers() -> None:
    (found,) = lines_json([LINE])
    assert found["energy"] == 10.25
    assert found["transitions"][0] == {"spin": 0, "occupied": 4, "empty": 6, "weight": 0.98}
    assert found["atoms"][1] == {"atom": 2, "leaves": 0.0, "arrives": 0.5}
