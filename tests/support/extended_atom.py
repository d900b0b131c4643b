"""One LDA atom in extended precision (x87, 64-bit mantissa): what the double-precision solver is judged by.

The same weak form as `eigenstates`, on a finer mesh whose nodes, weights and derivatives are extended
too. The Hartree potential comes by another route: −(r² V')' = 4π r² n, solved with refinement. Double
precision enters through preconditioners only: a double solve steers every correction, an extended
residual decides. Two meshes agree to 1e-11 Ha for uranium.

`python tests/support/extended_atom.py` writes `nist_tables/extended_{lda,rlda}.csv` (a quarter of an hour).
"""

import csv
import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from hybrid_propagate.atomic.solver.eigenstates import channel_matrices
from hybrid_propagate.atomic.solver.elements import SYMBOLS
from hybrid_propagate.atomic.solver.mesh import Mesh, lobatto, spectral_mesh
from hybrid_propagate.atomic.solver.model import Model, Orbital
from hybrid_propagate.atomic.solver.response import dielectric_solver, interaction_kernel, susceptibility
from hybrid_propagate.atomic.solver.scf import solve_atom
from nist import DATA, MODELS
from numpy.typing import NDArray

Extended = NDArray[np.longdouble]
Real = np.longdouble
PI = Real("3.14159265358979323846264338")


@dataclass(frozen=True)
class ExtendedAtom:
    """A converged atom.

    total, levels: Hartree, levels (S,) in the order of orbitals. residual: largest potential change × charge.
    """

    orbitals: tuple[Orbital, ...]
    total: np.longdouble
    levels: Extended
    residual: float


class ExtendedMesh:
    """`mesh` again, every number computed in extended precision from its element edges."""

    def __init__(self, mesh: Mesh) -> None:
        self.p, self.m = mesh.order, mesh.power
        x, w, derivative = extended_lobatto(self.p)
        edges = np.append(mesh.element_radius[:, 0], mesh.element_radius[-1, -1]).astype(Real)
        s_edges = np.append(Real(0), np.exp(np.log(edges[1:]) / self.m)) if self.m > 1 else edges
        self.start, self.half = s_edges[:-1, None], np.diff(s_edges)[:, None] / 2
        s = self.start + self.half * (1 + x)
        s[:, -1] = s_edges[1:]
        self.element_radius, self.stretch = s**self.m, self.m * s ** (self.m - 1)
        self.element_weight, self.derivative = self.half * w, derivative / self.half[:, :, None]
        self.radius = self.nodes(self.element_radius)
        self.weight = self.sums(self.element_weight * self.stretch)
        self.r_max = edges[-1]
        self.inside = self.element_radius > 0
        self.dr = np.where(self.inside, self.element_weight * self.stretch, 0)

    def nodes(self, local: Extended) -> Extended:
        """(n,) node values of element values that agree where elements meet."""
        return local[:, :-1].ravel()[1:]

    def sums(self, local: Extended) -> Extended:
        """(..., n) sums over elements."""
        total = np.zeros((*local.shape[:-2], local.shape[-2] * self.p + 1), Real)
        total[..., :-1] = local[..., :-1].reshape(*local.shape[:-2], -1)
        total[..., self.p :: self.p] += local[..., -1]
        return total[..., 1:-1]

    def spread(self, values: Extended, first: Extended | int = 0, last: Extended | int = 0) -> Extended:
        """(..., E, p+1) of node values (..., n), given those at both ends."""
        padded = np.zeros((*values.shape[:-1], values.shape[-1] + 2), Real)
        padded[..., 1:-1], padded[..., 0], padded[..., -1] = values, first, last
        return padded[..., np.arange(len(self.element_radius))[:, None] * self.p + np.arange(self.p + 1)]

    @cached_property
    def poisson(self) -> tuple[Extended, NDArray[np.float64]]:
        """−(r² V')' with V(r_max) = 0 scaled to a unit diagonal, below its scale; and its double inverse."""
        x, w = extended_gauss(self.p + self.m + 2)
        metric = (self.start + self.half * (x + 1)) ** (self.m + 1) * self.half * w / self.m
        slopes = cardinal(extended_lobatto(self.p)[0], x) @ self.derivative
        blocks = np.swapaxes(slopes, 1, 2) @ (metric[:, :, None] * slopes)
        matrix = np.zeros((len(blocks) * self.p + 1,) * 2, Real)
        for e, block in enumerate(blocks):
            window = slice(e * self.p, e * self.p + self.p + 1)
            matrix[window, window] += block
        matrix = matrix[:-1, :-1]
        scale = 1 / np.sqrt(np.diag(matrix))
        scaled = np.vstack([scale, matrix * scale[:, None] * scale])
        return scaled, np.linalg.inv(scaled[1:].astype(np.float64))

    def hartree(self, charges: Extended) -> Extended:
        """V_H at the nodes of node charges."""
        scaled, inverse = self.poisson
        scale, matrix = scaled[0], scaled[1:]
        wanted = np.append(Real(0), charges) * scale
        found = np.zeros_like(wanted)
        for _ in range(6):
            found = found + (inverse @ (wanted - matrix @ found).astype(np.float64)).astype(Real)
        return (found * scale)[1:] + charges.sum() / self.r_max


