"""`xc` words against NWChem itself: total energies of a bent water molecule, all tasks in one NWChem run."""

import re
import shutil
import subprocess

import pytest
from hybrid_propagate.adapters.deck import Deck
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.deck.xc import (
    Attenuation,
    FunctionalError,
    accepted_words,
    functional,
    unknown_word,
)
from hybrid_propagate.adapters.pyscf.molecule import molecule

WORDS = {
    "hfexch": ("xc hfexch",),
    "pbe0": ("xc pbe0",),
    "b3lyp": ("xc b3lyp",),
    "pbe": ("xc xpbe96 cpbe96",),
    "svwn5": ("xc slater vwn_5",),
    "bhlyp": ("xc bhlyp",),
    "mixed": ("xc becke88 nonlocal slater 0.5 lyp 0.7 vwn_5 0.3 hfexch 0.4",),
    "perdew": ("xc perdew86 0.5 becke88",),
    "camb3lyp": (
        "xc xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00",
        "cam 0.33 cam_alpha 0.19 cam_beta 0.46",
    ),
    # The last one: NWChem keeps its operator for what follows.
    "hse06": (
        "xc xpbe96 1.0 xcampbe96 -0.25 cpbe96 1.0 srhfexch 0.25",
        "cam 0.11 cam_alpha 0.0 cam_beta 1.0",
    ),
}
HEAD = """\
start energies
geometry units angstroms noautosym nocenter
  O 0.00 0.00 0.10
  H 0.00 0.76 -0.48
  H 0.00 -0.70 -0.51
end
basis
  * library 6-31G
end
"""


def deck_text() -> str:
    """One ground state for each functional, and the propagation that every deck must have."""
    tasks = "".join(
        "dft\n  " + "\n  ".join(lines) + "\n  grid fine\n  tolerances tight\n  vectors input atomic\n"
        "  convergence energy 1d-9 density 1d-8\nend\ntask dft energy\n"
        for lines in WORDS.values()
    )
    return HEAD + tasks


@pytest.fixture(scope="module")
def nwchem_energies(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Total DFT energies that NWChem prints, in the order of WORDS."""
    folder = tmp_path_factory.mktemp("nwchem")
    (folder / "energies.nw").write_text(deck_text())
    command = shutil.which("nwchem")
    assert command is not None
    done = subprocess.run(
        [command, "energies.nw"], cwd=folder, capture_output=True, text=True, errors="replace", timeout=300
    )
    return [float(x) for x in re.findall(r"Total DFT energy =\s+(\S+)", done.stdout)]


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Deck:
    """The same tasks, read by us."""
    path = tmp_path_factory.mktemp("deck") / "energies.nw"
    path.write_text(deck_text() + "rt_tddft\n tmax 1\n dt 0.1\nend\ntask dft rt_tddft\n")
    return read_deck(path)


@pytest.mark.parametrize("k", range(len(WORDS)), ids=list(WORDS))
def test_total_energies_agree_with_nwchem(deck: Deck, nwchem_energies: list[float], k: int) -> None:
    from pyscf import dft

    task = deck.tasks[k]
    solver = dft.RKS(molecule(task.system))
    solver.xc = task.system.functional.pyscf
    solver.grids.level = 5
    solver.conv_tol = 1e-10
    assert len(nwchem_energies) == len(WORDS)
    assert solver.kernel() == pytest.approx(nwchem_energies[k], abs=1e-5)


def test_hartree_fock_is_named_so() -> None:
    assert functional(("hfexch",)).pyscf == "HF"


def test_words_are_kept_for_the_log_and_case_does_not_matter() -> None:
    assert functional(("PBE0",)).directive == "pbe0"
    assert functional(("PBE0",)).pyscf == functional(("pbe0",)).pyscf


def test_gradient_corrections_bring_their_local_part_only_where_none_is_named() -> None:
    assert functional(("cpbe96",)).pyscf == ", 1*GGA_C_PBE"
    alone = functional(("becke88", "perdew91", "0.5")).pyscf
    assert alone == "1*GGA_X_B88, 0.5*GGA_C_PW91 + 0.5*LDA_C_PW_MOD"
    with_local = functional(("slater", "vwn_5", "perdew86", "0.4")).pyscf
    assert with_local == "1*LDA_X, 1*LDA_C_VWN + 0.4*GGA_C_P86 + -0.4*LDA_C_PZ"


def test_attenuation_scales_exact_exchange_of_any_hybrid() -> None:
    text = functional(("pbe0",), Attenuation(0.33, 0.2, 0.4)).pyscf
    assert text == "0.05*SR_HF(0.33) + 0.15*LR_HF(0.33) + 0.75*GGA_X_PBE, 1*GGA_C_PBE"


@pytest.mark.parametrize("word", accepted_words())
def test_every_word_is_known_to_libxc(word: str) -> None:
    from pyscf.dft import libxc

    cam = Attenuation(0.3, 0.0, 1.0) if word.startswith(("xcam", "xwpbe", "srhf")) else None
    hybrid, terms = libxc.parse_xc(functional((word,), cam).pyscf)
    assert terms or hybrid[0] == 1.0


@pytest.mark.parametrize(
    ("directive", "version", "word"),
    [
        ("r2scan", "7.0.2", "xc r2scan: NWChem 7.2 and later know it, and this one is 7.0.2"),
        ("hfexch 0.25 mn15", "6.8.1", "xc mn15: NWChem 7.2 and later know it, and this one is 6.8.1"),
        ("hcth147", "7.2.3", "xc hcth147: NWChem 7.0 knows it, and this one is 7.2.3"),
        ("r2scan", "7.2.3", None),
        ("hcth147", "7.0.2", None),
        ("pbe0", "7.0.2", None),
    ],
)
def test_words_of_one_version_only(directive: str, version: str, word: str | None) -> None:
    assert unknown_word(directive, version) == word


def test_parts_of_a_functional_add_up_to_it() -> None:
    """As in NWChem 7.0.2, xm06 has no exact exchange of its own and xm06-2x has."""
    from pyscf.dft import libxc

    for words, whole in ((("xm06", "hfexch", "0.27", "cm06"), "m06"), (("xm06-2x", "cm06-2x"), "m06-2x")):
        parsed = [libxc.parse_xc(functional(w).pyscf) for w in (words, (whole,))]
        assert parsed[0][0] == pytest.approx(parsed[1][0])
        assert sorted(parsed[0][1]) == sorted(parsed[1][1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("b3lip",), "did you mean b3lyp"),
        (("b3lyp", "0.5"), "xc 0.5 is not carried out"),
        (("xcamb88", "lyp"), "needs a cam line"),
        (("becke88", "local"), "becke88 local is slater"),
        (("pbe0", "scan"), "xc scan is not carried out"),
        (("zzz",), "xc zzz is not carried out; accepted: hfexch slater"),
    ],
)
def test_words_that_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(FunctionalError, match=message):
        functional(words)
