"""The time-dependent lines of NWChem's RT-TDDFT log, in NWChem's order at each time point.

closed shell  messages, field, CPU time, energies, charge, occupations, dipole contributions, dipole,
              quadrupole, messages, Magnus iterations
open shell    messages, CPU time, energies, charge, occupations, dipole contributions, <S²>, dipole, field,
              messages, Magnus iterations
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from ..system import DipoleContributions, RealTime, System
from ..system.real_time import Quantity
from .lines import (
    engineering,
    filled,
    integer_template,
    leads,
    message_line,
    message_template,
    value_template,
)
from .step_block import ENERGIES, StepBlock

#: The lines of a quantity at some points: (their rows in the block, tag and time of each) -> a text for each.
_Part = Callable[[np.ndarray, Sequence[str]], list[str]]

_COMMON: tuple[Quantity, ...] = ("cputime", "energy", "charge", "moocc", "dipcontribs")
# NWChem prints no quadrupole of an open shell and no <S²> of a closed one, whatever the deck asks.
# The magnetic moment is an extension.
_CLOSED: tuple[Quantity, ...] = ("field", *_COMMON, "dipole", "magnetic", "quadrupole")
_OPEN: tuple[Quantity, ...] = (*_COMMON, "s2", "dipole", "magnetic", "field")


def format_block(block: StepBlock, real_time: RealTime, system: System) -> str:
    """Log text of a block of steps, every line ended.

    Raises ValueError when the deck prints a quantity that the block does not hold.
    """
    k, tag = len(block.time), real_time.tag
    every = np.arange(k)
    printed = every if block.printed is None else np.flatnonzero(block.printed)
    openings = leads(tag, block.time)

    def messages(said: Mapping[int, Sequence[str]]) -> list[str]:
        texts = [""] * k
        for row, told in said.items():
            texts[row] = "".join(message_line(tag, block.time[row], message) + "\n" for message in told)
        return texts

    def at(part: _Part, rows: np.ndarray) -> list[str]:
        """Nothing at the other rows."""
        texts = part(rows, [openings[row] for row in rows.tolist()])
        return texts if len(rows) == k else _placed(texts, rows, k)

    columns = [messages(block.before)] if block.before else []
    columns += [at(part, printed) for part in _parts(block, real_time, system)]
    columns += [messages(block.after)] if block.after else []
    if "convergence" in real_time.quantities and block.interpolations is not None:
        columns.append(at(_magnus(block, block.interpolations, system.n_spin), every))
    return "".join(chain.from_iterable(zip(*columns, strict=True)))


def _placed(texts: Sequence[str], rows: np.ndarray, k: int) -> list[str]:
    """k texts: these at their rows, none elsewhere."""
    placed = [""] * k
    for row, text in zip(rows.tolist(), texts, strict=True):
        placed[row] = text
    return placed


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
    return lambda rows, openings: filled(template, values[rows], openings)


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


def _magnus(block: StepBlock, counts: np.ndarray, n_spin: int) -> _Part:
    """`Magnus interpol (matrix i of n)` from the second iteration on, then their number; none for 0."""
    changes = np.zeros((len(counts), 0, n_spin)) if block.changes is None else block.changes
    matrices = "".join(
        value_template(1, f"Magnus interpol (matrix {i} of {n_spin})") for i in range(1, n_spin + 1)
    )

    def part(rows: np.ndarray, openings: Sequence[str]) -> list[str]:
        texts = [""] * len(rows)
        for count in np.unique(counts[rows]).tolist():
            if count < 1:
                continue
            own = np.flatnonzero(counts[rows] == count)
            values = changes[rows[own], : count - 1].reshape(len(own), -1)
            template = matrices * (count - 1) + integer_template("Magnus total interpolations", count)
            made = filled(template, values, [openings[row] for row in own.tolist()])
            for row, text in zip(own.tolist(), made, strict=True):
                texts[row] = text
        return texts

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

    def point(row: int) -> str:
        lines: list[str] = []
        for spin in range(n_spin):
            for axis in range(n_axes):
                label = f" #Mu-{axes[axis]} i-a Contrib {spins[spin]}"
                if times[row] < real_time.dt:
                    lines += (head + label for head in heads)
                numbers = (times[row], *values[row, spin, axis].ravel().tolist())
                lines.append("".join(engineering(v, 15, 7) for v in numbers) + label)
        return "\n".join(lines) + "\n"

    return lambda rows, _: [point(row) for row in rows.tolist()]
