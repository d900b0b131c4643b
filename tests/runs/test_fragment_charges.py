"""Charges of overlapping fragments, step by step, beside a real NWChem run of the same deck."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import RunLog, read_log

GEOMETRIES = """geometry "lower" units angstroms nocenter noautoz noautosym
  H -0.38 0.0 0.0
  H  0.38 0.0 0.0
end
geometry "upper" units angstroms nocenter noautoz noautosym
  {upper}
end
geometry "both" units angstroms nocenter noautoz noautosym
  H -0.38 0.0 0.0
  H  0.38 0.0 0.0
  {upper}
end
basis
  * library 6-31G
end
"""
#: H2 beside O in one closed shell, kicked.
CLOSED = f"""start closed
{GEOMETRIES.format(upper="O 0.1 0.0 1.6")}
dft
  xc hfexch
  convergence energy 1d-11 density 1d-9 gradient 1d-8
end
set geometry "both"
task dft energy
rt_tddft
  tmax 2.0
  dt 0.2
  print charge dipole
  field "kick"
    type delta
    polarization z
    max 0.5
  end
  excite "both" with "kick"
end
task dft rt_tddft
"""
#: An electron of H2- that moves over to H2: orbitals of the two put together.
OPEN = f"""start open
{GEOMETRIES.format(upper="H -0.38 0.0 1.8; H 0.38 0.0 1.8")}
charge -1
set geometry "lower"
dft
  xc hfexch
  mult 2
  convergence energy 1d-11 density 1d-9 gradient 1d-8
  vectors input atomic output lower.mos
end
task dft energy
charge 0
set geometry "upper"
dft
  odft
  mult 1
  vectors input atomic output upper.mos
end
task dft energy
charge -1
set geometry "both"
dft
  mult 2
  vectors input fragment lower.mos upper.mos output both.mos
  noscf
end
task dft energy
rt_tddft
  tmax 4.0
  dt 0.2
  print charge dipole
  load vectors both.mos
end
task dft rt_tddft
"""


@pytest.fixture(scope="module", params=["closed", "open"])
def logs(request: pytest.FixtureRequest, nwchem_in, propagate_in, tmp_path_factory):
    """Whether open-shell; NWChem's log and ours."""
    folder: Path = tmp_path_factory.mktemp("fragments")
    theirs = nwchem_in(folder, {"closed": CLOSED, "open": OPEN}[request.param])
    ended = propagate_in(folder, "deck.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    ours = folder / "ours.out"
    ours.write_text(ended.stdout)
    return request.param == "open", read_log(theirs)[0], read_log(ours)[0]


def charges(run: RunLog) -> dict[tuple[str, str], np.ndarray]:
    """By geometry and spin, (n,)."""
    return {
        (key.geometry, key.spin): series.values[:, 0]
        for key, series in run.series.items()
        if key.name == "Charge"
    }


def test_every_fragments_charge_is_nwchems(logs) -> None:
    is_open, theirs, ours = logs
    expected, found = charges(theirs), charges(ours)
    assert set(found) == set(expected)
    assert len(expected) == (9 if is_open else 3)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-7, err_msg=str(key))


def test_the_charge_moves_and_is_kept(logs) -> None:
    """The lower fragment's, of both spins, at the first and the last point, from NWChem 7.0.2."""
    is_open, _, ours = logs
    found = charges(ours)
    spin = "total" if is_open else ""
    lower, upper, both = (found[name, spin] for name in ("lower", "upper", "both"))
    np.testing.assert_allclose(lower + upper, both, atol=1e-9)
    expected = [-3.000000000000, -2.948104147368] if is_open else [-1.829793071272, -1.882323382236]
    np.testing.assert_allclose(lower[[0, -1]], expected, atol=1e-7)
