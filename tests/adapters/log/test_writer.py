"""The log's lines against real NWChem: a log read into arrays and written again is the same to the byte."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import SeriesKey, read_log
from hybrid_propagate.adapters.log.step_block import ENERGIES, StepBlock
from hybrid_propagate.adapters.log.writer import format_block
from hybrid_propagate.adapters.system import (
    DipoleContributions,
    Excitation,
    Functional,
    Geometry,
    RealTime,
    System,
)


def test_a_real_log_is_reproduced(run) -> None:
    """Every line between the first and the last message: order, columns, labels, Magnus iterations."""
    times = sorted({float(line.split()[1]) for line in run.lines})[:-1]
    rows = {t: k for k, t in enumerate(times)}
    ours = format_block(block_of(run, rows), run.real_time, run.system)
    assert len(times) == run.real_time.n_points - 1
    assert ours.splitlines() == run.lines[1:-1]
    assert "Propagation started" in run.lines[0]
    assert "Propagation finished" in run.lines[-1]


def block_of(run, rows: dict[float, int]) -> StepBlock:
    """The log as arrays, by the reader and, for messages and Magnus lines, by hand."""
    (found,) = read_log(run.log)
    names = [g.name for g in run.system.geometries]
    spins = ["alpha", "beta", "total"] if run.system.open_shell else [""]
    k = len(rows)

    def filled(name: str, geometry: str = "", spin: str = "") -> np.ndarray:
        series = found.series[SeriesKey(name, geometry, spin)]
        values = np.full((k, series.values.shape[1]), math.nan)
        values[[rows[t] for t in series.time.tolist()]] = series.values
        return values

    printed = np.isfinite(filled("Etot")[:, 0])
    before: dict[int, tuple[str, ...]] = {}
    after: dict[int, tuple[str, ...]] = {}
    counts, changes = np.zeros(k, int), [[] for _ in range(k)]
    for line in run.lines[1:-1]:
        fields = line.split()
        row = rows[float(fields[1])]
        if "### " in line:
            text = line.split("### ")[1].removesuffix(" ###")
            kept = after if text.startswith("Saved restart") else before
            kept[row] = (*kept.get(row, ()), text)
        elif "Magnus total" in line:
            counts[row] = int(fields[2])
        elif "Magnus interpol" in line:
            changes[row].append(float(fields[2]))
    n_spin = run.system.n_spin
    table = np.zeros((k, max(map(len, changes)) // n_spin, n_spin))
    for row, values in enumerate(changes):
        table[row, : len(values) // n_spin] = np.reshape(values, (-1, n_spin))
    optional = {}
    if not run.system.open_shell:
        optional = {"quadrupole": filled("Quadrupole moment"), "cpu_time": filled("CPU time")[:, 0]}
    else:
        optional = {"s2": filled("<S^2>")[:, 0]}
    return StepBlock(
        time=np.array(sorted(rows)),
        printed=printed,
        applied_field=np.array(
            [[filled("Applied E-field", n, s) for s in ("alpha", "beta")] for n in names]
        ).transpose(2, 0, 1, 3),
        energies=np.hstack([filled(name) for name in ENERGIES]),
        charge=np.array([[filled("Charge", n, s)[:, 0] for s in spins] for n in names]).transpose(2, 0, 1),
        dipole=np.array([[filled("Dipole moment", n, s) for s in spins] for n in names]).transpose(
            2, 0, 1, 3
        ),
        interpolations=counts,
        changes=table,
        before=before,
        after=after,
        **optional,
    )


def small_block(k: int) -> StepBlock:
    """k points with one of each quantity that prints by default."""
    values = np.random.default_rng(3).normal(size=(k, 12))
    return StepBlock(
        time=0.2 * np.arange(k),
        applied_field=np.zeros((k, 1, 2, 3)),
        energies=values[:, :7],
        dipole=1e-7 * values[:, 7:10].reshape(k, 1, 1, 3),
        interpolations=np.full(k, 2),
        changes=np.abs(values[:, 10:11, None]),
    )


def atom(name: str = "w", *, open_shell: bool = False) -> System:
    """A hydrogen atom's worth of System: the writer looks at names and spins only."""
    geometry = Geometry(name, ("H",), np.array([1]), np.array([1.0]), np.zeros((1, 3)))
    functional = Functional("hfexch", "HF")
    return System(
        geometry, (geometry,), {}, False, {}, None, 0, 1 + open_shell, open_shell, functional, "medium"
    )


