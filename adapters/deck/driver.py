"""The `driver` block: when and how `task dft optimize` ends, which an installed NWChem carries out."""

from ..free_format.lines import Line, LineReader

_ALONE = ("loose", "default", "tight", "clear", "redoautoz", "noredoautoz")
_WHOLE = ("maxiter", "inhess")
#: Thresholds on forces and steps, the energy's precision, the largest step: all of them positive.
_REAL = ("gmax", "grms", "xmax", "xrms", "eprec", "trust", "sadstp")
_MOST = 100_000


def read_driver(opening: Line, reader: LineReader) -> tuple[str, ...]:
    """Lines for NWChem's own deck, written anew; what else stands there is passed over with a notice."""
    opening.finish()
    lines: list[str] = []
    for row in reader.block(opening):
        key = row.keyword
        if key in _ALONE:
            lines.append(key)
        elif key in _WHOLE:
            lines.append(f"{key} {int(row.take_within(key, 0, _MOST))}")
        elif key in _REAL:
            lines.append(f"{key} {row.take_within(key, 1e-12, 1e3)!r}")
        else:
            row.rest()
            reader.notice(row, f"driver {row.words[0]}: passed over")
            continue
        row.finish()
    return tuple(lines)
