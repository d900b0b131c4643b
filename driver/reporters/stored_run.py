"""What a trajectory file keeps beside the trajectory: the system, its matrices, where the run started."""

import json
from dataclasses import replace

import numpy as np

from ...adapters.deck import PropagationTask
from ...adapters.files.basis_table import basis_table
from ...adapters.files.trajectory import Fixed, fixed_part
from ...adapters.pyscf.engine import PySCFEngine
from .about import about


def stored_run(
    task: PropagationTask,
    title: str,
    engine: PySCFEngine,
    settings: dict[str, str],
    ground: dict[str, np.ndarray],
) -> Fixed:
    """The part of the file that does not change; ground: arrays of the starting point, by name."""
    real_time, table = task.real_time, basis_table(engine.mol)
    fixed = fixed_part(
        task.system,
        engine.integrals.overlap,
        engine.integrals.core,
        np.stack([table.atom_index, table.angular_momentum, table.magnetic_quantum], axis=1),
        {
            **about(task, title),
            "geometries": json.dumps([geometry.name for geometry in task.system.geometries]),
            "spherical": task.system.spherical,
            "propagator": real_time.propagator,
            "settings": json.dumps(settings),
        },
    )
    fixed_arrays = {**fixed.arrays, **{f"ground/{name}": value for name, value in ground.items()}}
    return replace(fixed, arrays=fixed_arrays)
