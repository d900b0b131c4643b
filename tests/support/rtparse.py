"""What NWChem's own parser of RT-TDDFT logs looks for, restated."""

import numpy as np


def parse_like_nw_rtparse(text: str, tag: str, what: str, spin: str, geometry: str) -> np.ndarray:
    """NWChem's parser by its documentation: substring tests a line; column 2 is time, 3 on the values.

    It stops where one time stands twice in a row: then the words fit two quantities.
    """
    target = {"dipole": "Dipole moment", "efield": "Applied E-field", "energy": "Etot", "S2": "S^2"}
    target["charge"] = "Charge"
    spins = {"closedshell": "", "alpha": "alpha", "beta": "beta", "total": "total"}
    rows = []
    for line in text.splitlines():
        has_geometry = what in ("energy", "S2") or geometry in line
        if all(part in line for part in (tag, target[what], spins[spin])) and has_geometry:
            columns = line.split()
            n_values = 3 if what in ("dipole", "efield") else 1
            rows.append([float(column) for column in columns[1 : 2 + n_values]])
    found = np.array(rows)
    assert len(found), f"no line has {what} of {geometry}, {spin}"
    assert (np.abs(np.diff(found[:, 0])) > 1e-6).all(), f"{what} of {geometry}, {spin}: a time stands twice"
    return found
