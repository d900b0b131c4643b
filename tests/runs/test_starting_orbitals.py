"""What a deck may change between the ground state and the propagation, beside real NWChem."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import RunLog, read_log
from hybrid_propagate.adapters.nwchem.deck_writer import ResidentTasks, nwchem_deck

DECK = """start deck
geometry "m" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.12
  H 0.0 0.75 -0.48
  H 0.0 -0.75 -0.48
end
set geometry "m"
basis
  * library 6-31G
end
dft
  xc hfexch
  {shell}
  convergence energy 1d-9 density 1d-8 gradient 1d-7
  tolerances tight
end
task dft energy
{changed}
rt_tddft
  tmax 1.0
  dt 0.2
  print dipole energy charge
  field "push"
    type delta
    polarization z
    max 0.01
  end
  excite "m" with "push"
end
task dft rt_tddft
"""
SWAPPED = "dft\n vectors input deck.movecs swap 5 6\n noscf\nend\ntask dft energy\n"
#: Shell of the ground state, what is changed behind it, and NWChem 7.0.2's Etot at t = 0.
CASES = {
    "an electron taken out": ("odft", "charge 1\ndft\n mult 2\nend", -75.481038822),
    "a spin turned": ("odft", "dft\n mult 3\nend", -75.648851500),
    "another basis of as many functions": ("", "basis\n * library 3-21G\nend", -74.726382117),
    "a charge that orbitals overrule": ("", "charge 2", -75.983147178),
    "noscf once more without a block": ("", SWAPPED + "task dft energy", -74.926856454),
    "noscf taken back by the next block": (
        "",
        SWAPPED + "dft\n vectors atomic\nend\ntask dft energy",
        -75.983147178,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_propagations_start_as_nwchems_do(case: str, nwchem_in, propagate_in, tmp_path: Path) -> None:
    shell, changed, energy = CASES[case]
    theirs = read_log(nwchem_in(tmp_path, DECK.format(shell=shell, changed=changed)))[0]
    ended = propagate_in(tmp_path, "deck.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    (tmp_path / "ours.out").write_text(ended.stdout)
    ours: RunLog = read_log(tmp_path / "ours.out")[0]
    assert set(ours.series) == set(theirs.series)
    for key, series in theirs.series.items():
        np.testing.assert_allclose(
            ours.series[key].values, series.values, rtol=0, atol=2e-8, err_msg=str(key)
        )
    assert theirs.find("Etot").values[0, 0] == pytest.approx(energy, abs=1e-8)


@pytest.mark.parametrize(
    ("shell", "changed", "message"),
    [
        ("", "dft\n odft\nend", "deck.nw:32: orbitals deck.movecs are closed-shell and the propagation is"),
        ("", "dft\n mult 3\nend", "deck.nw:32: orbitals deck.movecs are closed-shell and the propagation is"),
        ("odft", "unset dft:*", "deck.nw:30: orbitals deck.movecs are open-shell and the propagation is"),
    ],
)
def test_orbitals_of_another_spin_treatment(
    shell: str, changed: str, message: str, propagate_in, tmp_path: Path
) -> None:
    """NWChem 7.0.2: `rt_tddft_os_movecs_zdens: Initial movecs wrong size`."""
    (tmp_path / "deck.nw").write_text(DECK.format(shell=shell, changed=changed))
    ended = propagate_in(tmp_path, "deck.nw")
    assert ended.returncode == 2
    # Beside the first line, which tells what would run, where the deck was sound.
    assert ended.stderr.count("\n") <= 2
    assert message in ended.stderr
    assert not list(tmp_path.glob("*.h5"))


def test_orbitals_from_a_file_of_another_spin_treatment(nwchem_in, propagate_in, tmp_path: Path) -> None:
    text = DECK.format(shell="", changed="")
    nwchem_in(tmp_path, text[: text.index("rt_tddft")])
    (tmp_path / "later.nw").write_text(f"restart deck\ndft\n odft\nend\n{text[text.index('rt_tddft') :]}")
    ended = propagate_in(tmp_path, "later.nw")
    assert ended.returncode == 2
    # Beside the first line, which tells what would run, where the deck was sound.
    assert ended.stderr.count("\n") <= 2
    assert "orbitals deck.movecs are closed-shell and the propagation is open-shell" in ended.stderr


def test_nwchem_is_told_of_a_geometry_that_changes_under_its_name(tmp_path: Path) -> None:
    moved = 'geometry "m" units angstroms nocenter noautosym noautoz\n  O 0 0 0.2\n'
    moved += "  H 0.0 0.75 -0.48\n  H 0.0 -0.75 -0.48\nend\ntask dft energy"
    (tmp_path / "deck.nw").write_text(DECK.format(shell="", changed=moved))
    first, second, task = read_deck(tmp_path / "deck.nw").tasks
    text = nwchem_deck("m", [first, second], task, {"deck.movecs": "a.movecs"}, ResidentTasks(5, 0, 1))
    assert text.count('geometry "m" units bohr') == 2
    assert (
        text.index("task dft energy")
        < text.rindex('geometry "m" units bohr')
        < text.rindex("task dft energy")
    )
