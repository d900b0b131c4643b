"""Fractional occupations as a deck asks for them."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import Deck, DeckError, GroundStateTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system.filling import Filling
from small_decks import HYDRIDE, kicked


def deck(tmp_path: Path, dft: str, *, ahead: str = "") -> Deck:
    text = kicked(HYDRIDE, tmax=0.6).replace("dft\n", f"{ahead}dft\n  {dft}\n", 1)
    (tmp_path / "deck.nw").write_text(text)
    return read_deck(tmp_path / "deck.nw")


def filling(found: Deck) -> Filling | None:
    (task,) = [task for task in found.tasks if isinstance(task, GroundStateTask)]
    return task.filling


@pytest.mark.parametrize(
    ("dft", "expected"),
    [
        ("smear", Filling(1e-3)),
        ("smear 0.5", Filling(0.5)),
        ("smear 0", None),
        ("fon partial 3 electrons 1.5 filled 1", Filling(occupations=((2.0, 0.5, 0.5, 0.5),))),
        (
            "odft; fon alpha partial 2 electrons 1 filled 1; fon beta partial 1 electrons 0.5 filled 1",
            Filling(occupations=((1.0, 0.5, 0.5), (1.0, 0.5))),
        ),
    ],
)
def test_what_is_read(tmp_path: Path, dft: str, expected: Filling | None) -> None:
    found = deck(tmp_path, dft)
    assert filling(found) == expected
    told = [notice for notice in found.notices if "an open shell's fills its first orbitals" in notice]
    assert bool(told) == (expected is not None)


@pytest.mark.parametrize(
    ("dft", "ahead", "message"),
    [
        ("smear -1", "", "smear must lie between 0 and 10 Hartree, not -1"),
        ("fon partial 3 1", "", "fon: accepted: fon [alpha|beta] partial <orbitals> electrons <number>"),
        ("fon partial 0 electrons 1 filled 1", "", "fon: 1 to 3000 partial"),
        ("fon partial 1 electrons 2.5 filled 1", "", "fon: 1 orbitals hold 0 to 2 electrons"),
        ("fon partial 400 electrons 2 filled 1", "", "fon: more orbitals than there are"),
        ("odft; fon partial 2 electrons 1 filled 1", "", "an open shell needs a line for alpha and one for"),
        ("smear; fon partial 2 electrons 1 filled 1", "", "of smear, fon and occup one at a time"),
        ("smear", "occup\n 1 0\n 2.0\nend\n", "of smear, fon and occup one at a time"),
        ("max_ovl; smear", "", "max_ovl beside smear, fon or occup is not carried out"),
        ("", "occup\n 1 0\n 2.0\nend\n", "occup holds 2 electrons, the system 4"),
        ("", "occup\n 2 2\n 1.0 1.0\n 1.0 1.0\nend\n", "occup has 2 columns, the system 1"),
    ],
)
def test_what_is_refused(tmp_path: Path, dft: str, ahead: str, message: str) -> None:
    with pytest.raises(DeckError) as refused:
        deck(tmp_path, dft, ahead=ahead)
    assert message in str(refused.value)
