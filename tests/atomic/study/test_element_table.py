"""The table of elements: what is taken from where."""

from hybrid_propagate.atomic.study.element_table import COLUMNS, element_rows, markdown


def test_a_row_has_the_lowest_attractor_and_the_signs_of_the_rates() -> None:
    basin = {"z": 3, "rank": 0, "attractor": "[He] 2s1", "escape": 0.1, "members": 4, "configurations": 5}
    other = basin | {"rank": 1, "attractor": "[He] 3d1"}
    rates = {"z": 3, "spin": True, "configuration": "[He] 2s1", "exchange": -0.1, "tangent": [0.2, -0.3]}
    (row,) = element_rows({"lsda": [basin, other], "lda": []}, [rates], [3])
    assert set(row) == set(COLUMNS)
    assert row["lsda_attractor"] == row["measured"] == "[He] 2s1"
    assert row["lsda_basin"] == "4 of 5"
    assert row["lsda_escape_ev"] == "2.72"
    assert row["lsda_rates_ev"] == "-2.72; +5.44, -8.16"
    assert row["lda_attractor"] == row["lda_rates_ev"] == ""
    last = markdown([row]).splitlines()[-1]
    assert last == "| 3 Li | [He] 2s1 | = | 4 of 5 | 2.72 | -2.72; +5.44, -8.16 |  |  |  |  |"
