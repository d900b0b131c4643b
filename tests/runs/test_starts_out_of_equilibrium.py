"""Starts that `occup`, `swap` and `max_ovl` make, against NWChem's numbers."""

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.driver.commands.propagate import main

DECK = """start w
charge {charge}
geometry "m" units angstroms nocenter noautosym noautoz
{atoms}
end
set geometry "m"
basis
  * library {basis}
end
dft
  xc {xc}
{dft}
  convergence energy 1d-9 density 1d-8 gradient 1d-7
  vectors output a.mos
end
task dft energy
{middle}
rt_tddft
  tmax 1.2
  dt 0.2
  print dipole energy charge
  field "k"
    type delta
    polarization z
    max 0.01
  end
  excite "m" with "k"
end
task dft rt_tddft
"""
WATER = "  O 0.0 0.0 0.1173\n  H 0.0 0.7572 -0.4692\n  H 0.0 -0.7572 -0.4692"
NOSCF = "dft\n vectors input a.mos {} output b.mos\n noscf\nend\ntask dft energy"
ION = {"charge": 1, "dft": "  mult 2"}
OCCUP = "occup\n 6 6\n 1.0 1.0\n 1.0 1.0\n 1.0 1.0\n 1.0 1.0\n 0.5 1.0\n 0.5 0.0\nend\n"


def first_energy_and_last_dipole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, **words: object
) -> tuple[float, float]:
    defaults = {"charge": 0, "atoms": WATER, "xc": "pbe0", "dft": "", "middle": "", "basis": "sto-3g"}
    monkeypatch.chdir(folder)
    Path("d.nw").write_text(DECK.format(**{**defaults, **words}))
    assert main(["d.nw"]) == 0
    with h5py.File("w.h5") as file:
        return float(file["dynamics/energy"][0]), float(file["dynamics/dipole"][-1, 2])


@pytest.mark.parametrize(
    ("words", "energy", "dipole"),
    [
        ({"middle": NOSCF.format("swap 5 6")}, -74.075692237981, 1.033152421997),
        ({**ION, "middle": NOSCF.format("swap beta 1 5")}, -55.246708469960, -1.161703301012),
        (
            {**ION, "middle": NOSCF.format("swap beta 1 5").replace("noscf", "max_ovl")},
            -55.330915651685,
            -1.389028210410,
        ),
        ({"dft": "  odft", "middle": OCCUP + NOSCF.format("")}, -75.245700597419, -0.6661311557974),
    ],
    ids=["swap", "core hole", "relaxed core hole", "occup of an open shell"],
)
def test_nwchems_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: dict, energy: float, dipole: float
) -> None:
    """NWChem 7.0.2: `nwchem d.nw`, Etot at 0 and the total dipole at 1.0 au."""
    found = first_energy_and_last_dipole(tmp_path, monkeypatch, **words)
    assert found == pytest.approx((energy, dipole), abs=1e-5)


def test_fractional_occupations_of_a_closed_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NWChem 7.0.2: Etot at 0 of the same orbitals; the kick comes later."""
    occup = "occup\n 6 0\n 2.0\n 2.0\n 2.0\n 2.0\n 1.5\n 0.5\nend\n"
    atoms = "  O 0 0 0.119\n  H 0 0.7586 -0.476\n  H 0 -0.7586 -0.476"
    words = {"atoms": atoms, "basis": "6-31G", "middle": occup + NOSCF.format("")}
    energy, _ = first_energy_and_last_dipole(tmp_path, monkeypatch, **words)
    assert energy == pytest.approx(-76.096327036, abs=2e-6)


@pytest.mark.parametrize(
    ("dft", "total", "energy", "dipole"),
    [
        ("  smear 0.05", -7.898537128371, -7.897255999239, -3.725228027384),
        ("  odft\n  smear 0.05", -7.898537128465, -7.898410215960, -3.764815615403),
    ],
    ids=["closed shell", "open shell"],
)
def test_smearing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dft: str, total: float, energy: float, dipole: float
) -> None:
    """NWChem 7.0.2: a closed shell's propagation takes the occupations, an open shell's does not."""
    atoms = "  Li 0 0 0\n  H 0 0 3.175063494"
    words = {"atoms": atoms, "basis": "6-31G", "xc": "hfexch", "dft": dft}
    found = first_energy_and_last_dipole(tmp_path, monkeypatch, **words)
    assert found == pytest.approx((energy, dipole), abs=2e-6)
    with h5py.File("w.h5") as file:
        assert float(file["ground/total_energy"][()]) == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize(
    ("line", "block"),
    [("  cdft 1 1 charge 0.5", ""), ("", "cosmo\n  dielec 78.4\nend\n")],
    ids=["cdft", "cosmo"],
)
def test_what_nwchem_has_converged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nwchem_in: Callable[[Path, str], Path],
    line: str,
    block: str,
) -> None:
    """The way out where `cdft` and `cosmo` are refused: NWChem's orbitals, which its propagation starts from.

    The dipole is the surrogate's; without it both agree to 3e-11 au.
    """
    atoms = "  Li 0 0 0\n  H 0 0 3.175063494"
    words = {"charge": 0, "atoms": atoms, "basis": "6-31G", "xc": "hfexch", "middle": ""}
    deck = DECK.format(**words, dft=line).replace("dft\n", f"{block}dft\n", 1)
    (theirs,) = read_log(nwchem_in(tmp_path, deck))
    dft = "  vectors input a.mos\n  noscf"
    energy, dipole = first_energy_and_last_dipole(tmp_path, monkeypatch, **{**words, "dft": dft})
    assert energy == pytest.approx(theirs.find("Etot").values[0, 0], abs=1e-7)
    assert dipole == pytest.approx(theirs.find("Dipole moment").values[-1, 2], abs=1e-5)
