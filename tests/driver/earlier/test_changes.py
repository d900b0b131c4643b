"""What a restart says of changed settings: the deck's words, both values, and the deck's line."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.earlier.changes import DeckSettings, changes
from hybrid_propagate.driver.run.options import physics_of, real_time_of

DECK = """start water
geometry units au nocenter noautoz noautosym
  O 0.0 0.0 0.2217
  H 0.0 1.4309 -0.8867
  H 0.0 -1.4309 -0.8867
end
basis
  H library STO-3G
  O library STO-3G
end
dft
  xc pbe0
end
task dft energy
rt_tddft
  tmax 1.0
  dt 0.2
  nchecks 10
  field "kick"
    type gaussian
    polarization z
    frequency 0.4
    center 6.0
    width 2.0
    max 0.01
  end
  excite "geometry" with "kick"
end
task dft rt_tddft
"""

CAP = "spatialcap\n units au\n potmax 1\n nq 8 8 8\n qmin -8 -8 -8\n qmax 8 8 8\n"
CAP += " range\n O 2 4\n H 2 4\n end\n end"


def now(path: Path, text: str) -> DeckSettings:
    path.write_text(text)
    (task,) = read_deck(path).propagations
    settings = physics_of(task.system) | real_time_of(task.real_time)
    return DeckSettings(settings, task.system.functional.directive, task.place)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("xc pbe0", "xc b3lyp", "xc was pbe0, {deck}:12 says b3lyp"),
        ("xc pbe0", "xc pbe0\n  mult 3", "mult was 1, {deck}:13 says 3"),
        ("xc pbe0", "xc pbe0\n  grid fine", "grid was medium, {deck}:13 says fine"),
        ("O library STO-3G", "O library 3-21G", "basis: O was 2s1p, {deck}:7 says 3s2p"),
        ("O library STO-3G", "O library STO-6G", "basis: O was 2s1p, {deck}:7 says 2s1p with other numbers"),
        (
            "H 0.0 1.4309",
            "H 0.0 1.5",
            "geometry, bohr: atom 2 was 0 1.4309 -0.8867, {deck}:2 says 0 1.5 -0.8867",
        ),
        (
            "  H 0.0 1.4309",
            "  H 0 0 9\n  H 0 0 11\n  H 0.0 1.4309",
            "geometry was of 3 atoms, {deck}:2 says 5",
        ),
        ("dt 0.2", "dt 0.1", "dt was 0.2, {deck}:17 says 0.1"),
        ("nchecks 10", "nchecks 3", "nchecks was 10, {deck}:18 says 3"),
        ("max 0.01", "max 0.02", "field kick: max was 0.01, {deck}:25 says 0.02"),
        ("polarization z", "polarization x", "field kick: polarization was 0 0 1, {deck}:21 says 1 0 0"),
        ("type gaussian", "type hann", "field kick: type was gaussian, {deck}:20 says hann"),
        ("nchecks 10", "mocap\n  emin 0.2\n  on\n  end", "mocap was not set, {deck}:18 says "),
        ("nchecks 10", CAP, "spatialcap was not set, {deck}:18 says "),
        ("nchecks 10", "tolerances zero 1e-9", "tolerances: zero was 1e-08, {deck}:18 says 1e-09"),
        ("nchecks 10", "prof", "prof was off, {deck}:18 says on"),
    ],
)
def test_a_setting_by_its_word_with_both_values_and_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """The functional never in PySCF's words."""
    before = now(tmp_path / "before.nw", DECK)
    after = now(tmp_path / "water.nw", DECK.replace(old, new))
    found = changes(before.settings, before.functional, after)
    assert any(line.startswith(said.format(deck=tmp_path / "water.nw")) for line in found), found
    assert all(len(line) < 250 for line in found)
    assert changes(before.settings, before.functional, before) == []


#: As people write decks: empty lines, and a second field with the same words.
SPACED = DECK.replace(
    '  excite "geometry" with "kick"\n',
    """
  field other
    type cw
    polarization x
    frequency 0.3
    max 0.01
  end

  excite "geometry" with "kick"
  excite "geometry" with "other"

""",
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("xc pbe0", "xc b3lyp", "xc was pbe0, {deck}:12 says b3lyp"),
        ("dt 0.2", "dt 0.1", "dt was 0.2, {deck}:17 says 0.1"),
        ("polarization z", "polarization y", "field kick: polarization was 0 0 1, {deck}:21 says 0 1 0"),
        ("frequency 0.3", "frequency 0.2", "field other: frequency was 0.3, {deck}:31 says 0.2"),
        ("frequency 0.3", "frequency 0.3\n    phase 1", "field other: phase was 0, {deck}:32 says 1"),
        ("    frequency 0.3\n    max 0.01", "    max 0.02\n    frequency 0.3", "field other: max was 0.01, "),
    ],
)
def test_the_line_is_the_setting_s_own(tmp_path: Path, old: str, new: str, said: str) -> None:
    before = now(tmp_path / "before.nw", SPACED)
    assert SPACED.count(old) == 1
    after = now(tmp_path / "water.nw", SPACED.replace(old, new))
    (found,) = changes(before.settings, before.functional, after)
    assert found.startswith(said.format(deck=tmp_path / "water.nw")), found


def test_a_setting_that_an_earlier_version_did_not_know(tmp_path: Path) -> None:
    after = now(tmp_path / "water.nw", DECK)
    before = {name: text for name, text in after.settings.items() if name != "spatial_cap"}
    assert changes(before, after.functional, after) == []


def test_options_of_the_command_have_no_line(tmp_path: Path) -> None:
    after = now(tmp_path / "water.nw", DECK)
    before = {**after.settings, "--tol": "0.01"}
    found = changes(
        before, after.functional, DeckSettings({**after.settings, "--tol": "0.001"}, "pbe0", after.place)
    )
    assert found == ["--tol was 0.01, now 0.001"]


def test_long_values_are_shown_where_they_differ(tmp_path: Path) -> None:
    after = now(tmp_path / "water.nw", DECK)
    long = "a" * 100
    before = {**after.settings, "ecp": f'{{"O": "{long}b"}}'}
    changed = DeckSettings({**after.settings, "ecp": f'{{"O": "{long}c{long}"}}'}, "pbe0", after.place)
    (found,) = changes(before, "pbe0", changed)
    assert "a" * 12 + "b," in found
    assert "a" * 12 + "ca" in found
