"""What a propagation has to do, counted from its deck: functions, points, operations, bytes.

PySCF takes longer to import than a deck to check, so that nothing is counted with it; tests compare.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from ...adapters.system import System
from ...adapters.system.system import n_functions
from .symmetry import symmetry

#: Points of an atom's pruned grid by the last element that has them; a period's are within 7 % of its mean.
_POINTS: dict[int, dict[str, int]] = {
    last: dict(zip(("xcoarse", "coarse", "medium", "fine", "xfine", "huge"), counts, strict=True))
    for last, counts in {
        1: (620, 2472, 9808, 15708, 23540, 50172),
        2: (644, 2292, 7936, 12480, 18272, 38040),
        10: (1074, 5082, 13708, 27554, 41686, 83666),
        18: (1620, 6242, 18608, 28093, 41995, 83542),
        36: (2425, 7383, 20532, 30175, 44610, 86767),
        54: (2837, 8082, 22004, 32119, 47290, 91268),
        118: (3248, 8904, 24120, 34838, 51068, 98816),
    }.items()
}
#: Share of these whose weight counts (`adapters/pyscf/quadrature`): 0.95 for LiH, 0.85 for benzene.
KEPT_POINTS = 0.88
#: Values of a function at a point: itself and its gradient.
_COMPONENTS = {"HF": 0, "LDA": 1, "GGA": 4, "MGGA": 4}
#: Functionals of libxc with an attenuated operator of their own.
_ATTENUATED = re.compile("SR_HF|LR_HF|WB97|X_M11|X_REVM11|_SX|HSE|CAM|LC_|ITYH|HJS|LDA_X_ERF")
#: Exact exchange by its own name; taken off, it undoes that of a hybrid.
_EXACT = re.compile(r"(-?)[0-9.]*\*?\bHF\b")
#: Shells whose overlap is below this have no integrals (`adapters/pyscf/two_electron`).
OVERLAP = 1e-12
#: Share of the memory allowed that integrals may take, as in `adapters/pyscf/engine`.
INTEGRALS_SHARE = 7 / 8
#: As in `driver/run/surrogates`, `kernel/pair_kernel` and `kernel/cholesky_vectors`: most pairs of an irrep
#: that have modes, matrices held of those, of more, and of more where Coulomb is held as vectors; and vectors
#: a function in place of integrals.
MOST_MODES, PAIR_MATRICES, SINGLE_MATRICES, MATRICES_BESIDE_VECTORS = 3000, 16, 4, 3
HALF_TRANSFORMED, REST_SHARE, VECTORS = 1.0 / 8.0, 1.0 / 2.0, 10
#: As in `kernel/factored_mean_field`: share of the memory; and vectors of exchange that are left, a function.
FACTORS_SHARE, LEFT_VECTORS = 1.0 / 4.0, 6
#: As in `adapters/pyscf/two_electron`, and `surrogate/kernel/analytic`: bytes of a kernel, pairs in double
#: precision, and what making takes over holding.
SMALL, MOST_KERNEL, DOUBLE_PAIRS, MAKING = 20, 3 * 10**9, 1000, 4


@dataclass(frozen=True)
class SystemSize:
    """Sizes of one system.

    functions: basis functions n; spins: density matrices; occupied: orbitals of one spin.
    points: of the reference grid; components: values a function has at each.
    primitive_pairs: pairs of primitive functions that overlap, whose square integrals cost.
    fitting: functions of the cd basis, 0 without. kernels: two-electron operators, 2 with attenuation.
    exchange: whether exact exchange is there.
    irreps: of D2h's subgroup, which keep orbitals apart. polar: whether the first has a dipole.
    """

    atoms: int
    functions: int
    spins: int
    occupied: int
    points: int
    components: int
    primitive_pairs: float
    fitting: int
    kernels: int
    exchange: bool
    irreps: int
    polar: bool

    @property
    def moved_pairs(self) -> int:
        """Pairs of an empty and an occupied orbital in an irrep of pairs, all alike in size."""
        return self.spins * self.occupied * (self.functions - self.occupied) // self.irreps

    @property
    def moved_irreps(self) -> int:
        """Irreps of pairs that a kick moves, and the first, which second order moves, if it has a dipole."""
        return min(self.irreps, 2 if self.polar else 1)

    @property
    def pairs(self) -> int:
        """n(n+1)/2."""
        return self.functions * (self.functions + 1) // 2


def size_of(system: System) -> SystemSize:
    """The sizes that costs are counted from."""
    xc, geometry = system.functional.pyscf, system.geometry
    kind = _kind(xc)
    found = symmetry(system, on_grid=kind != "HF")
    core = sum(system.ecp[tag][0] for tag in geometry.tags if tag in system.ecp)
    electrons = round(float(geometry.charges.sum())) - core - system.charge
    fitting = system.fitting_basis
    return SystemSize(
        atoms=geometry.n_atoms,
        functions=system.n_basis,
        spins=system.n_spin,
        occupied=(electrons + system.multiplicity - 1) // 2,
        points=0 if kind == "HF" else round(KEPT_POINTS * _pruned_points(system)),
        components=_COMPONENTS[kind],
        primitive_pairs=_primitive_pairs(system),
        fitting=0
        if fitting is None
        else sum(n_functions(fitting[tag], system.fitting_spherical) for tag in geometry.tags),
        kernels=2 if _ATTENUATED.search(xc) else 1,
        exchange=_has_exchange(xc),
        irreps=found.operations,
        polar=found.polar,
    )


def _primitive_pairs(system: System) -> float:
    """Pairs μ ≥ ν of all shells' primitives, of shells whose widest ones overlap."""
    places = zip(system.geometry.tags, system.geometry.positions, strict=True)
    shells = [(shell, place) for tag, place in places for shell in system.basis[tag]]
    counts = np.array([(len(shell) - 1.0) * (2 * shell[0] + 1) for shell, _ in shells])
    widest = np.array([min(primitive[0] for primitive in shell[1:]) for shell, _ in shells])
    centres = np.array([place for _, place in shells])
    apart = np.sum(centres**2, axis=1)
    squares = apart[:, None] + apart - 2.0 * centres @ centres.T
    exponents = widest[:, None] * widest / (widest[:, None] + widest)
    overlaps = exponents * squares < -math.log(OVERLAP)
    return 0.5 * float(counts @ overlaps @ counts + counts.sum())


