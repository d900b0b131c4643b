"""The `tddft` block, linear response: settings that stay in force until a later block changes them."""

from dataclasses import dataclass, replace

from ..free_format.errors import DeckError
from ..free_format.lines import Line, LineReader, suggestion
from ..free_format.nwchem_only import pass_over

_MOST_ROOTS = 10**4
_TDDFT_WITHOUT_EFFECT = ("maxiter", "maxvecs", "thresh", "print", "noprint", "trials", "algorithm")


@dataclass(frozen=True)
class TddftSettings:
    """What `tddft` blocks have set so far. obstacles: lines that only a task of theirs would refuse."""

    n_roots: int = 1
    singlet: bool = True
    triplet: bool = True
    tamm_dancoff: bool = False
    obstacles: tuple[DeckError, ...] = ()


def read_tddft(line: Line, reader: LineReader, before: TddftSettings) -> TddftSettings:
    """Settings after the `tddft` block (linear response) that `line` opens.

    A block forgets the roots and the approximation of those before it, and keeps their spins, as in NWChem.
    """
    line.finish()
    settings = replace(before, n_roots=1, tamm_dancoff=False, obstacles=())
    for row in reader.block(line):
        key = row.keyword
        if key == "nroots":
            count = row.take_integer("number of roots")
            if not 1 <= count <= _MOST_ROOTS:
                row.fail(f"nroots must lie between 1 and {_MOST_ROOTS}")
            settings = replace(settings, n_roots=count)
        elif key in ("notriplet", "nosinglet"):
            settings = replace(settings, **{key[2:]: False})
        elif key in ("singlet", "triplet"):
            settings = replace(settings, **{key: True})
        elif key in ("cis", "tda", "rpa"):
            settings = replace(settings, tamm_dancoff=key != "rpa")
        elif key in _TDDFT_WITHOUT_EFFECT:
            pass_over(row)
        else:
            accepted = (
                "nroots",
                "notriplet",
                "nosinglet",
                "singlet",
                "triplet",
                "cis",
                "rpa",
                *_TDDFT_WITHOUT_EFFECT,
            )
            text = f"tddft directive {row.words[0]!r} is not carried out{suggestion(key, accepted)}"
            settings = replace(settings, obstacles=(*settings.obstacles, DeckError(row.place, text)))
            row.rest()
            if key == "grad":
                reader.pass_over_block(row)
    return settings
