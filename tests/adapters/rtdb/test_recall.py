"""A deck and what NWChem's database, or our own record, says of it: read again, they are the same."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import Deck, DeckError, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.run.options import physics_of

ODD_NUMBERS = """geometry "m" units angstroms nocenter noautosym noautoz
  He1 0.1 0.2 0.31234567890123
  bqH 1.0 2.4 -0.7
  Na  0.0 0.0 2.4
end
geometry "frag" units angstroms nocenter noautosym noautoz
  He1 0.1 0.2 0.31234567890123
end
set geometry "m"
charge -1
"""
BASES = """basis "small" spherical
  He1 library He cc-pvdz
  Na S
    2.4 0.1 0.9
    0.7 0.4 -0.2
  Na SP
    0.4972 -0.2753574 0.0683845
    0.0560 1.0989969 1.0140550
  Na D
    0.3 1.0
  * library 6-31G except He1 Na
end
set "ao basis" "small"
basis "cd basis"
  He1 S
    1.3 1.0
  Na S
    0.9 1.0
  Na S
    0.3 1.0
end
ecp
  Na nelec 10
  Na ul
    2 1.0 0.5
    1 0.5 0.1
  Na s
    2 0.7 1.5
    2 0.4 2.5
  Na p
    0 0.9 0.5
end
"""
DFT = """dft
  xc xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00
  cam 0.33 cam_alpha 0.19 cam_beta 0.46
  mult 3
  grid fine
  noscf
end
"""
REAL_TIME = """rt_tddft
  tmax 2.4; dt 0.3
  tag "two words"
  nchecks 3; nprints 4; nrestarts 0
  checklvl 2
  tolerances zero 1d-7 series 1d-9 interpol 1d-6
  prof
  print dipole s2 quadrupole charge
  field "one"
    type gaussian
    polarization angle 30. 60.
    max 0.1; frequency 0.3; phase 0.2; center 4.1; width 1.1
    spin alpha
  end
  field two; type hann; polarization y; max -0.2; frequency 0.3; center 1.0; width 2.4; spin beta; end
  field three; type cw; polarization z; max -0.2; frequency 0.3; end
  field four; type delta; polarization x; max 0.0001; end
  excite "m" with "two"
  excite "frag" with "one"
  excite "m" with "four"
  visualization; tstart 1.0; tend 2.0; treference 0.0; end
  spatialcap; units ang; potmax 0.7; nq 4 5 6; qmin -2.1 -3.3 -4; qmax 2.7 3 4.1
    range; He1 0.3 2.4; bqH 1 2; Na 0.7 3.1; end; on; end
  mocap; expconst 0.5; emin 0.1; prefac 2; maxval 50; nochecks; noprint; on; end
end
set rt_tddft:magnus_skipinterpol .true.
"""
#: Without an ECP for a heavier atom, without a fitting basis; a `dft` block of one word, or of none.
PLAIN = """geometry noautosym noautoz
  O 0 0 0.12
  H 0 0.76 -0.47
  H 0 -0.76 -0.47
end
basis
  * library "6-31G*"
end
{dft}
rt_tddft
  tmax 4.0
  dt 0.2
  load vectors other.movecs
  print dipole field
end
"""
CASES = {
    "everything": ODD_NUMBERS + BASES + DFT + REAL_TIME,
    "a few blocks": PLAIN.format(dft="charge 1\ndft\n  odft\n  mult 2\n  xc pbe0\nend"),
    "a rule of weights": PLAIN.format(dft='dft\n  xc "becke88" nonlocal 0.5 slater 0.4 perdew86\nend'),
    "defaults": PLAIN.format(dft=""),
    "a word that brings its own attenuation": PLAIN.format(dft="dft\n  xc m11\nend"),
}


BLOCK = "rt_tddft\n tmax 1\n dt 0.1\nend\n"
GEOMETRY = "geometry noautosym\n He 0 0 0\nend\n"
BASIS = "basis\n * library 3-21G\nend\n"


NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


def alike(a: dict[str, str], b: dict[str, str]) -> None:
    """Texts by name are the same, numbers in them to the rounding of NWChem's reader; not positions."""
    assert set(a) == set(b)
    for name in set(a) - {"geometry"}:
        assert NUMBER.sub("", a[name]) == NUMBER.sub("", b[name]), name
        mine, other = ([float(x) for x in NUMBER.findall(text[name])] for text in (a, b))
        np.testing.assert_allclose(mine, other, rtol=2e-15, err_msg=name)


