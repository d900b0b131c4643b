"""Words of a deck that try to become lines of NWChem's: none does, in any directive that takes a word.

The judge is a fake NWChem that reads its deck by the rules of NWChem's own reader and records every line.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.deck import Deck, GroundStateTask, PropagationTask, Vectors
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.free_format.errors import DeckError, Place
from hybrid_propagate.adapters.nwchem.deck_text import deck_text
from hybrid_propagate.adapters.nwchem.deck_writer import ResidentTasks, ground_state_deck, nwchem_deck
from hybrid_propagate.adapters.nwchem.scf import run_nwchem_scf

from tests.support.recording_nwchem import logical_lines

SOUND = """\
start run
title "a run"
permanent_dir .
scratch_dir .
memory 400 mb
echo
print low
charge 0
geometry "m" units bohr nocenter noautosym noautoz
  H 0 0 0
  H 0 0 1.4
end
set geometry "m"
basis "small"
  H library STO-3G
end
set "ao basis" "small"
dft
  xc hfexch
  cam 0.3 cam_alpha 0.2 cam_beta 0.1
  mult 1
  grid fine
  direct
  semidirect memsize 100 filesize 0
  incore
  noio
  sym off
  adapt off
  tolerances tol_rho 1e-10 accCoul 9
  tol2e 1e-9
  nocgmin
  convergence energy 1e-7 density 1e-6 diis 8 lshift 0.2 ncydp 0
  iterations 40
  vectors input atomic output m.movecs
  disp off
  noprint "mulliken ao"
end
scf
  singlet
  rhf
  thresh 1e-6
  sym off
end
tddft
  nroots 2
  cis
end
task dft energy
set rt_tddft:print_dipcontribs .false.
unset rt_tddft:other
dplot
  title "a cube"
  limitxyz units au
    -1 1 4
    -1 1 4
    -1 1 4
  spin total
  gaussian
end
rt_tddft
  tmax 2.0
  dt 0.1
  tag "kick"
  load vectors m.movecs
  nchecks 3
  nprints 4
  nrestarts 5
  checklvl 1
  tolerances zero 1e-8 series 1e-10 interpol 1e-7
  propagator magnus
  exp pseries
  field "k"
    type gaussian
    polarization z
    max 0.001
    frequency 0.3
    center 0.4
    width 0.2
    spin total
  end
  excite "m" with "k"
  visualization
    tstart 0.0
    tend 0.2
  end
  mocap
    emin 0.1
    off
  end
  print dipole field
