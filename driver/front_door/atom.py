"""One atom by the radial solver."""

from ...atomic.solver.configuration import parse_configuration
from ...atomic.solver.model import Model, Relativity
from ...atomic.solver.scf import Solution
from ...atomic.solver.scf import solve_atom as solve


def solve_atom(
    element: str | int,
    charge: int = 0,
    configuration: str | None = None,
    *,
    xc: str = "vwn",
    spin: bool = False,
    relativity: Relativity = "none",
) -> Solution:
    """The self-consistent Kohn–Sham atom, as `hybrid-atomic solve` gives it.

    element: symbol or atomic number. charge: of the ion.
    configuration: such as "[Ar] 3d6 4s2", fractions allowed; None for the ground configuration.
    xc: "vwn", "pz", or the libxc name of an LDA correlation. spin: LSDA, by Hund's rule.
    relativity: "none", "scalar" or "dirac".

    Of the result: `energies.total` (Hartree), `orbitals` and their `levels` (Hartree), `radius` (n,) bohr,
    `density` (n_spin, n) electrons per bohr³, `radial_functions` (orbitals, n) r R(r).
    Raises InputError (`BadInput`) for an atom that cannot be, ConvergenceError (`Failed`).
    """
    shells = None if configuration is None else parse_configuration(configuration)
    return solve(element, charge, shells, Model(xc=xc, spin=spin, relativity=relativity))
