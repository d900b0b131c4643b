"""Single lines of the log: NWChem's documented formats, and Fortran's rules at their edges."""

import math

import numpy as np
import pytest
from hybrid_propagate.adapters.log.lines import (
    engineering,
    filled,
    fixed,
    integer_line,
    integer_template,
    lead,
    leads,
    message_line,
    message_template,
    scientific,
    value_line,
    value_template,
    vector_line,
)
from hypothesis import given
from hypothesis import strategies as st


def test_the_forms_of_a_line() -> None:
    """`a,2x,f11.5` then 3es22.12e3, es22.12e3, `5x,i17`, or `8x` and a message; the tag's blanks trimmed."""
    assert vector_line("<rt_tddft>: ", 0.2, (0.0, 0.0, 2.064769596011e-5), "Dipole moment [system]") == (
        "<rt_tddft>:      0.20000   0.000000000000E+000   0.000000000000E+000   2.064769596011E-005"
        "     # Dipole moment [system]"
    )
    assert value_line("kick", 199.6, -76.5, "Etot") == "kick    199.60000  -7.650000000000E+001     # Etot"
    assert integer_line("kick", 0.0, 2, "Magnus total interpolations") == (
        "kick      0.00000                     2     # Magnus total interpolations"
    )
    assert message_line("kick", 0.2, "Checks passed") == "kick      0.20000        ### Checks passed ###"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99999.99999, "99999.99999"),
        (100000.0, "***********"),
        (math.nan, "        NaN"),
        (math.inf, "   Infinity"),
        (-0.0, "   -0.00000"),
    ],
)
def test_times_at_the_edges_of_f11_5(value: float, text: str) -> None:
    """A number too wide prints as stars (Fortran 2018, 13.7.2.3.2)."""
    assert fixed(value, 11, 5) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-100, "1.000000000000E-100"),
        (-1.7976931348623157e308, "-1.797693134862E+308"),
        (9.9999999999999e99, "1.000000000000E+100"),
        (-0.0, "-0.000000000000E+000"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_values_at_the_edges_of_es22_12e3(value: float, text: str) -> None:
    """Three exponent digits, right-justified in 22 columns."""
    assert scientific(value) == text.rjust(22)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_scientific_keeps_thirteen_digits(value: float) -> None:
    """What is printed reads back to 5e-13 of the value, in 22 columns."""
    text = scientific(value)
    assert len(text) == 22
    # Near the largest double the printed digits may round to infinity.
    if abs(value) < 1.79e308:
        assert math.isclose(float(text), value, rel_tol=5.1e-13)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "0.1000000E+01"),
        (-0.0999999999, "-0.1000000E+00"),
        (3e-120, "0.3000000-119"),
        (0.0, "0.0000000E+00"),
    ],
)
def test_engineering(value: float, text: str) -> None:
    """Fortran e15.7: mantissa below one; with a three-digit exponent the letter is dropped."""
    assert engineering(value, 15, 7) == text.rjust(15)


@pytest.mark.parametrize("shared", [0.0, -0.0, 1.5e-7, -76.5, 1e-100, math.nan])
def test_points_together_are_lines_one_by_one(shared: float) -> None:
    """A number that all points share, either zero too, beside others; labels that look like numbers."""
    changing = [0.25, -0.0, 0.0, 1e-120, -math.inf, 3e-5]
    values = np.array([(shared, value, -value, shared) for value in changing])
    labels = ("water E-2 50%", "%s E+1")
    template = value_template(3, labels[0]) + message_template("E-field") + value_template(1, labels[1])
    template += integer_template("count", 12)
    texts = filled(template, values, [lead("t E-1", 0.2 * k) for k in range(len(values))])
    for k, (text, row) in enumerate(zip(texts, values.tolist(), strict=True)):
        tag, time = "t E-1", 0.2 * k
        assert text.splitlines() == [
            vector_line(tag, time, row[:3], labels[0]),
            message_line(tag, time, "E-field"),
            value_line(tag, time, row[3], labels[1]),
            integer_line(tag, time, 12, "count"),
        ]
    assert filled(template, values[:0], []) == []
    assert filled("", values[:2, :0], ["a", "b"]) == ["", ""]
    assert filled(message_template("none"), values[:2, :0], ["a", "b"]) == [
        "a        ### none ###\n",
        "b        ### none ###\n",
    ]


@pytest.mark.parametrize("last", [0.4, -0.4, 9999.9, 10000.0, 123456.0, math.nan])
def test_openings_together_are_those_one_by_one(last: float) -> None:
    times = np.array([0.0, 0.123456789, last])
    assert leads("50% ", times) == [lead("50% ", time) for time in times.tolist()]