end
task dft rt_tddft
"""
COMMAND = "task shell touch"
#: How the end of a line might be smuggled into a word; `{}`: the command, `{0}`: with its blanks.
BREAKS = (
    r"\; {} \; ",
    r"\;{}\;",
    "; {} ;",
    r'" \; {} \; "',
    r"\"\; {} \; \"",
    r"\";{};\"",
    r"\\; {} \\;",
    r"\\\; {} \\\;",
    "\n{}\n",
    "\\\n{}\n",
    "\r{}\r",
    "\r\n{}\r\n",
    "\x0b{}\x0b",
    "\x0c{}\x0c",
    "\x1c{}\x1c",
    "\x85{}\x85",
    "\u2028{}\u2028",
    "\u2029{}\u2029",
    "\xa0{}\xa0",
    "\x00{}\x00",
    "\t{}\t",
    r"\#\; {} \#",
    "# {}",
    r"\n{}\n",
    r"\x3b {}",
    "\x1b[2K{}",
    "\uff1b {} \uff1b",
    "\\",
    '"',
    '"\\',
)
#: What stands around it: nothing, quotes, or the word that was there.
AROUND = (
    *("{break}", '"{break}"', "{word}{break}", '"{word}{break}"'),
    *("{break}{word}", '"{word} {break}{word}"'),
)
ALLOWED = {
    *("start", "set", "geometry", "H", "end", "charge", "basis", "unset", "dft", "xc", "cam", "mult", "grid"),
    *("direct", "semidirect", "incore", "noio", "sym", "adapt", "tolerances", "tol2e", "nocgmin"),
    *("convergence", "iterations", "vectors", "task", "rt_tddft", "tmax", "dt", "nchecks", "nprints"),
    *("nrestarts", "checklvl", "propagator", "load", "field", "type", "polarization", "max", "frequency"),
    *("phase", "center", "width", "excite", "print", "odft"),
}


def hostile_decks() -> Iterator[str]:
    """SOUND with every word of every line, in turn, replaced by what is no word: a third of BREAKS each."""
    lines = SOUND.splitlines()
    forms, breaks = itertools.cycle(AROUND), itertools.cycle(BREAKS)
    for number, line in enumerate(lines):
        words = line.split()
        for k in range(len(words)):
            for broken in itertools.islice(breaks, 13):
                word = words[k].strip('"')
                there = next(forms).replace("{break}", broken.replace("{}", COMMAND)).replace("{word}", word)
                changed = " ".join([*words[:k], there, *words[k + 1 :]])
                yield "\n".join([*lines[:number], changed, *lines[number + 1 :]]) + "\n"
                if words[k].startswith('"'):
                    # A name that is changed wherever it stands.
                    yield SOUND.replace(words[k], there)


def nwchem_texts(deck: Deck) -> Iterator[str]:
    """What NWChem would be given for each propagation of a deck, and for its ground states alone."""
    grounds = [task for task in deck.tasks if isinstance(task, GroundStateTask)]
    for task in deck.tasks:
        if isinstance(task, PropagationTask):
            names = [n for g in grounds for n in (g.output, *g.vectors.files)]
            files = {name: f"orbitals{k}.movecs" for k, name in enumerate([*names, task.vectors])}
            yield nwchem_deck("nw", grounds, task, files, ResidentTasks(10, 3, 2))
        elif isinstance(task, GroundStateTask):
            yield ground_state_deck("scf", task, "start.movecs", "end.movecs")


def read_or_refusal(path: Path) -> Deck | str:
    """The deck, or why it is refused."""
    try:
        return read_deck(path)
    except DeckError as error:
        return str(error)


def check(text: str) -> None:
    """Every line is one line, and of those that a run needs."""
    lines = logical_lines(text)
    assert len(lines) == text.count("\n")
    for words, written in zip(lines, text.splitlines(), strict=True):
        number = words[0].replace(".", "").replace("-", "").replace("e", "").isdigit()
        assert number or words[0] in ALLOWED, written
        if words[0] == "task":
            assert words in (["task", "dft", "energy"], ["task", "dft", "rt_tddft"])


def test_no_word_becomes_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "deck.nw"
    path.write_text(SOUND)
    for text in nwchem_texts(read_deck(path)):
        check(text)
    accepted = refused = 0
    for deck in hostile_decks():
        path.write_text(deck, newline="")
        read = read_or_refusal(path)
        if isinstance(read, str):
            refused += 1
            assert "\n" not in read
        else:
            accepted += 1
            for text in nwchem_texts(read):
                check(text)
    print(f"{accepted + refused} hostile words: {refused} refused, {accepted} accepted")
    assert accepted + refused >= 2000
    # Comments, joined lines and titles are no errors: some are read, and must be.
    assert min(accepted, refused) > 60


def test_the_sound_deck_is_nwchems_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real NWChem takes every directive of the dft block as it is written for it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "deck.nw"
    path.write_text(SOUND.replace("  cam 0.3 cam_alpha 0.2 cam_beta 0.1\n", ""))
    ground = read_deck(path).tasks[0]
    assert isinstance(ground, GroundStateTask)
    assert len(ground.nwchem_only_lines) == 10
    # H2 in STO-3G at 1.4 bohr: -1.1167 Hartree (Szabo and Ostlund, Modern Quantum Chemistry, table 3.5).
    assert run_nwchem_scf(ground, "nwchem", None).energy == pytest.approx(-1.1167, abs=1e-4)


@pytest.mark.parametrize(
    "line", ["a; task shell ls", "a # b", "a\nb", "a\\", 'a "b', "caf\u00e9", "a" * 1025]
)
def test_the_writer_refuses_on_its_own(line: str) -> None:
    with pytest.raises(DeckError, match=r"a line for NWChem|cannot be written for NWChem") as caught:
        deck_text(["start nw", line], Place("deck.nw", 3))
    assert str(caught.value).startswith("deck.nw:3: ")


@pytest.mark.parametrize("name", ["t", "12", "true", "1:3"])
def test_a_name_that_looks_like_a_value_stays_a_name(name: str, tmp_path: Path) -> None:
    """`set geometry "t"` alone would be a logical to NWChem."""
    path = tmp_path / "deck.nw"
    text = SOUND.replace('set geometry "m"', 'set geometry string "m"').replace('"m"', f'"{name}"')
    path.write_text(text.replace("  cam 0.3 cam_alpha 0.2 cam_beta 0.1\n", ""))
    ground = read_deck(path).tasks[0]
    assert isinstance(ground, GroundStateTask)
    assert ground.vectors == Vectors("atomic")
    assert run_nwchem_scf(ground, "nwchem", None).energy == pytest.approx(-1.1167, abs=1e-4)


@pytest.mark.parametrize(
    "line",
    [
        "task shell touch PWNED",
        'task shell "touch PWNED"',
        "TASK SHELL touch PWNED",
        "task dft shell",
        "python\n import os\nend",
        "task python",
        "set task:shell x",
    ],
)
def test_what_runs_commands_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "deck.nw"
    path.write_text(SOUND.replace("echo", line))
    with pytest.raises(DeckError, match=r"not carried out|unknown directive"):
        read_deck(path)
