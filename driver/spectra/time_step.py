"""Lines at a vanishing time step, from those of the mid-point map, without a new run.

The converged mid-point step in the coordinates x, y of `response` is the trapezoidal rule, with a step of
its own for each transition. With the Casida matrices A ± B and τ = tan(ε dt / 2) / ε of the gaps ε its
modes obey

    (A + B) x = s y / τ,   (A − B) y = s x / τ,   s = tan(ω dt / 2)

As dt → 0 these are Casida's equations. So the modes tell what A ± B make of them, and the matrices are
known in the space of the lines found. With modes scaled to x_m (1 / τ) y_n = δ_mn and O_mn = x_m·y_n,

    x_m (A + B) x_n = y_m (A − B) y_n = s_n δ_mn,     s b = ω² Oᵀ s⁻¹ O b,   a = ω s⁻¹ O b

With one line alone that is ω = tan(ω_dt dt / 2) Σ w ε / tan(ε dt / 2), w the weights of its transitions.
The new energies are stationary (Rayleigh and Ritz): they are exact to the order dt², and nearly so to dt⁴.
"""

from dataclasses import dataclass

import numpy as np

from .response import Modes


@dataclass(frozen=True, eq=False)
class Converged:
    """r lines at a vanishing time step, in the order of the lines found.

    omega: (r,) au; NaN where a line could not be followed.
    strengths: (r,) oscillator strength over the one at the run's time step.
    """

    omega: np.ndarray
    strengths: np.ndarray


def converged_lines(
    omega: np.ndarray, dipoles: np.ndarray, modes: Modes, gaps: np.ndarray, dt: float
) -> Converged:
    """From lines at omega (r,) of a run with time step dt; gaps (d,).

    dipoles: (r, 3) induced dipole of the same modes, in any unit.
    """
    steps = gaps / np.tan(gaps * dt / 2.0)
    s = np.tan(omega * dt / 2.0)
    norms = np.sum(modes.x * steps * modes.y, axis=1)
    ratio, strengths = np.full(len(omega), np.nan), np.full(len(omega), np.nan)
    # A mode has a positive norm; one that has not is noise.
    kept = np.flatnonzero(norms > 0.0)
    if not len(kept):
        return Converged(ratio, strengths)
    sizes = np.sqrt(norms[kept])
    # Of O = dt / 2 + x (1 − dt / 2τ) y only the small second part is taken from the modes, whose errors mix
    # them.
    rest = (modes.x[kept] * (1.0 - steps * dt / 2.0)) @ modes.y[kept].T
    overlap = dt / 2.0 * np.eye(len(kept)) + rest / np.outer(sizes, sizes)
    energy = s[kept]
    # ω⁻² is an eigenvalue of s^-½ Oᵀ s⁻¹ O s^-½.
    root = np.sqrt(energy)
    matrix = (overlap.T / energy) @ overlap / np.outer(root, root)
    inverse, vectors = np.linalg.eigh(matrix)
    b = vectors / root[:, None]
    found = 1.0 / np.sqrt(inverse)
    a = found * (overlap @ b) / energy[:, None]
    moments = a.T @ (dipoles[kept] / sizes[:, None])
    new = found * np.sum(moments**2, axis=1) / np.einsum("mk,mn,nk->k", a, overlap, b)
    old = omega[kept] * np.sum((dipoles[kept] / sizes[:, None]) ** 2, axis=1) * 2.0 / dt
    # Each new line belongs to the one that it is mostly made of.
    for column, row in enumerate(np.abs(vectors).argmax(axis=0)):
        ratio[kept[row]], strengths[kept[row]] = found[column], new[column] / old[row]
    return Converged(ratio, strengths)
