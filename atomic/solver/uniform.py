"""The textbook scheme: a uniform grid, the three-point Laplacian, linear mixing. For teaching and comparison.

    −(u_{i+1} − 2 u_i + u_{i−1})/2h² + [l(l+1)/2r_i² + V(r_i)] u_i = ε u_i,     u(0) = u(r_max) = 0
    V_H(r) = Q(r)/r + ∫_r^{r_max} q(s)/s ds,      q = 4π r² n,  Q(r) = ∫_0^r q ds
    E = Σ fε − E_H + E_xc − Σ_σ ∫ n_σ v_σ dr

Integrals are trapezoidal. The error falls as h², so as 1/num_points²; `scf` reaches 1e-9 with 100 nodes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.linalg import eigh_tridiagonal

from .configuration import Configuration, ground_configuration
from .elements import atomic_number
from .energies import AtomEnergies, Iteration
from .errors import ConvergenceError, InputError
from .functionals import exchange_correlation
from .model import Model, Orbital, check_model, orbitals_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class UniformGrid:
    """The grid and the cycle on it.

    r_max: bohr. num_points: including both ends. l_max, states_per_l: the states computed, None for the
    occupied ones.
    density_mixing: share of the new density. density_tolerance: on max|Δn|, in units of the largest density.
    """

    r_max: float = 20.0
    num_points: int = 4000
    l_max: int | None = None
    states_per_l: int | None = None
    density_mixing: float = 0.3
    density_tolerance: float = 1e-6
    max_iterations: int = 300


@dataclass(frozen=True, eq=False)
class UniformSolution:
    """A converged atom on the uniform grid; arrays hold interior points only.

    radius: (n,). levels: (S,) eigenvalues in the order of orbitals, empty ones included.
    density: (n_spin, n) bohr⁻³. radial_functions: (S, n) P(r) = r R(r).
    """

    z: float
    model: Model
    orbitals: tuple[Orbital, ...]
    levels: Array
    radius: Array
    density: Array
    radial_functions: Array
    energies: AtomEnergies
    iterations: int


def solve_uniform(
    element: str | int,
    charge: int = 0,
    configuration: Configuration | None = None,
    model: Model | None = None,
    grid: UniformGrid | None = None,
    on_iteration: Callable[[Iteration], None] | None = None,
) -> UniformSolution:
    """The self-consistent atom by the textbook scheme (Schrödinger equation only).

    Raises InputError for impossible input or a grid that cannot hold the atom, ConvergenceError when the
    density does not settle.
    """
    model, grid = model or Model(), grid or UniformGrid()
    z = atomic_number(element)
    configuration = configuration or ground_configuration(z, charge)
    check_model(model)
    _check_grid(grid, z, configuration, model)
    orbitals = _with_empty(orbitals_of(configuration, model), model, grid)
    radius = np.linspace(0.0, grid.r_max, grid.num_points)[1:-1]
    occupations = np.array([o.occupation for o in orbitals])
    n_spin = 2 if model.spin else 1
    density = np.stack([_first_density(radius, z, orbitals, s) for s in range(n_spin)])
    old_energy, old_levels, difference = np.inf, np.full(len(orbitals), np.inf), np.inf
    for number in range(grid.max_iterations):
        potential, parts = _potential(radius, density, model)
        levels, functions = _diagonalise(radius, orbitals, potential - z / radius, grid)
        squares = functions**2 * occupations[:, None] / (4 * np.pi * radius**2)
        new = np.stack([squares[[o.spin == s for o in orbitals]].sum(axis=0) for s in range(n_spin)])
        eigenvalue_sum = float(occupations @ levels)
        energies = _collect(radius, z, eigenvalue_sum, new, potential, parts)
        difference = float(np.abs(new - density).max() / density.max())
        shift = float(np.abs(levels - old_levels)[occupations > 0].max())
        if on_iteration:
            change = abs(energies.total - old_energy)
            on_iteration(Iteration(number, energies.total, change, shift, difference))
        if difference < grid.density_tolerance or not model.interacting:
            found = UniformSolution(
                float(z), model, orbitals, levels, radius, new, functions, energies, number + 1
            )
            return _checked(found, grid)
        density = (1 - grid.density_mixing) * density + grid.density_mixing * new
        old_energy, old_levels = energies.total, levels
    raise ConvergenceError(
        f"no self-consistency after {grid.max_iterations} iterations: max|dn| is {difference:.1e} of max n; "
        "change density_mixing or allow more iterations"
    )


def hartree_potential(radius: Array, total_density: Array) -> Array:
    """V_H at equally spaced radii from h on, by cumulative trapezoidal integrals from 0 and from r_max."""
    r = np.concatenate([[0.0], radius])
    q = np.concatenate([[0.0], 4 * np.pi * radius**2 * total_density])
    inner = cumulative_trapezoid(q, r, initial=0.0)
    over_r = np.concatenate([[0.0], q[1:] / radius])
    outer = cumulative_trapezoid(over_r, r, initial=0.0)
    return inner[1:] / radius + (outer[-1] - outer[1:])


def _potential(radius: Array, density: Array, model: Model) -> tuple[Array, tuple[float, ...]]:
    """Electronic potential (n_spin, n) of a density, and its E_H, E_x, E_c and ∫ n v_xc."""
    measure = 4 * np.pi * radius**2 * radius[0]
    total = density.sum(axis=0)
    e_x, e_c, v_xc = exchange_correlation(density, model.xc, model.use_exchange, model.use_correlation)
    v_hartree = hartree_potential(radius, total) if model.use_hartree else np.zeros_like(total)
    integrals = (0.5 * v_hartree * total, e_x * total, e_c * total, (v_xc * density).sum(axis=0))
    return v_xc + v_hartree, tuple(float(measure @ f) for f in integrals)


def _collect(
    radius: Array, z: float, eigenvalue_sum: float, new: Array, potential: Array, parts: tuple[float, ...]
) -> AtomEnergies:
    measure = 4 * np.pi * radius**2 * radius[0]
    hartree, exchange, correlation, xc_potential = parts
    nuclear = -z * float(measure @ (new.sum(axis=0) / radius))
    return AtomEnergies(
        total=eigenvalue_sum - hartree + exchange + correlation - xc_potential,
        kinetic=eigenvalue_sum - nuclear - float(measure @ (new * potential).sum(axis=0)),
        nuclear=nuclear,
        hartree=hartree,
        exchange=exchange,
        correlation=correlation,
        eigenvalue_sum=eigenvalue_sum,
        xc_potential=xc_potential,
    )


def _diagonalise(
    radius: Array, orbitals: tuple[Orbital, ...], full: Array, grid: UniformGrid
) -> tuple[Array, Array]:
    h = radius[0]
    levels, functions = np.empty(len(orbitals)), np.empty((len(orbitals), len(radius)))
    for spin, angular in sorted({(o.spin, o.l) for o in orbitals}):
        mine = [i for i, o in enumerate(orbitals) if (o.spin, o.l) == (spin, angular)]
        diagonal = 1 / h**2 + full[spin] + angular * (angular + 1) / (2 * radius**2)
        off = np.full(len(radius) - 1, -0.5 / h**2)
        last = max(orbitals[i].n for i in mine) - angular - 1
        values, vectors = eigh_tridiagonal(diagonal, off, select="i", select_range=(0, last))
        which = [orbitals[i].n - angular - 1 for i in mine]
        levels[mine], functions[mine] = values[which], vectors.T[which] / np.sqrt(h)
    return levels, functions


def _with_empty(orbitals: tuple[Orbital, ...], model: Model, grid: UniformGrid) -> tuple[Orbital, ...]:
    """The configuration's orbitals and the empty ones up to l_max and states_per_l."""
    held = {(o.n, o.l, o.spin): o for o in orbitals}
    for angular in range(0 if grid.l_max is None else grid.l_max + 1):
        for n in range(angular + 1, angular + 1 + (grid.states_per_l or 0)):
            for spin in range(2 if model.spin else 1):
                capacity = float(2 * angular + 1) * (1 if model.spin else 2)
                held.setdefault((n, angular, spin), Orbital(n, angular, 0.0, capacity, spin))
    return tuple(held[key] for key in sorted(held))


