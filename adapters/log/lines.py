"""The lines of an NWChem RT-TDDFT log that carry a time: one format each, as NWChem's Fortran writes them.

    value     tag, 2 blanks, f11.5, es22.12e3, 5 blanks, # label
    vector    the same with three values, quadrupole with six
    integer   tag, 2 blanks, f11.5, 5 blanks, i17, 5 blanks, # label
    message   tag, 2 blanks, f11.5, 8 blanks, ### text ###
    orbital occupations: values, then 5 blanks, # label

Exponents have three digits (`1.000000000000E-003`); a number that does not fit its field prints as stars.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

#: Stands for "tag and time" in a template until the row's own are put in.
LEAD = "\0"
_NUMBER = "%21.12E"
_IN_TEMPLATE = re.compile(f"({LEAD}|(?<!%){_NUMBER})")
_WIDTH = 22


def lead(tag: str, time: float) -> str:
    """Tag (trailing blanks trimmed) and time (au, f11.5) that open every line."""
    return f"{tag.rstrip()}  {fixed(time, 11, 5)}"


def fixed(value: float, width: int, decimals: int) -> str:
    """Fortran `f<width>.<decimals>`."""
    if not math.isfinite(value):
        return not_finite(value, width)
    text = f"{value:{width}.{decimals}f}"
    return text if len(text) <= width else "*" * width


def scientific(value: float) -> str:
    """Fortran `es22.12e3`."""
    if not math.isfinite(value):
        return not_finite(value, _WIDTH)
    digits, exponent = f"{value:.12E}".split("E")
    return f"{digits}E{exponent[0]}{exponent[1:]:0>3}".rjust(_WIDTH)


def engineering(value: float, width: int, decimals: int) -> str:
    """Fortran `e<width>.<decimals>`: a mantissa in [0.1, 1), two exponent digits or three without the E."""
    if not math.isfinite(value):
        return not_finite(value, width)
    digits, exponent = f"{value:.{decimals - 1}E}".replace(".", "").split("E")
    sign, digits = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
    power = int(exponent) + 1 if value else 0
    letter = f"E{power:+03d}" if abs(power) < 100 else f"{power:+04d}"
    return f"{sign}0.{digits}{letter}".rjust(width)


def not_finite(value: float, width: int) -> str:
    """NaN and infinities as gfortran prints them in a field of at least 9."""
    text = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return text.rjust(width)


def vector_line(tag: str, time: float, values: Sequence[float], label: str) -> str:
    """A line with any number of values: one (value), three (vector), six (quadrupole).

    E.g. `kick      0.20000   1.0...E-004   0.0...E+000   0.0...E+000     # Dipole moment [system]`.
    """
    return f"{lead(tag, time)}{''.join(map(scientific, values))}     # {label}"


def value_line(tag: str, time: float, value: float, label: str) -> str:
    """A line with one value."""
    return vector_line(tag, time, (value,), label)


def integer_line(tag: str, time: float, value: int, label: str) -> str:
    """A line with one integer (i17)."""
    text = f"{value:17d}"
    return f"{lead(tag, time)}     {text if len(text) == 17 else '*' * 17}     # {label}"


def message_line(tag: str, time: float, text: str) -> str:
    """A line without a value: `### Checks passed ###`."""
    return f"{lead(tag, time)}        ### {text} ###"


def value_template(n_values: int, label: str) -> str:
    """Template of a line with n values, for `filled`."""
    return f"{LEAD}{_NUMBER * n_values}     # {_escaped(label)}\n"


def integer_template(label: str, value: int) -> str:
    """Template of a line with one integer, for `filled`."""
    return f"{LEAD}     {value:17d}     # {_escaped(label)}\n"


def message_template(text: str) -> str:
    """Template of a line without a value, for `filled`."""
    return f"{LEAD}        ### {_escaped(text)} ###\n"


def filled(template: str, values: np.ndarray, openings: Sequence[str]) -> list[str]:
    """Lines of k time points from joined templates, a text each.

    values: (k, n). openings: tag and time of each point. A number that all points share is written once.
    """
    if not len(values) or not template:
        return [""] * len(values)
    own = np.ascontiguousarray(values, float)
    # By their bits: -0 is not 0.
    shared = (own.view(np.int64) == own.view(np.int64)[0]).all(axis=0)
    numbers, changing = iter(range(own.shape[1])), iter(_columns(own[:, ~shared]))
    parts, columns = _IN_TEMPLATE.split(template), list[Sequence[str]]()
    for place in range(1, len(parts), 2):
        number = None if parts[place] == LEAD else next(numbers)
        if number is not None and shared[number]:
            parts[place] = scientific(float(own[0, number]))
        else:
            parts[place] = "%s"
            columns.append(openings if number is None else next(changing))
    point = "".join(parts)
    return [point % texts for texts in zip(*columns, strict=True)]


def _columns(values: np.ndarray) -> list[list[str]]:
    """`scientific` of each of values (k, n), n columns of k.

    Python writes two exponent digits in a field of 21, so inserting one digit gives Fortran's field of 22.
    """
    k, n = values.shape
    flat = values.T.ravel()
    text = f"{_NUMBER}\n" * len(flat) % tuple(flat.tolist())
    texts = list[str](text.replace("E-", "E-0").replace("E+", "E+0").split("\n"))
    magnitude = np.abs(flat)
    usual = (magnitude == 0.0) | ((magnitude > 1e-98) & (magnitude < 1e98))
    for place in np.flatnonzero(~usual).tolist():
        texts[place] = scientific(float(flat[place]))
    return [texts[column * k : (column + 1) * k] for column in range(n)]


def leads(tag: str, times: np.ndarray) -> list[str]:
    """`lead` of many times."""
    if not (np.abs(times) < 1e4).all():
        return [lead(tag, time) for time in times.tolist()]
    opening = f"{tag.rstrip()}  ".replace("%", "%%")
    return (f"{opening}%11.5f\n" * len(times) % tuple(times.tolist())).split("\n")[:-1]


def _escaped(label: str) -> str:
    return label.replace("%", "%%")
