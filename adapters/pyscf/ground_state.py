"""Ground-state orbitals, converged by PySCF's SCF on this package's Fock matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
from pyscf import dft, lib

from ...atomic.errors import Failed
from ..orbitals import Orbitals
from ..working_basis import canonical_orthogonalisation
from .engine import PySCFEngine, expanded_about
from .initial_guess import initial_guess

#: A propagation starts from orbitals this well converged, whatever the deck's own SCF thresholds.
ENERGY_TOLERANCE, GRADIENT_TOLERANCE = 1e-10, 1e-8
#: First pass, on a quadrature referred to the guess: its single-precision part is good to about 1e-7.
_COARSE = (1e-7, 1e-4)


class NotConverged(Failed):
    """The SCF did not converge."""


def solve_ground_state(
    engine: PySCFEngine,
    guess: np.ndarray | None,
    max_iterations: int,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[PySCFEngine, Orbitals]:
    """Converge the SCF from `guess`, (n_spin, n, n), or PySCF's own.

    tell: takes how far it is, after every Fock build. Returns the engine referred to the result, and the
    orbitals. Raises NotConverged.
    """
    mean_field = _mean_field(engine)
    if guess is None:
        guess = initial_guess(mean_field, "minao", engine.system.n_spin)
    builds = 0
    density, thresholds = guess, (_COARSE, (ENERGY_TOLERANCE, GRADIENT_TOLERANCE))
    if engine.quadrature is None:
        thresholds = thresholds[1:]
    for energy_tolerance, gradient_tolerance in thresholds:
        referred = expanded_about(engine, density, kernel=False)
        calls = _use_fock_of(mean_field, referred, tell)
        mean_field.conv_tol, mean_field.conv_tol_grad = energy_tolerance, gradient_tolerance
        mean_field.max_cycle = max_iterations
        mean_field.kernel(
            dm0=density.reshape(
                np.asarray(mean_field.get_hcore()).shape if len(density) == 1 else density.shape
            )
        )
        builds += calls[0]
        if not mean_field.converged:
            raise NotConverged(
                f"the SCF did not converge in {mean_field.max_cycle} iterations "
                f"(last energy {mean_field.e_tot:.8f} Ha)"
            )
        density = np.asarray(mean_field.make_rdm1()).reshape(density.shape)
    shape = (engine.system.n_spin, engine.mol.nao, -1)
    coefficients = np.asarray(mean_field.mo_coeff).reshape(shape)
    orbitals = Orbitals(
        coefficients,
        np.asarray(mean_field.mo_energy).reshape(engine.system.n_spin, -1),
        np.asarray(mean_field.mo_occ, dtype=float).reshape(engine.system.n_spin, -1),
        float(mean_field.e_tot),
        builds,
    )
    return expanded_about(engine, orbitals.density(), kernel=True), orbitals


def _mean_field(engine: PySCFEngine) -> Any:
    """PySCF's SCF object, in the span that the propagation has; its class is built at run time."""
    make = dft.UKS if engine.system.open_shell else dft.RKS
    mean_field: Any = make(engine.mol, xc=engine.system.functional.pyscf)
    X = canonical_orthogonalisation(engine.integrals.overlap, engine.integrals.scale)

    def eigenvectors(fock: np.ndarray, *others: object, **named: object) -> tuple[np.ndarray, np.ndarray]:
        energies, vectors = np.linalg.eigh(X.T @ fock @ X)
        return energies, X @ vectors

    mean_field._eigh = eigenvectors
    # DIIS, too, must not try to remove what the Fock matrix connects with functions that were dropped.
    mean_field.check_linear_dependency = lambda *_: X
    return mean_field


def _use_fock_of(mean_field: Any, engine: PySCFEngine, tell: Callable[[str], None]) -> list[int]:
    """Make PySCF's SCF call `engine.fock`; returns a one-element counter of the calls."""
    calls = [0]

    def get_veff(
        mol: object = None, dm: np.ndarray | None = None, *args: object, **kwargs: object
    ) -> np.ndarray:
        density = np.asarray(mean_field.make_rdm1() if dm is None else dm)
        build = engine.fock(density.reshape(engine.system.n_spin, engine.mol.nao, -1).astype(complex))
        calls[0] += 1
        tell(f"Fock build {calls[0]} of at most {mean_field.max_cycle}")
        veff = (np.real(build.fock) - engine.integrals.core).reshape(density.shape)
        return lib.tag_array(
            veff,
            ecoul=build.energies.coulomb,
            exc=build.energies.exchange_correlation,
            vj=None,
            vk=None,
        )

    mean_field.get_veff = get_veff
    return calls
