"""Local exchange-correlation functionals of the spin densities, and their potentials.

    e(n↑, n↓)   energy per electron,      v_σ = ∂(n e)/∂n_σ,      n = n↑ + n↓,   ζ = (n↑ − n↓)/n

Dirac exchange; correlation by Perdew and Zunger, Phys. Rev. B 23, 5048 (1981), appendix C ("pz"), and by
Vosko, Wilk and Nusair, Can. J. Phys. 58, 1200 (1980), their fit of the Ceperley-Alder data, often called VWN5
("vwn"). The relativistic correction to exchange is that of MacDonald and Vosko, J. Phys. C 12, 2977 (1979).
Any other LDA correlation of libxc is reached by its name through PySCF ("lda_c_pw", "lda_c_vwn_rpa", ...).
"""

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Array = NDArray[np.float64]

# Below this density (bohr⁻³) exchange and correlation are zero: they are smaller than rounding.
_VACUUM = 1e-30

# Names of Dirac's exchange.
_EXCHANGE = ("lda_x", "slater", "lda")
# Correlation in one and two dimensions, and between electrons and protons.
_OTHERS = ("lda_c_1d", "lda_c_2d", "lda_c_epc")


def exchange_correlation(
    density: Array,
    correlation: str = "vwn",
    use_exchange: bool = True,
    use_correlation: bool = True,
    speed_of_light: float | None = None,
) -> tuple[Array, Array, Array]:
    """Exchange and correlation at points with spin densities `density`.

    density: (n_spin, n) in bohr⁻³; one row means spin-restricted, the row then holds the total density.
    speed_of_light: in au; when given, exchange carries the MacDonald-Vosko correction.
    Returns (e_x, e_c, v): energies per electron (n,) and the potential (n_spin, n), Hartree.
    Raises InputError for a functional that is neither ours nor an LDA of libxc.
    """
    total = density.sum(axis=0)
    occupied = total > _VACUUM
    n = np.where(occupied, total, 1.0)
    e_x, e_c = np.zeros_like(n), np.zeros_like(n)
    v = np.zeros_like(density)
    restricted = len(density) == 1
    zeta = None if restricted else np.clip((density[0] - density[1]) / n, -1.0, 1.0)
    if use_exchange:
        e_x, v_x = _dirac_exchange(n, zeta, speed_of_light)
        v += v_x
    if use_correlation:
        own = {"vwn": _vwn, "pz": _pz}.get(correlation)
        e_c, v_c = own(n, zeta) if own else _libxc(correlation, n, zeta)
        v += v_c
    return np.where(occupied, e_x, 0.0), np.where(occupied, e_c, 0.0), np.where(occupied, v, 0.0)


def check_correlation(name: str) -> None:
    """Raises InputError unless `name` is "vwn", "pz" or an LDA correlation of libxc, in space."""
    if name in ("vwn", "pz"):
        return
    kind = name.lower()
    if kind in _EXCHANGE:
        raise InputError(f"{name} is exchange, which is always there; --no-correlation leaves it alone")
    if not kind.startswith("lda_c_") or kind.startswith(_OTHERS):
        raise InputError(
            f"{name!r} is no LDA correlation: give vwn, pz or the libxc name of one, such as lda_c_pw"
        )
    _libxc(name, np.ones(1), None)


def _dirac_exchange(n: Array, zeta: Array | None, c: float | None) -> tuple[Array, Array]:
    """E_x[n↑, n↓] = ½ E_x[2n↑] + ½ E_x[2n↓]; restricted: e_x = −¾ (3n/π)^(1/3), v_x = 4/3 e_x."""
    if zeta is None:
        e, v = _restricted_exchange(n, c)
        return e, v[None, :]
    up, down = 0.5 * (1 + zeta), 0.5 * (1 - zeta)
    e_up, v_up = _restricted_exchange(2 * up * n, c)
    e_down, v_down = _restricted_exchange(2 * down * n, c)
    return up * e_up + down * e_down, np.stack([v_up, v_down])


def _restricted_exchange(n: Array, c: float | None) -> tuple[Array, Array]:
    e = -0.75 * np.cbrt(3 / np.pi * n)
    v = 4 / 3 * e
    if c is None:
        return e, v
    beta = np.cbrt(3 * np.pi**2 * n) / c
    eta = np.sqrt(1 + beta**2)
    xi = np.arcsinh(beta)
    # Both factors lose half their digits by cancellation for small β, where the series are exact to rounding.
    small = beta < 1e-2
    b = np.where(small, 1.0, beta)
    b2 = beta**2
    energy_factor = np.where(
        small, 1 - 2 / 3 * b2 + 2 / 5 * b2**2 - 48 / 175 * b2**3, 1 - 1.5 * ((b * eta - xi) / b**2) ** 2
    )
    potential_factor = np.where(small, 1 - b2 + 0.8 * b2**2 - 24 / 35 * b2**3, 1.5 * xi / (b * eta) - 0.5)
    return e * energy_factor, v * potential_factor


