"""The best of several predicted densities to start an SCF from, or the standard guess where none is better.

A prediction is dropped, with a note, if it does not fit the system, has the wrong number of electrons, is not
idempotent enough, or has a higher energy than the standard guess. Energies are compared on a coarse grid,
where a Fock matrix costs a fraction of an SCF iteration. The standard guess, a sum of atoms, is no
determinant and may lie below the ground state; like PySCF's others it counts by what the SCF's first
iteration makes of it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from pyscf import dft

from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.working_basis import canonical_orthogonalisation
from ...atomic.errors import Failed
from ...surrogate.starting_density.predictor import DensityPredictor, NotApplicable
from ...surrogate.starting_density.purification import Purified, purify
from ...surrogate.starting_density.pyscf_guess import STANDARD, PySCFGuess, PySCFStart

#: A prediction may be wrong by so many electrons, and by so much in ‖P'² − P'‖ / √N, before it is purified.
MOST_ELECTRONS, MOST_IDEMPOTENCY = 0.1, 0.1
#: PySCF's level of the coarse grid.
_COARSE_LEVEL = 0


@dataclass(frozen=True, eq=False)
class Start:
    """Where an SCF starts.

    name: of the predictor. density: (n_spin, n, n), AO basis; idempotent unless it is the standard guess.
    orbitals: canonical within the density's occupied and empty space, with coarse energies; of the standard
    guess, those of its Fock matrix. energy: of their determinant, Hartree, on the coarse grid.
    seconds: what predictions and checks took. notes: what was dropped, and why, a line each.
    """

    name: str
    density: np.ndarray
    orbitals: Orbitals
    energy: float
    seconds: float
    notes: tuple[str, ...]


def choose_start(engine: PySCFEngine, predictors: Sequence[DensityPredictor]) -> Start:
    """The prediction with the lowest energy; the standard guess unless one is below it.

    engine: integrals of the system; its grid is not used. What does not help costs time and no accuracy.
    """
    return choose_among(engine, make_predictions(engine, predictors))


@dataclass(frozen=True, eq=False)
class Predictions:
    """What predictors said of one system, before any energy is known.

    densities: by name, (n_spin, n, n); of PySCF's guesses as they are, of others idempotent.
    notes: why the other predictors have none. seconds: what it took.
    """

    densities: dict[str, np.ndarray]
    notes: tuple[str, ...]
    seconds: float


def make_predictions(engine: PySCFEngine, predictors: Sequence[DensityPredictor]) -> Predictions:
    """Ask every predictor; those that fail leave a note."""
    began = time.perf_counter()
    densities, notes = {}, []
    for predictor in predictors:
        try:
            if isinstance(predictor, PySCFStart):
                densities[predictor.name] = predictor.predict(engine.system)
            else:
                densities[predictor.name] = _predict(predictor, engine).density
        except NotApplicable as reason:
            notes.append(str(reason))
        except Dropped as reason:
            notes.append(f"{predictor.name}: dropped, {reason}")
    return Predictions(densities, tuple(notes), time.perf_counter() - began)


def choose_among(engine: PySCFEngine, predictions: Predictions) -> Start:
    """The prediction with the lowest energy, or the standard guess, as `choose_start`."""
    began = time.perf_counter()
    check = _make_check(engine)
    standard = _first_iteration(STANDARD, PySCFStart(STANDARD).predict(engine.system), check)
    best, notes = standard, list(predictions.notes)
    for name, density in predictions.densities.items():
        start = (
            _first_iteration(name, density, check)
            if name in get_args(PySCFGuess)
            else _start(name, density, check)
        )
        if start.energy > standard.energy:
            energies = f"{start.energy:.6f} Ha, is above {STANDARD}'s {standard.energy:.6f} Ha"
            notes.append(f"{name}: dropped, its energy, {energies}")
        elif start.energy < best.energy:
            best = start
    seconds = predictions.seconds + time.perf_counter() - began
    return replace(best, seconds=seconds, notes=tuple(notes))


class Dropped(Failed):
    """A prediction that is not used; the text says why."""


def _predict(predictor: DensityPredictor, engine: PySCFEngine) -> Purified:
    """A prediction made idempotent. Raises NotApplicable, and Dropped where it is too far from that."""
    system = engine.system
    density = predictor.predict(system)
    expected = (system.n_spin, engine.mol.nao, engine.mol.nao)
    if density.shape != expected or not np.all(np.isfinite(density)):
        raise Dropped(f"it is no density of this system: shape {density.shape}, {expected} is needed")
    purified = purify(density, engine.integrals.overlap, engine.mol.nelec[: system.n_spin])
    if purified.electron_error > MOST_ELECTRONS:
        raise Dropped(f"wrong by {purified.electron_error:.2g} electrons")
    if purified.idempotency_error > MOST_IDEMPOTENCY:
        raise Dropped(f"not idempotent: ‖P² − P‖ / √N is {purified.idempotency_error:.2g}")
    return purified


@dataclass(frozen=True, eq=False)
class _Check:
    """What energies are compared with: an engine without quadrature, and a coarse grid if one is needed."""

    engine: PySCFEngine
    grids: dft.gen_grid.Grids | None


def _make_check(engine: PySCFEngine) -> _Check:
    if engine.quadrature is None:
        return _Check(engine, None)
    grids = dft.gen_grid.Grids(engine.mol)
    grids.level = _COARSE_LEVEL
    grids.build()
    return _Check(replace(engine, quadrature=None), grids)


def _first_iteration(name: str, density: np.ndarray, check: _Check) -> Start:
    """One of PySCF's guesses, and the orbitals that its Fock matrix has."""
    engine = check.engine
    fock, _ = _fock_and_energy(check, density)
    X = canonical_orthogonalisation(engine.integrals.overlap, engine.integrals.scale)
    pairs = [np.linalg.eigh(X.T @ F @ X) for F in fock]
    orbitals = _orbitals(engine, np.array([X @ u for _, u in pairs]), np.array([e for e, _ in pairs]))
    _, energy = _fock_and_energy(check, orbitals.density())
    return Start(name, density, replace(orbitals, total_energy=energy), energy, 0.0, ())