def _first_density(radius: Array, z: float, orbitals: tuple[Orbital, ...], spin: int) -> Array:
    """Exponentials n r^0 exp(−2 Z_n r/n), one for each n, screened by all electrons of lower n."""
    density = np.zeros_like(radius)
    inner = 0.0
    for n in sorted({o.n for o in orbitals if o.occupation}):
        mine = sum(o.occupation for o in orbitals if o.n == n and o.spin == spin)
        everybody = sum(o.occupation for o in orbitals if o.n == n)
        exponent = 2 * max(z - inner - 0.35 * everybody, 1.0) / n
        density += mine * exponent**3 / (8 * np.pi) * np.exp(-exponent * radius)
        inner += everybody
    return np.maximum(density, 1e-200)


def _check_grid(grid: UniformGrid, z: int, configuration: Configuration, model: Model) -> None:
    if model.relativity != "none":
        raise InputError(
            "the uniform grid is for the Schrödinger equation: a relativistic atom needs mesh spectral"
        )
    if not 0 < grid.density_mixing <= 1 or grid.density_tolerance <= 0 or grid.max_iterations < 1:
        raise InputError("density_mixing is in (0, 1], density_tolerance above 0, max_iterations at least 1")
    if grid.r_max < 5:
        raise InputError(f"r_max {grid.r_max:g} bohr is too small for an atom: give at least 5, better 20")
    for shell in configuration.shells:
        if grid.l_max is not None and shell.l > grid.l_max:
            raise InputError(f"{shell.label} is occupied but l_max is {grid.l_max}: give at least {shell.l}")
        if grid.states_per_l is not None and shell.n - shell.l > grid.states_per_l:
            least = shell.n - shell.l
            raise InputError(f"{shell.label} is occupied: states_per_l must be at least {least}")
    if grid.num_points < 50 or z * grid.r_max / (grid.num_points - 1) > 0.2:
        needed = max(50, int(np.ceil(5 * z * grid.r_max)) + 1)
        raise InputError(
            f"{grid.num_points} points to {grid.r_max:g} bohr cannot resolve Z = {z}: the spacing must be "
            f"below 0.2/Z, so num_points at least {needed}"
        )


def _checked(solution: UniformSolution, grid: UniformGrid) -> UniformSolution:
    for orbital, level in zip(solution.orbitals, solution.levels, strict=True):
        if orbital.occupation > 0 and level >= 0:
            raise ConvergenceError(f"{orbital.label} is not bound (eigenvalue {level:+.4f} Ha)")
    shell = 4 * np.pi * solution.radius**2 * solution.density.sum(axis=0) * solution.radius[0]
    outside = float(shell[solution.radius > 0.9 * grid.r_max].sum())
    if outside > 1e-4:
        raise InputError(
            f"r_max = {grid.r_max:g} bohr is too small: {outside:.1e} electrons lie beyond nine tenths of it"
        )
    return replace(solution, radial_functions=_outward(solution.radial_functions))


def _outward(functions: Array) -> Array:
    """Signs such that the outermost lobe is positive."""
    outer = np.argmax(np.cumsum(functions**2, axis=1) > 0.9 * (functions**2).sum(axis=1)[:, None], axis=1)
    return functions * np.sign(functions[np.arange(len(functions)), outer])[:, None]
