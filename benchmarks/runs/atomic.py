"""The radial solver against published tables and against the clock.

Prints Markdown tables: speed in one thread, accuracy (NIST SRD 141, the 1e-9 tables of dftatom), ionisation
energies. `--quick` takes every eighth element. Seconds are processor time, the least of three runs.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
# The published tables and their reader belong to the tests.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from hybrid_propagate.atomic.solver.errors import ConvergenceError, InputError
from hybrid_propagate.atomic.solver.mesh import spectral_mesh
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.scf import solve_atom
from hybrid_propagate.atomic.solver.uniform import UniformGrid, solve_uniform
from hybrid_propagate.atomic.study.ionisation import MEASURED, ionisation_energy, mean_absolute_error
from nist import MODELS, dftatom_table, label, nist_table

NAMES = {"lda": "LDA", "lsd": "LSD", "scrlda": "scalar-relativistic LDA", "rlda": "Dirac LDA"}


def accuracy_against_nist(name: str, step: int) -> str:
    """One row: atoms and cations solved, worst errors, what exceeds the tables' rounding."""
    table = nist_table(name)
    worst_total, worst_level = (0.0, ""), (0.0, "")
    failed, over = [], []
    atoms = [key for key in sorted(table.totals) if (key[0] - 1) % step == 0]
    for z, charge in atoms:
        try:
            atom = solve_atom(z, charge, model=MODELS[name])
        except (ConvergenceError, InputError) as error:
            failed.append(f"Z={z}{'+' * charge}: {error}")
            continue
        error = abs(atom.energies.total - table.totals[z, charge])
        worst_total = max(worst_total, (error, f"Z={z}{'+' * charge}"))
        if error > 1e-6:
            over.append(f"Z={z}{'+' * charge} total {error:.1e}")
        for o, level in zip(atom.orbitals, atom.levels, strict=True):
            key = (z, charge, o.label[:2], label(o, name))
            if key in table.eigenvalues:
                error = abs(level - table.eigenvalues[key])
                worst_level = max(worst_level, (error, f"Z={z}{'+' * charge} {o.label}"))
                if error > 2e-6:
                    over.append(f"Z={z}{'+' * charge} {o.label} {error:.1e}")
    row = f"| NIST {NAMES[name]} | {len(atoms)} | {len(failed)} | {worst_total[0]:.1e} ({worst_total[1]}) | "
    row += f"{worst_level[0]:.1e} ({worst_level[1]}) | {'; '.join(over) or 'none'} |"
    return "\n".join([row, *failed])


def accuracy_against_dftatom(name: str, step: int) -> str:
    """One row for the tables that are converged to about 2e-9 Ha."""
    worst_total, worst_level = (0.0, ""), (0.0, "")
    table = {z: row for z, row in dftatom_table(name).items() if (z - 1) % step == 0}
    for z, (total, levels) in table.items():
        atom = solve_atom(z, model=MODELS[name])
        worst_total = max(worst_total, (abs(atom.energies.total - total), f"Z={z}"))
        pairs = zip(sorted(atom.levels), sorted(levels), strict=True)
        worst_level = max(worst_level, (max(abs(a - b) for a, b in pairs), f"Z={z}"))
    return (
        f"| dftatom 1e-9, {NAMES[name]} | {len(table)} | 0 | {worst_total[0]:.1e} ({worst_total[1]}) | "
        f"{worst_level[0]:.1e} ({worst_level[1]}) | |"
    )


