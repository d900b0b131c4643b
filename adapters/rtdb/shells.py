"""Basis sets and effective core potentials out of NWChem's database, as deck text.

    header               tags, contractions, primitives, coefficients, length of `exps and coeffs`, spherical
    tags info            7 a tag: contractions, …, its first and its last one, core electrons of an ECP
    contraction info     9 a contraction: l (-1: an ECP's local part), primitives n, columns of coefficients,
                         where its exponents start, its coefficients and, of an ECP, its powers of r
    star …               `* library` lines, which NWChem writes out when a task meets a geometry

Positions count from one. (NWChem, src/basis/inc/bas.fh and basP.fh.)
"""

from pathlib import PurePosixPath

import numpy as np

from .entries import Entries
from .part import Part
from .reals import real_text

_MOMENTA = "SPDFGHIK"
_ROLES = ("ao basis", "cd basis", "ecp basis")
#: Folders of NWChem's own library.
_LIBRARIES = ("libraries", "libraries.bse")


def shells_parts(entries: Entries) -> list[Part]:
    """Basis sets, ECPs, and which of them stand for which role."""
    names = entries.texts("basis:names")
    lines: list[str] = []
    obstacle = ""
    for name in names:
        if entries.array(f"basis:{name}:header")[6:7].any():
            continue
        stars, reason = _star_lines(entries, name)
        obstacle = obstacle or reason
        kind = "spherical" if entries.array(f"basis:{name}:header")[5:6].any() else "cartesian"
        lines += [f'basis "{name}" {kind}', *_shell_lines(entries, name), *stars, "end"]
    for role in _ROLES:
        if role in entries:
            lines.append(f'set "{role}" string "{entries.text(role)}"')
    parts = [Part(("basis",), () if obstacle else tuple(lines), obstacle)]
    ecps = [name for name in names if entries.array(f"basis:{name}:header")[6:7].any()]
    if ecps:
        parts.append(_potentials(entries, ecps))
    return parts


def _contractions(entries: Entries, name: str) -> list[tuple[str, np.ndarray]]:
    """Tag and row of `contraction info`, in order."""
    rows = entries.array(f"basis:{name}:contraction info").reshape(-1, 9)
    infos = entries.array(f"basis:{name}:tags info").reshape(-1, 7)
    tags = entries.texts(f"basis:{name}:bs_tags")
    return [
        (tag, rows[k])
        for tag, info in zip(tags, infos, strict=False)
        if info[0]
        for k in range(int(info[3]) - 1, int(info[4]))
    ]


def _shell_lines(entries: Entries, name: str) -> list[str]:
    numbers = entries.array(f"basis:{name}:exps and coeffs")
    lines: list[str] = []
    for tag, row in _contractions(entries, name):
        degree, n, columns, exponents, coefficients = (int(x) for x in row[:5])
        table = [numbers[exponents - 1 : exponents - 1 + n]]
        table += list(numbers[coefficients - 1 : coefficients - 1 + n * columns].reshape(columns, n))
        lines.append(f"  {tag} {_MOMENTA[degree]}")
        lines += ("    " + " ".join(map(real_text, values)) for values in np.transpose(table).tolist())
    return lines


def _star_lines(entries: Entries, name: str) -> tuple[list[str], str]:
    """`* library` lines, and why they cannot be taken over."""
    lead = f"basis:{name}:star "
    sets, folders = entries.texts(lead + "bas type"), entries.texts(lead + "filename")
    counts = entries.array(lead + "nr except").astype(int).tolist()
    excepted = entries.texts(lead + "except")
    lines: list[str] = []
    for words, folder, count in zip(sets, folders, counts, strict=True):
        if PurePosixPath(folder).name not in _LIBRARIES:
            return [], f"basis {name!r} comes from the library in {folder}"
        others, excepted = excepted[:count], excepted[count:]
        lines.append(" ".join([f'  * library "{words}"', *(["except", *others] if others else [])]))
    return lines, ""


def _potentials(entries: Entries, names: list[str]) -> Part:
    lines: list[str] = []
    for name in names:
        if entries.number(f"basis:{name}:star nr tags"):
            return Part(("ecp",), (), f"ecp {name!r} takes a library for every tag")
        infos = entries.array(f"basis:{name}:tags info").reshape(-1, 7)
        numbers = entries.array(f"basis:{name}:exps and coeffs")
        lines.append(f'ecp "{name}"')
        tags = entries.texts(f"basis:{name}:bs_tags")
        lines += [f"  {tag} nelec {int(info[5])}" for tag, info in zip(tags, infos, strict=False)]
        for tag, row in _contractions(entries, name):
            degree, n, _, exponents, coefficients, _, powers = (int(x) for x in row[:7])
            lines.append(f"  {tag} {'ul' if degree < 0 else _MOMENTA[degree]}")
            starts = [at - 1 for at in (powers, exponents, coefficients)]
            r, a, c = (numbers[at : at + n].tolist() for at in starts)
            lines += [f"    {int(p)} {real_text(x)} {real_text(y)}" for p, x, y in zip(r, a, c, strict=True)]
        lines.append("end")
    return Part(("ecp",), tuple(lines))