def same(ours: Deck, theirs: Deck) -> None:
    """The propagations of two decks ask for the same."""
    for a, b in zip(ours.propagations, theirs.propagations, strict=True):
        alike(physics_of(a.system), physics_of(b.system))
        assert a.system.functional == b.system.functional
        assert [g.name for g in a.system.geometries] == [g.name for g in b.system.geometries]
        for mine, other in zip(a.system.geometries, b.system.geometries, strict=True):
            assert mine.tags == other.tags
            np.testing.assert_array_equal(mine.atomic_numbers, other.atomic_numbers)
            np.testing.assert_allclose(mine.charges, other.charges, rtol=1e-15)
            np.testing.assert_allclose(mine.positions, other.positions, rtol=0, atol=3e-12)
        ours_cap, their_cap = a.real_time.spatial_cap, b.real_time.spatial_cap
        assert replace(a.real_time, spatial_cap=None) == replace(b.real_time, spatial_cap=None)
        assert NUMBER.sub("", str(ours_cap)) == NUMBER.sub("", str(their_cap))
        # The ångström of NWChem 7.2 has more digits than that of 7.0.
        mine, other = ([float(x) for x in NUMBER.findall(str(cap))] for cap in (ours_cap, their_cap))
        np.testing.assert_allclose(mine, other, rtol=2e-9)
        assert a.vectors == b.vectors


def deck_in(folder: Path, name: str, text: str) -> Deck:
    (folder / name).write_text(text)
    return read_deck(folder / name)


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_nwchems_database(case: str, nwchem: Callable[[str], Path], in_folder: Path) -> None:
    text = CASES[case]
    log = nwchem(f"start job\n{text}")
    if "(NWChem) 7.0" not in log.read_text():
        # From 7.2 on `print` adds to what is printed without it.
        text = text.replace("  print ", "  print dipole field energy convergence s2 ")
    whole = deck_in(in_folder, "whole.nw", f"start job\n{text}task dft energy\ntask dft rt_tddft\n")
    later = deck_in(in_folder, "later.nw", "restart job\ntask dft rt_tddft\n")
    if case == "everything":
        # NWChem writes `_` where a tag has a blank, and skips no step that it is told of by `set`.
        assert later.propagations[0].real_time.skip_interpolation
    same(later, whole)


@pytest.mark.parametrize("case", CASES)
def test_our_own_record(case: str, in_folder: Path) -> None:
    text = CASES[case]
    whole = deck_in(in_folder, "whole.nw", f"start job\n{text}task dft energy\ntask dft rt_tddft\n")
    (in_folder / "job.settings.nw").write_text("\n".join(whole.journal[: whole.recorded[0]]) + "\n")
    later = deck_in(in_folder, "later.nw", "restart job\ntask dft rt_tddft\n")
    same(later, whole)
    # A run that goes on from it hands all of it on.
    (in_folder / "job.settings.nw").write_text("\n".join(later.journal) + "\n")
    same(deck_in(in_folder, "again.nw", "restart job\ntask dft rt_tddft\n"), whole)


PAIR = "geometry units au nocenter noautosym noautoz\n Li 0 0 0\n H 0 0 6\nend\n" + BASIS


@pytest.mark.parametrize(
    "settings",
    [
        "dft\n xc hfexch\n smear 0.05\nend\n",
        "dft\n xc hfexch\n fon partial 3 electrons 2 filled 1\nend\n",
        "dft\n odft\n fon alpha partial 2 electrons 1 filled 1\n"
        " fon beta partial 3 electrons 1 filled 1\nend\n",
        "occup\n 3 0\n 2\n 1.5\n 0.5\nend\ndft\n xc hfexch\nend\n",
        "occup\n 3 2\n 1 1\n 0.6 1\n 0.4\nend\ndft\n odft\nend\n",
        "dft\n xc hfexch\n max_ovl\nend\n",
    ],
    ids=["smear", "fon", "fon of both spins", "occup", "occup of both spins", "max_ovl"],
)
def test_how_the_scf_is_filled(settings: str, nwchem: Callable[[str], Path], in_folder: Path) -> None:
    """A second SCF fills its orbitals as the first one's; by NWChem's database, and by our own record."""
    whole = deck_in(in_folder, "whole.nw", f"start job\n{PAIR}{settings}task dft energy\ntask dft energy\n")
    before = whole.ground_states[-1]
    assert before.filling or before.lock
    nwchem(f"start job\n{PAIR}{settings}task dft energy\n")
    for source in ("job.db", "job.settings.nw"):
        deck = deck_in(in_folder, "later.nw", f"restart job\ntask dft energy\n{BLOCK}task dft rt_tddft\n")
        (again,) = deck.ground_states
        assert again.filling == before.filling, source
        assert again.occupations == before.occupations
        assert again.lock == before.lock
        assert again.vectors.files == before.vectors.files
        (started,) = deck_in(in_folder, "on.nw", f"restart job\n{BLOCK}task dft rt_tddft\n").propagations
        (ground,) = started.grounds
        assert ground.filling == before.filling
        assert ground.place.file.endswith(source)
        (in_folder / "job.settings.nw").write_text("\n".join(whole.journal[: whole.recorded[0]]) + "\n")


def test_a_constrained_scf_is_not_taken_over(nwchem: Callable[[str], Path], in_folder: Path) -> None:
    """A propagation starts from its orbitals; a second SCF would be another one."""
    nwchem(f"start job\n{PAIR}dft\n xc hfexch\n cdft 1 1 charge 0.5\nend\ntask dft energy\n")
    assert deck_in(in_folder, "on.nw", f"restart job\n{BLOCK}task dft rt_tddft\n").propagations
    with pytest.raises(DeckError, match=r"job\.db: dft directive 'cdft' is not taken over"):
        deck_in(in_folder, "later.nw", f"restart job\ntask dft energy\n{BLOCK}task dft rt_tddft\n")


