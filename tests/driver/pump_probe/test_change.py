"""The map of signals that are known, its files, and the errors that it states."""

import csv
import json
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.atomic.errors import BadInput
from hybrid_propagate.atomic.units import EV_PER_HARTREE, SPEED_OF_LIGHT
from hybrid_propagate.driver.pump_probe.change import PumpProbeMap, make_map
from hybrid_propagate.driver.pump_probe.map_files import read_map, write_map
from hybrid_propagate.driver.pump_probe.plan import make_plan
from hybrid_propagate.driver.pump_probe.trajectories import Probed
from small_decks import HYDRIDE, kicked, pump

OMEGA, SIZE, TAU = 0.4, 2e-3, 50.0


@pytest.fixture
def found(tmp_path: Path) -> PumpProbeMap:
    """A line at 0.4 Hartree, half as strong behind the first delay and shifted behind the second."""
    deck = tmp_path / "deck.nw"
    deck.write_text(kicked(HYDRIDE, tmax=400.1, kick=1e-3, rest=pump("x", 0.2, 4.0, 0.01)))
    plan = make_plan(read_deck(deck), "kick", [1.0, 2.0], None)
    # Behind the kick, which acts through the two steps about the second point.
    elapsed = 0.2 * np.arange(plan.n_window + 1) - 0.2

    def signal(size: float, omega: float) -> np.ndarray:
        moved = np.where(elapsed > 0.0, size * np.sin(omega * elapsed), 0.0)
        return np.outer(moved, [0.0, 0.0, 1.0])

    alone = Probed(signal(SIZE, OMEGA), 1.01 * signal(SIZE, OMEGA), 1e-4)
    half, moved = signal(SIZE / 2, OMEGA), signal(SIZE, OMEGA + 0.05)
    probes = [Probed(half, 1.02 * half, 2e-4), Probed(moved, moved, 3e-4)]
    return make_map(plan, alone, probes, TAU, 20.0)


def test_a_line_stands_where_its_frequency_is(found: PumpProbeMap) -> None:
    """S at the top of μ = A sin ωt after an impulse κ: (4πω/3c)(3) A τ / 2κ; κ = max dt (two half steps)."""
    peak = float(found.energy[found.without_pump.argmax()])
    assert peak == pytest.approx(OMEGA * EV_PER_HARTREE, abs=0.05)
    height = 4.0 * math.pi * OMEGA / SPEED_OF_LIGHT * SIZE * TAU / 2.0 / (1e-3 * 0.2)
    assert float(abs(found.without_pump).max()) == pytest.approx(height, rel=0.02)
    assert found.absorption[0] == pytest.approx(0.5 * found.without_pump, rel=1e-9)
    assert found.change[0] == pytest.approx(-0.5 * found.without_pump, rel=1e-9)
    moved = float(found.energy[found.absorption[1].argmax()])
    assert moved == pytest.approx((OMEGA + 0.05) * EV_PER_HARTREE, abs=0.05)


def test_errors_are_those_of_shadows(found: PumpProbeMap) -> None:
    """2 % and nothing off, with what is not seen; of the change both, over half a signal."""
    assert found.error == pytest.approx([0.02 + 2e-4, 3e-4])
    # 0.5 (2 % + 2e-4) and 1 % + 1e-4 of the signal without a pump, over a change of 0.5.
    assert found.change_error[0] == pytest.approx(math.hypot(0.5 * 0.0202, 0.0101) / 0.5)


def test_files_hold_the_map(found: PumpProbeMap, tmp_path: Path) -> None:
    stem = tmp_path / "deck_pump_probe"
    write_map(stem, found, "a title", {"fock_builds": 3})
    again = read_map(tmp_path / "deck_pump_probe.h5")
    assert np.array_equal(again.change, found.change)
    assert np.array_equal(again.signal, found.signal)
    with h5py.File(tmp_path / "deck_pump_probe.h5") as file:
        assert np.array_equal(np.asarray(file["change"]), found.change)
        assert file["change"].attrs["units"] == "bohr^2"
    with (tmp_path / "deck_pump_probe.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == found.change.size
    assert float(rows[-1]["change_bohr2"]) == pytest.approx(found.change[1, -1], abs=1e-6)
    assert (rows[0]["delay_au"], rows[0]["energy_eV"]) == ("1", "0.0000")
    assert json.loads((tmp_path / "deck_pump_probe.json").read_text()) == {"fock_builds": 3}
    assert (tmp_path / "deck_pump_probe.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "other.h5").write_bytes(b"no map")
    with pytest.raises(BadInput, match=r"other\.h5: not the map of a pump and its probes"):
        read_map(tmp_path / "other.h5")
