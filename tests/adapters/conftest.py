"""Logs of real NWChem runs that several tests read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system import RealTime, System

CLOSED_SHELL = """start deck
title "water, sparse print points"
geometry "w" units angstroms nocenter noautoz noautosym
  O 0.0 0.0 0.1173
  H 0.0 0.7572 -0.4692
  H 0.0 -0.7572 -0.4692
end
set geometry "w"
basis
  * library 3-21G
end
dft
  xc pbe0
end
task dft energy
rt_tddft
  tmax 4.1
  dt 0.2
  tag "kick_z"
  nprints 11
  nchecks 5
  nrestarts 3
  field "kick"
    type delta
    polarization z
    max 0.01
  end
  excite "w" with "kick"
  visualization
    tstart 1.0
    tend 1.3
  end
  print dipole quadrupole field energy cputime charge convergence s2
end
task dft rt_tddft
"""

OPEN_SHELL = """start deck
title "a fragment and the whole, one electron missing"
charge 1
geometry "left" units angstroms nocenter noautoz noautosym
  H 0.0 0.0 0.0
  H 0.0 0.1 0.8
end
geometry "both" units angstroms nocenter noautoz noautosym
  H 0.0 0.0 0.0
  H 0.0 0.1 0.8
  H 0.0 0.3 2.3
  H 0.1 0.0 3.1
end
set geometry "both"
basis
  * library 6-31G
end
dft
  xc hfexch
  mult 2
end
task dft energy
rt_tddft
  tmax 3.0
  dt 0.2
  field "pulse"
    type cw
    polarization y
    frequency 0.5
    max 0.01
    spin alpha
  end
  excite "left" with "pulse"
  print dipole field energy charge convergence s2
end
task dft rt_tddft
"""


@dataclass(frozen=True)
class Run:
    """A real NWChem log, and what our deck reader makes of its deck."""

    log: Path
    system: System
    real_time: RealTime

    @property
    def lines(self) -> list[str]:
        """The log's time-dependent lines."""
        tag = self.real_time.tag
        text = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in text if line.startswith(f"{tag} ") and " #" in line]


@pytest.fixture(scope="session", params=["closed shell", "open shell"])
def run(
    request: pytest.FixtureRequest,
    nwchem_in: Callable[[Path, str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """A closed-shell run with sparse print points, and an open-shell one with two geometries."""
    folder = tmp_path_factory.mktemp("nwchem")
    log = nwchem_in(folder, CLOSED_SHELL if request.param == "closed shell" else OPEN_SHELL)
    task = read_deck(folder / "deck.nw").tasks[-1]
    assert isinstance(task, PropagationTask)
    return Run(log, task.system, task.real_time)
