"""Basis sets in files of NWChem's library format, and where sets are looked for."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system import basis_library
from hybrid_propagate.adapters.system.basis_library import library_ecp, library_has, library_shells
from hybrid_propagate.adapters.system.library_file import file_element, set_key

MY_SET = """# a comment
basis "H_my-set" CARTESIAN
H    S
     18.7311370D+00     0.03349460
      2.8253937     0.23472695   # of two primitives
H    SP
      0.1612778     1.0000000    0.5
end
basis "O_other" SPHERICAL
O    D
      1.0     1.0
end
ecp "O_my-set"
  O nelec 2
  O ul
    2  1.5  -10.0
  O s
    0  2.5   3.0
    1  3.5   4.0
end
"""
DECK = """geometry nocenter noautosym
  H 0 0 0
  H 0 0 0.7
end
basis
  H library my-set {where}
end
task dft energy
"""


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-set").write_text(MY_SET)
    return tmp_path


def test_shells_and_potentials_of_a_file(folder: Path) -> None:
    shells, potential = file_element(folder / "my-set", "My-Set", 1)
    assert shells == [
        [0, [18.731137, 0.0334946], [2.8253937, 0.23472695]],
        [0, [0.1612778, 1.0]],
        [1, [0.1612778, 0.5]],
    ]
    assert potential is None
    shells, potential = file_element(folder / "my-set", "my-set", 8)
    assert shells is None
    assert potential[0] == 2
    assert potential[1] == [
        [-1, [[], [], [[1.5, -10.0]], [], [], [], []]],
        [0, [[[2.5, 3.0]], [[3.5, 4.0]], [], [], [], [], []]],
    ]


@pytest.mark.parametrize("where", ["file my-set", "file ./my-set", "file ."])
def test_a_deck_names_a_file_or_its_folder(folder: Path, where: str) -> None:
    (folder / "deck.nw").write_text(DECK.format(where=where))
    (task,) = read_deck(folder / "deck.nw").tasks
    assert [shell[0] for shell in task.system.basis["H"]] == [0, 0, 1]


def test_the_environments_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not library_has("my-set")
    monkeypatch.setenv("NWCHEM_BASIS_LIBRARY", f"{folder}/")
    assert library_has("my-set")
    assert library_shells("my-set", 8) is None
    assert library_ecp("my-set", 8) is not None


def test_a_file_that_is_not_there(folder: Path) -> None:
    (folder / "deck.nw").write_text(DECK.format(where="file nowhere"))
    with pytest.raises(DeckError, match=r":6: library my-set: nowhere is no file, nor a folder"):
        read_deck(folder / "deck.nw")


def test_a_file_that_holds_no_numbers(folder: Path) -> None:
    (folder / "my-set").write_text('basis "H_my-set" SPHERICAL\nH S\n 1.0 x1\nend\n')
    (folder / "deck.nw").write_text(DECK.format(where="file my-set"))
    with pytest.raises(DeckError, match=r":6: library my-set cannot be read"):
        read_deck(folder / "deck.nw")


def test_every_set_of_an_installed_nwchem_is_known() -> None:
    (folder,) = basis_library._installed()
    names = [path.name for path in folder.iterdir() if path.is_file()]
    assert len(names) > 600
    assert [name for name in names if not library_has(name)] == []


def test_names_as_nwchem_makes_files_of_them() -> None:
    """NWChem's `bas_tag_lib`; the files are in its library."""
    assert set_key("cc-pVTZ(pt/sf/lc)") == "cc-pvtzpt_sf_lc"
    assert set_key("Core/valence Functions (cc-pCVTZ)") == "core_valence_functions_cc-pcvtz"
    assert library_shells("McLean/Chandler VTZ", 11)
    assert library_ecp("Hay/Wadt (n-1) ECP", 19)


@pytest.mark.parametrize("name", ["6-31g*", "aug-cc-pvdz", "def2-svp", "sto-3g"])
def test_an_installed_nwchems_file_has_the_same_shells(name: str) -> None:
    (folder,) = basis_library._installed()
    shells, _ = file_element(folder / set_key(name), name, 8)
    other = library_shells(name, 8)
    assert shells is not None
    assert other is not None
    assert [shell[0] for shell in shells] == [shell[0] for shell in other]
