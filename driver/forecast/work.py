"""What a propagation has to do, counted from its deck: functions, points, operations, bytes."""

from dataclasses import dataclass

import numpy as np
from pyscf import dft, gto

from ...adapters.deck import PropagationTask
from ...adapters.pyscf.molecule import molecule
from ...adapters.pyscf.point_symmetry import symmetry_orbitals
from ...adapters.pyscf.quadrature import GRID_LEVEL
from ...adapters.pyscf.two_electron import SMALL
from ...adapters.system import System
from ...adapters.system.field import amplitude
from ...surrogate.kernel.analytic import BUILDING, MAX_BYTES, building_bytes
from ...surrogate.kernel.exchange_correlation import has_xc_kernel

#: Share of a pruned grid's points whose weight counts (`quadrature`): 0.95 for LiH, 0.85 for benzene.
KEPT_POINTS = 0.88
#: Components of functions on the grid: value, gradient.
_COMPONENTS = {"HF": 0, "LDA": 1, "GGA": 4, "MGGA": 4}
#: Fields beyond this, au, or impulses, leave the range where the response is linear.
STRONG_FIELD, STRONG_KICK = 5e-3, 1e-2


@dataclass(frozen=True)
class SystemSize:
    """Sizes of one system.

    functions: basis functions n; spins: density matrices; occupied: orbitals of one spin.
    points: of the reference grid; components: values a function has at each.
    primitives: Σ over shells of contracted length times components, whose fourth power integrals cost.
    fitting: functions of the cd basis, 0 without. kernels: two-electron operators, 2 with attenuation.
    exchange: whether exact exchange is there.
    """

    atoms: int
    functions: int
    spins: int
    occupied: int
    points: int
    components: int
    primitives: int
    fitting: int
    kernels: int
    exchange: bool

    @property
    def pairs(self) -> int:
        """n(n+1)/2."""
        return self.functions * (self.functions + 1) // 2


def size_of(system: System, mol: gto.Mole) -> SystemSize:
    """The sizes that costs are counted from."""
    numint, xc = dft.numint.NumInt(), system.functional.pyscf
    omega, _, share = numint.rsh_and_hybrid_coeff(xc)
    kind = str(numint._xc_type(xc))
    lengths = [mol.bas_nprim(k) * (2 * mol.bas_angular(k) + 1) for k in range(mol.nbas)]
    fitting = 0
    if system.fitting_basis is not None:
        from ...adapters.system.system import n_functions

        fitting = sum(
            n_functions(system.fitting_basis[tag], system.fitting_spherical) for tag in system.geometry.tags
        )
    return SystemSize(
        atoms=mol.natm,
        functions=mol.nao,
        spins=system.n_spin,
        occupied=max(mol.nelec),
        points=0 if kind == "HF" else round(KEPT_POINTS * _pruned_points(mol, GRID_LEVEL[system.grid])),
        components=_COMPONENTS[kind],
        primitives=int(sum(lengths)),
        fitting=fitting,
        kernels=2 if omega else 1,
        exchange=share != 0 or omega != 0,
    )


def _pruned_points(mol: gto.Mole, level: int) -> int:
    grids = dft.gen_grid.Grids(mol)
    table = grids.gen_atomic_grids(mol, level=level, prune=grids.prune)
    return sum(len(table[mol.atom_symbol(atom)][1]) for atom in range(mol.natm))


def molecule_of(system: System) -> gto.Mole:
    """PySCF's molecule of a system."""
    return molecule(system)


def irreps_of(mol: gto.Mole) -> int:
    """How many irreps of D2h's subgroups keep the orbitals apart."""
    return len(set(symmetry_orbitals(mol).irreps.tolist()))


def kernel_bytes(system: System, size: SystemSize, memory: float) -> int:
    """Memory that the analytic kernel holds; 0 where none is made."""
    building = building_bytes(size.functions, size.spins)
    if not has_xc_kernel(system.functional.pyscf) or building > min(memory, BUILDING * MAX_BYTES):
        return 0
    return round(building / BUILDING)


def held_integrals(size: SystemSize, memory: float) -> int:
    """Bytes of two-electron integrals in memory; 0 where they are computed at every build."""
    packed = 8 * size.pairs * (size.pairs + 1) // 2 * size.kernels
    if packed > memory:
        return 0
    return packed + (16 * size.functions**4 if size.functions <= SMALL else 0)


def strong(task: PropagationTask) -> bool:
    """Whether the run leaves the range of linear response: by its field, or by where it starts."""
    real_time = task.real_time
    if real_time.load.kind in ("vectors", "density", "restart"):
        return True
    for field in real_time.fields:
        if field.shape == "delta":
            if field.maximum * real_time.dt > STRONG_KICK:
                return True
        elif largest_amplitude(task) > STRONG_FIELD:
            return True
    return False


def largest_amplitude(task: PropagationTask) -> float:
    """The largest field, au, that acts in the run."""
    real_time = task.real_time
    times = real_time.dt * np.unique(np.linspace(0, real_time.n_points - 1, 400).round())
    return max(
        (
            abs(amplitude(field, float(time), real_time.dt))
            for field in real_time.fields
            for time in [*times, field.center]
        ),
        default=0.0,
    )
