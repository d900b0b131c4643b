"""The `occup` block: occupations of orbitals by number, which a closed-shell propagation starts with."""

from ..free_format.lines import Line, LineReader

_MOST_ORBITALS = 3000


def read_occupations(line: Line, reader: LineReader) -> tuple[tuple[float, ...], ...]:
    """Read `occup`: numbers of alpha and beta orbitals, then a row for each, `<alpha> <beta>`.

    Returns them by spin; one spin alone for a closed shell.
    """
    line.finish()
    counts: list[int] = []
    columns: list[list[float]] = [[], []]
    for row in reader.block(line):
        row.cursor = 0
        if not counts:
            counts = [row.take_integer("number of orbitals") for _ in range(2)]
            if not 1 <= counts[0] <= _MOST_ORBITALS or not 0 <= counts[1] <= counts[0]:
                row.fail(f"occup: expected <alpha> <beta>, 1 to {_MOST_ORBITALS} and not more")
            continue
        most = 1.0 if counts[1] else 2.0
        for column, count in zip(columns, counts, strict=True):
            if len(column) < count:
                column.append(row.take_within("occupation", 0.0, most))
    if not counts or [len(column) for column in columns] != counts:
        line.fail("occup has not as many rows as it says")
    return tuple(tuple(column) for column in columns if column)