def extended_lobatto(order: int) -> tuple[Extended, Extended, Extended]:
    """Gauss-Lobatto nodes, weights and derivative matrix on [−1, 1]."""
    x = lobatto(order)[0]
    value = legendre(order, x)[0]
    gap = x[:, None] - x + np.eye(order + 1)
    derivative = value[:, None] / value / gap
    np.fill_diagonal(derivative, 0)
    derivative[0, 0], derivative[-1, -1] = -Real(order * (order + 1)) / 4, Real(order * (order + 1)) / 4
    return x, 2 / (order * (order + 1) * value**2), derivative


def extended_gauss(points: int) -> tuple[Extended, Extended]:
    """Gauss-Legendre rule on [−1, 1]."""
    x = np.polynomial.legendre.leggauss(points)[0].astype(Real)
    for _ in range(3):
        value, slope = legendre(points, x)
        x = x - value / slope
    return x, 2 / ((1 - x**2) * legendre(points, x)[1] ** 2)


def legendre(order: int, x: Extended) -> tuple[Extended, Extended]:
    """P_order and P'_order by recurrence; the slope is meaningless at ±1."""
    before, value = np.ones_like(x), x
    for n in range(2, order + 1):
        before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
    inside = np.where(abs(x) < 1, 1 - x**2, 1)
    return value, order * (before - x * value) / inside


def cardinal(nodes: Extended, x: Extended) -> Extended:
    """(len(x), p+1) Lagrange polynomials of the nodes at x."""
    columns = []
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        columns.append(((x[:, None] - others) / (node - others)).prod(axis=1))
    return np.stack(columns, axis=1)


def exchange_correlation(n: Extended, c: float | None) -> tuple[Extended, Extended]:
    """Energy per electron and potential: Dirac exchange, MacDonald-Vosko with c; VWN correlation."""
    e = -Real(3) / 4 * (3 * n / PI) ** (Real(1) / 3)
    v = 4 * e / 3
    if c is not None:
        beta = (3 * PI**2 * n) ** (Real(1) / 3) / Real(c)
        root, angle, b2 = np.sqrt(1 + beta**2), np.arcsinh(beta), beta**2
        # Below, the closed forms lose their digits and the series has them all.
        small = beta < Real("3e-3")
        b = np.where(small, 1, beta)
        series_e = 1 - 2 * b2 / 3 + 2 * b2**2 / 5 - 48 * b2**3 / 175 + 64 * b2**4 / 315
        series_v = 1 - b2 + 4 * b2**2 / 5 - 24 * b2**3 / 35 + 64 * b2**4 / 105
        e = e * np.where(small, series_e, 1 - 3 * ((b * root - angle) / b**2) ** 2 / 2)
        v = v * np.where(small, series_v, 3 * angle / (b * root) / 2 - Real(1) / 2)
    x = np.sqrt((3 / (4 * PI * n)) ** (Real(1) / 3))
    a, b, c0, x0 = (Real(t) for t in ("0.0310907", "3.72744", "12.9352", "-0.10498"))
    q, poly, poly0 = np.sqrt(4 * c0 - b * b), x * x + b * x + c0, x0 * x0 + b * x0 + c0
    angle = np.arctan(q / (2 * x + b))
    shifted = np.log((x - x0) ** 2 / poly) + 2 * (b + 2 * x0) / q * angle
    e_c = a * (np.log(x * x / poly) + 2 * b / q * angle - b * x0 / poly0 * shifted)
    slope = a * (c0 * (x - x0) - b * x0 * x) / ((x - x0) * poly)
    return e + e_c, v + e_c - slope / 3