def seconds(task: Callable[[], object], repeats: int = 3) -> float:
    """Least processor time of some runs."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        task()
        times.append(time.process_time() - began)
    return min(times)


def solve_all() -> None:
    """All 92 neutral atoms, meshes included."""
    spectral_mesh.cache_clear()
    for z in range(1, 93):
        solve_atom(z)


def speed() -> list[str]:
    """Rows of task and seconds."""
    scalar, dirac = Model(relativity="scalar"), Model(relativity="dirac")
    return [
        f"| all 92 neutral atoms, LDA | {seconds(solve_all):.2f} |",
        f"| uranium, LDA | {seconds(lambda: solve_atom(92), 5):.3f} |",
        f"| uranium, scalar-relativistic | {seconds(lambda: solve_atom(92, model=scalar)):.3f} |",
        f"| uranium, Dirac | {seconds(lambda: solve_atom(92, model=dirac)):.3f} |",
    ]


def work(name: str, z: int, model: Model) -> str:
    """Row: nodes, orbitals, iterations on them, ms of the atom, Mflop of one refinement and of one response.

    S orbitals on E elements of order p: a refinement solves S E systems of p − 1 rows for three columns; a
    response inverts them, multiplies (n, S(E−1)) matrices and factors one of n rows, n for each spin.
    """
    atom = solve_atom(z, model=model)
    orbitals, n, p = len(atom.orbitals), len(atom.radius), atom.mesh.order
    elements = len(atom.mesh.element_radius)
    spins = 2 if model.spin else 1
    refinement = orbitals * elements * (2 / 3 * (p - 1) ** 3 + 6 * (p - 1) ** 2)
    products = 2 * n**2 * orbitals * (elements - 1) + 2 * spins**2 * n**3
    response = 2 * orbitals * elements * (p - 1) ** 3 + products + 2 / 3 * (spins * n) ** 3
    whole = seconds(lambda: solve_atom(z, model=model))
    return (
        f"| {name} | {n} | {orbitals} | {atom.iterations} | {1e3 * whole:.1f} | "
        f"{refinement / 1e6:.1f} | {response / 1e6:.0f} |"
    )


def textbook_ratio(element: str, r_max: float, points: int) -> str:
    """Row: the uniform grid's error and time, and a spectral mesh that is at least as accurate."""
    exact = solve_atom(element).energies.total
    grid = UniformGrid(r_max=r_max, num_points=points)
    error = abs(solve_uniform(element, grid=grid).energies.total - exact)
    uniform = seconds(lambda: solve_uniform(element, grid=grid), 1)
    z = solve_atom(element).z
    for order, growth in ((6, 6.0), (8, 6.0), (8, 4.0), (10, 4.0), (12, 3.3), (16, 3.3)):
        mesh = spectral_mesh(z, r_max=r_max, order=order, growth=growth)
        try:
            coarse = abs(solve_atom(element, mesh=mesh).energies.total - exact)
        except InputError:
            continue
        if coarse <= error:
            spectral = seconds(lambda mesh=mesh: solve_atom(element, mesh=mesh), 5)
            return (
                f"| {element} | {error:.1e} | {points} points, {uniform:.2f} s | {coarse:.1e} | "
                f"{len(mesh.radius)} nodes, {spectral:.4f} s | {uniform / spectral:.0f} |"
            )
    raise RuntimeError(f"no spectral mesh reaches {error:.1e} Ha for {element}")


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description="Accuracy and speed of the radial solver.")
    parser.add_argument(
        "--quick", action="store_true", help="every eighth element, light atoms on the uniform grid"
    )
    step = 8 if parser.parse_args().quick else 1
    print("| speed, one thread | s |\n|---|---|", *speed(), sep="\n", flush=True)
    print("\n| atom | nodes | orbitals | iterations | ms | Mflop, refinement | Mflop, response |")
    print("|---|---|---|---|---|---|---|")
    for name, z in (("He", 2), ("Ar", 18), ("U", 92)):
        for kind, model in (
            ("LDA", Model()),
            ("LSDA", Model(spin=True)),
            ("Dirac", Model(relativity="dirac")),
        ):
            print(work(f"{name}, {kind}", z, model), flush=True)
    print("\n| | error / Ha | uniform grid | error / Ha | spectral | ratio |\n|---|---|---|---|---|---|")
    for case in [("He", 12.0, 16001), ("Ne", 12.0, 60001), ("Ar", 15.0, 60001)][: 3 if step == 1 else 1]:
        print(textbook_ratio(*case), flush=True)
    print("\n| table | atoms | failed | worst total / Ha | worst eigenvalue / Ha | beyond 1e-6 and 2e-6 |")
    print("|---|---|---|---|---|---|")
    for name in NAMES:
        print(accuracy_against_nist(name, step), flush=True)
    for name in ("lda", "rlda"):
        print(accuracy_against_dftatom(name, step), flush=True)
    last = 92 if step == 1 else 18
    found = {z: ionisation_energy(z, Model(spin=True)) for z in range(1, last + 1)}
    print("\n| ionisation energies, LSDA | mean absolute error / eV |\n|---|---|")
    for upper in (10, 18, 36, 92):
        if upper <= last:
            print(f"| Z = 1 to {upper} | {mean_absolute_error(found, range(1, upper + 1)):.3f} |")
    worst = max(found, key=lambda z: abs(found[z] - MEASURED[z - 1]))
    print(f"| worst: Z = {worst} | {found[worst] - MEASURED[worst - 1]:+.2f} |")


if __name__ == "__main__":
    main()
