"""The time-dependent lines of NWChem's RT-TDDFT log, in NWChem's order at each time point.

closed shell  messages, field, CPU time, energies, charge, occupations, dipole contributions, dipole,
              quadrupole, messages, Magnus iterations
open shell    messages, CPU time, energies, charge, occupations, dipole contributions, <S²>, dipole, field,
              messages, Magnus iterations
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from ..system import DipoleContributions, RealTime, System
from ..system.real_time import Quantity
from .lines import (
    engineering,
    fill,
    integer_template,
    lead,
    message_line,
    message_template,
    rare_rows,
    value_template,
)
from .step_block import ENERGIES, StepBlock

#: Writes one row of a block: (row, tag and time) -> lines.
_Part = Callable[[int, str], str]

_COMMON: tuple[Quantity, ...] = ("cputime", "energy", "charge", "moocc", "dipcontribs")
# NWChem prints no quadrupole of an open shell and no <S²> of a closed one, whatever the deck asks.
# The magnetic moment is an extension.
_CLOSED: tuple[Quantity, ...] = ("field", *_COMMON, "dipole", "magnetic", "quadrupole")
_OPEN: tuple[Quantity, ...] = (*_COMMON, "s2", "dipole", "magnetic", "field")


def format_block(block: StepBlock, real_time: RealTime, system: System) -> str:
    """Log text of a block of steps, every line ended.

    Raises ValueError when the deck prints a quantity that the block does not hold.
    """
    parts = list(_parts(block, real_time, system))
    magnus = _magnus(block, system.n_spin) if "convergence" in real_time.quantities else None
    printed = np.ones(len(block.time), bool) if block.printed is None else block.printed
    tag = real_time.tag
    text: list[str] = []
    for row, (time, is_printed) in enumerate(zip(block.time.tolist(), printed.tolist(), strict=True)):
        opening = lead(tag, time)
        text += (message_line(tag, time, message) + "\n" for message in block.before.get(row, ()))
        if is_printed:
            text += (part(row, opening) for part in parts)
        text += (message_line(tag, time, message) + "\n" for message in block.after.get(row, ()))
        if magnus is not None:
            text.append(magnus(row, opening))
    return "".join(text)


def _parts(block: StepBlock, real_time: RealTime, system: System) -> Iterator[_Part]:
    """Writers of the quantities asked for; neighbours with a common line format share one."""
    template, columns = "", [np.empty((len(block.time), 0))]
    for quantity in _OPEN if system.open_shell else _CLOSED:
        if quantity not in real_time.quantities:
            continue
        if quantity == "dipcontribs":
            yield _values(template, np.hstack(columns))
            template, columns = "", columns[:1]
            yield _contributions(block, real_time, system)
        elif quantity == "field" and not real_time.excitations:
            template += message_template("No applied E-field")
        else:
            labels, values = _labelled(quantity, block, system)
            template += "".join(value_template(values.shape[2], label) for label in labels)
            columns.append(values.reshape(len(values), -1))
    yield _values(template, np.hstack(columns))


def _values(template: str, values: np.ndarray) -> _Part:
    rows, rare = values.tolist(), rare_rows(values).tolist()
    return lambda row, opening: fill(template, tuple(rows[row]), opening, rare[row])


def _labelled(quantity: Quantity, block: StepBlock, system: System) -> tuple[list[str], np.ndarray]:
    """The labels of one quantity's lines in NWChem's order, and its values (k, lines, values a line)."""
    names = [geometry.name for geometry in system.geometries]
    spins = [f" ({spin} spin)" for spin in ("alpha", "beta", "total")] if system.open_shell else [""]
    k = len(block.time)
    if quantity == "field":
        labels = [f"Applied E-field [{name}] ({spin} spin)" for name in names for spin in ("alpha", "beta")]
        return labels, _held(block.applied_field, quantity).reshape(k, -1, 3)
    if quantity == "cputime":
        return ["CPU time"], _held(block.cpu_time, quantity).reshape(k, 1, 1)
    if quantity == "energy":
        return list(ENERGIES), _held(block.energies, quantity)[:, :, None]
    if quantity == "charge":
        # All geometries for one spin, then the next; dipoles go the other way round.
        by_spin = _held(block.charge, quantity).swapaxes(1, 2)
        return [f"Charge [{name}]{spin}" for spin in spins for name in names], by_spin.reshape(k, -1, 1)
    if quantity == "moocc":
        occupations = _held(block.orbital_occupations, quantity)
        return [f"MO Occupations{spin}" for spin in spins[: system.n_spin]], occupations
    if quantity == "s2":
        return ["<S^2>"], _held(block.s2, quantity).reshape(k, 1, 1)
    if quantity == "magnetic":
        return ["Magnetic moment"], _held(block.magnetic, quantity).reshape(k, 1, 3)
    if quantity == "dipole":
        labels = [f"Dipole moment [{name}]{spin}" for name in names for spin in spins]
        return labels, _held(block.dipole, quantity).reshape(k, -1, 3)
    return ["Quadrupole moment"], _held(block.quadrupole, quantity).reshape(k, 1, 6)


def _held(array: np.ndarray | None, quantity: Quantity) -> np.ndarray:
    if array is None:
        raise ValueError(f"the deck prints {quantity}, but this block of steps does not hold it")
    return array


def _magnus(block: StepBlock, n_spin: int) -> _Part | None:
    """`Magnus interpol (matrix i of n)` from the second iteration on, then their number; None without any."""
    if block.interpolations is None:
        return None
    counts = block.interpolations.tolist()
    changes = np.zeros((len(counts), 0, n_spin)) if block.changes is None else block.changes
    rare = rare_rows(changes.reshape(len(counts), -1)).tolist()

    @cache
    def template(count: int) -> str:
        matrices = (
            value_template(1, f"Magnus interpol (matrix {i} of {n_spin})") for i in range(1, n_spin + 1)
        )
        return "".join(matrices) * (count - 1) + integer_template("Magnus total interpolations")

    def part(row: int, opening: str) -> str:
        count = counts[row]
        if count < 1:
            return ""
        values = (*changes[row, : count - 1].ravel().tolist(), count)
        return fill(template(count), values, opening, rare[row])

    return part


def _contributions(block: StepBlock, real_time: RealTime, system: System) -> _Part:
    """Dipole contributions of orbital pairs i, a: no tag, e15.7, a two-line head of indices at the start."""
    values = _held(block.dipole_contributions, "dipcontribs")
    _, n_spin, n_axes, n_first, n_second = values.shape
    asked = real_time.dipole_contributions or DipoleContributions(axis=0)
    axes = "XYZ" if n_axes == 3 else "XYZ"[asked.axis]
    first = range((asked.first or (1, 0))[0], (asked.first or (1, 0))[0] + n_first)
    second = range((asked.second or (1, 0))[0], (asked.second or (1, 0))[0] + n_second)
    spins = ("ALPHA", "BETA") if system.open_shell else ("CLOSED",)
    heads = [" " * 15 + "".join(f"{(i, a)[k]:<15d}" for i in first for a in second) for k in (0, 1)]
    times = block.time.tolist()

    def part(row: int, opening: str) -> str:
        lines: list[str] = []
        for spin in range(n_spin):
            for axis in range(n_axes):
                label = f" #Mu-{axes[axis]} i-a Contrib {spins[spin]}"
                if times[row] < real_time.dt:
                    lines += (head + label for head in heads)
                numbers = (times[row], *values[row, spin, axis].ravel().tolist())
                lines.append("".join(engineering(v, 15, 7) for v in numbers) + label)
        return "\n".join(lines) + "\n"

    return part
