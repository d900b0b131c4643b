"""hybrid-propagate's own SCF starts where an earlier task, or the run that the user names, ended."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

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


def test_earlier_tasks_and_a_run_that_is_named_are_used(propagate_in: Propagate, tmp_path: Path) -> None:
    """What merely lies in the folder is not: the same deck gives the same digits."""
    (tmp_path / "one.nw").write_text(DECK.format(first=""))
    (tmp_path / "two.nw").write_text(DECK.format(first=TWO).replace("start water", "start two"))
    cold = propagate_in(tmp_path, "one.nw", "--surrogate", "response")
    assert "the SCF starts from" not in cold.stderr
    again = propagate_in(tmp_path, "one.nw", "--surrogate", "response")
    assert "the SCF starts from" not in again.stderr
    assert again.stdout == cold.stdout
    named = propagate_in(tmp_path, "one.nw", "--surrogate", "response", "--prior", "water.h5")
    assert "hybrid-propagate: the SCF starts from ground state of water.h5\n" in named.stderr
    chained = propagate_in(tmp_path, "two.nw", "--surrogate", "none")
    assert "hybrid-propagate: the SCF starts from earlier tasks\n" in chained.stderr
    np.testing.assert_allclose(energies(named.stdout), energies(cold.stdout), atol=1e-9)
    assert abs(energies(chained.stdout)[-1] - energies(cold.stdout)[-1]) < 1e-9
