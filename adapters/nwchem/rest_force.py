"""What NWChem's first step says of its Fock matrix at the ground state, beside another code's.

Screening of integrals and fits leave the two apart by up to 1e-6 Hartree. Small as that is, it is there all
the time, and pulls weakly kicked runs apart. Between orbitals p and q that hold n_p and n_q a step shows it:

    ΔP_pq = -i (n_q - n_p) dt e^(-iω dt/2) sinc(ω dt/2) δF_pq,     ω = ε_p - ε_q
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ..pyscf.engine import PySCFEngine
from ..working_basis import WorkingBasis, make_working_basis

#: Below this a step shows nothing of a pair of orbitals: they turn by half a period, or are filled alike.
_BLIND = 0.1
#: A streamed density's rounding counts this many times.
_ROUNDING_MARGIN = 4.0


@dataclass(frozen=True, eq=False)
class MagnusStep:
    """A Magnus step of `dt` without a field: where it leads, an AO density (n_spin, n, n), and the standard
    deviation of its elements, which are rounded."""

    end: np.ndarray
    rounding: np.ndarray
    dt: float


@dataclass(frozen=True, eq=False)
class RestForce:
    """force: ‖ΔP‖ / dt between the two codes' steps, Hartree, beyond the rounding; at_rest: of NWChem's step,
    which an SCF converged to the end would not make; shift: δF, real AO (n_spin, n, n)."""

    force: float
    at_rest: float
    shift: np.ndarray


def rest_force(engine: PySCFEngine, density: np.ndarray, step: MagnusStep) -> RestForce:
    """Compare a step from a real AO density (n_spin, n, n) with the engine's own mid-point step."""
    middle = 0.5 * (engine.fock(density.astype(complex)).fock + engine.fock(step.end).fock)
    basis = make_working_basis(engine.integrals, np.real(middle))
    turns = scipy.linalg.expm(-1j * step.dt * basis.fock_in(middle))
    start, end = basis.density_in(density), basis.density_in(step.end)
    difference = end - turns @ start @ turns.conj().swapaxes(1, 2)
    noise = norm_of_rounding(basis, step.rounding)
    apart, moved = float(np.linalg.norm(difference)), float(np.linalg.norm(end - start))
    filling = np.diagonal(start, axis1=1, axis2=2)
    filled = filling[:, None, :] - filling[:, :, None]
    phase = 0.5 * step.dt * (basis.energies[:, :, None] - basis.energies[:, None, :])
    weight = filled * step.dt * np.sinc(phase / np.pi)
    shown = (np.abs(filled) > _BLIND) & (np.abs(weight) > _BLIND * step.dt)
    inside = np.where(
        shown, np.real(1j * np.exp(1j * phase) * difference) / np.where(shown, weight, 1.0), 0.0
    )
    inside = 0.5 * (inside + inside.swapaxes(1, 2))
    return RestForce(
        max(apart - _ROUNDING_MARGIN * noise, 0.0) / step.dt,
        max(moved - _ROUNDING_MARGIN * noise, 0.0) / step.dt,
        basis.dual.swapaxes(1, 2) @ inside @ basis.dual,
    )


def norm_of_rounding(basis: WorkingBasis, rounding: np.ndarray) -> float:
    """Expected norm, in the working basis, of independent errors of an AO density's elements.

    rounding: their standard deviations, (n_spin, n, n).
    """
    weights = np.square(basis.dual).sum(axis=1)
    # P_ij and P_ji are rounded alike, hence the 2.
    return float(np.sqrt(2.0 * np.einsum("si,sij,sj->", weights, np.square(rounding), weights)))
