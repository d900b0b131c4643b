"""Broken decks: each is refused in one line that names the file and the line, and says what is wrong."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck

#: A deck that is read without complaint; each case below breaks it.
SOUND = """\
start water
charge 0
geometry "system" units angstroms nocenter noautosym
  O 0.00 0.00 0.12
  H 0.00 0.76 -0.47
  H 0.00 -0.76 -0.47
end
set geometry "system"
basis
  * library 6-31G
end
dft
  xc pbe0
  mult 1
end
task dft energy
rt_tddft
  tmax 10.0
  dt 0.2
  tag "kick"
  print dipole
  field "kick"
    type delta
    polarization z
    max 0.0001
  end
  excite "system" with "kick"
end
task dft rt_tddft
"""

#: (line of SOUND, what replaces it, line of the error, part of the message)
REPLACED = [
    (1, "strat water", 1, "unknown directive 'strat'; did you mean start?"),
    (1, "start a/b", 1, "start: 'a/b', is no file name"),
    (1, "start .", 1, "start: '.', is no file name"),
    (1, "start ..", 1, "start: '..', is no file name"),
    (1, 'restart " "', 1, "is no file name"),
    (1, "start " + "x" * 151, 1, "is longer than 150 bytes"),
    (1, "start " + "\u00e9" * 76, 1, "is longer than 150 bytes"),
    (1, 'title "never closed', 1, "unbalanced quote"),
    (1, "include nowhere.inc", 1, "input file not found: nowhere.inc"),
    (1, "cosmo", 1, "'cosmo' is not carried out"),
    (1, "x" * 1100, 1, "longer than 1024"),
    (2, "charge 0.5", 2, "whole number"),
    (2, "charge one", 2, "charge must be a number, not 'one'"),
    (2, "charge", 2, "charge is missing"),
    (2, "charge 20", 16, "leaves -10 electrons"),
    (2, "charge 1", 16, "9 electrons cannot have multiplicity 1"),
    (3, "geometry units parsecs", 3, "unknown units 'parsecs'; accepted: angstroms"),
    (3, "geometry one two", 3, "two names, 'one' and 'two'"),
    (3, 'geometry "other"', 16, "geometry 'system' has not been defined; defined: other"),
    (4, "  Qq 0.0 0.0 0.1", 4, "unknown element 'Qq'"),
    (4, "  O 0.0 0.0", 4, "coordinate z of O is missing"),
    (4, "  O 0.0 0.0 zero", 4, "coordinate z of O must be a number"),
    (4, "  O 0.0 0.0 0.12 charge 7.5", 4, "nuclear charge apart from the element's"),
    (4, "  O 0.0 0.0 0.12 mass 18.0", 4, "mass apart from the element's"),
    (4, "  load water.xyz", 4, "xyz file not found: water.xyz"),
    (4, "  symmetry c2v", 4, "symmetry c2v: RT-TDDFT works without symmetry only"),
    (4, "  system crystal", 4, "system crystal is not carried out"),
    (5, "  H 0.00 0.00 0.12", 3, "atoms 1 and 2 are at the same position"),
    (8, 'set geometry "sytem"', 16, "geometry 'sytem' has not been defined"),
    (8, "set dft:magic 3", 8, "set dft:magic is not carried out"),
    (8, "set rt_tddft:imag_time .true.", 8, "set rt_tddft:imag_time is not carried out"),
    (9, "basis spherikal library", 9, "basis option 'library' is not carried out"),
    (10, "  * library 6-31H", 10, "unknown basis library '6-31H'; did you mean 6-31g?"),
    (10, "  O library 6-31G", 9, "basis 'ao basis' has no functions for H"),
    (10, "  O s\n  1.0 1.0\n  1.0 a\n  H library 6-31G", 12, "expected <exponent> <coefficient>"),
    (10, "  O q\n  1.0 1.0", 10, "unknown shell type 'q'"),
    (10, "  1.0 1.0", 10, "exponents must follow a line <tag> <shell type>"),
    (10, "  O sp\n  1.0 1.0", 11, "an SP shell needs an exponent and two coefficients"),
    (13, "  xc pbe1", 13, "xc pbe1 is not carried out; did you mean"),
    (13, "  xc revtpss", 13, "xc revtpss is not carried out"),
    (13, "  xc xcamb88 lyp hfexch", 13, "xcamb88 needs a cam line"),
    (13, "  xc", 13, "xc names no functional"),
    (13, "  grid lebedev 70 11", 13, "grid lebedev is not carried out; accepted: xcoarse coarse"),
    (13, "  disp vdw 3", 13, "disp: dispersion corrections are not carried out"),
    (13, "  convergence enrgy 1d-8", 13, "unknown convergence option 'enrgy'; did you mean energy?"),
    (13, "  iteratons 50", 13, "unknown dft directive 'iteratons'; did you mean iterations?"),
    (13, "  cdft 1 1 charge 1.0", 13, "dft directive 'cdft' is not carried out"),
    (14, "  mult 2", 16, "10 electrons cannot have multiplicity 2"),
    (14, "  mult 0", 14, "multiplicity must be a positive integer"),
    (16, "task dft optimize", 16, "task dft optimize is not carried out; accepted: task dft energy"),
    (16, "task mp2 energy", 16, "task mp2 is not carried out"),
    (16, "", 29, "no ground state to start from"),
    (17, "rt_tdft", 17, "unknown directive 'rt_tdft'; did you mean rt_tddft?"),
    (18, "", 17, "rt_tddft must supply tmax"),
    (18, "  tmax -1.0", 18, "tmax must be positive"),
    (18, "  tmin 0.0", 18, "propagations start at t = 0"),
    (19, "", 17, "rt_tddft must supply dt"),
    (19, "  dt 0", 19, "dt must be positive, not 0"),
    (19, "  dt -0.2", 19, "dt must be positive, not -0.2"),
    (19, "  dt 0.2fs", 19, "dt must be a number, not '0.2fs'"),
    (19, "  dt 0.2 0.3", 19, "dt: unexpected '0.3'"),
    (20, '  tag "a tag of twenty-six letters"', 20, "tag is too long (27 characters); at most 24"),
    (20, "  nprints 0", 20, "at least 1 print point"),
    (20, "  nchecks many", 20, "nchecks must be an integer"),
    (20, "  checklvl 4", 20, "checklvl must be 1, 2 or 3"),
    (20, "  tolerances interpol 0.5", 20, "must lie between 0 and 1e-2"),
    (20, "  tolerances Interpol 1e-8", 20, "in lower case: zero series interpol"),
    (20, "  propagator rk5", 20, "unknown propagator 'rk5'; accepted, in lower case: magnus rk4 euler"),
    (20, "  exp bch", 20, "unknown exp 'bch'"),
    (20, "  load wavefunction", 20, "unknown load option 'wavefunction'"),
    (20, "  load vectors", 20, "file name of load vectors is missing"),
    (20, "  usedisk", 20, "usedisk is disabled"),
    (20, "  spatialcap", 20, "spatialcap is not carried out"),
    (20, "  visualization\n  tstart 0.0\n  end", 20, "visualization must supply tend"),
    (
        20,
        "  visualization\n  tstart 0.0\n  tend 1.0\n  dplot\n  end",
        17,
        "visualization dplot needs a dplot block",
    ),
    (20, "  mocap\n  maximum 3\n  end", 21, "unknown mocap directive 'maximum'"),
    (21, "  print Dipole", 21, "unknown print option 'Dipole'; accepted, in lower case: dipole"),
    (21, "  print dipcontribs", 17, "needs set rt_tddft:dipcontrib:pol"),
    (22, "  field kick with spaces", 22, "field: unexpected 'with'"),
    (22, '  field "a name too long!!"', 22, "must have 1 to 16 ASCII characters"),
    (23, "    type Delta", 23, "unknown field type 'Delta'; accepted, in lower case: delta cw"),
    (23, "    type gaussian", 22, "must specify frequency if type is gaussian"),
    (23, "    type file", 23, "not carried out"),
    (23, "", 22, "must specify its type"),
    (24, "    polarization xy", 24, "unknown polarization 'xy'"),
    (24, "    frequency 0.1\n    polarization z", 22, "cannot supply frequency if type is delta"),
    (24, "    polarization z\n    spin alpha", 22, "spin alpha needs an open shell"),
    (24, "    polarization z\n    center -1.0", 25, "center must not be negative"),
    (25, "", 22, "must specify max if type is delta"),
    (25, "    maximum 0.1", 25, "unknown field directive 'maximum'; accepted: type"),
    (27, '  excite "system" with "kik"', 27, "excite: unknown field 'kik'; fields so far: kick"),
    (27, '  excite "sys" with "kick"', 27, "excite: unknown geometry 'sys'; defined: system"),
    (27, '  excite "system" using "kick"', 27, "expected 'with'"),
    (27, "  field kick\n  type delta\n  polarization x\n  max 1\n  end", 27, "'kick' is defined twice"),
    (28, "", 17, "rt_tddft block has no end"),
    (29, "", 29, "the deck has no task dft rt_tddft"),
]


def write(folder: Path, text: str) -> Path:
    """Write a deck into a folder."""
    path = folder / "deck.nw"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative file names of a deck start at the working folder."""
    monkeypatch.chdir(tmp_path)


