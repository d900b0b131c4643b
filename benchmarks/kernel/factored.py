"""Coulomb and exchange of a change by vectors of three indices, beside the engine's own.

    OMP_NUM_THREADS=1 python benchmarks/kernel/factored.py DECK [DECK ...]

Prints a Markdown table for the last propagation of every deck. Changes are those of a guess's determinant
that is turned at random, |δP| from 0.05 to 1. Errors are relative, root mean square, of the elements between
occupied and empty orbitals and of all. Seconds are processor time of one change, and of making.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, make_engine
from hybrid_propagate.adapters.system import System
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.driver.run.machine import half_of_memory
from hybrid_propagate.surrogate.kernel.factored_mean_field import factored_mean_field
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import rotations
from pyscf import scf

CHANGES = 4
COLUMNS = (
    *("deck", "functions", "vectors of J, of K", "making, s"),
    *("engine, s", "vectors, s", "ratio", "error", "of all"),
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deck", type=Path, nargs="+")
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---" * len(COLUMNS) + "|")
    for path in parser.parse_args().deck:
        print(
            f"| {path.stem} | " + " | ".join(_row(read_deck(path).propagations[-1].system)) + " |", flush=True
        )
    return 0


def _row(system: System) -> list[str]:
    engine = make_engine(system, half_of_memory())
    basis, ground = _about_a_guess(engine)
    begun = time.process_time()
    mean_field = factored_mean_field(engine, basis)
    making = time.process_time() - begun
    changes = rotations(ground, CHANGES, np.random.default_rng(1))
    own, found = [], []
    begun = time.process_time()
    for change in changes:
        own.append(basis.fock_in(engine.mean_field_response(basis.density_out(change))))
    slow = (time.process_time() - begun) / CHANGES
    begun = time.process_time()
    for change in changes:
        found.append(mean_field.total(change[None])[0])
    fast = (time.process_time() - begun) / CHANGES
    moved = np.abs(np.diagonal(np.real(ground), axis1=1, axis2=2))
    between = moved[:, :, None] != moved[:, None, :]
    of_all = _relative(found, own, np.ones_like(between))
    vectors = sum(block.shape[1] for _, block in mean_field.exchange_vectors)
    return [
        str(basis.n_functions),
        f"{len(mean_field.coulomb_vectors)}, {vectors}",
        f"{making:.1f}",
        f"{slow:.2f}",
        f"{fast:.2f}",
        f"{slow / fast:.1f}",
        f"{_relative(found, own, between):.1e}",
        f"{of_all:.1e}",
    ]


def _about_a_guess(engine: PySCFEngine) -> tuple[WorkingBasis, np.ndarray]:
    """Orbitals of a Fock matrix of superposed atoms, and a determinant of the lowest of them."""
    system = engine.system
    guess = np.asarray(scf.hf.init_guess_by_minao(engine.mol)) / system.n_spin
    fock = engine.integrals.core + engine.mean_field_response(np.array([guess] * system.n_spin))
    basis = make_working_basis(engine.integrals, np.real(fock))
    counts = engine.mol.nelec if system.n_spin == 2 else (engine.mol.nelec[0],)
    numbers = [(np.arange(basis.n_functions) < k).astype(float) * (3 - system.n_spin) for k in counts]
    return basis, np.array([np.diag(each) for each in numbers]).astype(complex)


def _relative(found: list[np.ndarray], wanted: list[np.ndarray], where: np.ndarray) -> float:
    """Root of the mean of the squared relative errors of some elements."""
    errors = [
        np.linalg.norm((a - b)[where]) / np.linalg.norm(b[where]) for a, b in zip(found, wanted, strict=True)
    ]
    return float(np.sqrt(np.mean(np.square(errors))))


if __name__ == "__main__":
    sys.exit(main())
