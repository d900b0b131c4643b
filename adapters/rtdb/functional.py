"""The `dft` block and the charge out of NWChem's database, as deck text.

`xc_spec` keeps the words of the `xc` line.
"""

from pathlib import Path

import numpy as np

from .entries import Entries
from .part import Part
from .reals import real_text

#: Exchange whose operator a `cam` line shapes; other words set theirs themselves.
_ATTENUATED = ("xcamb88", "xcampbe96", "xcamlsd", "xcams12g", "xcams12h", "xwpbe", "xbnl07")
#: Corrections of the potential.
_POTENTIALS = ("lb94", "cs00", "ncap")


def dft_parts(entries: Entries, folder: Path) -> list[Part]:
    """Charge, functional, multiplicity, grid, occupations, the orbitals that tasks start from, their SCF.

    folder: where the files of the run are.
    """
    charge = Part(
        ("charge",), (f"charge {real_text(entries.number('charge'))}",) if "charge" in entries else ()
    )
    return [
        charge,
        _functional(entries),
        _block(("mult",), _shell(entries)),
        _block(("grid",), [f"grid {entries.text('dft:gridtype')}"] if "dft:gridtype" in entries else []),
        _block((), _vectors(entries, folder)),
        _occupations(entries),
        Part(("ground state",), ("task dft energy",) if "dft:energy" in entries else ()),
    ]


def _functional(entries: Entries) -> Part:
    words = entries.text("dft:xc_spec")
    if not words and not _is_default(entries):
        return Part(("xc",), (), "a functional without its name")
    corrected = [word for word in _POTENTIALS if entries.flag(f"dft:{word}")]
    if corrected:
        return Part(("xc",), (), f"dft directive {corrected[0]!r}")
    lines = [f"xc {words}"] if words else []
    if any(word.lower().strip('"') in _ATTENUATED for word in words.split()) and "dft:cam_omega" in entries:
        omega, alpha, beta = (entries.number(f"dft:cam_{name}") for name in ("omega", "alpha", "beta"))
        lines.append(f"cam {real_text(omega)} cam_alpha {real_text(alpha)} cam_beta {real_text(beta)}")
    return _block(("xc",), lines)


def _is_default(entries: Entries) -> bool:
    """Whether the functional is the one without an `xc` line: none yet, or `slater vwn_5` behind an SCF."""
    used = {
        name: np.flatnonzero(entries.array(f"dft:{name}")).tolist() for name in ("xfac", "cfac", "xccomb")
    }
    return used in (dict(xfac=[], cfac=[], xccomb=[]), dict(xfac=[1], cfac=[0], xccomb=[]))


def _shell(entries: Entries) -> list[str]:
    multiplicity = int(entries.number("dft:mult"))
    if multiplicity < 0:
        return []
    lines = [f"mult {multiplicity}"] if multiplicity else []
    return [*lines, *(["odft"] if entries.number("dft:ipol") == 2.0 else [])]


def _occupations(entries: Entries) -> Part:
    """`smear`, `fon` and `max_ovl` of the dft block, and the block `occup`."""
    sets = ("occupations",)
    if entries.flag("dft:lcdft"):
        return Part(sets, (), "dft directive 'cdft'")
    lines = ["max_ovl"] if entries.flag("dft:max_ovl") else []
    if "dft:smear_sigma" in entries:
        lines.append(f"smear {real_text(entries.number('dft:smear_sigma'))}")
    if entries.flag("dft:fon"):
        numbers = (entries.array(f"dft:{name}_fon") for name in ("nmo", "nel", "ncore"))
        for spin, partial, electrons, filled in zip(("alpha", "beta"), *numbers, strict=False):
            if partial:
                words = f"partial {int(partial)} electrons {real_text(float(electrons))} filled {int(filled)}"
                lines.append(f"fon {spin} {words}")
    block = _block(sets, lines)
    counts, listed = entries.array("focc:occup"), entries.array("focc:occup_list")
    if not entries.flag("focc:occup_switch") or counts.size != 2:
        return block
    rows, at = [], 0
    for row in range(int(counts.max())):
        n = int((counts > row).sum())
        rows.append(" ".join(real_text(float(value)) for value in listed[at : at + n]))
        at += n
    occup = ("occup", f"  {int(counts[0])} {int(counts[1])}", *(f"  {row}" for row in rows), "end")
    return Part(sets, (*block.lines, *occup))


def _vectors(entries: Entries, folder: Path) -> list[str]:
    given, left = (_relative(entries.text(f"dft:{end} vectors"), folder) for end in ("input", "output"))
    if given.lower() in ("", "atomic", "hcore", "fragment"):
        return []
    return [f'vectors input "{given}" output "{left or given}"']


def _relative(name: str, folder: Path) -> str:
    """A file as the deck names it: NWChem puts the folder of the run before the name."""
    path = Path(name)
    return path.name if name and path.parent.resolve() == folder.resolve() else name


def _block(sets: tuple[str, ...], lines: list[str]) -> Part:
    return Part(sets, ("dft", *(f"  {line}" for line in lines), "end") if lines else ())
