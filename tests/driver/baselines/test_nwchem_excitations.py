"""Excitations from NWChem's log: its own oscillator strengths, and this package's excitations."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.baselines.casida import all_excitations
from hybrid_propagate.driver.baselines.nwchem_excitations import ROOTS, excitation_deck, read_excitations
from hybrid_propagate.driver.bench.reference import converge, single_propagation

DECK = Path(__file__).parents[3] / "benchmarks/decks/lithium_hydride.nw"


def test_a_deck_ends_ahead_of_its_propagation() -> None:
    text = excitation_deck(DECK.read_text())
    assert "rt_tddft" not in text
    assert text.endswith(f"task dft energy\ntddft\n  nroots {ROOTS}\n  notriplet\nend\ntask tddft energy\n")


def test_roots_of_real_nwchem(nwchem: Callable[[str], Path]) -> None:
    log = nwchem(excitation_deck(DECK.read_text()).replace(f"nroots {ROOTS}", "nroots 6")).read_text()
    found = read_excitations(log)
    assert len(found.energies) == 6
    # NWChem prints five digits of each moment.
    printed = [float(f) for f in re.findall(r"Dipole Oscillator Strength +(\d+\.\d+)", log)]
    assert found.strengths == pytest.approx(printed, abs=2e-4)
    ours = all_excitations(*converge(single_propagation(read_deck(DECK))[0]))
    # Other quadrature points, and NWChem's own thresholds.
    assert found.energies == pytest.approx(ours.energies[:6], abs=2e-4)
    assert found.strengths.sum() == pytest.approx(ours.strengths[:6].sum(), abs=2e-3)
