"""Element symbols, and the ground-state configurations of neutral atoms and singly charged cations.

A configuration is the filling by n + l (Madelung), then n, with the exceptions below; a cation lacks the
electron of the highest n, then the highest l, with the exceptions below. Source: NIST Atomic Spectra
Database, ground levels of neutral atoms and first ions (for Z > 103 the predicted ones).
"""
# ruff: noqa: E741 (l is the angular momentum)

from .errors import InputError

# fmt: off
_NAMED: tuple[str, ...] = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
    "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
    "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
    "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
    "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr",
    "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
)
# fmt: on

#: The heaviest atom that keeps its 1s above the negative continuum.
LAST_Z = 172


def systematic_name(z: int) -> str:
    """IUPAC's name by digits, Pure Appl. Chem. 51, 381 (1979): 120 is unbinilium."""
    name = "".join(_DIGITS[int(d)] for d in str(z)) + "ium"
    return name.replace("nnn", "nn").replace("ii", "i")


_DIGITS = ("nil", "un", "bi", "tri", "quad", "pent", "hex", "sept", "oct", "enn")

#: Of Z = 1 to LAST_Z; beyond oganesson by the digits' initials, 119 is Uue.
SYMBOLS: tuple[str, ...] = _NAMED + tuple(
    "".join(_DIGITS[int(d)][0] for d in str(z)).capitalize() for z in range(len(_NAMED) + 1, LAST_Z + 1)
)
#: The last element with a ground configuration of its own here.
LAST_NAMED = len(_NAMED)

NOBLE_GASES = {"He": 2, "Ne": 10, "Ar": 18, "Kr": 36, "Xe": 54, "Rn": 86, "Og": 118}

LETTERS = "spdfghik"

# Outer shells where the neutral atom departs from the rule.
NEUTRAL_EXCEPTIONS = {
    24: "[Ar] 3d5 4s1",
    29: "[Ar] 3d10 4s1",
    41: "[Kr] 4d4 5s1",
    42: "[Kr] 4d5 5s1",
    44: "[Kr] 4d7 5s1",
    45: "[Kr] 4d8 5s1",
    46: "[Kr] 4d10",
    47: "[Kr] 4d10 5s1",
    57: "[Xe] 5d1 6s2",
    58: "[Xe] 4f1 5d1 6s2",
    64: "[Xe] 4f7 5d1 6s2",
    78: "[Xe] 4f14 5d9 6s1",
    79: "[Xe] 4f14 5d10 6s1",
    89: "[Rn] 6d1 7s2",
    90: "[Rn] 6d2 7s2",
    91: "[Rn] 5f2 6d1 7s2",
    92: "[Rn] 5f3 6d1 7s2",
    93: "[Rn] 5f4 6d1 7s2",
    96: "[Rn] 5f7 6d1 7s2",
    103: "[Rn] 5f14 7s2 7p1",
}

# Outer shells where the cation departs from the rule.
CATION_EXCEPTIONS = {
    23: "[Ar] 3d4",
    27: "[Ar] 3d8",
    28: "[Ar] 3d9",
    39: "[Kr] 5s2",
    57: "[Xe] 5d2",
    58: "[Xe] 4f1 5d2",
    71: "[Xe] 4f14 6s2",
    72: "[Xe] 4f14 5d1 6s2",
    89: "[Rn] 7s2",
    91: "[Rn] 5f2 7s2",
    92: "[Rn] 5f3 7s2",
}


def atomic_number(element: str | int) -> int:
    """Z of a symbol ("Fe", any case), or of a number given as such or as text. Raises InputError."""
    text = str(element).strip()
    if text.isdecimal() and 1 <= int(text) <= len(SYMBOLS):
        return int(text)
    if text.capitalize() in SYMBOLS:
        return SYMBOLS.index(text.capitalize()) + 1
    names = [systematic_name(z) for z in range(LAST_NAMED + 1, LAST_Z + 1)]
    if text.lower() in names:
        return LAST_NAMED + 1 + names.index(text.lower())
    raise InputError(
        f"unknown element {text!r}: give a symbol from H to Og or Uue to Usb, or a number from 1 to {LAST_Z}"
    )


def madelung_order() -> list[tuple[int, int]]:
    """(n, l) in the order of filling, to 8f: by n + l, then n."""
    return sorted(((n, l) for n in range(1, 9) for l in range(min(n, 4))), key=lambda s: (s[0] + s[1], s[0]))
