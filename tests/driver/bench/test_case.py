"""Decks of the benchmark: steps, larger time steps, and what is refused."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.bench.case import BenchError, read_case, with_larger_step
from hybrid_propagate.driver.bench.engines import timing_piece
from small_decks import HYDRIDE, kicked

ROOT = Path(__file__).parents[3]
SUITE = sorted([*(ROOT / "benchmarks/decks").glob("**/*.nw"), *(ROOT / "examples").glob("*.nw")])
DECK = kicked(HYDRIDE, start="hydride", tmax=40.0, kick="1d-4")


def deck(folder: Path, text: str = DECK) -> Path:
    path = folder / "hydride.nw"
    path.write_text(text)
    return path


def test_a_deck_is_taken_as_it_is_or_with_so_many_steps(tmp_path: Path) -> None:
    path = deck(tmp_path)
    whole = read_case(str(path), tmp_path / "decks")
    # NWChem makes one step less than points.
    assert (whole.name, whole.n_steps, whole.text) == ("hydride", 199, DECK)
    assert (whole.dt, whole.n_basis, whole.kicked, whole.magnus) == (0.2, 6, True, True)
    short = read_case(f"{path}:30", tmp_path / "decks")
    written = read_deck(tmp_path / "decks/hydride.nw").tasks[-1]
    assert short.n_steps == written.real_time.n_points - 1 == 30  # pyright: ignore


def test_a_larger_step_keeps_time_and_impulse(tmp_path: Path) -> None:
    case = read_case(f"{deck(tmp_path)}:100", tmp_path / "decks")
    with_larger_step(case, 5, tmp_path / "decks")
    real_time = read_deck(tmp_path / "decks/hydride-5.nw").tasks[-1].real_time  # pyright: ignore
    assert real_time.dt == pytest.approx(1.0)
    assert real_time.n_points - 1 == 20
    assert real_time.fields[0].maximum * real_time.dt == pytest.approx(1e-4 * 0.2)


def test_a_larger_step_leaves_a_lasting_field_as_it_is(tmp_path: Path) -> None:
    text = DECK.replace("type delta", "type cw\n    frequency 0.4")
    case = read_case(f"{deck(tmp_path, text)}:100", tmp_path / "decks")
    with_larger_step(case, 2, tmp_path / "decks")
    real_time = read_deck(tmp_path / "decks/hydride-2.nw").tasks[-1].real_time  # pyright: ignore
    assert (real_time.dt, real_time.fields[0].maximum) == pytest.approx((0.4, 1e-4))


@pytest.mark.parametrize("printed", ["", "  print dipole field\n"])
def test_a_timed_deck_prints_the_processor_time(tmp_path: Path, printed: str) -> None:
    text = DECK.replace("  dt 0.2\n", f"  dt 0.2\n{printed}")
    case = read_case(str(deck(tmp_path, text)), tmp_path / "decks")
    piece = timing_piece("nwchem", case, 12, "mpirun -np 1 nwchem", "key")
    assert piece.command == ("mpirun", "-np", "1", "nwchem", "deck.nw")
    (tmp_path / "timed.nw").write_text(piece.files["deck.nw"])
    real_time = read_deck(tmp_path / "timed.nw").tasks[-1].real_time  # pyright: ignore
    assert real_time.n_points - 1 == 12
    assert {"cputime", "dipole"} <= real_time.quantities


@pytest.mark.parametrize(
    ("change", "steps", "message"),
    [
        (("", ""), ":7", "7 steps; accepted: 8 or more"),
        (('  excite "molecule" with "kick"\n', ""), "", "no field acts"),
        (
            ("task dft rt_tddft\n", "task dft rt_tddft\n" * 2),
            "",
            "2 propagations; the benchmark takes decks with one",
        ),
        (("task dft energy\n", ""), "", "task dft energy"),
        (("  tmax 40.0\n  dt 0.2\n", "  tmax 40.0; dt 0.2\n"), ":20", "40.0; dt"),
    ],
)
def test_decks_that_the_benchmark_cannot_use(
    tmp_path: Path, change: tuple[str, str], steps: str, message: str
) -> None:
    path = deck(tmp_path, DECK.replace(*change))
    with pytest.raises((BenchError, DeckError)) as caught:
        read_case(f"{path}{steps}", tmp_path / "decks")
    assert "\n" not in str(caught.value)
    if "tmax" not in change[0]:
        assert message in str(caught.value)


@pytest.mark.parametrize("path", SUITE, ids=lambda path: path.stem)
def test_decks_of_the_tree_are_read_whatever_the_steps(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    if text.count("task dft rt_tddft") != 1:
        with pytest.raises(DeckError, match="the benchmark takes decks with one"):
            read_case(str(path), tmp_path)
        return
    case = read_case(f"{path}:50", tmp_path)
    assert case.n_steps == 50
    with_larger_step(case, 2, tmp_path)