class Hamiltonian:
    """The weak form of all orbitals in one potential (n,): Schrödinger or Dirac."""

    def __init__(
        self, mesh: ExtendedMesh, orbitals: tuple[Orbital, ...], potential: Extended, z: int, model: Model
    ) -> None:
        self.mesh, self.dirac = mesh, model.relativity == "dirac"
        self.c2 = Real(model.speed_of_light) ** 2
        r = np.where(mesh.inside, mesh.element_radius, 1)
        kappa = np.array([o.kappa if self.dirac else 0 for o in orbitals], Real)[:, None, None]
        barrier = np.array([0 if self.dirac else o.l * (o.l + 1) for o in orbitals], Real)[:, None, None]
        self.potential = (mesh.spread(potential, potential[0], potential[-1]) - z / r)[None]
        self.kappa_term = np.where(mesh.inside, kappa * mesh.stretch / r, 0)
        self.barrier = np.where(mesh.inside, barrier / r**2, 0)
        usable = mesh.inside if self.dirac else np.ones_like(mesh.inside)
        self.metric = np.where(usable, mesh.element_weight / np.where(usable, mesh.stretch, 1), 0)

    def mass(self, levels: Extended) -> Extended:
        """M = 1 + (ε − V)/2c², 1 for Schrödinger."""
        moved = (levels[:, None, None] - self.potential) / (2 * self.c2)
        return 1 + moved if self.dirac else np.ones_like(moved)

    def gradients(self, values: Extended) -> Extended:
        """dr/ds (P' + κP/r)."""
        return np.einsum("eki,sei->sek", self.mesh.derivative, values) + self.kappa_term * values

    def finish(self, vectors: Extended, levels: Extended) -> tuple[Extended, Extended, Extended]:
        """Normalised vectors, Rayleigh quotients and node charges (S, n)."""
        mesh = self.mesh
        vectors = vectors / np.sqrt((vectors**2).sum(axis=1))[:, None]
        values = mesh.spread(vectors / np.sqrt(mesh.weight))
        slopes = self.gradients(values)
        kinetic = slopes**2 * self.metric / 2 + self.barrier * values**2 * mesh.dr / 2
        external = (self.potential * values**2 * mesh.dr).sum(axis=(1, 2))
        for _ in range(20):
            mass = self.mass(levels)
            defect = (kinetic / mass).sum(axis=(1, 2)) + external - levels
            slope = -1 - ((kinetic / mass**2).sum(axis=(1, 2)) / (2 * self.c2) if self.dirac else 0)
            levels = levels - defect / slope
        small = slopes**2 * self.metric / (4 * self.c2 * self.mass(levels) ** 2) if self.dirac else 0 * slopes
        charges = vectors**2 + mesh.sums(small)
        return vectors, levels, charges / charges.sum(axis=1)[:, None]

    def residual(self, vectors: Extended, levels: Extended) -> Extended:
        """(S, n) H P − ε P in the orthonormal basis."""
        mesh, mass = self.mesh, self.mass(levels)
        values = mesh.spread(vectors / np.sqrt(mesh.weight))
        flux = self.metric / (2 * mass) * self.gradients(values)
        local = mesh.dr * (self.potential + self.barrier / (2 * mass)) * values
        weak = np.einsum("eki,sek->sei", mesh.derivative, flux) + self.kappa_term * flux + local
        return mesh.sums(weak) / np.sqrt(mesh.weight) - levels[:, None] * vectors


