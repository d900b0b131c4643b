"""exp(-i dt F) applied to orbitals.

Three forms. Two are for a basis where F = diag(ε) + V:

Chebyshev, any Hermitian F with spectrum in [c - r, c + r]
(Tal-Ezer & Kosloff, J. Chem. Phys. 81, 3967 (1984)):
    exp(-i dt F) = exp(-i dt c) Σ_n (2 - δ_n0) (-i)^n J_n(r dt) T_n((F - c)/r)

Interaction picture, for a V so small that dt² V² does not count (first Magnus term, exact in ε):
    exp(-i dt (ε + V)) = exp(-i dt ε/2) exp(-i Ω) exp(-i dt ε/2) + O(dt² V²),
    Ω_pq = dt V_pq sinc(dt (ε_p - ε_q)/2)

Where r dt is large, the series has about r dt terms, and F's eigenvectors U cost less:
    exp(-i dt F) = U exp(-i dt λ) U^†

Where F is small, Taylor's series by powers of F takes a quarter of the products, and half the time
(Paterson & Stockmeyer, SIAM J. Comput. 2, 60 (1973)):
    exp(X) Y = Σ_k X^(ks) [Σ_j X^j / (ks + j)!] Y,   j < s,   X = -i dt (F - c)
"""

import math
from functools import cache

import numpy as np
import scipy.linalg
import scipy.special

#: Series stop where a term is below this.
SERIES = 1e-13
#: The interaction picture serves where (dt ‖V‖)² is below this.
WEAK = 1e-8
#: The series serves up to this r dt; a basis function of exponent 1e6 has 4000 at dt = 0.1 au.
LONGEST = 100.0
#: Taylor's series serves up to so many functions, and up to this r dt: its terms grow to exp(r dt).
FEW, NEAR = 40, 4.0


def interaction_phases(energies: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """exp(-i dt ε/2) as (n_spin, m, 1), and dt sinc(dt (ε_p - ε_q)/2) as (n_spin, m, m)."""
    half = np.exp(-0.5j * dt * energies)[:, :, None]
    difference = energies[:, :, None] - energies[:, None, :]
    return half, dt * np.sinc(0.5 * dt * difference / np.pi)


def propagate_weakly(
    perturbation: np.ndarray, orbitals: np.ndarray, phases: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """exp(-i dt (ε + V)) Y in the interaction picture; V (n_spin, m, m), Y (n_spin, m, k)."""
    half, weight = phases
    omega = perturbation * weight
    omega *= -1j
    size = _largest_row_sum(omega)
    result = half * orbitals
    term, factor, n = result, 1.0, 0
    while factor > SERIES:
        n += 1
        term = omega @ term
        if n > 1:
            term /= n
        result = result + term
        factor *= size / n
    result *= half
    return result


def propagate(fock: np.ndarray, orbitals: np.ndarray, dt: float) -> np.ndarray:
    """exp(-i dt F) Y by a series, or by eigenvectors; F (n_spin, m, m) Hermitian, Y (n_spin, m, k)."""
    return np.stack([_propagated(f, y, dt) for f, y in zip(fock, orbitals, strict=True)])


def propagate_lossy(fock: np.ndarray, orbitals: np.ndarray, dt: float) -> np.ndarray:
    """exp(-i dt F) Y for an F with a negative imaginary part (an absorbing potential)."""
    return scipy.linalg.expm(-1j * dt * fock) @ orbitals


def _propagated(fock: np.ndarray, orbitals: np.ndarray, dt: float) -> np.ndarray:
    diagonal = np.real(fock.diagonal())
    # Gershgorin's discs bound the spectrum.
    radii = np.abs(fock).sum(axis=1) - np.abs(diagonal)
    low, high = float((diagonal - radii).min()), float((diagonal + radii).max())
    centre, radius = 0.5 * (low + high), 0.5 * (high - low) + 1e-12
    if LONGEST < radius * dt < math.inf:
        levels, U = scipy.linalg.eigh(fock)
        return U @ (np.exp(-1j * dt * levels)[:, None] * (U.conj().T @ orbitals))
    if len(fock) <= FEW and radius * dt <= NEAR:
        return _taylor(fock, orbitals, dt, centre, radius)
    return _chebyshev(fock, orbitals, dt, centre, radius)


def _taylor(fock: np.ndarray, orbitals: np.ndarray, dt: float, centre: float, radius: float) -> np.ndarray:
    factors = _taylor_factors(math.ceil(4.0 * radius * dt))
    m, n_powers = len(fock), factors.shape[1]
    powers = np.empty((n_powers, m, m), dtype=complex)
    powers[0] = np.eye(m)
    np.multiply(fock, -1j * dt, out=powers[1])
    powers[1].reshape(-1)[:: m + 1] += 1j * dt * centre
    for k in range(2, n_powers):
        np.matmul(powers[k - 1], powers[1], out=powers[k])
    largest = powers[-1] @ powers[1]
    parts = (factors @ powers.reshape(n_powers, -1)).reshape(-1, m, m) @ orbitals
    result = parts[-1]
    for part in parts[-2::-1]:
        result = largest @ result
        result += part
    result *= np.exp(-1j * dt * centre)
    return result


@cache
def _taylor_factors(quarters: int) -> np.ndarray:
    """1/(ks + j)!, (k, j), complex, as many as |X| = quarters / 4 takes."""
    n, term = 1, 0.25 * quarters
    while term > SERIES:
        n += 1
        term *= 0.25 * quarters / n
    n_powers = max(math.isqrt(n), 2)
    n_parts = n // n_powers + 1
    factors = [1.0 / math.factorial(k) for k in range(n_parts * n_powers)]
    return np.array(factors, dtype=complex).reshape(n_parts, n_powers)


def _chebyshev(fock: np.ndarray, orbitals: np.ndarray, dt: float, centre: float, radius: float) -> np.ndarray:
    coefficients = _bessel_coefficients(radius * dt)
    # (-i)^n goes into the operator: with A = -i (F - c)/r the recursion is T_n+1 = 2 A T_n + T_n-1.
    generator = fock * (-1j / radius)
    generator.flat[:: len(fock) + 1] += 1j * centre / radius
    previous, current = orbitals, generator @ orbitals
    result = coefficients[0] * previous + coefficients[1] * current
    generator *= 2.0
    for coefficient in coefficients[2:]:
        following = generator @ current
        following += previous
        result += coefficient * following
        previous, current = current, following
    result *= np.exp(-1j * dt * centre)
    return result


def _bessel_coefficients(x: float) -> list[float]:
    """(2 - δ_n0) J_n(x) until they are below SERIES; J_n falls faster than (x/2)^n / n!."""
    if not math.isfinite(x):
        return [math.nan] * 3
    n_terms, bound = 2, (x / 2) ** 2 / 2
    while bound > SERIES or n_terms < x:
        n_terms += 1
        bound *= x / 2 / n_terms
    values = 2.0 * scipy.special.jv(np.arange(n_terms + 1), x)
    values[0] *= 0.5
    return values.tolist()


def _largest_row_sum(matrix: np.ndarray) -> float:
    """A bound of the spectral norm, from the Frobenius norm (one pass, no temporaries)."""
    flat = matrix.reshape(-1)
    return math.sqrt(np.vdot(flat, flat).real)
