"""Lines and blocks at which a user's deck once stopped here: run to the end, against NWChem's numbers."""

from pathlib import Path

import h5py
import pytest
from hybrid_propagate.driver.commands.propagate import main

DECK = """start wat
geometry "mol" units angstroms nocenter noautoz noautosym
 O  0.000000  0.000000  0.119000
 H  0.000000  0.758600 -0.476000
 H  0.000000 -0.758600 -0.476000
end
set geometry "mol"
basis
  * library 6-31G
end
dft
  xc pbe0
  vectors output wat.mos
  convergence energy 1d-9 density 1d-8 gradient 1d-7
end
task dft energy
rt_tddft
  tmax 4.0
  dt 0.2
  print dipole energy field
  field "push"
    type delta
    polarization z
    max 0.001
  end
  excite "mol" with "push"
end
task dft rt_tddft
"""
#: 6-31G by hand, as NWChem's libraries have it.
SET = """basis "H_mine"
H    S
     18.7311370              0.03349460
      2.8253937              0.23472695
      0.6401217              0.81375733
H    S
      0.1612778              1.0000000
end
basis "O_mine"
O    S
   5484.6717000              0.0018311
    825.2349500              0.0139501
    188.0469600              0.0684451
     52.9645000              0.2327143
     16.8975700              0.4701930
      5.7996353              0.3585209
O    SP
     15.5396160             -0.1107775              0.0708743
      3.5999336             -0.1480263              0.3397528
      1.0137618              1.1307670              0.7271586
O    SP
      0.2700058              1.0000000              1.0000000
end
"""
SCF = "task dft energy"
SCREENED = """xc xpbe96 1.0 xcampbe96 -0.25 cpbe96 1.0 srhfexch 0.25
  cam 0.11 cam_alpha 0.0 cam_beta 1.0"""
PLOT = """dplot
  vectors wat.mos
  limitxyz
  -3.0 3.0 6
  -3.0 3.0 6
  -3.0 3.0 6
  gaussian
  output ground.cube
end
task dplot
"""
#: NWChem 7.0.2's Etot at 0 and dipole along z at 3.6 au, of the deck as it stands and with a line of another
#: quadrature; of these the energies alone were written down.
PLAIN = (-76.301166104, -0.9904084215)
CASES = {
    "as it stands": ("", "", PLAIN),
    "a basis set of a file": ("* library 6-31G", "* library mine file ./set", PLAIN),
    "dispersion": ("xc pbe0", "xc pbe0\n  disp vdw 3", PLAIN),
    "a block driver": ("dft\n", "driver\n  maxiter 40\nend\ndft\n", PLAIN),
    "a block property": (SCF, f"property\n  dipole\nend\n{SCF}", PLAIN),
    "a block tddft": (SCF, f"tddft\n nroots 4\n notriplet\n civecs\nend\n{SCF}", PLAIN),
    "task dft property": (SCF, "property\n  dipole\nend\ntask dft property", PLAIN),
    "dplot and its task": (SCF, f"{SCF}\n{PLOT}unset dplot:*", PLAIN),
    "lebedev": ("xc pbe0", "xc pbe0\n  grid lebedev 75 11", (-76.301165650, None)),
    "ssf": ("xc pbe0", "xc pbe0\n  grid ssf", (-76.301165705, None)),
    "treutler": ("xc pbe0", "xc pbe0\n  grid treutler", (-76.301164498, None)),
    "screened exchange": ("xc pbe0", SCREENED, (-76.321890118, -0.9861465563)),
}


@pytest.mark.parametrize("case", CASES)
def test_nwchems_numbers(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Energies and dipoles to what the two quadratures differ by."""
    old, new, (energy, dipole) = CASES[case]
    monkeypatch.chdir(tmp_path)
    Path("set").write_text(SET)
    assert old in DECK
    Path("deck.nw").write_text(DECK.replace(old, new, 1) if old else DECK)
    assert main(["deck.nw"]) == 0
    with h5py.File("wat.h5") as file:
        assert float(file["dynamics/energy"][0]) == pytest.approx(energy, abs=5e-6)
        if dipole is not None:
            assert float(file["dynamics/dipole"][18, 2]) == pytest.approx(dipole, abs=5e-6)
    assert Path("ground.cube").exists() == ("dplot" in case)
