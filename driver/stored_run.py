"""What a trajectory file keeps beside the trajectory: the system, its matrices, where the run started."""

import json
from dataclasses import replace

import numpy as np

from ..adapters.deck import Propagation
from ..adapters.pyscf_engine import PySCFEngine
from ..adapters.trajectory import Fixed, fixed_part


def stored_run(
    task: Propagation, engine: PySCFEngine, settings: dict[str, str], ground: dict[str, np.ndarray]
) -> Fixed:
    """The part of the file that does not change; ground: arrays of the starting point, by name."""
    real_time = task.real_time
    fixed = fixed_part(
        task.system,
        engine.integrals.overlap,
        engine.integrals.core,
        _basis_rows(engine),
        {
            "dt": real_time.dt,
            "tmax": real_time.tmax,
            "tag": real_time.tag,
            "propagator": real_time.propagator,
            "settings": json.dumps(settings),
        },
    )
    fixed_arrays = {**fixed.arrays, **{f"ground/{name}": value for name, value in ground.items()}}
    return replace(fixed, arrays=fixed_arrays)


def _basis_rows(engine: PySCFEngine) -> np.ndarray:
    """(n, 3): atom, l, m of each function, in PySCF's order."""
    mol = engine.mol
    rows = []
    for shell in range(mol.nbas):
        degree, atom = int(mol.bas_angular(shell)), int(mol.bas_atom(shell))
        if mol.cart:
            m = list(range((degree + 1) * (degree + 2) // 2))
        elif degree == 1:
            # PySCF orders p functions x, y, z.
            m = [1, -1, 0]
        else:
            m = list(range(-degree, degree + 1))
        rows += [[atom, degree, k] for _ in range(int(mol.bas_nctr(shell))) for k in m]
    return np.array(rows)
