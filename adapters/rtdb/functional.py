"""The `dft` block and the charge out of NWChem's database, as deck text.

`xc_spec` keeps the words of the `xc` line.
"""

from pathlib import Path

from .entries import Entries
from .part import Part
from .reals import real_text

#: Exchange whose operator a `cam` line shapes; other words set theirs themselves.
_ATTENUATED = ("xcamb88", "xcampbe96", "xcamlsd", "xcams12g", "xcams12h", "xwpbe", "xbnl07")
#: Corrections of the potential.
_POTENTIALS = ("lb94", "cs00", "ncap")
#: Entries of directives that choose occupations.
_OCCUPATIONS = ("smear_sigma", "fon", "cdft", "ncdft")


def dft_parts(entries: Entries, folder: Path) -> list[Part]:
    """Charge, functional, multiplicity, grid, and the orbitals that tasks start from.

    folder: where the files of the run are.
    """
    charge = Part(
        ("charge",), (f"charge {real_text(entries.number('charge'))}",) if "charge" in entries else ()
    )
    occupied = [word for word in _OCCUPATIONS if f"dft:{word}" in entries]
    return [
        charge,
        _functional(entries),
        _block(("mult",), _shell(entries)),
        _block(("grid",), [f"grid {entries.text('dft:gridtype')}"] if "dft:gridtype" in entries else []),
        _block((), _vectors(entries, folder)),
        Part(("occupations",), (), f"dft directive {occupied[0]!r}" if occupied else ""),
    ]


def _functional(entries: Entries) -> Part:
    words = entries.text("dft:xc_spec")
    if not words and ("dft:xfac" in entries or "dft:cfac" in entries):
        return Part(("xc",), (), "a functional without its name")
    corrected = [word for word in _POTENTIALS if entries.flag(f"dft:{word}")]
    if corrected:
        return Part(("xc",), (), f"dft directive {corrected[0]!r}")
    lines = [f"xc {words}"] if words else []
    if any(word.lower().strip('"') in _ATTENUATED for word in words.split()) and "dft:cam_omega" in entries:
        omega, alpha, beta = (entries.number(f"dft:cam_{name}") for name in ("omega", "alpha", "beta"))
        lines.append(f"cam {real_text(omega)} cam_alpha {real_text(alpha)} cam_beta {real_text(beta)}")
    return _block(("xc",), lines)


def _shell(entries: Entries) -> list[str]:
    multiplicity = int(entries.number("dft:mult"))
    if multiplicity < 0:
        return []
    lines = [f"mult {multiplicity}"] if multiplicity else []
    return [*lines, *(["odft"] if entries.number("dft:ipol") == 2.0 else [])]


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
