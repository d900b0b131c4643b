"""Exchange energies a volume, spin by spin, as expressions of ρ_σ and σ_σσ = |∇ρ_σ|².

    E_x = -c_x Σ_σ ∫ ρ_σ^(4/3) F(x_σ),   c_x = (3/2) (3/4π)^(1/3),   x_σ = |∇ρ_σ| / ρ_σ^(4/3)

Slater and Dirac; Becke, Phys. Rev. A 38, 3098 (1988); Perdew, Burke and Ernzerhof, Phys. Rev. Lett. 77, 3865
(1996); the attenuation at short range of Iikura, Tsuneda, Yanai and Hirao, J. Chem. Phys. 115, 3540 (2001).
Parameters are libxc's.
"""

import math
from fractions import Fraction

from .expressions import Expression, constant, erf, exp, log, root, select

#: c_x.
_UNIFORM = 1.5 * (3.0 / (4.0 * math.pi)) ** (1.0 / 3.0)
#: Becke's β, and the κ and μ of Perdew, Burke and Ernzerhof.
_BECKE, _KAPPA, _MU = 0.0042, 0.8040, 0.2195149727645171
#: a from which on the attenuation is its series in 1/a², and terms of that.
_FAR, _FAR_TERMS = 2.0, 11
_FOUR_THIRDS = Fraction(4, 3)


def uniform(rho: Expression, square: Expression) -> Expression:
    """The uniform gas's, LDA_X; square: σ_σσ, of no use to it."""
    del square
    return -_UNIFORM * rho**_FOUR_THIRDS


def becke(rho: Expression, square: Expression) -> Expression:
    """GGA_X_B88."""
    return -(rho**_FOUR_THIRDS) * _becke_factor(rho, square)


def perdew_burke_ernzerhof(rho: Expression, square: Expression) -> Expression:
    """GGA_X_PBE."""
    # By a power of ρ^(-1/3): the derivative of 1/ρ^(8/3) leaves single precision below 1e-6.
    s2 = square * (rho ** Fraction(-1, 3)) ** 8 / (4.0 * (6.0 * math.pi**2) ** (2.0 / 3.0))
    factor = 1.0 + _KAPPA - _KAPPA / (1.0 + _MU / _KAPPA * s2)
    return -_UNIFORM * rho**_FOUR_THIRDS * factor


def attenuated_becke(rho: Expression, square: Expression, omega: float) -> Expression:
    """GGA_X_ITYH: Becke's at short range, erfc(ω r)/r; omega: 1/bohr."""
    factor = _becke_factor(rho, square)
    # K = 2 c_x F in the paper's letters.
    a = omega / (6.0 * math.sqrt(math.pi)) * root(2.0 * factor) / rho ** Fraction(1, 3)
    return -(rho**_FOUR_THIRDS) * factor * _attenuation(a)


def _becke_factor(rho: Expression, square: Expression) -> Expression:
    """c_x F(x)."""
    x = root(square) / rho**_FOUR_THIRDS
    arsinh = log(x + root(x * x + 1.0))
    return _UNIFORM + _BECKE * x * x / (1.0 + 6.0 * _BECKE * x * arsinh)


def _attenuation(a: Expression) -> Expression:
    """The share of exchange that is left at short range; 1 at a = 0.

    Of an a that is large the formula is the difference of large numbers; there its series serves.
    """
    far = a - _FAR
    # Each is evaluated everywhere, and must be finite.
    near = select(far, constant(_FAR), a)
    z = 0.5 / near
    inner = math.sqrt(math.pi) * erf(z) + (2.0 * near - 4.0 * near**3) * exp(-(z * z))
    formula = 1.0 - 8.0 / 3.0 * near * (inner - 3.0 * near + 4.0 * near**3)
    # Series of the integral of the same function: Σ (-1)^(n+1) y^n / ..., y = 1/(2a)².
    y, series = (0.5 / select(far, a, constant(_FAR))) ** 2, constant(0.0)
    for coefficient in reversed(_far_coefficients()):
        series = series * y + coefficient
    return select(far, series * y, formula)


def _far_coefficients() -> list[float]:
    """c_n of Σ_(n>=1) c_n y^n: 8/3 a [...] with erf and exp expanded in z = 1/(2a).

    √π erf z = 2 Σ (-1)^k z^(2k+1) / (k! (2k+1)), and a = 1/(2z): powers of z below two cancel.
    """
    found = []
    for n in range(1, _FAR_TERMS + 1):

        def sign_over_factorial(k: int) -> float:
            return (-1.0) ** k / math.factorial(k)

        # a·2z·z^(2n) → z^(2n); 2a² e^(-z²) → z^(2n) from k = n + 1; 4a⁴ → from k = n + 2.
        error = sign_over_factorial(n) / (2 * n + 1)
        wide = 0.5 * sign_over_factorial(n + 1)
        wider = 0.25 * sign_over_factorial(n + 2)
        found.append(-8.0 / 3.0 * (error + wide - wider))
    return found
