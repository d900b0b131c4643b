"""Absorbing potentials as a deck gives them: units, defaults, `off`."""

from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system import MOCap, RealTime, SpatialCap
from small_decks import HYDRIDE, kicked

BOX = """  spatialcap
    units {unit}
    potmax 0.5
    nq 10 20 30
    qmin -1 -2 -3
    qmax 1 2 3.5
    range
      H 1 2
      Li 1.5 2
    end
    {state}
  end"""


def real_time(tmp_path: Path, block: str) -> RealTime:
    (tmp_path / "deck.nw").write_text(kicked(HYDRIDE, tmax=0.6, rest=block))
    task = read_deck(tmp_path / "deck.nw").tasks[-1]
    assert isinstance(task, PropagationTask)
    return task.real_time


def test_in_bohr(tmp_path: Path) -> None:
    found = real_time(tmp_path, BOX.format(unit="Bohr", state="on"))
    ranges = (("H", 1.0, 2.0), ("Li", 1.5, 2.0))
    assert found.spatial_cap == SpatialCap(0.5, (10, 20, 30), (-1, -2, -3), (1, 2, 3.5), ranges)
    assert found.absorbing


def test_in_angstrom(tmp_path: Path) -> None:
    """1.889725989: what NWChem 7.0.2 leaves in its database for 1 angstrom."""
    cap = real_time(tmp_path, BOX.format(unit="angstrom", state="")).spatial_cap
    assert cap is not None
    assert cap.upper == pytest.approx((1.889725989, 3.779451978, 6.6140409615), rel=1e-14)
    assert cap.ranges[1] == ("Li", pytest.approx(2.8345889835, rel=1e-14), pytest.approx(3.779451978))


@pytest.mark.parametrize(("block", "absorbing"), [("  mocap\n  on\n  end", True), ("  mocap\n  end", False)])
def test_on_and_off(tmp_path: Path, block: str, absorbing: bool) -> None:
    assert real_time(tmp_path, BOX.format(unit="au", state="off")).spatial_cap is None
    found = real_time(tmp_path, block)
    assert found.mocap == (MOCap() if absorbing else None)
    assert found.absorbing == absorbing
