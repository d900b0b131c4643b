"""What a restart says of a changed start: how the orbitals were made that a propagation starts from."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.earlier.changes import START, DeckSettings, changes
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.run.options import Options, fingerprint
from hybrid_propagate.driver.run.propagation import settings_now

SYSTEM = """geometry "m" units au nocenter noautoz noautosym
  Li 0 0 0
  H 0 0 6
end
geometry "li" units au nocenter noautoz noautosym
  Li 0 0 0
end
geometry "h" units au nocenter noautoz noautosym
  H 0 0 6
end
set geometry "m"
basis
  * library STO-3G
end
"""
SCF = """dft
  xc pbe0
  vectors output a.mos
end
task dft energy
"""
REAL_TIME = """rt_tddft
  tmax 1.0
  dt 0.2
  print dipole
end
task dft rt_tddft
"""
AGAIN = "dft\n  vectors input a.mos output b.mos\n  noscf\nend\ntask dft energy\n"
FRAGMENTS = """dft
  xc pbe0
  odft
  mult 2
end
set geometry "li"
dft
  vectors input atomic output li.mos
end
task dft energy
set geometry "h"
dft
  vectors input atomic output h.mos
end
task dft energy
set geometry "m"
dft
  mult 1
  vectors input fragment li.mos h.mos output m.mos
  noscf
end
task dft energy
"""


def options(engine: str = "pyscf") -> Options:
    return Options("none", 1e-3, 1000, Limits(), 1e9, True, None, 0.0, engine=engine)


def said(folder: Path, before: str, after: str, engine: str = "pyscf") -> list[str]:
    """What a run of the deck `after` says of its file, which a run of `before` has left."""
    (folder / "d.nw").write_text(before)
    (earlier,) = read_deck(folder / "d.nw").propagations
    (folder / "d.nw").write_text(after)
    (now,) = read_deck(folder / "d.nw").propagations
    old = fingerprint(earlier, options(engine))
    return changes(old, earlier.system.functional.directive, settings_now(now, options(engine)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("xc pbe0", "xc pbe0\n  smear 0.02", "SCF: smear was not set, {d}:18 says 0.02"),
        (
            "dft\n  xc",
            "occup\n 3 0\n 2\n 1.5\n 0.5\nend\ndft\n  xc",
            "SCF: occup was not set, {d}:16 says [[2.0, 1.5, 0.5]]",
        ),
        ("xc pbe0", "xc pbe0\n  fon partial 2 electrons 2 filled 1", "SCF: fon was not set, {d}:18 says [["),
        ("xc pbe0", "xc pbe0\n  max_ovl", "SCF: max_ovl was off, {d}:18 says on"),
        (
            "xc pbe0",
            "xc pbe0\n  vectors input x.mos",
            "SCF: vectors input was not set, {d}:19 says x.mos",
        ),
    ],
)
def test_of_one_scf(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """The last `vectors` line above the task is the one that is named."""
    deck = f"start d\n{SYSTEM}{SCF}{REAL_TIME}"
    (found,) = said(tmp_path, deck, deck.replace(old, new))
    assert found.startswith(expected.format(d=tmp_path / "d.nw"))
    (found,) = said(tmp_path, deck.replace(old, new), deck)
    assert found.endswith("says not set") or found.endswith("says off")
    assert said(tmp_path, deck.replace(old, new), deck.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a.mos output", "a.mos swap 2 3 output", "SCF: vectors swap was not set, {d}:22 says alpha 2 3"),
        ("  noscf\n", "", "SCF: noscf was on, {d}:24 says off"),
        ("input a.mos output", "input x.mos output", "SCF: vectors input was a.mos, {d}:22 says x.mos"),
        ("xc pbe0", "xc pbe0\n  smear 0.02", "a.mos: smear was not set, {d}:18 says 0.02"),
        ("xc pbe0", "xc pbe0\n  grid fine", "a.mos: grid was medium, {d}:18 says fine"),
        (
            f"rt_tddft{REAL_TIME[8:]}",
            f"dft\n xc b3lyp\nend\n{REAL_TIME}",
            "xc was pbe0, {d}:27 says b3lyp",
        ),
    ],
)
def test_of_an_scf_from_the_orbitals_of_another(tmp_path: Path, old: str, new: str, expected: str) -> None:
    deck = f"start d\n{SYSTEM}{SCF}{AGAIN}{REAL_TIME}"
    found = said(tmp_path, deck, deck.replace(old, new))
    assert expected.format(d=tmp_path / "d.nw") in found


def test_of_an_scf_at_another_level_than_the_propagation(tmp_path: Path) -> None:
    """Not a word where the propagation's has changed with it, and both values where it alone has."""
    deck = f"start d\n{SYSTEM}{SCF}dft\n  xc b3lyp\nend\n{REAL_TIME}"
    other = deck.replace("pbe0", "hfexch")
    assert said(tmp_path, deck, other) == [f"SCF: xc was pbe0, {tmp_path / 'd.nw'}:17 says hfexch"]
    alike = deck.replace("pbe0", "b3lyp")
    assert said(tmp_path, deck, alike) == [f"SCF: xc was pbe0, {tmp_path / 'd.nw'}:17 says b3lyp"]
    assert said(tmp_path, alike, alike.replace("b3lyp", "pbe0")) == [
        f"xc was b3lyp, {tmp_path / 'd.nw'}:22 says pbe0"
    ]


