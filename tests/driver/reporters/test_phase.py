"""Phases before the first step: plain lines with how far they are and what is left, and who tells of it."""

import re

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.driver.reporters import phase as phases
from hybrid_propagate.driver.reporters.phase import phase, time_left
from hybrid_propagate.surrogate.kernel.analytic import analytic_kernel
from pyscf_systems import GIB, water


def test_plain_lines_tell_how_far_a_phase_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(phases, "_PLAIN_INTERVAL", -1.0)
    monkeypatch.setattr(phases, "_LEAST_SECONDS", 0.0)
    with phase("water: kernel", live=False) as tell:
        tell("atom 1 of 3", 0.0)
        tell("atom 2 of 3", 0.5)
    assert capsys.readouterr().err.splitlines() == [
        "water: kernel",
        "water: kernel: atom 1 of 3; 0 s so far",
        "water: kernel: atom 2 of 3; 0 s so far, about 0 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "share", "said"),
    [(30.0, 0.75, ", about 10 s left"), (30.0, 0.0, ""), (0.5, 0.5, ""), (30.0, 1.0, ", about 0 s left")],
)
def test_the_time_left_goes_on_as_it_went(seconds: float, share: float, said: str) -> None:
    assert time_left(seconds, share) == said


def test_of_phases_within_one_another_the_inner_one_is_shown() -> None:
    with phase("water: orbitals", live=True):
        with phase("water: ground state", live=True):
            assert [bar.live.is_started for bar in phases._SHOWN] == [False, True]
        assert [bar.live.is_started for bar in phases._SHOWN] == [True]
    assert phases._SHOWN == []


def test_ground_state_and_kernel_tell_how_far_they_are() -> None:
    """Each SCF iteration its energy and change, each atom of the kernel its number; shares only grow."""
    of_scf: list[tuple[str, float]] = []
    of_kernel: list[tuple[str, float]] = []
    engine, orbitals = solve_ground_state(
        make_engine(water("pbe"), GIB), None, 50, tell=lambda *said: of_scf.append(said)
    )
    analytic_kernel(engine, orbitals.density(), GIB, lambda *said: of_kernel.append(said))
    first, *others = [words for words, _ in of_scf]
    assert re.fullmatch(r"iteration 1, E = -7\d\.\d{6} Ha", first)
    energies = []
    for number, words in enumerate(others, start=2):
        found = re.fullmatch(rf"iteration {number}, E = (\S+) Ha, change (\S+)", words)
        assert found is not None
        energies.append([float(word) for word in found.groups()])
    values = np.array(energies)
    # The change has two digits.
    np.testing.assert_allclose(values[1:, 1], np.diff(values[:, 0]), rtol=0.06, atol=1.1e-6)
    assert f"{values[-1, 0]:.6f}" == f"{orbitals.total_energy:.6f}"
    shares = [share for _, share in of_scf]
    assert shares == sorted(shares)
    assert 0.6 < shares[-1] < 1.0
    assert [words for words, _ in of_kernel] == [
        "exchange-correlation, atom 1 of 3",
        "exchange-correlation, atom 2 of 3",
        "exchange-correlation, atom 3 of 3",
        "Coulomb and exchange",
    ]
    assert [round(share, 2) for _, share in of_kernel] == [0.0, 0.27, 0.53, 0.8]
