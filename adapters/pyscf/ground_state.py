"""Ground-state orbitals, converged by PySCF's SCF on this package's Fock matrices."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pyscf import dft, lib

from ...atomic.errors import Failed
from ..orbitals import Orbitals
from ..system.filling import Filling
from ..working_basis import canonical_orthogonalisation
from .diis import SmallErrorDIIS
from .engine import PySCFEngine, expanded_about
from .fallbacks import fallbacks, occupations_locked
from .filling import filled
from .initial_guess import initial_guess
from .two_electron import with_fitted_exchange

#: A propagation starts from orbitals this well converged, whatever the deck's own SCF thresholds.
ENERGY_TOLERANCE, GRADIENT_TOLERANCE = 1e-10, 1e-8
#: First pass, on a quadrature referred to the guess: its single-precision part is good to about 1e-7.
_COARSE = (1e-7, 1e-4)
#: With fitted integrals, corrected at the end so far: once the end is off by some 1e-6, twice by no more than
#: the thresholds allow, so that it is seen and kept.
_CORRECTED = (1e-9, 1e-6), (ENERGY_TOLERANCE, 3e-9)
#: Functions from which on fitted integrals cost less than those computed at every build: of benzene's 66 not.
_FITTED_FROM = 100
#: Share told at most before the end: the gradient, too, must have converged.
_MOST_TOLD = 0.95


class NotConverged(Failed):
    """The SCF did not converge."""


def solve_ground_state(
    engine: PySCFEngine,
    guess: np.ndarray | None,
    max_iterations: int,
    locked: Orbitals | None = None,
    tell: Callable[[str, float], None] = lambda *_: None,
    filling: Filling | None = None,
) -> tuple[PySCFEngine, Orbitals]:
    """Converge the SCF from `guess`, (n_spin, n, n), or PySCF's own.

    locked: orbitals whose occupied ones stay so, by overlap.
    filling: of the orbitals, where it is not one by one.
    tell: takes how far it is, after every Fock build: words, and the share done.

    Returns the engine referred to the result, and the orbitals. Raises NotConverged.
    """
    mean_field = _mean_field(engine)
    if guess is None:
        guess = initial_guess(mean_field, "minao", engine.system.n_spin)
    if locked is not None:
        arrays = locked.coefficients, locked.occupations
        mean_field = occupations_locked(mean_field, *(a if len(a) > 1 else a[0] for a in arrays))
    if filling is not None:
        mean_field = filled(mean_field, filling)
    told = _Told(tell, float(engine.integrals.nuclear_repulsion))
    density = guess
    for used, (energy_tolerance, gradient_tolerance) in _passes(engine):
        fits = used.two_electron.fits_exchange
        corrects = fits and gradient_tolerance < _COARSE[1]
        own = _corrected(used, engine, density) if corrects else used
        referred = expanded_about(own, density, kernel=False)
        _use_fock_of(mean_field, referred, told)
        mean_field.conv_tol, mean_field.conv_tol_grad = energy_tolerance, gradient_tolerance
        mean_field.max_cycle = max_iterations
        # The thresholds hold for the orbitals as they are; one build more costs minutes here.
        mean_field.conv_check = not (fits or used.two_electron.is_direct)
        _converge(mean_field, density[0] if len(density) == 1 else density, other_ways=filling is None)
        density = np.asarray(mean_field.make_rdm1()).reshape(density.shape)
    orbitals = _occupied_first(mean_field, engine.system.n_spin, told.builds)
    return expanded_about(engine, orbitals.density(), kernel=True), orbitals


def _passes(engine: PySCFEngine) -> list[tuple[PySCFEngine, tuple[float, float]]]:
    """What gives the Fock matrix, and thresholds, pass by pass.

    Where every build computes its integrals anew, fitted ones converge first.
    """
    tight = ENERGY_TOLERANCE, GRADIENT_TOLERANCE
    dear = engine.two_electron.is_direct and engine.mol.nao >= _FITTED_FROM
    fitted = with_fitted_exchange(engine.two_electron) if dear else None
    if fitted is not None:
        coarse = replace(engine, two_electron=fitted)
        return [(coarse, _COARSE), *((coarse, each) for each in _CORRECTED), (engine, tight)]
    return [(engine, tight)] if engine.quadrature is None else [(engine, _COARSE), (engine, tight)]


def _corrected(fitted: PySCFEngine, engine: PySCFEngine, density: np.ndarray) -> PySCFEngine:
    """With what the fit lacks at this density: the SCF's end is then off in second order alone."""
    exact, own = (each.mean_field_response(density.astype(complex)) for each in (engine, fitted))
    return replace(fitted, shift=np.real(exact - own) + (0.0 if engine.shift is None else engine.shift))


