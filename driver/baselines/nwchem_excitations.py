"""Excitations by NWChem's own `tddft`, on the deck of a propagation: made into one, and read from its log."""

import re

import numpy as np

from ...surrogate.samples.resonances import Excitations

#: Roots asked for: NWChem finds them one by one, and gets slower with each.
ROOTS = 20
_BLOCK = re.compile(r"^\s*rt_tddft\s*$", re.MULTILINE | re.IGNORECASE)
_ROOT = re.compile(
    r"^ *Root +\d+ .*? (?P<energy>\d+\.\d+) a\.u\..*?"
    r"^ *Transition Moments +X +(?P<x>\S+) +Y +(?P<y>\S+) +Z +(?P<z>\S+)",
    re.MULTILINE | re.DOTALL,
)


def excitation_deck(text: str) -> str:
    """A deck that ends ahead of its first `rt_tddft` block, and asks for singlets there."""
    before = _BLOCK.split(text, maxsplit=1)[0]
    return f"{before}tddft\n  nroots {ROOTS}\n  notriplet\nend\ntask tddft energy\n"


def read_excitations(log: str) -> Excitations:
    """The roots of NWChem's log, as many as there are."""
    roots = [[float(root[name]) for name in ("energy", "x", "y", "z")] for root in _ROOT.finditer(log)]
    table = np.array(roots).reshape(len(roots), 4)
    return Excitations(table[:, 0], table[:, 1:])
