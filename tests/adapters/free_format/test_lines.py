"""Lexical rules of decks: numbers as NWChem computes them, comments, continuation, quoting, includes."""

import math
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.free_format.lines import Line, integer, read_lines, real, suggestion
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.4", 24 * 0.1),
        ("0.2", 2 * 0.1),
        ("-0.3", -(3 * 0.1)),
        ("0.02", 2 * (0.1 * 0.1)),
        ("1.5E+3", 15 * 100.0),
        (".5", 5 * 0.1),
        ("7.", 7.0),
        ("+12", 12.0),
        ("393.3", 3933 * 0.1),
    ],
)
def test_a_real_is_all_digits_times_a_power_of_ten(text: str, value: float) -> None:
    assert real(text) == value


@pytest.mark.parametrize(
    ("tmax", "dt", "points"),
    [
        ("0.6", "0.02", 30),
        ("0.3", "0.02", 15),
        ("0.6", "0.03", 20),
        ("6d-1", "2d-2", 30),
        ("4.83", "0.21", 23),
        ("0.0012", "0.0004", 3),
        ("0.7", "0.07", 10),
        ("0.77", "0.0007", 1100),
        ("2.4", "0.2", 13),
        ("0.6", "0.2", 4),
    ],
)
def test_numbers_of_time_points(tmax: str, dt: str, points: int) -> None:
    """`No. time steps (nt)` in the logs of NWChem 7.0.2 for these words."""
    end, step = real(tmax), real(dt)
    assert end is not None
    assert step is not None
    assert math.ceil(end / step) == points


def test_the_product_is_not_the_nearest_double() -> None:
    # So tmax 2.4 with dt 0.2 makes NWChem count 13 points where 2.4 / 0.2 = 12.
    assert real("2.4") == 2.4000000000000004 != 2.4


@pytest.mark.parametrize(
    "text", ["", ".", "-", "1e", "e5", "1.2.3", "0x1", "nan", "inf", "1,5", "2.0fs", "1e999"]
)
def test_what_is_no_real(text: str) -> None:
    assert real(text) is None


@given(st.floats(min_value=-1e15, max_value=1e15, allow_nan=False))
def test_a_real_is_right_to_rounding(x: float) -> None:
    value = real(f"{x:.12e}")
    assert value == pytest.approx(x, rel=1e-11, abs=1e-280)


def test_integers() -> None:
    assert [integer(text) for text in ("12", "-3", "+4", "1.0", "x", "")] == [12, -3, 4, None, None, None]


def words(folder: Path, text: str) -> list[tuple[str, ...]]:
    """Fields of each logical line of a text."""
    path = folder / "deck.nw"
    path.write_text(text)
    return [line.words for line in read_lines(path)]


def test_comments_tabs_and_blank_lines(tmp_path: Path) -> None:
    assert words(tmp_path, "\n# all of it\n\tdt\t0.2 # not this\n\n") == [("dt", "0.2")]


def test_semicolons_and_continuation(tmp_path: Path) -> None:
    assert words(tmp_path, "dft; xc \\\n  pbe0 ; end\n") == [("dft",), ("xc", "pbe0"), ("end",)]


def test_quotes_keep_blanks_and_escapes_are_literal(tmp_path: Path) -> None:
    assert words(tmp_path, 'title "two  words" a\\#b c\\;d') == [("title", "two  words", "a#b", "c;d")]


def test_line_ends_of_other_systems_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "deck.nw"
    path.write_bytes(b"\xef\xbb\xbfstart a\r\ncharge 1\rdft\r\n")
    assert [line.words for line in read_lines(path)] == [("start", "a"), ("charge", "1"), ("dft",)]


@pytest.mark.parametrize("mark", [".", "*", "eof", "EOF"])
def test_a_mark_ends_the_input(tmp_path: Path, mark: str) -> None:
    assert words(tmp_path, f"start a\n{mark}\nnonsense\n") == [("start", "a")]


def test_case_is_kept_in_fields_and_ignored_in_keywords(tmp_path: Path) -> None:
    path = tmp_path / "deck.nw"
    path.write_text("START Water\n")
    (line,) = read_lines(path)
    assert (line.keyword, line.words[1]) == ("start", "Water")


def test_an_included_file_keeps_its_own_line_numbers(tmp_path: Path) -> None:
    part = tmp_path / "part.inc"
    part.write_text("# first\ncharge 1\n")
    path = tmp_path / "deck.nw"
    path.write_text(f"start a\ninclude {part}\ndft\n")
    lines: list[Line] = list(read_lines(path))
    assert [(line.place.file, line.place.line) for line in lines] == [
        (str(path), 1),
        (str(part), 2),
        (str(path), 3),
    ]


def test_a_block_ends_at_its_end_and_not_without(tmp_path: Path) -> None:
    path = tmp_path / "deck.nw"
    path.write_text("dft\n xc pbe0\nend\nscf\n rhf\ntask scf\n")
    reader = read_lines(path)
    opening = next(iter(reader))
    assert [(line.words[0], line.rest()) for line in reader.block(opening)] == [("xc", ("pbe0",))]
    second = next(iter(reader))
    with pytest.raises(DeckError, match=r"deck\.nw:4: scf block has no end"):
        list(reader.block(second))


def test_suggestions() -> None:
    assert suggestion("iteratons", ("iterations", "grid")) == "; did you mean iterations?"
    assert suggestion("zzz", ("iterations",)) == ""