def _interpolation(zeta: Array) -> tuple[Array, Array]:
    """f(ζ) of von Barth and Hedin and its derivative: 0 for ζ = 0, 1 for |ζ| = 1."""
    norm = 2 ** (4 / 3) - 2
    plus, minus = np.cbrt(1 + zeta), np.cbrt(1 - zeta)
    return ((1 + zeta) * plus + (1 - zeta) * minus - 2) / norm, 4 / 3 * (plus - minus) / norm


def _spin_potential(e: Array, rs_de_drs: Array, de_dzeta: Array, zeta: Array) -> Array:
    """v_σ = e − (r_s/3) ∂e/∂r_s + (±1 − ζ) ∂e/∂ζ, as rows up, down."""
    common = e - rs_de_drs / 3
    return np.stack([common + (1 - zeta) * de_dzeta, common - (1 + zeta) * de_dzeta])


def _vwn_term(x: Array, a: float, b: float, c: float, x0: float) -> tuple[Array, Array]:
    """VWN's eq. 4.4 at x = √r_s, and r_s times its derivative with respect to r_s."""
    q = np.sqrt(4 * c - b * b)
    poly, poly0 = x * x + b * x + c, x0 * x0 + b * x0 + c
    angle = np.arctan(q / (2 * x + b))
    e = a * (
        np.log(x * x / poly)
        + 2 * b / q * angle
        - b * x0 / poly0 * (np.log((x - x0) ** 2 / poly) + 2 * (b + 2 * x0) / q * angle)
    )
    return e, a * (c * (x - x0) - b * x0 * x) / ((x - x0) * poly)


def _vwn(n: Array, zeta: Array | None) -> tuple[Array, Array]:
    x = np.sqrt(np.cbrt(3 / (4 * np.pi * n)))
    e_p, d_p = _vwn_term(x, 0.0310907, 3.72744, 12.9352, -0.10498)
    if zeta is None:
        return e_p, (e_p - d_p / 3)[None, :]
    e_f, d_f = _vwn_term(x, 0.01554535, 7.06042, 18.0578, -0.32500)
    stiffness, d_s = _vwn_term(x, -1 / (6 * np.pi**2), 1.13107, 13.0045, -0.00475840)
    f, df = _interpolation(zeta)
    z3, z4 = zeta**3, zeta**4
    curvature = 4 / (9 * (2 ** (1 / 3) - 1))  # f''(0)
    e = e_p + stiffness * f / curvature * (1 - z4) + (e_f - e_p) * f * z4
    d = d_p + d_s * f / curvature * (1 - z4) + (d_f - d_p) * f * z4
    de_dzeta = stiffness / curvature * (df * (1 - z4) - 4 * f * z3) + (e_f - e_p) * (df * z4 + 4 * f * z3)
    return e, _spin_potential(e, d, de_dzeta, zeta)


def _pz_term(
    rs: Array, dilute: tuple[float, float, float], dense_form: tuple[float, float, float, float]
) -> tuple[Array, Array]:
    """One spin case of Perdew-Zunger: energy and r_s times its derivative.

    dilute: γ, β₁, β₂ of γ / (1 + β₁ √r_s + β₂ r_s), for r_s ≥ 1.
    dense_form: A, B, C, D of A ln r_s + B + C r_s ln r_s + D r_s, below.
    """
    (gamma, b1, b2), (a, b, c, d) = dilute, dense_form
    dense = rs < 1
    root, log = np.sqrt(rs), np.log(rs)
    denominator = 1 + b1 * root + b2 * rs
    dilute_e = gamma / denominator
    dilute_d = -gamma * (0.5 * b1 * root + b2 * rs) / denominator**2
    dense_e = a * log + b + c * rs * log + d * rs
    dense_d = a + c * rs * (log + 1) + d * rs
    return np.where(dense, dense_e, dilute_e), np.where(dense, dense_d, dilute_d)


def _pz(n: Array, zeta: Array | None) -> tuple[Array, Array]:
    rs = np.cbrt(3 / (4 * np.pi * n))
    e_u, d_u = _pz_term(rs, (-0.1423, 1.0529, 0.3334), (0.0311, -0.048, 0.0020, -0.0116))
    if zeta is None:
        return e_u, (e_u - d_u / 3)[None, :]
    e_p, d_p = _pz_term(rs, (-0.0843, 1.3981, 0.2611), (0.01555, -0.0269, 0.0007, -0.0048))
    f, df = _interpolation(zeta)
    e = e_u + (e_p - e_u) * f
    return e, _spin_potential(e, d_u + (d_p - d_u) * f, (e_p - e_u) * df, zeta)


def _libxc(name: str, n: Array, zeta: Array | None) -> tuple[Array, Array]:
    from pyscf.dft import libxc

    try:
        libxc.parse_xc(f",{name}")
    except (KeyError, ValueError) as error:
        raise InputError(
            f"unknown LDA correlation {name!r}: give vwn, pz or the libxc name of one, such as lda_c_pw"
        ) from error
    if zeta is None:
        e, (v, *_), *_ = libxc.eval_xc(f",{name}", n, spin=0, deriv=1)
        return np.asarray(e), np.asarray(v)[None, :]
    up, down = 0.5 * (1 + zeta) * n, 0.5 * (1 - zeta) * n
    e, (v, *_), *_ = libxc.eval_xc(f",{name}", (up, down), spin=1, deriv=1)
    return np.asarray(e), np.asarray(v).T
