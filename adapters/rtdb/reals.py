"""Reals as NWChem's input reader computes them, and as text that it computes them from (inp_f)."""

import math
import re

_REAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eEdD]([+-]?[0-9]+))?")


def real_value(text: str) -> float | None:
    """Value of a real as NWChem computes it, None where the text is no real.

    All digits form one integer that is multiplied by 10.0**n, or by 0.1**n for a negative power, so `2.4` is
    24*0.1 = 2.4000000000000004. The propagation's step count depends on it.
    """
    match = _REAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, decimals, exponent = match[1], match[2], match[3] or "", match[4] or "0"
    digits = (whole + decimals).lstrip("0")
    power = int(exponent) - len(decimals)
    if len(digits) > 300 or power > 300:
        return None
    if power < -300:
        return 0.0
    value = float(int(digits or "0"))
    value = value * 10.0**power if power >= 0 else value * _tenth_to(-power)
    return -value if sign == "-" else value


def real_text(value: float) -> str:
    """The shortest text of up to 17 digits with this value, else a longer one, or the nearest there is."""
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if real_value(text) == value:
            return text
    # Not every double is an integer times 0.1**n, rounded; but one n in a few reaches it.
    middle = 17 - math.floor(math.log10(abs(value)))
    texts = [
        f"{int(whole)}e{-n}"
        for n in range(max(middle - 4, 1), middle + 5)
        for nearest in [value / _tenth_to(n)]
        for whole in (nearest, math.nextafter(nearest, math.inf), math.nextafter(nearest, -math.inf))
    ]
    return min(texts, key=lambda text: abs((real_value(text) or 0.0) - value))


def _tenth_to(n: int) -> float:
    """0.1**n for n > 0 by repeated squaring, as compiled Fortran rounds it: 0.1**2 = 0.010000000000000002."""
    square, result = 0.1, 1.0
    while n:
        if n % 2:
            result *= square
        square *= square
        n //= 2
    return result
