"""What the scripts of benchmarks/ measure: a whole run of a deck."""

from pathlib import Path

import numpy as np
from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.score import trajectory_error

DECK = Path(__file__).parents[3] / "benchmarks/decks/lithium_hydride.nw"
STEPS = 12


def test_a_deck_is_run_for_so_many_steps() -> None:
    text = deck_with_steps(DECK, STEPS)
    reference, hybrid = (run_deck(text, "--surrogate", name) for name in ("none", "response"))
    for run in (reference, hybrid):
        assert run.summary["steps"] == STEPS
        # The deck's own step, 0.2 au; PBE0/6-31G, 9 functions of lithium and 2 of hydrogen.
        np.testing.assert_allclose(run.time, 0.2 * np.arange(STEPS), atol=1e-12)
        assert run.dipole.shape == (STEPS, 3)
        assert run.n_basis == 11
        assert run.cpu > 0.0
        assert run.wall > 0.0
        assert run.peak > 2**26
    # NWChem's Magnus step: a prediction and a correction, two builds a step at least.
    assert reference.summary["fock_builds"] >= 2 * STEPS
    # Never more than reference steps alone, however short the run.
    assert hybrid.summary["fock_builds"] < reference.summary["fock_builds"]
    assert trajectory_error(hybrid.dipole, reference.dipole) < 1e-3
