"""The `rt_tddft` block: what a propagation is asked to do."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .absorbing import MOCap, SpatialCap
from .field import Excitation, Field, amplitude

#: Stands for `*` (every step) in nchecks, nprints and nrestarts.
EVERY = 999999999

PropagatorName = Literal["magnus", "rk4", "euler"]
Quantity = Literal[
    "dipole",
    "quadrupole",
    "field",
    "moocc",
    "dipcontribs",
    "energy",
    "cputime",
    "charge",
    "convergence",
    "s2",
    "magnetic",
]
#: What this program prints and NWChem does not know; `print *` is NWChem's.
EXTENSIONS: frozenset[Quantity] = frozenset({"magnetic"})
DEFAULT_PRINT: frozenset[Quantity] = frozenset({"dipole", "field", "energy", "convergence", "s2"})


@dataclass(frozen=True)
class Tolerances:
    """`tolerances zero series interpol`."""

    zero: float = 1e-8
    series: float = 1e-10
    interpol: float = 1e-7


@dataclass(frozen=True)
class Load:
    """`load`: where the propagation starts. `files`: one for vectors; one, or alpha and beta, for density."""

    kind: Literal["scf", "vectors", "density", "restart"] = "scf"
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class DensityPlot:
    """Top-level `dplot` block: a box of points for cube files.

    origin, upper: corners in bohr. spacings: intervals along each axis; there is one point more. Empty where
    the block has not said. vectors, output: files of orbitals and of the cube, of `task dplot`.
    """

    origin: tuple[float, float, float]
    upper: tuple[float, float, float]
    spacings: tuple[int, ...]
    spin: Literal["total", "alpha", "beta", "spindens"] = "total"
    vectors: str = ""
    output: str = ""


@dataclass(frozen=True)
class Visualization:
    """`visualization`: density snapshots between tstart and tend, optionally minus that at treference.

    plot: the `dplot` block in force, where `dplot` asks for a cube file of each snapshot.
    """

    tstart: float
    tend: float
    treference: float | None = None
    dplot: bool = False
    plot: DensityPlot | None = None


@dataclass(frozen=True)
class DipoleContributions:
    """`set rt_tddft:dipcontrib:*`: polarisation axis (0, 1, 2) and 1-based inclusive orbital windows."""

    axis: int
    first: tuple[int, int] | None = None
    second: tuple[int, int] | None = None


@dataclass(frozen=True)
class RealTime:
    """One `rt_tddft` block. Times in au. `mocap` and `spatial_cap` are None when absent or off."""

    tmax: float
    dt: float
    tag: str = "<rt_tddft>:"
    load: Load = Load()
    n_checks: int = 10
    n_prints: int = EVERY
    n_restarts: int = 100
    check_level: int = 1
    tolerances: Tolerances = Tolerances()
    propagator: PropagatorName = "magnus"
    exponential: Literal["pseries", "diag"] = "pseries"
    profile: bool = False
    no_propagation: bool = False
    static: bool = False
    skip_interpolation: bool = False
    quantities: frozenset[Quantity] = DEFAULT_PRINT
    fields: tuple[Field, ...] = ()
    excitations: tuple[Excitation, ...] = ()
    mocap: MOCap | None = None
    spatial_cap: SpatialCap | None = None
    visualization: Visualization | None = None
    dipole_contributions: DipoleContributions | None = None

    @property
    def absorbing(self) -> bool:
        """Whether an absorbing potential takes electrons away."""
        return self.mocap is not None or self.spatial_cap is not None

    @property
    def unitary(self) -> bool:
        """Whether a step keeps the occupations."""
        return self.propagator == "magnus" and not self.absorbing

    @property
    def n_points(self) -> int:
        """nt = ceil(tmax / dt): NWChem makes nt - 1 steps and prints the points 1 .. nt - 1."""
        return math.ceil(self.tmax / self.dt)


def at_point(it: int, n: int, nt: int) -> bool:
    """True where NWChem prints, checks or dumps: `it` is 1-based, `n` points of `nt` are asked for."""
    return bool(at_points(np.array([it]), n, nt)[0])


def at_points(its: np.ndarray, n: int, nt: int) -> np.ndarray:
    """(k,) bool: `at_point` for each of `its` (k,)."""
    n = min(n, nt)
    if n < 2:
        return (its == 1) & (n == 1)
    return (its == 1) | (its % max(nt // (n - 1), 1) == 0)


def applied_field(real_time: RealTime, t: float) -> np.ndarray:
    """E(t) on the total density, (3,) au: the mean of what alpha and beta feel, summed over geometries."""
    fields = {field.name: field for field in real_time.fields}
    total = np.zeros(3)
    for rule in real_time.excitations:
        field = fields[rule.field]
        share = 1.0 if field.spin == "total" else 0.5
        total += share * amplitude(field, t, real_time.dt) * np.array(field.direction)
    return total


def field_words(real_time: RealTime) -> str:
    """The fields that act, such as `delta along 0 0 1, 0.0001 au at 0 au on water`; `none`."""
    fields = {field.name: field for field in real_time.fields}
    said = []
    for rule in real_time.excitations:
        field = fields[rule.field]
        parts = [f"{field.shape} along {' '.join(f'{x:g}' for x in field.direction)}, {field.maximum:g} au"]
        if field.shape != "delta" and field.frequency:
            parts.append(f"frequency {field.frequency:g} au")
        if field.shape in ("delta", "gaussian", "hann"):
            parts.append(f"at {field.center:g} au")
        if field.width:
            parts.append(f"width {field.width:g} au")
        said.append(f"{', '.join(parts)} on {rule.geometry}")
    return "; ".join(said) or "none"