def _start(name: str, density: np.ndarray, check: _Check) -> Start:
    """Orbitals that diagonalise the Fock matrix within the occupied and the empty space of a density."""
    fock, energy = _fock_and_energy(check, density)
    engine, overlap = check.engine, check.engine.integrals.overlap
    X = canonical_orthogonalisation(overlap, engine.integrals.scale)
    coefficients, energies = [], []
    for P, F, k in zip(density, fock, engine.mol.nelec, strict=False):
        natural = X @ np.linalg.eigh(-X.T @ overlap @ P @ overlap @ X)[1]
        parts = [natural[:, :k], natural[:, k:]]
        solved = [np.linalg.eigh(part.T @ F @ part) for part in parts]
        coefficients.append(np.hstack([part @ u for part, (_, u) in zip(parts, solved, strict=True)]))
        energies.append(np.concatenate([e for e, _ in solved]))
    orbitals = _orbitals(engine, np.array(coefficients), np.array(energies))
    return Start(name, density, replace(orbitals, total_energy=energy), energy, 0.0, ())


def _orbitals(engine: PySCFEngine, coefficients: np.ndarray, energies: np.ndarray) -> Orbitals:
    occupations = np.zeros(energies.shape)
    for row, k in zip(occupations, engine.mol.nelec, strict=False):
        row[:k] = 2.0 / engine.system.n_spin
    return Orbitals(coefficients, energies, occupations, float("nan"), 0)


def _fock_and_energy(check: _Check, density: np.ndarray) -> tuple[np.ndarray, float]:
    """F (n_spin, n, n) and the total energy of a real density, Hartree."""
    build = check.engine.fock(density.astype(complex))
    fock, energies = np.real(build.fock), build.energies
    total = energies.electronic
    if check.grids is not None:
        system, numint = check.engine.system, dft.numint.NumInt()
        integrate = numint.nr_uks if system.open_shell else numint.nr_rks
        matrices = density if system.open_shell else density[0]
        _, energy, potential = integrate(check.engine.mol, check.grids, system.functional.pyscf, matrices)
        fock = fock + np.asarray(potential).reshape(fock.shape)
        total += float(energy)
    return fock, total + check.engine.integrals.nuclear_repulsion
