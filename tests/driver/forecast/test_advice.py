"""What `--check` advises: the time step, and the largest risk of a deck."""

import math
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.atomic.units import EV_PER_HARTREE
from hybrid_propagate.driver.forecast.advice import line_shift, step_for
from hybrid_propagate.driver.forecast.cost import Asked
from hybrid_propagate.driver.forecast.forecast import forecast
from hypothesis import given
from hypothesis import strategies as st
from small_decks import kicked


def test_a_line_moves_by_what_the_mean_of_both_ends_leaves() -> None:
    """x cot x of the module's docstring, at 10 eV and dt 0.2 au."""
    x = 0.5 * 10.0 / EV_PER_HARTREE * 0.2
    assert line_shift(10.0, 0.2) == pytest.approx(10.0 * (1.0 - x / math.tan(x)), rel=1e-3)


@given(energy=st.floats(1.0, 50.0), shift=st.floats(1e-3, 0.1))
def test_the_step_advised_moves_a_line_by_what_was_asked(energy: float, shift: float) -> None:
    assert line_shift(energy, step_for(energy, shift)) == pytest.approx(shift)


@pytest.mark.parametrize(
    ("changes", "risk"),
    [
        ({"tmax": 300.0}, "none"),
        ({"tmax": 20.0}, "spectrum: tmax 20 au"),
        ({"tmax": 300.0, "kick": 0.5}, "beyond linear response"),
        ({"atoms": "  O 0 0 0", "tmax": 300.0, "dft": "  mult 3"}, "degenerate"),
    ],
)
def test_the_largest_risk_is_named(changes: dict[str, object], risk: str, tmp_path: Path) -> None:
    (tmp_path / "a.nw").write_text(kicked(**changes))  # pyright: ignore[reportArgumentType]
    assert risk in forecast(tmp_path / "a.nw", "pyscf", None, Asked(1e9)).tasks[-1].risk


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_integrals_are_told_anew_where_the_engine_holds_none(share: float, tmp_path: Path) -> None:
    """Of as much memory as leaves them this share."""
    (tmp_path / "a.nw").write_text(kicked(tmax=300.0, basis="6-31G*"))
    memory = 8 * 190 * 191 / 2 / share
    told = "integrals do not fit" in forecast(tmp_path / "a.nw", "pyscf", None, Asked(memory)).tasks[-1].risk
    engine = make_engine(read_deck(tmp_path / "a.nw").tasks[0].system, memory)
    assert engine.mol.nao == 19
    assert told == (engine.two_electron.packed is None)
    assert told == (share > 0.9)
