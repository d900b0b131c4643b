"""The same digits with every processor's linear algebra, against extended precision and the 1e-9 tables."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from extended_atom import extended_atom
from hybrid_propagate.atomic.solver.mesh import spectral_mesh
from nist import MODELS, dftatom_table, extended_table

SUPPORT = Path(__file__).parents[2] / "support"

# Prints the kernels in use, which this processor may not have the instructions of.
KERNELS = """
import json, numpy, scipy.linalg, sys, threadpoolctl
square = numpy.linalg.eigh(numpy.ones((64, 64)) @ numpy.ones((64, 64)))[1]
scipy.linalg.eigh(square @ square.T)
kernels = sorted({lib["architecture"] for lib in threadpoolctl.threadpool_info() if "architecture" in lib})
json.dump(kernels, sys.stdout)
"""

# Solves every atom; prints Z -> [total, levels by n, l, j].
ATOMS = """
import json, sys
from hybrid_propagate.atomic.solver.scf import solve_atom
from nist import MODELS
found = {}
for name in ("lda", "rlda"):
    for z in range(1, 93):
        atom = solve_atom(z, model=MODELS[name])
        found[f"{name} {z}"] = [float(atom.energies.total), [float(e) for e in atom.levels]]
json.dump(found, sys.stdout)
"""

# Zen runs Haswell's kernels. Without AVX-512 some OpenBLAS takes others for SkylakeX, some dies of it.
RUNS_AS = {"Zen": {"Zen", "Haswell"}, "SkylakeX": {"SkylakeX", "Haswell", "Zen"}}


@pytest.fixture(scope="module")
def solved() -> dict[tuple[str, ...], dict[str, Any]]:
    """By the kernels in use: two names may be the same kernels, and one of them is this processor's own."""
    return {}


@pytest.mark.parametrize("kernel", ["", "Haswell", "Zen", "SkylakeX", "Sandybridge", "Nehalem"])
def test_every_atom_has_the_same_digits_with_every_kernel(
    kernel: str, solved: dict[tuple[str, ...], dict[str, Any]]
) -> None:
    """Totals to 1e-10 Ha and levels to 3e-10 Ha of the extended-precision atoms, Schrödinger and Dirac."""
    environment = os.environ | {"PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1"}
    environment.pop("OPENBLAS_CORETYPE", None)
    if kernel:
        environment["OPENBLAS_CORETYPE"] = kernel

    def printed(program: str) -> Any:
        command = [sys.executable, "-c", program]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if program == KERNELS and run.returncode == -signal.SIGILL:
            pytest.skip(f"this processor cannot run the kernels of {kernel}")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    kernels = tuple(printed(KERNELS))
    if kernel and platform.machine() == "x86_64":
        assert set(kernels) <= RUNS_AS.get(kernel, {kernel})
    found = solved[kernels] if kernels in solved else solved.setdefault(kernels, printed(ATOMS))
    for name in ("lda", "rlda"):
        table = dftatom_table(name)
        for z, (exact, exact_levels) in extended_table(name).items():
            total, levels = found[f"{name} {z}"]
            assert total == pytest.approx(exact, rel=0, abs=1e-10), (name, z)
            assert levels == pytest.approx(exact_levels, rel=0, abs=3e-10), (name, z)
            bound = 5e-10 if z <= 54 else 1e-9
            table_error = abs(table[z][0] - exact)
            assert abs(total - table[z][0]) < bound or table_error > bound - 1e-10, (name, z)


@pytest.mark.parametrize(("name", "worst", "beyond"), [("lda", 4.5e-9, 31), ("rlda", 3.1e-9, 26)])
def test_what_the_1e9_tables_lack(name: str, worst: float, beyond: int) -> None:
    """dftatom's totals are converged to about 2e-9 Ha: extended precision shows where they end."""
    exact = extended_table(name)
    errors = np.array([row[0] - exact[z][0] for z, row in dftatom_table(name).items()])
    assert np.abs(errors).max() == pytest.approx(worst, abs=5e-11)
    assert np.count_nonzero(np.abs(errors) > 1e-9) == beyond


@pytest.mark.parametrize(
    ("z", "name", "order", "growth"), [(19, "lda", 18, 2.8), (90, "lda", 18, 2.8), (24, "rlda", 18, 2.8)]
)
def test_the_extended_table_does_not_depend_on_its_mesh(z: int, name: str, order: int, growth: float) -> None:
    mesh = spectral_mesh(float(z), name == "rlda", r_max=55.0, order=order, growth=growth)
    atom = extended_atom(z, MODELS[name], mesh)
    total, levels = extended_table(name)[z]
    assert float(atom.total) == pytest.approx(total, rel=0, abs=1e-11)
    assert atom.levels.astype(np.float64) == pytest.approx(levels, rel=0, abs=3e-11)
