"""Files that never end, and texts larger than any deck: refused at once, without a word of what they hold."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.free_format.errors import DeckError

from tests.support.small_decks import kicked

H2 = "  H 0 0 0\n  H 0 0 0.74"
SECRET = "root:$6$salt$hash:19000:0:99999:7:::"


@pytest.fixture(autouse=True)
def in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a folder of its own, and within ten seconds."""
    monkeypatch.chdir(tmp_path)
    began = time.process_time()
    yield
    assert time.process_time() - began < 10.0


def refusal(text: str) -> str:
    """Why the deck is refused, which is one line."""
    path = Path("deck.nw")
    path.write_text(text)
    with pytest.raises(DeckError) as caught:
        read_deck(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("head", "atoms"),
    [("", "  load {}"), ("", "  load format xyz {}"), ("include {}", H2)],
    ids=["load", "load format", "include"],
)
@pytest.mark.parametrize(("name", "kind"), [("pipe.xyz", "a named pipe"), ("/dev/zero", "a device")])
def test_a_pipe_and_a_device(head: str, atoms: str, name: str, kind: str) -> None:
    os.mkfifo("pipe.xyz")
    if atoms == "  load {}" and name == "/dev/zero":
        atoms = "  load format xyz {}"
    said = refusal(kicked(atoms.format(name), head=head.format(name), tmax=1.0))
    assert f"is {kind}, not a file: {name}" in said


def test_the_deck_itself() -> None:
    os.mkfifo("pipe.nw")
    for path in (Path("pipe.nw"), Path("/dev/zero"), Path("/dev/full")):
        with pytest.raises(DeckError, match=r"input file is a (named pipe|device), not a file"):
            read_deck(path)


def test_lines_joined_without_end() -> None:
    """Two megabytes of continued lines; NWChem's line ends at 1024 characters."""
    assert "longer than 1024 characters" in refusal("title " + "a \\\n" * 500_000)


def test_a_deck_of_many_megabytes() -> None:
    with open("large.nw", "w") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(DeckError, match="larger than 16 MB"):
        read_deck(Path("large.nw"))


def test_includes_that_multiply() -> None:
    """Ten levels of ten includes each are ten thousand million files."""
    for level in range(9):
        Path(f"{level}.inc").write_text(f"include {level + 1}.inc\n" * 10 + "#" * 1000)
    Path("9.inc").write_text("#\n" * 100_000)
    assert "more than 1000000 lines" in refusal("include 0.inc\n")
    Path("9.inc").write_text(("#" * 1000 + "\n") * 1000)
    assert "larger than" in refusal("include 0.inc\n")


def test_too_many_centres() -> None:
    atoms = "\n".join(f"He 0 0 {k}" for k in range(3001))
    assert "more than 3000 centres" in refusal(kicked(atoms, tmax=1.0))


@pytest.mark.parametrize("first", ["", "geometry\n", "basis\n", "dft\n", "rt_tddft\n", "set ", "title "])
def test_an_included_file_is_not_shown(first: str) -> None:
    Path("secret").write_text(SECRET + "\n" + SECRET + " b c\n")
    for text in (f"{first}include secret\n", f"{first}\ninclude secret\n", "include secret\n" + first):
        said = refusal(text + "end\n")
        assert not any(word in said for word in ("root", "salt", "hash", "19000"))


@pytest.mark.parametrize(
    "text", [SECRET, f"1\n\n{SECRET}", f"1\n\n{SECRET} 0 0 0", f"2\n\nH 0 0 0\n{SECRET}"]
)
def test_a_loaded_file_is_not_shown(text: str) -> None:
    Path("secret.xyz").write_text(text + "\n")
    said = refusal(kicked("  load secret.xyz", tmax=1.0))
    assert not any(word in said for word in ("root", "salt", "hash", "19000"))


@pytest.mark.parametrize("count", ["\u00b2", "-1", "0", "99999999999999999999", "1" * 5000, "1e3", "\u0663"])
def test_a_count_of_atoms_that_is_none(count: str) -> None:
    Path("m.xyz").write_text(f"{count}\n\nH 0 0 0\n", encoding="utf-8")
    assert "m.xyz:1: frame 1 should start with the number of atoms" in refusal(
        kicked("  load m.xyz", tmax=1.0)
    )


@pytest.mark.parametrize(
    "words", ["frame 0 m.xyz", "frame 9 m.xyz", "m.dat", "format pdb m.xyz", "format XYZ m"]
)
def test_what_nwchem_would_not_load(words: str) -> None:
    for name in ("m.xyz", "m.dat", "m"):
        Path(name).write_text("2\n\nH 0 0 0\nH 0 0 0.74\n")
    refusal(kicked(f"  load {words}", tmax=1.0))