def test_blocks_of_the_deck_come_on_top(in_folder: Path) -> None:
    text = CASES["a few blocks"]
    whole = deck_in(in_folder, "whole.nw", f"start job\n{text}task dft energy\ntask dft rt_tddft\n")
    (in_folder / "job.settings.nw").write_text("\n".join(whole.journal) + "\n")
    later = deck_in(
        in_folder,
        "later.nw",
        "restart job\ndft\n grid fine\nend\nrt_tddft\n tmax 1\n dt 0.1\nend\ntask dft rt_tddft\n",
    )
    (task,), (before,) = later.propagations, whole.propagations
    assert physics_of(task.system) == physics_of(replace(before.system, grid="fine"))
    # `load vectors` outlives its block in NWChem.
    assert task.real_time.load.files == ("other.movecs",)
    assert (task.real_time.tmax, task.real_time.dt) == (1.0, 0.1)


def test_the_last_run_counts(nwchem: Callable[[str], Path], in_folder: Path) -> None:
    nwchem("start job\n" + CASES["a few blocks"])
    record, database = in_folder / "job.settings.nw", in_folder / "job.db"
    record.write_text(CASES["a few blocks"].replace("pbe0", "b3lyp"))
    for newer, older, functional in ((record, database, "b3lyp"), (database, record, "pbe0")):
        os.utime(older, (1e9, 1e9))
        os.utime(newer, (2e9, 2e9))
        (task,) = deck_in(in_folder, "later.nw", "restart job\ntask dft rt_tddft\n").propagations
        assert task.system.functional.directive == functional


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("task dft rt_tddft\n", "a block rt_tddft"),
        (
            BLOCK + "task dft rt_tddft\n",
            "a block geometry, nor a block basis, nor a charge line, nor xc, mult, grid in",
        ),
        (f"{GEOMETRY}{BASIS}{BLOCK}task dft rt_tddft\n", "a charge line, nor xc, mult, grid in a block dft"),
        (
            f"{GEOMETRY}{BASIS}charge 0\ndft\n xc pbe0\nend\n{BLOCK}task dft rt_tddft\n",
            "mult, grid in a block dft",
        ),
        (f"{GEOMETRY}{BASIS}charge 0\n{BLOCK}task dft energy\n", "xc, mult, grid in a block dft"),
    ],
)
def test_no_setting_falls_back_to_a_default(text: str, missing: str, in_folder: Path) -> None:
    """NWChem 7.0.2 stops: `start: rtdb_open old failed`."""
    with pytest.raises(DeckError) as raised:
        deck_in(in_folder, "later.nw", "restart job\n" + text)
    message = str(raised.value)
    assert f"restart job: this deck has not {missing}" in message
    assert f"and there is neither job.settings.nw nor job.db in {in_folder}" in message
    assert "copy what is missing" in message


def test_a_deck_that_gives_everything_needs_nothing(in_folder: Path) -> None:
    settings = f"{GEOMETRY}{BASIS}charge 0\ndft\n xc pbe0\n mult 1\n grid fine\nend\n{BLOCK}"
    (task,) = deck_in(in_folder, "later.nw", f"restart job\n{settings}task dft rt_tddft\n").tasks
    assert isinstance(task, PropagationTask)
    assert task.vectors == "job.movecs"


@pytest.mark.parametrize(
    ("settings", "missing", "reason"),
    [
        ("dft\n xc pbe0\n lb94\nend\n", "xc in a block dft", "dft directive 'lb94'"),
        (
            "dft\n xc pbe0\n grid lebedev 75 11\nend\n",
            "grid in a block dft",
            "grid: lebedev: radial points is missing is not taken over",
        ),
    ],
)
def test_what_a_database_holds_and_we_cannot_say(
    settings: str, missing: str, reason: str, nwchem: Callable[[str], Path], in_folder: Path
) -> None:
    """Refused where it is needed, and not where the deck says otherwise."""
    nwchem(f"start job\n{GEOMETRY}{BASIS}{settings}{BLOCK}")
    with pytest.raises(DeckError) as raised:
        deck_in(in_folder, "later.nw", "restart job\ntask dft rt_tddft\n")
    assert f"restart job: this deck has not {missing}, and " in str(raised.value)
    assert "job.db" in str(raised.value)
    assert reason in str(raised.value)
    assert deck_in(
        in_folder, "later.nw", "restart job\ndft\n xc pbe0\n grid fine\nend\ntask dft rt_tddft\n"
    ).propagations


def test_a_database_that_is_none(in_folder: Path) -> None:
    (in_folder / "job.db").write_bytes(b"nothing of the kind")
    with pytest.raises(DeckError, match=r"later\.nw:1: restart: .*job\.db is no database of NWChem's"):
        deck_in(in_folder, "later.nw", "restart job\ntask dft rt_tddft\n")