KICKED = RealTime(2000.0, 0.2, tag="kick", excitations=(Excitation("w", "kick"),))


def test_a_long_log_is_whole() -> None:
    """10,000 points of 12 lines."""
    assert format_block(small_block(10_000), KICKED, atom()).count("\n") == 120_000


def test_rare_numbers_keep_their_columns() -> None:
    """A point with NaN, infinities, a negative zero and exponents of three digits, among usual ones."""
    block = small_block(3)
    rare = np.array([math.nan, math.inf, -math.inf, -0.0, 1e-120, -2.5e200, 0.0])
    block.energies[1] = rare
    lines = format_block(block, KICKED, atom()).splitlines()
    expected = ["NaN", "Infinity", "-Infinity", "-0.000000000000E+000", "1.000000000000E-120"]
    expected += ["-2.500000000000E+200", "0.000000000000E+000"]
    assert [line[17:39] for line in lines[12 + 2 : 12 + 9]] == [text.rjust(22) for text in expected]
    usual = format_block(small_block(3), KICKED, atom()).splitlines()
    assert lines[:12] == usual[:12]
    assert lines[24:] == usual[24:]


def test_labels_are_left_alone() -> None:
    """A geometry and a tag with `E-`, `%` and digits: only the numbers' exponents are widened."""
    real_time = RealTime(2.0, 0.2, tag="1E-05 %s", excitations=(Excitation("100%E+1", "kick"),))
    first = format_block(small_block(1), real_time, atom("100%E+1")).splitlines()[0]
    assert first == (
        "1E-05 %s      0.00000   0.000000000000E+000   0.000000000000E+000   0.000000000000E+000"
        "     # Applied E-field [100%E+1] (alpha spin)"
    )


def test_without_rules_no_field_is_applied() -> None:
    """NWChem's message form where no `excite` rule exists."""
    lines = format_block(small_block(1), replace(KICKED, excitations=()), atom()).splitlines()
    assert lines[0] == "kick      0.00000        ### No applied E-field ###"


def test_a_quantity_that_is_missing_is_named() -> None:
    """A quantity the deck prints is never dropped silently."""
    with pytest.raises(ValueError, match="prints charge"):
        format_block(small_block(1), replace(KICKED, quantities=frozenset({"charge"})), atom())


def test_occupations_print_on_one_line() -> None:
    """es22.12e3 for each orbital, then five blanks and the label, for each spin."""
    block = replace(small_block(1), orbital_occupations=np.array([[[1.0, 0.0], [0.5, 0.25]]]))
    text = format_block(block, replace(KICKED, quantities=frozenset({"moocc"})), atom(open_shell=True))
    assert text == (
        "kick      0.00000   1.000000000000E+000   0.000000000000E+000     # MO Occupations (alpha spin)\n"
        "kick      0.00000   5.000000000000E-001   2.500000000000E-001     # MO Occupations (beta spin)\n"
    )


def test_dipole_contributions() -> None:
    """NWChem's compact table: indices above the first point, e15.7 without a tag; windows and one axis."""
    values = np.array([0.25, -1e-5, 0.0, 123.0]).reshape(1, 1, 1, 2, 2)
    block = replace(small_block(1), dipole_contributions=values)
    real_time = replace(
        KICKED,
        quantities=frozenset({"dipcontribs"}),
        dipole_contributions=DipoleContributions(axis=2, first=(1, 2), second=(5, 6)),
    )
    assert format_block(block, real_time, atom()) == (
        f"{'':15}{1:<15}{1:<15}{2:<15}{2:<15} #Mu-Z i-a Contrib CLOSED\n"
        f"{'':15}{5:<15}{6:<15}{5:<15}{6:<15} #Mu-Z i-a Contrib CLOSED\n"
        "  0.0000000E+00  0.2500000E+00 -0.1000000E-04  0.0000000E+00  0.1230000E+03"
        " #Mu-Z i-a Contrib CLOSED\n"
    )