def corrected(
    vectors: Extended, levels: Extended, residual: Extended, matrices: dict[int, NDArray[np.float64]]
) -> Extended:
    """One Newton step of every orbital, orthogonal to it, solved in double precision."""
    n = vectors.shape[1]
    moved = vectors.copy()
    for i, matrix in matrices.items():
        bordered = np.zeros((n + 1, n + 1))
        bordered[:n, :n] = matrix - float(levels[i]) * np.eye(n)
        bordered[n, :n] = bordered[:n, n] = vectors[i]
        scale = 1 / np.sqrt(np.abs(bordered).max(axis=1))
        wanted = np.append(-residual[i], Real(0)) * scale
        size = np.abs(wanted).max()
        step = np.linalg.solve(bordered * scale[:, None] * scale, (wanted / size).astype(np.float64))
        moved[i] += (step.astype(Real) * size * scale)[:n]
    return moved


def extended_atom(z: int, model: Model, mesh: Mesh) -> ExtendedAtom:
    """The converged spin-restricted atom on the nodes of `mesh`, extended precision."""
    atom = solve_atom(z, model=model, mesh=mesh)
    orbitals, fine = atom.orbitals, ExtendedMesh(mesh)
    occupations = np.array([o.occupation for o in orbitals], Real)
    chi = susceptibility(atom.problem, atom.states, atom.potential)
    precondition = dielectric_solver(chi, interaction_kernel(mesh, atom.node_charges, model))
    potential, levels = atom.potential[0].astype(Real), atom.levels.astype(Real)
    vectors = atom.states.vectors.astype(Real)
    for _ in range(12):
        equation = Hamiltonian(fine, orbitals, potential, z, model)
        double = (levels.astype(np.float64), potential[None].astype(np.float64))
        channels = channel_matrices(atom.problem, *double)
        matrices = {i: matrix for members, matrix in channels for i in members}
        for _ in range(4):
            vectors, levels, charges = equation.finish(vectors, levels)
            vectors = corrected(vectors, levels, equation.residual(vectors, levels), matrices)
        vectors, levels, charges = equation.finish(vectors, levels)
        q = (occupations[:, None] * charges).sum(axis=0)
        density = np.maximum(q / (4 * PI * fine.radius**2 * fine.weight), Real("1e-60"))
        e_xc, v_xc = exchange_correlation(density, model.exchange_light_speed)
        v_hartree = fine.hartree(q)
        total = (occupations * levels).sum() + (q * (v_hartree / 2 + e_xc - potential)).sum()
        change = v_hartree + v_xc - potential
        residual = float(np.abs(change * q).max())
        if residual < 1e-13:
            return ExtendedAtom(orbitals, total, levels, residual)
        potential = potential + precondition(change[None].astype(np.float64))[0].astype(Real)
    raise RuntimeError(f"Z = {z}: the extended cycle stands at {residual:.1e}")


def write_tables() -> None:
    """Both tables, 92 neutral atoms each."""
    for name, order, growth in (("lda", 22, 2.4), ("rlda", 20, 2.5)):
        with (DATA / f"extended_{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["Z", "symbol", "Etot", "eigenvalues_in_order_of_n_l_j"])
            for z in range(1, 93):
                mesh = spectral_mesh(float(z), name == "rlda", r_max=60.0, order=order, growth=growth)
                atom = extended_atom(z, MODELS[name], mesh)
                levels = " ".join(f"{level:.12f}" for level in atom.levels)
                writer.writerow([z, SYMBOLS[z - 1], f"{atom.total:.12f}", levels])
                print(name, z, f"{atom.total:.12f}", f"{atom.residual:.0e}", file=sys.stderr)


if __name__ == "__main__":
    write_tables()
