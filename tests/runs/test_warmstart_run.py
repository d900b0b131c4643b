"""hybrid-propagate's own SCF starts where an earlier task or an earlier run of the deck ended."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Propagate = Callable[..., subprocess.CompletedProcess[str]]

DECK = """start water
geometry "near" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.1173
  H 0.0 0.7572 -0.4692
  H 0.0 -0.7572 -0.4692
end
geometry "far" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.1173
  H 0.0 0.8 -0.5
  H 0.0 -0.7572 -0.4692
end
basis
  * library sto-3g
end
dft
  xc hfexch
end
{first}
set geometry "far"
task dft energy
rt_tddft
  tmax 0.5
  dt 0.2
  field "kick"
    type delta
    polarization z
    max 0.0001
  end
  excite "far" with "kick"
end
task dft rt_tddft
"""
TWO = 'set geometry "near"\ntask dft energy'


def energies(log: str) -> list[float]:
    return [float(value) for value in re.findall(r"Total DFT energy = *(\S+)", log)]


def test_earlier_tasks_and_earlier_runs_are_used(propagate_in: Propagate, tmp_path: Path) -> None:
    (tmp_path / "one.nw").write_text(DECK.format(first=""))
    (tmp_path / "two.nw").write_text(DECK.format(first=TWO).replace("start water", "start two"))
    cold = propagate_in(tmp_path, "one.nw", "--surrogate", "none")
    assert "the SCF starts from" not in cold.stderr
    again = propagate_in(tmp_path, "one.nw", "--surrogate", "none")
    assert "hybrid-propagate: the SCF starts from ground state of water.h5\n" in again.stderr
    chained = propagate_in(tmp_path, "two.nw", "--surrogate", "none")
    assert "hybrid-propagate: the SCF starts from earlier tasks\n" in chained.stderr
    np.testing.assert_allclose(energies(again.stdout), energies(cold.stdout), atol=1e-9)
    assert abs(energies(chained.stdout)[-1] - energies(cold.stdout)[-1]) < 1e-9


def test_another_molecules_file_is_not(propagate_in: Propagate, tmp_path: Path) -> None:
    (tmp_path / "water.nw").write_text(DECK.format(first=""))
    propagate_in(tmp_path, "water.nw", "--surrogate", "none")
    with h5py.File(tmp_path / "water.h5", "r+") as file:
        file["geometry/atomic_numbers"][:] = [16, 1, 1]
    again = propagate_in(tmp_path, "water.nw", "--surrogate", "none")
    assert again.returncode == 0
    assert "the SCF starts from" not in again.stderr
