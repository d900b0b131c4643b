"""Exchange and correlation of a closed shell close to an expansion point, by its Taylor series.

With a = ρ - ρ0, b = σ - σ0, σ = |∇ρ|², and e(ρ, σ) the energy density a volume:

    v_ρ = e_ρ + e_ρρ a + e_ρσ b + ½ (e_ρρρ a² + 2 e_ρρσ ab + e_ρσσ b²),   v_σ likewise,
    e   = e0 + e_ρ a + e_σ b + ½ (…) + ⅙ (…)

A weak field changes ρ by 1e-5 of itself, where the series is exact to single precision's rounding and costs a
twentieth of evaluating the functional. Points that have changed by more than CLOSE are evaluated by libxc.
"""

from dataclasses import dataclass

import numpy as np
from pyscf import dft

#: Largest |a| / ρ0 and |b| / σ0 for the series: it leaves out CLOSE² of the potential's change.
CLOSE = 3e-4
#: Third derivatives grow as powers of 1/ρ: below this density libxc's own cut-offs would be differentiated.
THIN = 1e-9


@dataclass(frozen=True, eq=False)
class Expansion:
    """Derivatives of e at the expansion point, each (n_grid,); an LDA has none with respect to σ.

    rho, sigma: the expansion point's own. first: e0, e_ρ, e_σ; second: e_ρρ, e_ρσ, e_σσ; third: e_ρρρ, e_ρρσ,
    e_ρσσ, e_σσσ.
    usable: points where the series may serve at all.
    """

    xc: str
    rho: np.ndarray
    sigma: np.ndarray | None
    first: tuple[np.ndarray, ...]
    second: tuple[np.ndarray, ...]
    third: tuple[np.ndarray, ...]
    usable: np.ndarray


def make_expansion(xc: str, rho: np.ndarray) -> Expansion | None:
    """Expansion about ρ and ∇ρ, (1 or 4, n_grid) total.

    None for meta-GGAs, and where libxc has no third derivatives.
    """
    if len(rho) > 4:
        return None
    try:
        exc, vxc, fxc, kxc = dft.libxc.eval_xc(xc, rho if len(rho) > 1 else rho[0], spin=0, deriv=3)
    except NotImplementedError:
        return None
    if kxc is None or kxc[0] is None:
        return None
    is_gga = len(rho) == 4
    sigma = np.einsum("xg,xg->g", rho[1:], rho[1:]) if is_gga else None
    first = (exc * rho[0], *(vxc[:2] if is_gga else vxc[:1]))
    second, third = (tuple(fxc[:3]), tuple(kxc[:4])) if is_gga else (tuple(fxc[:1]), tuple(kxc[:1]))
    usable = rho[0] > THIN
    for term in (*first, *second, *third):
        usable &= np.isfinite(term)
    return Expansion(xc, rho[0], sigma, first, second, third, usable)


def evaluate(expansion: Expansion, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy density (n_grid,) and potential (1 or 4, n_grid) with respect to ρ, ∇ρ, at (1 or 4, n_grid)."""
    a = rho[0] - expansion.rho
    close = expansion.usable & (np.abs(a) <= CLOSE * expansion.rho)
    b = None
    if expansion.sigma is not None:
        b = np.einsum("xg,xg->g", rho[1:], rho[1:]) - expansion.sigma
        close &= np.abs(b) <= CLOSE * expansion.sigma
    far = np.flatnonzero(~close)
    if 2 * far.size > close.size:
        return _by_libxc(expansion.xc, rho)
    energy, potential = _series(expansion, rho, a, b)
    if far.size:
        energy[far], potential[:, far] = _by_libxc(expansion.xc, np.ascontiguousarray(rho[:, far]))
    return energy, potential


def _series(
    expansion: Expansion, rho: np.ndarray, a: np.ndarray, b: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    potential = np.empty_like(rho)
    if b is None:
        e0, e_r = expansion.first
        (e_rr,), (e_rrr,) = expansion.second, expansion.third
        potential[0] = e_r + a * (e_rr + 0.5 * a * e_rrr)
        return e0 + a * (e_r + a * (0.5 * e_rr + a / 6.0 * e_rrr)), potential
    e0, e_r, e_s = expansion.first
    e_rr, e_rs, e_ss = expansion.second
    e_rrr, e_rrs, e_rss, e_sss = expansion.third
    linear_r, linear_s = e_rr * a + e_rs * b, e_rs * a + e_ss * b
    cross = e_rrs * a + e_rss * b
    # Second differentials of e_ρ and e_σ along (a, b).
    second_r = (e_rrr * a + e_rrs * b) * a + cross * b
    second_s = cross * a + (e_rss * a + e_sss * b) * b
    potential[0] = e_r + linear_r + 0.5 * second_r
    np.multiply(rho[1:], 2.0 * (e_s + linear_s + 0.5 * second_s), out=potential[1:])
    energy = e0 + a * (e_r + 0.5 * linear_r + second_r / 6.0) + b * (e_s + 0.5 * linear_s + second_s / 6.0)
    return energy, potential


def _by_libxc(xc: str, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exc, vxc = dft.numint.NumInt().eval_xc_eff(xc, rho, deriv=1, spin=0)[:2]
    return exc * rho[0], vxc.reshape(rho.shape)