def _occupied_first(mean_field: Any, n_spin: int, builds: int) -> Orbitals:
    """The result; a propagation fills orbitals from the first one on, and a degenerate hole may lie lower."""
    occupations = np.asarray(mean_field.mo_occ, dtype=float).reshape(n_spin, -1)
    order = np.argsort(-occupations, axis=1, kind="stable")
    coefficients = np.asarray(mean_field.mo_coeff).reshape(n_spin, -1, occupations.shape[1])
    return Orbitals(
        np.take_along_axis(coefficients, order[:, None, :], axis=2),
        np.take_along_axis(np.asarray(mean_field.mo_energy).reshape(n_spin, -1), order, axis=1),
        np.take_along_axis(occupations, order, axis=1),
        float(mean_field.e_tot),
        builds,
    )


def _converge(mean_field: Any, density: np.ndarray, *, other_ways: bool) -> None:
    """Run the SCF, for an open shell by other ways too; `mean_field` has the result. Raises NotConverged."""
    mean_field.kernel(dm0=density)
    if mean_field.converged:
        return
    if density.ndim == 3 and other_ways:
        for other in fallbacks(mean_field):
            other.kernel(dm0=mean_field.make_rdm1())
            for name in ("mo_coeff", "mo_energy", "mo_occ", "e_tot", "converged"):
                setattr(mean_field, name, getattr(other, name))
            if mean_field.converged:
                return
    raise NotConverged(
        f"the SCF did not converge in {mean_field.max_cycle} iterations "
        f"(last energy {mean_field.e_tot:.8f} Ha)"
    )


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
    mean_field.DIIS = SmallErrorDIIS
    return mean_field


@dataclass(eq=False)
class _Told:
    """Counts Fock builds and tells of each.

    tell: takes words and the share done.
    repulsion: of the nuclei, Hartree.
    builds: so far; energy: of the last one; first: change of the first iteration; share: done by now.
    """

    tell: Callable[[str, float], None]
    repulsion: float
    builds: int = 0
    energy: float = 0.0
    first: float = 0.0
    share: float = 0.0

    def build(self, electronic: float) -> None:
        """Tell of one more, with its energy (Hartree)."""
        energy, before = electronic + self.repulsion, self.energy
        self.builds, self.energy = self.builds + 1, energy
        if self.builds == 1:
            self.tell(f"iteration 1, E = {energy:.6f} Ha", 0.0)
            return
        change = energy - before
        size = max(abs(change), ENERGY_TOLERANCE)
        self.first = self.first or size
        # The change falls by about the same factor every time.
        decades = math.log(max(self.first / ENERGY_TOLERANCE, 10.0))
        self.share = max(self.share, min(math.log(self.first / size) / decades, _MOST_TOLD))
        words = f"iteration {self.builds}, E = {energy:.6f} Ha, change {change:.1e}"
        self.tell(words, self.share)


def _use_fock_of(mean_field: Any, engine: PySCFEngine, told: _Told) -> None:
    """Make PySCF's SCF call `engine.fock`."""

    def get_veff(
        mol: object = None, dm: np.ndarray | None = None, *args: object, **kwargs: object
    ) -> np.ndarray:
        density = np.asarray(mean_field.make_rdm1() if dm is None else dm)
        build = engine.fock(density.reshape(engine.system.n_spin, engine.mol.nao, -1).astype(complex))
        told.build(build.energies.electronic)
        veff = (np.real(build.fock) - engine.integrals.core).reshape(density.shape)
        return lib.tag_array(
            veff,
            ecoul=build.energies.coulomb,
            exc=build.energies.exchange_correlation,
            vj=None,
            vk=None,
        )

    mean_field.get_veff = get_veff
