"""Whatever is thrown at it, the reader returns a deck or says in one line why not."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import Deck, DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DECKS = sorted((Path(__file__).parents[2] / "support/decks").iterdir())
LINES = sorted({line for path in DECKS for line in path.read_text().splitlines()})
WORDS = sorted({word for line in LINES for word in line.split()})

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Stop what hangs."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome_is_sound(folder: Path, data: bytes) -> bool:
    """The data as a deck is read, or refused within seconds in one line that names the place."""
    path = folder / "fuzz.nw"
    path.write_bytes(data)
    with at_most(20):
        try:
            outcome: Deck | DeckError = read_deck(path)
        except DeckError as error:
            outcome = error
    if isinstance(outcome, Deck):
        return True
    text = str(outcome)
    return "\n" not in text and text.startswith(f"{outcome.place.file}:{outcome.place.line}: ")


@FUZZ
@given(data=st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    assert outcome_is_sound(tmp_path, data)


@FUZZ
@given(lines=st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=40))
def test_words_of_decks_in_any_order(tmp_path: Path, lines: list[str]) -> None:
    assert outcome_is_sound(tmp_path, "\n".join(lines).encode())


@FUZZ
@given(path=st.sampled_from(DECKS), data=st.data())
def test_mutated_decks(tmp_path: Path, path: Path, data: st.DataObject) -> None:
    lines = path.read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        k = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "swap", "replace", "word", "cut", "insert"]))
        if kind == "drop" and len(lines) > 1:
            del lines[k]
        elif kind == "double":
            lines.insert(k, lines[k])
        elif kind == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[k], lines[other] = lines[other], lines[k]
        elif kind == "replace":
            lines[k] = data.draw(st.sampled_from(LINES))
        elif kind == "cut":
            lines[k] = lines[k][: data.draw(st.integers(0, len(lines[k])))]
        elif kind == "insert":
            lines[k] = (
                lines[k] + " " + data.draw(st.sampled_from([*WORDS, "-1", "0", "1e300", "-1e300", "*", '"']))
            )
        elif lines[k].split():
            words = lines[k].split()
            words[data.draw(st.integers(0, len(words) - 1))] = data.draw(
                st.sampled_from([*WORDS, "0", "-7", "1d400", "nan", "99999999999999999999", "é", "#", ";"])
            )
            lines[k] = " ".join(words)
    assert outcome_is_sound(tmp_path, "\n".join(lines).encode())


@pytest.mark.parametrize("path", DECKS, ids=[path.name for path in DECKS])
def test_every_beginning_of_a_deck(tmp_path: Path, path: Path) -> None:
    lines = path.read_text().splitlines()
    for count in range(len(lines)):
        assert outcome_is_sound(tmp_path, "\n".join(lines[:count]).encode())
    assert isinstance(read_deck(path), Deck)
