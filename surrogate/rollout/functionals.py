"""Exchange-correlation potentials by formula: derivatives of the energy by each spin's ρ and ∇ρ at a point.

Both a closed shell's (of the total density) and an open one's come from one energy of both spins.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...atomic.errors import BadInput
from . import correlation, exchange
from .correlation import SpinDensities
from .expressions import Expression, constant, evaluate, floor, gradient, of_name

#: ρ_σ and |∇ρ_σ|² below these count as these.
LEAST_DENSITY, LEAST_SQUARE = 1e-12, 1e-24
_EXCHANGE: Mapping[str, Callable[[Expression, Expression], Expression]] = {
    "LDA_X": exchange.uniform,
    "GGA_X_B88": exchange.becke,
    "GGA_X_PBE": exchange.perdew_burke_ernzerhof,
}
_CORRELATION: Mapping[str, Callable[[SpinDensities], Expression]] = {
    "LDA_C_VWN": correlation.vosko_wilk_nusair,
    "LDA_C_VWN_RPA": correlation.vosko_wilk_nusair_rpa,
    "LDA_C_PW_MOD": correlation.perdew_wang,
    "GGA_C_PBE": correlation.perdew_burke_ernzerhof,
    "GGA_C_LYP": correlation.lee_yang_parr,
}
_ATTENUATED = "GGA_X_ITYH"
#: What is accepted, in the deck's words.
ACCEPTED = (
    "hfexch, slater with vwn_5, vwn_1_rpa or pw91lda, pbe96, pbe0, b3lyp, bhlyp, becke88 lyp, "
    "xcamb88 with lyp and vwn_5, and other mixtures of these with hfexch"
)


class NoFormula(BadInput):
    """A functional that no graph is made of. One line."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A functional as expressions; n_components is 1 of a local functional, else 4.

    energy: e, hartree a cubic bohr.
    inputs: names of ρ, or of ρ and ∇ρ, of each spin, (n_spin, n_components).
    potential: derivatives of e by them, in the same order.
    """

    energy: Expression
    inputs: tuple[tuple[str, ...], ...]
    potential: tuple[tuple[Expression, ...], ...]

    @property
    def n_components(self) -> int:
        """Of the density at a point."""
        return len(self.inputs[0])


def parts(xc: str, directive: str) -> tuple[dict[str, float], float]:
    """Weights by libxc name of what is no exact exchange, and ω of range separation (1/bohr; 0 without).

    xc: PySCF's description, as a deck's functional has it. directive: the deck's words. Raises NoFormula.
    """
    weights: dict[str, float] = {}
    omega = 0.0
    for term in re.split(r" \+ |,", xc):
        weight, _, name = term.strip().rpartition("*")
        attenuated = re.fullmatch(r"(?:SR|LR)_HF\(([^)]*)\)", name)
        if attenuated:
            omega = float(attenuated[1])
        elif name in _EXCHANGE or name in _CORRELATION or name == _ATTENUATED:
            weights[name] = weights.get(name, 0.0) + float(weight or 1.0)
        elif name not in ("", "HF"):
            raise NoFormula(f"xc {directive} is not written as a graph ({name}); accepted: {ACCEPTED}")
    return weights, omega


def formula(xc: str, directive: str, *, open_shell: bool) -> Formula | None:
    """None for Hartree-Fock. Arguments and errors as of `parts`."""
    weights, omega = parts(xc, directive)
    if not weights:
        return None
    components = ("rho",) if all(name.startswith("LDA") for name in weights) else ("rho", "x", "y", "z")
    names = [[f"{component}_{spin}" for component in components] for spin in range(2 if open_shell else 1)]
    inputs = [[of_name(name) for name in of_spin] for of_spin in names]
    at = _open(*inputs) if open_shell else _closed(*inputs)
    energy = constant(0.0)
    for name, weight in weights.items():
        energy += weight * _term(name, omega, at)
    slopes = gradient(energy, [each for of_spin in inputs for each in of_spin])
    n = len(components)
    potential = tuple(tuple(slopes[k : k + n]) for k in range(0, len(slopes), n))
    return Formula(energy, tuple(tuple(of_spin) for of_spin in names), potential)


def potential_at(made: Formula, density: np.ndarray) -> np.ndarray:
    """By numpy: v of ρ and ∇ρ, both (n_spin, n_components, n)."""
    given = dict(zip(np.ravel(made.inputs).tolist(), density.reshape(-1, density.shape[-1]), strict=True))
    found = evaluate([each for of_spin in made.potential for each in of_spin], given)
    return np.array([np.broadcast_to(each, density.shape[-1:]) for each in found]).reshape(density.shape)


def _term(name: str, omega: float, at: SpinDensities) -> Expression:
    if name in _CORRELATION:
        return _CORRELATION[name](at)
    of = partial(exchange.attenuated_becke, omega=omega) if name == _ATTENUATED else _EXCHANGE[name]
    up, down = (of(rho, square) for rho, square in zip(at.spins, at.squares, strict=True))
    return up + down


def _closed(total: Sequence[Expression]) -> SpinDensities:
    rho, square = floor(total[0], LEAST_DENSITY), _square(total[1:])
    half, quarter, one = 0.5 * rho, 0.25 * square, constant(1.0)
    return SpinDensities(rho, (half, half), (one, one), (quarter, quarter), square)


def _open(up: Sequence[Expression], down: Sequence[Expression]) -> SpinDensities:
    spins = floor(up[0], LEAST_DENSITY), floor(down[0], LEAST_DENSITY)
    rho = spins[0] + spins[1]
    shares = (2.0 * spins[0] / rho, 2.0 * spins[1] / rho)
    both = [a + b for a, b in zip(up[1:], down[1:], strict=True)]
    squares = _square(up[1:]), _square(down[1:])
    return SpinDensities(rho, spins, shares, squares, _square(both))


def _square(slope: Sequence[Expression]) -> Expression:
    """|∇ρ|², which a local functional does without."""
    square = constant(0.0)
    for along in slope:
        square += along * along
    return floor(square, LEAST_SQUARE)
