"""Geometries of a temperature, from a molecule's own harmonic frequencies.

Each normal coordinate Q (mass-weighted) is drawn from a Gaussian of variance

    Wigner      σ² = (ħ / 2ω) coth(ħω / 2kT)      (Wigner 1932; the zero-point motion is in it)
    classical   σ² = kT / ω²                      (Boltzmann)

and the nuclei move by x − x₀ = Σ Q_k l_k / √m. Only translations and rotations are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ...atomic.errors import BadInput, Failed
from .config import Thermal

#: Electron masses in an atomic mass unit; Hartree in a K and in a cm⁻¹ (CODATA 2018).
ELECTRONS_PER_AMU, HARTREE_PER_K, HARTREE_PER_CM = 1822.888486209, 3.1668115634556e-6, 4.5563352529120e-6
#: A slower mode is no vibration but what is left of a rotation, cm⁻¹.
_SLOWEST = 10.0


class NoModes(Failed):
    """No harmonic frequencies, or none that a temperature can be given to. One line."""


@dataclass(frozen=True, eq=False)
class NormalModes:
    """k vibrations of n atoms.

    omega: (k,) au. displacements: (k, n, 3), bohr for one unit of Q, of the square root of an electron mass
        times a bohr.
    force: largest component of the gradient at the geometry, Hartree/bohr; 0 at a minimum.
    """

    omega: np.ndarray
    displacements: np.ndarray
    force: float


def variance(omega: np.ndarray, thermal: Thermal) -> np.ndarray:
    """σ² of the mass-weighted coordinates, (k,) au, of angular frequencies omega (k,) au."""
    energy = HARTREE_PER_K * thermal.temperature
    if thermal.distribution == "classical":
        return energy / omega**2
    if energy == 0.0:
        return 0.5 / omega
    return 0.5 / omega / np.tanh(0.5 * omega / energy)


def sampled(positions: np.ndarray, modes: NormalModes, thermal: Thermal) -> np.ndarray:
    """(count, n, 3) bohr about the minimum's positions (n, 3). The k-th depends on seed and k alone."""
    sizes = np.sqrt(variance(modes.omega, thermal))
    drawn = np.array(
        [np.random.default_rng([thermal.seed, k]).standard_normal(len(sizes)) for k in range(thermal.count)]
    )
    return positions + np.einsum("gk,kax->gax", drawn * sizes, modes.displacements)


def modes_of(system: System, tell: Callable[[str], None]) -> NormalModes:
    """Frequencies by PySCF's analytic Hessian at the system's level. Raises NoModes, BadInput.

    tell: takes a line for the user where the geometry is not quite a minimum.
    """
    from pyscf import dft, scf
    from pyscf.hessian import thermo

    if len(system.geometries) > 1 or not np.all(system.geometry.atomic_numbers > 0):
        raise BadInput("thermal geometries: the deck's geometry must be one, of nuclei alone")
    mol = molecule(system)
    functional = system.functional.pyscf
    if functional.strip().upper() in ("HF", "1*HF", "1.0*HF"):
        field = scf.UHF(mol) if system.open_shell else scf.RHF(mol)
    else:
        field = (dft.UKS if system.open_shell else dft.RKS)(mol, xc=functional)
    field.conv_tol = 1e-10
    field.kernel()
    if not field.converged:
        raise NoModes("thermal geometries: the SCF of the deck's geometry has not converged")
    try:
        force = float(np.abs(field.nuc_grad_method().kernel()).max())
        hessian = field.Hessian().kernel()
    except NotImplementedError as error:
        raise NoModes(f"thermal geometries: PySCF has no second derivatives of {functional}") from error
    found = thermo.harmonic_analysis(mol, hessian)
    waves, unstable = np.real(found["freq_wavenumber"]), np.imag(found["freq_wavenumber"])
    if np.abs(unstable).max(initial=0.0) > _SLOWEST or waves.min(initial=np.inf) < _SLOWEST:
        slowest = np.argmin(waves - np.abs(unstable))
        shown = f"{abs(unstable[slowest]):.0f}i" if unstable[slowest] else f"{waves[slowest]:.0f}"
        raise NoModes(
            f"thermal geometries: the geometry is no minimum, a mode has {shown} cm⁻¹; "
            "task dft optimize finds one"
        )
    if force > 5e-3:
        tell(f"the geometry is not quite a minimum: force up to {force:.4f} Hartree/bohr")
    # PySCF's modes are for masses in atomic mass units.
    scale = 1.0 / np.sqrt(ELECTRONS_PER_AMU)
    return NormalModes(HARTREE_PER_CM * waves, scale * np.asarray(found["norm_mode"]), force)
