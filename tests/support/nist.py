"""The NIST tables in `nist_tables`, read for the tests and the benchmark."""

import csv
from dataclasses import dataclass
from pathlib import Path

from hybrid_propagate.atomic.solver.model import Model, Orbital

DATA = Path(__file__).parent / "nist_tables"

# The tables' speed of light (CODATA 1986).
NIST_SPEED_OF_LIGHT = 137.0359895

MODELS = {
    "lda": Model(),
    "lsd": Model(spin=True),
    "scrlda": Model(relativity="scalar", speed_of_light=NIST_SPEED_OF_LIGHT),
    "rlda": Model(relativity="dirac", speed_of_light=NIST_SPEED_OF_LIGHT),
}


@dataclass(frozen=True)
class Table:
    """totals: (Z, charge) -> Hartree. eigenvalues: (Z, charge, shell, label) -> Hartree."""

    totals: dict[tuple[int, int], float]
    eigenvalues: dict[tuple[int, int, str, str], float]


def nist_table(name: str) -> Table:
    """One of lda, lsd, scrlda, rlda."""
    totals = {(int(r["Z"]), int(r["charge"])): float(r["Etot"]) for r in rows(f"nist_{name}_totals.csv")}
    eigenvalues = {
        (int(r["Z"]), int(r["charge"]), r["orbital"], r["label"]): float(r["eigenvalue"])
        for r in rows(f"nist_{name}_eigenvalues.csv")
    }
    return Table(totals, eigenvalues)


def label(orbital: Orbital, name: str) -> str:
    """The tables' label: D majority, u minority spin; M for j = l - 1/2, P for j = l + 1/2."""
    if name == "lsd":
        return "Du"[orbital.spin]
    if orbital.j is not None:
        return "M" if orbital.j < orbital.l else "P"
    return ""


def dftatom_table(name: str) -> dict[int, tuple[float, list[float]]]:
    """Z -> (total, eigenvalues by n, then l, then j), converged to about 2e-9 Ha. name: lda or rlda."""
    return {
        int(r["Z"]): (
            float(r["Etot"]),
            [float(e) for e in r["eigenvalues_space_separated_in_dftatom_state_order"].split()],
        )
        for r in rows(f"dftatom_{name}_1e-9.csv")
    }


def extended_table(name: str) -> dict[int, tuple[float, list[float]]]:
    """Z -> (total, eigenvalues by n, l, j) of `extended_atom`, to 1e-12 Ha. name: lda or rlda."""
    return {
        int(r["Z"]): (float(r["Etot"]), [float(e) for e in r["eigenvalues_in_order_of_n_l_j"].split()])
        for r in rows(f"extended_{name}.csv")
    }


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file in `data`."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
