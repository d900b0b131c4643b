"""Total energies along a run beyond the linear range, against NWChem's."""

import json
from pathlib import Path

import h5py
import pytest
from hybrid_propagate.driver.commands.propagate import main

DECK = """start h2p
charge 1
geometry "mol" units angstroms nocenter noautoz noautosym
 H 0 0 -0.56
 H 0 0  0.56
end
set geometry "mol"
basis
  * library 3-21G
end
dft
  xc pbe0
  mult 2
  convergence energy 1d-8
end
task dft energy
rt_tddft
  tmax 16.0
  dt 0.2
  print dipole energy field
  field "pulse"
    type gaussian
    polarization z
    frequency 0.25
    center 7.0
    width 3.0
    max 0.1
  end
  excite "mol" with "pulse"
end
task dft rt_tddft
"""
#: NWChem 7.0.2: `nwchem deck.nw | grep Etot`, at these times, au.
NWCHEM = {0.0: -0.594619880419, 5.8: -0.5769987750969, 8.8: -0.5270724427159, 11.8: -0.5234559464480}


def test_energies_of_an_ion_in_a_strong_pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deck.nw").write_text(DECK)
    assert main(["deck.nw"]) == 0
    summary = json.loads(Path("h2p.json").read_text())
    assert summary["surrogate_steps"] > 40
    with h5py.File("h2p.h5") as file:
        energy = file["dynamics/energy"][()]
    off = [abs(energy[round(5 * time)] - value) for time, value in NWCHEM.items()]
    # NWChem's own grid differs by 1e-6 Ha.
    assert max(off) < 1e-4
    assert max(off) < summary["estimated_energy_error"] + 2e-6 < 5e-4


#: Steps too long for its kick: the run says that it misses `--tol`.
TOO_FAR = """start n2
geometry "mol" units angstroms nocenter noautoz noautosym
 N 0 0 0
 N 0 0 1.10
end
set geometry "mol"
basis
  * library 6-31G*
end
dft
  xc hfexch
  convergence energy 1d-9
end
task dft energy
rt_tddft
  tmax 10.0
  dt 1.0
  print dipole energy
  field "push"
    type delta
    polarization z
    max 0.3
  end
  excite "mol" with "push"
end
task dft rt_tddft
"""


def test_what_energies_miss_is_stated_where_a_run_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of one build each: behind the kick the energy must stay; NWChem 7.0.2 has -108.83996494."""
    monkeypatch.chdir(tmp_path)
    Path("deck.nw").write_text(TOO_FAR)
    assert main(["deck.nw"]) == 0
    summary = json.loads(Path("n2.json").read_text())
    assert not summary["tolerance_met"]
    with h5py.File("n2.h5") as file:
        energy = file["dynamics/energy"][()]
    off = abs(energy[-1] + 108.83996494)
    assert 1e-2 < off < summary["estimated_energy_error"] < 3.0 * off