def test_of_fragments(tmp_path: Path) -> None:
    deck = f"start d\n{SYSTEM}{FRAGMENTS}{REAL_TIME}"
    assert said(tmp_path, deck, deck) == []
    charged = deck.replace('set geometry "h"\ndft\n', 'set geometry "h"\ncharge -1\ndft\n mult 1\n')
    charged = charged.replace('set geometry "m"\ndft\n', 'set geometry "m"\ncharge 0\ndft\n')
    found = said(tmp_path, deck, charged)
    assert f"h.mos: charge was 0, {tmp_path / 'd.nw'}:27 says -1" in found
    assert all(line.startswith("h.mos: ") for line in found)


def test_of_a_loaded_file_and_of_an_excited_state(tmp_path: Path) -> None:
    tddft = "tddft\n nroots 3\n target 2\n civecs\n grad\n  root 2\n end\nend\ntask tddft gradient\n"
    deck = f"start d\n{SYSTEM}{SCF}{tddft}{REAL_TIME.replace('  dt', '  load density d.dmat{}  dt')}"
    one, other = deck.format("\n"), deck.replace("root 2", "root 1").format("\n")
    (found,) = said(tmp_path, one, other)
    assert found.startswith("start: tddft was ")
    loaded = f"start d\n{SYSTEM}{SCF}{REAL_TIME.replace('  dt', '  load vectors x.mos{}  dt')}".format("\n")
    assert said(tmp_path, loaded, loaded.replace("x.mos", "y.mos")) == [
        f"start: load was vectors x.mos, {tmp_path / 'd.nw'}:23 says vectors y.mos"
    ]


def test_what_steers_the_scf_counts_where_nwchem_makes_it(tmp_path: Path) -> None:
    """PySCF's SCF has thresholds of its own."""
    deck = f"start d\n{SYSTEM}{SCF}{REAL_TIME}"
    for line in ("tolerances tight", "convergence energy 1e-8", "grid lebedev 49 14"):
        changed = deck.replace("xc pbe0", f"xc pbe0\n  {line}")
        assert said(tmp_path, deck, changed) == []
        found = said(tmp_path, deck, changed, "nwchem")
        assert [text.split(" was ")[0] for text in found] == ["SCF: dft", "propagation: dft"]
        assert line.split()[0] in found[0]
    assert said(tmp_path, deck, deck.replace("xc pbe0", "xc pbe0\n  iterations 77"), "nwchem") == []


def test_a_file_of_an_earlier_version(tmp_path: Path) -> None:
    """It does not tell of its start, and nobody is refused for that."""
    (tmp_path / "d.nw").write_text(f"start d\n{SYSTEM}{SCF}{REAL_TIME}")
    (task,) = read_deck(tmp_path / "d.nw").propagations
    now: DeckSettings = settings_now(task, options())
    before = {name: text for name, text in now.settings.items() if name != START}
    assert changes(before, "pbe0", now) == []


def test_a_second_deck_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`restart` reads what the first deck had set, and then what the second one itself has left.

    What the deck does not set is shown at the record's line, or at the deck's SCF that takes it over.
    """
    monkeypatch.chdir(tmp_path)
    record = tmp_path / "d.settings.nw"
    first = SYSTEM + SCF.replace("xc pbe0", "xc pbe0\n  smear 0.02")
    again = "dft\n vectors output b.mos\nend\ntask dft energy\n"
    for second, line in ((REAL_TIME, "d.settings.nw:17"), (again + REAL_TIME, "d.nw:5")):
        (tmp_path / "d.nw").write_text(f"restart d\n{second}")
        record.write_text(first)
        deck = read_deck("d.nw")
        (earlier,) = deck.propagations
        record.write_text("\n".join(deck.journal) + "\n")
        (now,) = read_deck("d.nw").propagations
        old = fingerprint(earlier, options())
        assert changes(old, "pbe0", settings_now(now, options())) == []
        record.write_text(first.replace("0.02", "0.05"))
        (now,) = read_deck("d.nw").propagations
        (found,) = changes(old, "pbe0", settings_now(now, options()))
        assert found.startswith("SCF: smear was 0.02, ")
        assert found.endswith(f"{line} says 0.05")
