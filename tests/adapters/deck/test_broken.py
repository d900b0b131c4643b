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

CAP = "  units au\n  potmax 1\n  nq 4 4 4\n  qmin -8 -8 -8\n  qmax 8 8 8\n  range\n  O 2 4\n  end"
PULSE = "    frequency 0.1\n    center 1.0\n    width {}"
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
    (5, "  H 0.00 0.00 0.12", 3, "atoms 1 and 2 are 0 bohr apart; NWChem wants more than 0.5"),
    (8, 'set geometry "sytem"', 16, "geometry 'sytem' has not been defined"),
    (8, "set dft:magic 3", 8, "set dft:magic is not carried out"),
    (8, "set rt_tddft:imag_time .true.", 8, "set rt_tddft:imag_time is not carried out"),
    (9, "basis spherikal library", 9, "basis option 'library' is not carried out"),
    (10, "  * library 6-31H", 10, "unknown basis library '6-31H'; did you mean 6-31g?"),
    (10, "  O library 6-31G", 9, "basis 'ao basis' has no functions for H"),
    (10, "  O s\n  1.0 1.0\n  1.0 a\n  H library 6-31G", 12, "O: coefficient must be a number, not 'a'"),
    (10, "  O q\n  1.0 1.0", 10, "unknown shell type 'q'"),
    (10, "  1.0 1.0", 10, "exponents must follow a line <tag> <shell type>"),
    (10, "  O sp\n  1.0 1.0", 11, "an SP shell needs an exponent and two coefficients"),
    (13, "  xc pbe1", 13, "xc pbe1 is not carried out; did you mean"),
    (13, "  xc revtpss", 13, "xc revtpss is not carried out"),
    (13, "  xc xcamb88 lyp hfexch", 13, "xcamb88 needs a cam line"),
    (13, "  xc", 13, "xc names no functional"),
    (13, "  convergence enrgy 1d-8", 13, "unknown convergence option 'enrgy'; did you mean energy?"),
    (13, "  iteratons 50", 13, "unknown dft directive 'iteratons'; did you mean iterations?"),
    (13, "  cdft 1 1 charge 1.0", 13, "'cdft' is not carried out: converge it in NWChem with `vectors"),
    (14, "  mult 2", 16, "10 electrons cannot have multiplicity 2"),
    (14, "  mult 0", 14, "multiplicity must be a positive integer"),
    (16, "task dft saddle", 16, "task dft saddle: nuclei do not move here"),
    (16, "task scf optimize", 16, "task scf optimize: nuclei do not move here"),
    (16, "task mp2 energy", 16, "task mp2 is not carried out"),
    (16, "", 29, "no ground state to start from"),
    (17, "rt_tdft", 17, "unknown directive 'rt_tdft'; did you mean rt_tddft?"),
    (18, "", 17, "rt_tddft must supply tmax"),
    (18, "  tmax -1.0", 18, "tmax must lie between 1e-06 and 1e+09, not -1"),
    (18, "  tmin 0.0", 18, "propagations start at t = 0"),
    (19, "", 17, "rt_tddft must supply dt"),
    (19, "  dt 0", 19, "dt must lie between 1e-06 and 100, not 0"),
    (19, "  dt -0.2", 19, "dt must lie between 1e-06 and 100, not -0.2"),
    (19, "  dt 0.2fs", 19, "dt must be a number, not '0.2fs'"),
    (19, "  dt 0.2 0.3", 19, "dt: unexpected '0.3'"),
    (20, '  tag "a tag of twenty-six letters"', 20, "tag is too long (27 characters); at most 24"),
    (20, "  nprints 0", 20, "at least 1 print point"),
    (20, "  nchecks many", 20, "nchecks must be an integer"),
    (20, "  checklvl 4", 20, "checklvl must be 1, 2 or 3"),
    (20, "  tolerances interpol 0.5", 20, "must lie between 0 and 1e-2"),
    (20, "  tolerances series 0.0", 20, "series must be above 0"),
    (20, "  tolerances Interpol 1e-8", 20, "in lower case: zero series interpol"),
    (20, "  propagator rk5", 20, "unknown propagator 'rk5'; accepted, in lower case: magnus rk4 euler"),
    (20, "  exp bch", 20, "unknown exp 'bch'"),
    (20, "  load wavefunction", 20, "unknown load option 'wavefunction'"),
    (20, "  load vectors", 20, "file name of load vectors is missing"),
    (20, "  usedisk", 20, "usedisk is disabled"),
    (20, "  spatialcap\n  qmin 0 0 0\n  end", 21, "units must stand before qmin"),
    (20, "  spatialcap\n  range\n  H 1 2\n  end\n  end", 21, "units must stand before range"),
    (20, "  spatialcap\n  units nm\n  end", 21, "unknown units 'nm'; accepted: au bohr bohrs angstroms"),
    (20, "  spatialcap\n  units au\n  potmax -1\n  end", 22, "spatialcap: potmax must lie between 0 and"),
    (20, "  spatialcap\n  nq 10 10\n  end", 21, "nq: nq is missing"),
    (20, "  spatialcap\n  nq 10 10 0\n  end", 21, "nq must lie between 1 and 1000, not 0"),
    (20, "  spatialcap\n  potmax 1\n  end", 20, "spatialcap must supply nq"),
    (
        20,
        "  spatialcap\n  width 1\n  end",
        21,
        "unknown spatialcap directive 'width'; accepted: units potmax",
    ),
    (
        20,
        "  spatialcap\n  units au\n  range\n  H 2 1\n  end\n  end",
        23,
        "range of H: rend lies before rstart",
    ),
    (20, f"  spatialcap\n{CAP}\n  end", 20, "spatialcap has no range for "),
    (20, f"  spatialcap\n{CAP.replace('8 8 8', '8 -8 8')}\n  end", 20, "qmax must lie above qmin"),
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
    (23, "    type file", 23, "name of the file: rows of time Ex Ey Ez in au is missing"),
    (23, "    type file nowhere.txt", 23, "file of the field not found: nowhere.txt"),
    (23, "", 22, "must specify its type"),
    (24, "    polarization xy", 24, "unknown polarization 'xy'"),
    (24, "    frequency 0.1\n    polarization z", 22, "cannot supply frequency if type is delta"),
    (24, "    polarization z\n    spin alpha", 22, "spin alpha needs an open shell"),
    (24, "    polarization z\n    center -1.0", 25, "center must lie between 0 and 1e+09, not -1"),
    (25, "", 22, "must specify max if type is delta"),
    (25, "    maximum 0.1", 25, "unknown field directive 'maximum'; accepted: type"),
    (27, '  excite "system" with "kik"', 27, "excite: unknown field 'kik'; fields so far: kick"),
    (27, '  excite "sys" with "kick"', 27, "excite: unknown geometry 'sys'; defined: system"),
    (27, '  excite "system" using "kick"', 27, "expected 'with'"),
    (27, "  field kick\n  type delta\n  polarization x\n  max 1\n  end", 27, "'kick' is defined twice"),
    (28, "", 17, "rt_tddft block has no end"),
    # NWChem stops at these, or passes over a word of them in silence.
    (1, "title two words", 1, "title: unexpected 'words'"),
    (1, "memory 400", 1, "unit of the memory is missing"),
    (1, "memory total 400 mb stack many mb", 1, "size of the memory must be a number"),
    (1, "charge 0;;charge 0", 1, "nothing stands before a semicolon"),
    (1, '  include "a"', 1, "unknown directive 'include'"),
    (1, "include a b", 1, "include takes one file name"),
    (1, "include  a", 1, "include takes one file name"),
    (1, "charge \u212a", 1, "looks like a letter and is none"),
    (1, "charge 0 \x0b", 1, "control character '\\x0b'"),
    (2, 'charge "0"', 2, "charge must be a number, not '0'"),
    (3, 'geometry "system" units nan', 3, "unknown units 'nan'"),
    (3, 'geometry "system" units anxyz', 3, "unknown units 'anxyz'"),
    (3, 'geometry " system"', 3, "begins with a blank"),
    (3, 'geometry "system" ang2au 1.9 au2ang 0.5', 3, "a second conversion"),
    (4, "  O 0.0 0.0 0.12 0.0", 4, "velocity along y of O is missing"),
    (4, "  file 0.0 0.0 0.12", 4, "tag 'file' is a directive"),
    (4, "  O;H 0.0 0.0 0.12", 4, "coordinate x of O is missing"),
    (4, '  "O H" 0.0 0.0 0.12', 4, "none of them blank"),
    (4, "  symmetry c1 bananas", 4, "symmetry bananas"),
    (4, "  system molecule\n  what 3\n  end", 5, "unexpected 'what'"),
    (4, "  zcoord\n  bond 1 2 0.9 r\n  end", 5, "values and names of coordinates are not carried out"),
    (5, "  H 0.00 0.00 0.30", 3, "atoms 1 and 2 are 0.34 bohr apart"),
    (7, "end geometry", 7, "end: unexpected 'geometry'"),
    (8, "set geometry 5", 8, "NWChem takes 5 for a value"),
    (8, "set geometry t", 8, "NWChem takes t for a value"),
    (8, 'set geometry integer "system"', 8, "a name is a string, not of type integer"),
    (8, "set rt_tddft:magnus_skipinterpol integer 1", 8, "is of type logical, not integer"),
    (8, "set quickguess", 8, "value is missing"),
    (8, "set int:acc_std 1d-3", 8, "set int:acc_std is not carried out"),
    (9, "basis spherical mine", 9, "unexpected 'mine'"),
    (10, "  * library 6-31G\n  Xe library 3-21G", 11, "no centre takes anything from Xe"),
    (10, "  * library 6-31G\n  He S\n  1.0 1.0", 11, "no centre takes anything from He"),
    (10, "  O library 6-31G\n  H library 6-31G\n  hydrogen library 3-21G", 12, "anything from hydrogen"),
    (10, "  O library 6-31G except H", 10, "except stands behind * only"),
    (10, "  O* library 6-31G", 10, "patterns of tags"),
    (10, "  * library 6-31G\n  O S\n  2.0", 12, "an exponent needs its coefficient"),
    (10, "  * library 6-31G\n  O S\n  2.0 1.0\n  1.0\n  0.5 0.2", 13, "an exponent needs its coefficient"),
    (10, "  * library 6-31G\n  O K\n  2.0 1.0", 11, "unknown shell type 'k'"),
    (10, "  * library 6-31G\n  O S\n" + "  2.0 1.0\n" * 41, 52, "more than 40 primitives"),
    (10, "  * library 6-31G\n  O S\n  1d200 1.0", 12, "exponent must lie between 1e-08 and 1e+12"),
    (11, "end of it", 11, "end: unexpected 'of'"),
    (13, "  xc pbe0 hfexch 1.0 lyp 2.0 3.0", 13, "xc 3.0 is not carried out"),
    (13, "  direct foo", 13, "direct: unexpected 'foo'"),
    (13, "  noio foo", 13, "noio: unexpected 'foo'"),
    (13, "  sym bananas", 13, "sym: unexpected 'bananas'"),
    (13, "  adapt on off", 13, "adapt: unexpected 'off'"),
    (13, "  tolerances acccoul tight", 13, "acccoul: its number is missing"),
    (13, "  tolerances tigth", 13, "unknown tolerances option 'tigth'; did you mean tight?"),
    (13, "  tol2e", 13, "tol2e is missing"),
    (13, "  semidirect memsize", 13, "memsize is missing"),
    (13, "  semidirect nothing", 13, "semidirect: unexpected 'nothing'"),
    (13, "  convergence nr", 13, "nr: its number is missing"),
    (13, "  convergence damp 40.5", 13, "unknown convergence option '40.5'"),
    (13, "  convergence fast 1", 13, "unknown convergence option '1'"),
    (13, "  mulliken all", 13, "mulliken: unexpected 'all'"),
    (13, "  noscf please", 13, "noscf: unexpected 'please'"),
    (13, "  vectors input atomic outptu x", 13, "vectors: unexpected 'outptu' behind the guess"),
    (13, "  vectors input a output b output c", 13, "vectors: a second output"),
    (13, "  vectors input", 13, "names neither a guess nor an output"),
    (13, "  vectors molden a", 13, "vectors molden is not carried out"),
    (13, "  xc xcamb88 lyp\n  cam 0.3 cam_beta 0.4 cam_alpha 0.2", 14, "cam: unexpected 'cam_beta'"),
    (13, "  xc xcamb88 lyp\n  cam 0.3 cam_alpha 0.2", 14, "cam_beta is missing"),
    (13, "  grid fine nquad_task", 13, "nquad_task is missing"),
    (15, "end; end", 15, "unknown directive 'end'"),
    (16, "task dft energy ignore", 16, "task: unexpected 'ignore'"),
    (16, "scf\n  direct foo\nend", 17, "direct: unexpected 'foo'"),
    (16, "scf\n  sym bananas\nend", 17, "sym: unexpected 'bananas'"),
    (16, "scf\n  nodiis\nend", 17, "scf directive 'nodiis' is not carried out"),
    (16, "scf\n  level pcg\nend", 17, "level shift is missing"),
    (16, "scf\n  singlet state\nend", 17, "singlet: unexpected 'state'"),
    (16, "scf\n  nr\nend", 17, "nr is missing"),
    (16, "tddft\n  cis yes\nend", 17, "cis: unexpected 'yes'"),
    (16, "tddft\n  thresh high\nend", 17, "thresh must be a number"),
    (16, f"dplot\n  output {'x' * 151}\nend", 17, "file name of output 'xxx"),
    (13, f"  vectors output a/{'x' * 151}", 13, "is longer than 150 bytes"),
    (13, "  vectors output folder/", 13, "'folder/' is no file name"),
    (16, "dplot\n  title a b\nend", 17, "title: unexpected 'b'"),
    (16, "dplot\n  limitxyz units angstroms\nend", 17, "unknown units 'angstroms'; accepted: angstrom"),
    (17, "rt_tddft now", 17, "rt_tddft: unexpected 'now'"),
    (18, "  tmax 0", 18, "tmax must lie between"),
    (18, '  tmax "10.0"', 18, "tmax must be a number, not '10.0'"),
    (18, "  tmax 1e-298", 18, "tmax must lie between 1e-06 and 1e+09, not 1e-298"),
    (19, "  dt 1e-300", 19, "dt must lie between 1e-06 and 100, not 1e-300"),
    (18, "  tmax 1e9", 17, "tmax / dt"),
    (20, "  prof all", 20, "prof: unexpected 'all'"),
    (20, "  static\n  noprop yes", 21, "noprop: unexpected 'yes'"),
    (20, "  load scf restart", 20, "load: unexpected 'restart'"),
    (20, "  tolerances zero", 20, "tolerance zero is missing"),
    (20, "  mocap\n  expconst 1d9\n  end", 21, "mocap: expconst must lie between"),
    (20, "  mocap\n  on off\n  end", 21, "on: unexpected 'off'"),
    (20, "  mocap\n  on\n  end mocap", 22, "end: unexpected 'mocap'"),
    (20, "  visualization\n  tstart 1d99\n  tend 1.0\n  end", 21, "tstart must lie between"),
    (23, "    type delta cw", 23, "type: unexpected 'cw'"),
    (24, "    polarization z x", 24, "polarization: unexpected 'x'"),
    (24, "    polarization angle 10", 24, "phi is missing"),
    (24, "    polarization angle 1d300 0", 24, "theta must lie between"),
    (25, "    max 1d30", 25, "field 'kick': max must lie between -1000 and 1000, not 1e+30"),
    (25, "    max 0.1 0.2", 25, "max: unexpected '0.2'"),
    (23, f"    type gaussian\n{PULSE.format('1d-300')}", 22, "width must be at least 1e-06"),
    (23, f"    type gaussian\n{PULSE.format('1d300')}", 26, "width must lie between 0 and 1e+09"),
    (26, "  end field", 26, "end: unexpected 'field'"),
    (28, "end rt_tddft", 28, "end: unexpected 'rt_tddft'"),
    (29, "task dft rt_tddft \\", 29, "a backslash joins to the next"),
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
        ("", "the deck has no task"),
        ("# nothing\n\n", "the deck has no task"),
        ("task dft rt_tddft\n", "needs an rt_tddft block before it"),
        ("rt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n", "no geometry has been defined"),
        (
            "geometry\nHe 0 0 0\nend\nrt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n",
            "no basis has been defined",
        ),
        ("geometry\nend\n", "has no atoms"),
        ("\x00\x01\x02", "not a text file"),
        (
            "restart old\nrt_tddft\n tmax 1\n dt 1\nend\ntask dft rt_tddft\n",
            "has not a block geometry, nor a block",
        ),
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
