"""Configurations: reading, ground states against NIST's list, spin, generated sets."""

import re

import pytest
from hybrid_propagate.atomic.solver.configuration import (
    configuration_of,
    ground_configuration,
    parse_configuration,
    with_polarisation,
)
from hybrid_propagate.atomic.solver.elements import LETTERS, SYMBOLS
from hybrid_propagate.atomic.solver.errors import InputError
from hybrid_propagate.atomic.study.configuration_space import generate, order_parameters
from nist import nist_table, rows


def shells_of_level(text: str) -> dict[str, int]:
    """Open shells of NIST's notation, as in 3d6.4s2 or 4f.5d.6s2 with (parent terms) left out."""
    plain = re.sub(r"\([^)]*\)", "", text)
    found = re.findall(r"(\d[spdf])(\d*)", plain)
    return {shell: int(count or 1) for shell, count in found}


def test_ground_states_match_the_spectra_database() -> None:
    """Every shell that NIST's ground configuration names (closed cores left out) holds the same electrons."""
    for row in rows("nist_first_ionization.csv"):
        named = shells_of_level(row["ground_configuration"])
        ours = {s.label: s.occupation for s in ground_configuration(int(row["Z"])).shells}
        assert {label: ours.get(label) for label in named} == named, row["symbol"]


def test_cation_orbitals_are_those_of_the_nist_tables() -> None:
    table = nist_table("lda")
    for z, charge in table.totals:
        tabulated = {shell for number, q, shell, _ in table.eigenvalues if (number, q) == (z, charge)}
        assert {s.label for s in ground_configuration(z, charge).shells} == tabulated, (z, charge)


@pytest.mark.parametrize("z", range(1, 119))
def test_neutral_atoms_hold_z_electrons(z: int) -> None:
    assert ground_configuration(z).electrons == z


def test_text_round_trip() -> None:
    for text in ("[Ar] 3d6 4s2", "[He] 2s1 2p3.5", "1s1(-1) 2s1", "[Xe] 4f7 5d1 6s2", "1s2"):
        assert str(parse_configuration(text)) == text


def test_hund_moments() -> None:
    assert ground_configuration("N").moment == 3
    assert ground_configuration("Cr").moment == 6
    assert ground_configuration("O").moment == 2
    assert with_polarisation(ground_configuration("N"), 1 / 7).moment == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1s3", "holds 0 to 2"),
        ("2d1", "no shell 2d"),
        ("1s2 1s1", "given twice"),
        ("1s2(+1)", "at most 0"),
        ("[Qq] 1s1", "cannot read"),
        ("hello", "cannot read"),
    ],
)
def test_impossible_configurations_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_configuration(text)


@pytest.mark.parametrize("z", [1, 2, 6, 26, 86, 118])
def test_a_hundred_different_configurations_of_each_element(z: int) -> None:
    cases = generate(z, 100)
    assert len({case.configuration for case in cases}) == 100
    assert cases[0].configuration == ground_configuration(z)
    assert {"ground", "single", "fractional"} <= {case.kind for case in cases}
    assert all(0 < case.configuration.electrons <= z + 1e-9 for case in cases)


def test_order_parameters_of_carbon() -> None:
    parameters = order_parameters(ground_configuration("C"))
    assert parameters == pytest.approx({"n_eff": (2 * 1 + 4 * 2) / 6, "l_eff": 2 / 6, "spin": 1.0})


def test_letters_and_symbols() -> None:
    assert len(SYMBOLS) == 172
    assert SYMBOLS[117:121] == ("Og", "Uue", "Ubn", "Ubu")
    assert configuration_of({(4, LETTERS.index("f")): 1.0}).shells[0].label == "4f"
