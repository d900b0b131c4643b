"""Correlation energies a volume as expressions of both spins' densities and squared gradients.

Vosko, Wilk and Nusair, Can. J. Phys. 58, 1200 (1980), forms V and RPA; Perdew and Wang, Phys. Rev. B 45,
13244 (1992); Perdew, Burke and Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996); Lee, Yang and Parr, Phys. Rev. B
37, 785 (1988), as Miehlich, Savin, Stoll and Preuss write it, Chem. Phys. Lett. 157, 200 (1989). Parameters
are libxc's.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from .expressions import Expression, arctan, constant, exp, log, root

_THIRD = Fraction(1, 3)
#: f''(0) of the spin interpolation f.
_CURVATURE = 4.0 / (9.0 * (2.0 ** (1.0 / 3.0) - 1.0))
#: Vosko, Wilk and Nusair: A, b, c, x0 of the unpolarised and polarised gas and of the spin stiffness.
_VWN_5 = (
    (0.0310907, 3.72744, 12.9352, -0.10498),
    (0.01554535, 7.06042, 18.0578, -0.32500),
    (-1.0 / (6.0 * math.pi**2), 1.13107, 13.0045, -0.0047584),
)
_VWN_RPA = ((0.0310907, 13.0720, 42.7198, -0.409286), (0.01554535, 20.1231, 101.578, -0.743294))
#: Perdew and Wang: A, α1, β1 to β4 of the same three, and f''(0) with more digits than theirs.
_PW92 = (
    (0.0310907, 0.21370, 7.5957, 3.5876, 1.6382, 0.49294),
    (0.01554535, 0.20548, 14.1189, 6.1977, 3.3662, 0.62517),
    (0.0168869, 0.11125, 10.357, 3.6231, 0.88026, 0.49671),
)
_PW92_CURVATURE = 1.709920934161365617563962776245
#: γ and β of Perdew, Burke and Ernzerhof; a, b, c, d of Lee, Yang and Parr.
_GAMMA, _BETA = (1.0 - math.log(2.0)) / math.pi**2, 0.06672455060314922
_A, _B, _C, _D = 0.04918, 0.132, 0.2533, 0.349


@dataclass(frozen=True)
class SpinDensities:
    """Both spins at a point.

    rho: ρ. spins: ρ_α, ρ_β.
    shares: 2 ρ_σ/ρ, that is 1 + ζ and 1 - ζ: exactly 1 in a closed shell.
    squares: σ_αα, σ_ββ. square: |∇ρ|².
    """

    rho: Expression
    spins: tuple[Expression, Expression]
    shares: tuple[Expression, Expression]
    squares: tuple[Expression, Expression]
    square: Expression

    @property
    def polarisation(self) -> Expression:
        """ζ."""
        return 0.5 * (self.shares[0] - self.shares[1])


def vosko_wilk_nusair(at: SpinDensities) -> Expression:
    """LDA_C_VWN: form V."""
    unpolarised, polarised, stiffness = (_vwn(at, *given) for given in _VWN_5)
    f, zeta4 = _interpolation(at), at.polarisation**4
    along = stiffness * f * (1.0 - zeta4) / _CURVATURE
    return at.rho * (unpolarised + along + (polarised - unpolarised) * f * zeta4)


def vosko_wilk_nusair_rpa(at: SpinDensities) -> Expression:
    """LDA_C_VWN_RPA."""
    unpolarised, polarised = (_vwn(at, *given) for given in _VWN_RPA)
    return at.rho * (unpolarised + (polarised - unpolarised) * _interpolation(at))


def perdew_wang(at: SpinDensities) -> Expression:
    """LDA_C_PW_MOD."""
    return at.rho * _perdew_wang(at)


def perdew_burke_ernzerhof(at: SpinDensities) -> Expression:
    """GGA_C_PBE."""
    energy = _perdew_wang(at)
    phi = 0.5 * (at.shares[0] ** Fraction(2, 3) + at.shares[1] ** Fraction(2, 3))
    scale = _GAMMA * phi**3
    k_fermi = (3.0 * math.pi**2) ** (1.0 / 3.0)
    # By a power of ρ^(-1/3): the derivative of 1/ρ^(7/3) leaves single precision below 1e-7.
    t2 = math.pi / 16.0 / k_fermi * at.square * (at.rho**-_THIRD) ** 7 / phi**2
    A = _BETA / _GAMMA / (exp(-energy / scale) - 1.0)
    ratio = (1.0 + A * t2) / (1.0 + A * t2 + (A * t2) ** 2)
    return at.rho * (energy + scale * log(1.0 + _BETA / _GAMMA * t2 * ratio))


def lee_yang_parr(at: SpinDensities) -> Expression:
    """GGA_C_LYP; every power of ρ as one of ρ^(-1/3), which leaves single precision only below 1e-12."""
    rho, (up, down) = at.rho, at.shares
    third = rho**-_THIRD
    up2, down2, total2 = (square * third**8 for square in (*at.squares, at.square))
    damped = 1.0 / (1.0 + _D * third)
    delta = _C * third + _D * third * damped
    pairs = 0.25 * up * down
    uniform = 2.0 ** (11.0 / 3.0) * 0.3 * (3.0 * math.pi**2) ** (2.0 / 3.0)
    inner = (
        uniform * ((0.5 * up) ** Fraction(8, 3) + (0.5 * down) ** Fraction(8, 3))
        + (47.0 / 18.0 - 7.0 / 18.0 * delta) * total2
        - (2.5 - delta / 18.0) * (up2 + down2)
        - (delta - 11.0) / 9.0 * 0.5 * (up * up2 + down * down2)
    )
    outer = (2.0 / 3.0 - 0.25 * up**2) * down2 + (2.0 / 3.0 - 0.25 * down**2) * up2 - 2.0 / 3.0 * total2
    gradient = _B * exp(-_C * third) * (pairs * inner + outer)
    return -_A * damped * rho * (4.0 * pairs + gradient)


def _radius(at: SpinDensities) -> Expression:
    """r_s."""
    return (3.0 / (4.0 * math.pi)) ** (1.0 / 3.0) * at.rho**-_THIRD


def _interpolation(at: SpinDensities) -> Expression:
    """f(ζ)."""
    both = at.shares[0] ** Fraction(4, 3) + at.shares[1] ** Fraction(4, 3)
    return (both - 2.0) / (2.0 ** (4.0 / 3.0) - 2.0)


def _vwn(at: SpinDensities, a: float, b: float, c: float, x0: float) -> Expression:
    x = root(_radius(at))
    size = x * x + b * x + c
    q = math.sqrt(4.0 * c - b * b)
    pulled = b * x0 / (x0 * x0 + b * x0 + c)
    angle = arctan(q / (2.0 * x + b))
    turned = 2.0 * b / q - pulled * 2.0 * (b + 2.0 * x0) / q
    return a * (log(x * x / size) + turned * angle - pulled * log((x - x0) ** 2 / size))


def _perdew_wang(at: SpinDensities) -> Expression:
    """The energy an electron."""
    unpolarised, polarised, stiffness = (_pw92(at, *given) for given in _PW92)
    f, zeta4 = _interpolation(at), at.polarisation**4
    along = -stiffness * f * (1.0 - zeta4) / _PW92_CURVATURE
    return unpolarised + along + (polarised - unpolarised) * f * zeta4


def _pw92(at: SpinDensities, a: float, alpha: float, *betas: float) -> Expression:
    rs = _radius(at)
    x, series = root(rs), constant(0.0)
    for beta in reversed(betas):
        series = (series + beta) * x
    return -2.0 * a * (1.0 + alpha * rs) * log(1.0 + 1.0 / (2.0 * a * series))