def test_the_sound_deck_is_read(tmp_path: Path) -> None:
    assert len(read_deck(write(tmp_path, SOUND)).tasks) == 2


@pytest.mark.parametrize(("broken", "text", "line", "message"), REPLACED)
def test_a_broken_line_is_named(tmp_path: Path, broken: int, text: str, line: int, message: str) -> None:
    lines = SOUND.splitlines()
    lines[broken - 1] = text
    path = write(tmp_path, "\n".join(lines) + "\n")
    with pytest.raises(DeckError) as caught:
        read_deck(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:{line}: ")
    assert message in said
    assert "\n" not in said


def test_two_geometries_and_none_active(tmp_path: Path) -> None:
    text = SOUND.replace('set geometry "system"', "geometry other\nHe 0 0 9\nend")
    with pytest.raises(DeckError, match='several geometries and none active: say set geometry "system"'):
        read_deck(write(tmp_path, text))


def test_a_fragment_away_from_the_active_geometry(tmp_path: Path) -> None:
    text = SOUND.replace("set geometry", "geometry far noautosym nocenter\nHe 0 0 9\nend\nset geometry")
    text = text.replace('excite "system"', 'excite "far"')
    with pytest.raises(DeckError, match="no atom of geometry 'far' coincides"):
        read_deck(write(tmp_path, text))


def test_a_geometry_larger_than_the_active_one(tmp_path: Path) -> None:
    extra = "geometry two nocenter noautosym\nO 0 0 0.12\nH 0 0 1\nH 0 1 0\nH 0 2 0\nend\n"
    with pytest.raises(DeckError, match="has more atoms than the active one"):
        read_deck(write(tmp_path, SOUND.replace("set geometry", extra + "set geometry")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no task dft rt_tddft"),
        ("# nothing\n\n", "has no task dft rt_tddft"),
        ("task dft rt_tddft\n", "needs an rt_tddft block before it"),
        ("rt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n", "no geometry has been defined"),
        (
            "geometry\nHe 0 0 0\nend\nrt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n",
            "no basis has been defined",
        ),
        ("geometry\nend\n", "has no atoms"),
        ("\x00\x01\x02", "not a text file"),
        ("restart old\nrt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n", "no geometry has been defined"),
    ],
)
def test_decks_without_what_is_needed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DeckError, match=message):
        read_deck(write(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "deck.nw"
    path.write_bytes(bytes(range(128, 256)) * 3)
    with pytest.raises(DeckError, match=r"deck\.nw:1: control character"):
        read_deck(path)


@pytest.mark.parametrize(
    ("name", "message"), [("..nw", "'.', is no file name"), ("...nw", "'..'"), ("x" * 200 + ".nw", "longer")]
)
def test_a_decks_name_that_gives_none_to_files(tmp_path: Path, name: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(SOUND.replace("start water\n", ""))
    with pytest.raises(DeckError, match=r":1: the deck's own name, .*; name one with start") as caught:
        read_deck(path)
    assert message in str(caught.value)
    path.write_text(SOUND)
    assert read_deck(path).prefix == "water"


def test_a_missing_deck_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="not found"):
        read_deck(tmp_path / "absent.nw")
    with pytest.raises(DeckError, match="is a folder"):
        read_deck(tmp_path)


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "basis.inc").write_text("basis\n  * library nonsense\nend\n")
    with pytest.raises(DeckError, match=r"basis\.inc:2: this line of an included file is refused"):
        read_deck(write(tmp_path, SOUND.replace("charge 0", "include basis.inc")))


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.inc").write_text("include loop.inc\n")
    with pytest.raises(DeckError, match="nested deeper than 10"):
        read_deck(write(tmp_path, SOUND.replace("charge 0", "include loop.inc")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("three\nx\nO 0 0 0\n", "should start with the number of atoms"),
        ("3\nx\nO 0 0 0\nH 0 0\n", r"water\.xyz:4: expected <element> <x> <y> <z>"),
        ("2\nx\nO 0 0 0\n", r"water\.xyz:4: expected"),
        ("1\nx\nQ 0 0 0\n", r"water\.xyz:3: no element is named so"),
    ],
)
def test_an_unreadable_xyz_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "water.xyz").write_text(text)
    deck = SOUND.replace("  O 0.00 0.00 0.12\n", "  load water.xyz\n")
    with pytest.raises(DeckError, match=message):
        read_deck(write(tmp_path, deck))