def _kind(xc: str) -> str:
    """The rung of PySCF's description of a functional."""
    return next((kind for kind in ("MGGA", "GGA", "LDA") if kind in xc), "HF")


def _has_exchange(xc: str) -> bool:
    """Whether PySCF's description of a functional has exact exchange, of any range."""
    own = _EXACT.search(xc)
    if own is not None:
        return not own[1]
    return "HYB" in xc or "R_HF" in xc


def _pruned_points(system: System) -> int:
    numbers = system.geometry.atomic_numbers.tolist()
    return sum(
        next(row for last, row in _POINTS.items() if number <= last)[system.grid] for number in numbers
    )


def kernel_bytes(system: System, size: SystemSize, memory: float) -> int:
    """Memory that the analytic kernel holds; 0 where none is made."""
    made = _fits_kernel(size, memory) and _kind(system.functional.pyscf) != "MGGA"
    return _kernel_held(size) if made else 0


def _kernel_held(size: SystemSize) -> int:
    precision = 4 if size.pairs > DOUBLE_PAIRS else 8
    return precision * size.pairs**2 * (size.spins**2 + 1)


def _fits_kernel(size: SystemSize, memory: float) -> bool:
    return MAKING * _kernel_held(size) <= min(memory, MAKING * MOST_KERNEL)


def pair_kernel_bytes(system: System, size: SystemSize, memory: float) -> int:
    """Memory for making the kernel between empty and occupied orbitals; 0 where none is made."""
    taken = _pair_kernel_taken(size, memory)
    made = size.moved_pairs > 0 and taken <= memory and _kind(system.functional.pyscf) != "MGGA"
    return int(taken) if made else 0


def _pair_kernel_taken(size: SystemSize, memory: float) -> float:
    d, beside = size.moved_pairs, from_vectors(size, memory)
    single = 4 * (MATRICES_BESIDE_VECTORS if beside else SINGLE_MATRICES)
    matrices = (8 * PAIR_MATRICES if d <= MOST_MODES else single) * d**2
    half = 8 * size.spins * size.occupied * (size.functions - size.occupied) // size.irreps
    taken = matrices + min(half * size.functions**2 // 2, _half_transformed_bytes(size, memory))
    if beside:
        vectors = 8 * VECTORS * size.functions * size.pairs
        taken = max(vectors, matrices + size.spins * vectors // 2)
    return float(taken)


def pair_kernel_room(size: SystemSize, memory: float) -> float:
    """Bytes of making that kernel which are free when it is made; of few pairs modes take them."""
    d, beside = size.moved_pairs, from_vectors(size, memory)
    if d <= MOST_MODES:
        return 0.0
    kept = 4.0 * size.moved_irreps * d * (2 * d + VECTORS * size.functions if beside else 3 * d)
    return max(_pair_kernel_taken(size, memory) - kept, 0.0)


def factor_bytes(size: SystemSize, memory: float) -> float:
    """Bytes at most of vectors of three indices while the response is formed anew; 0 where it is not.

    That is where a kernel would be too large, in motion that is not weak.
    """
    sets = 8.0 * VECTORS * size.functions * size.pairs
    too_large = size.points and not _fits_kernel(size, memory)
    return sets * size.kernels if too_large and sets * (1 + size.kernels) <= FACTORS_SHARE * memory else 0.0


def from_vectors(size: SystemSize, memory: float) -> bool:
    """Whether vectors of three indices stand in for integrals that are not held."""
    return not held_integrals(size, memory) and (size.exchange or not size.fitting)


def readings(size: SystemSize, memory: float) -> int:
    """How often integrals are read for that kernel: half-transformed, some occupied orbitals at a time."""
    whole = 4 * size.spins * size.kernels * size.functions**3 * size.occupied
    return math.ceil(whole / _half_transformed_bytes(size, memory))


def _half_transformed_bytes(size: SystemSize, memory: float) -> float:
    return min(HALF_TRANSFORMED * memory, REST_SHARE * (memory - held_integrals(size, memory)))


def held_integrals(size: SystemSize, memory: float) -> int:
    """Bytes of two-electron integrals in memory; 0 where they are computed at every build."""
    # A fitted Coulomb matrix leaves the exchange operator's alone.
    packed = 8 * size.pairs * (size.pairs + 1) // 2 * (1 if size.fitting else size.kernels)
    if packed > INTEGRALS_SHARE * memory:
        return 0
    return packed + (16 * size.functions**4 if size.functions <= SMALL else 0)
