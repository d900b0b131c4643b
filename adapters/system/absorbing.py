"""Absorbing potentials: what takes electrons away that have left the molecule, F → F - i Γ.

In space (`spatialcap`): Γ_μν = ΔV Σ_g φ_μ(r_g) V(r_g) φ_ν(r_g),   V(r) = potmax Π_A w_A(|r - R_A|),
w_A = 0 inside rstart, sin² up to rend, 1 beyond, on the deck's own grid of equal spacings.
"""

from dataclasses import dataclass

import numpy as np

from .geometry import Geometry


@dataclass(frozen=True)
class MOCap:
    """`mocap`: -iγ on eigenstates of F' with ε > emin, γ = prefac (exp(expconst (ε - emin)) - 1) ≤ maxval."""

    expconst: float = 1.0
    emin: float = 0.0
    prefac: float = 1.0
    maxval: float = 100.0
    checks: bool = True
    verbose: bool = True


@dataclass(frozen=True)
class SpatialCap:
    """`spatialcap`, lengths in bohr.

    potmax: largest value, Hartree.
    counts: points along x, y, z, from `lower` on; `upper` itself has none.
    lower, upper: corners of the box.
    ranges: tag of atoms, rstart, rend.
    """

    potmax: float
    counts: tuple[int, int, int]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    ranges: tuple[tuple[str, float, float], ...]

    @property
    def spacings(self) -> np.ndarray:
        """(3,) bohr."""
        return (np.array(self.upper) - np.array(self.lower)) / np.array(self.counts)

    def layer(self, k: int) -> np.ndarray:
        """Points of one z, (nx ny, 3) bohr."""
        axes = zip(self.lower, self.spacings, self.counts, strict=True)
        x, y, z = (low + step * np.arange(n) for low, step, n in axes)
        X, Y = np.meshgrid(x, y, indexing="ij")
        return np.column_stack([X.ravel(), Y.ravel(), np.full(X.size, z[k])])

    def potential(self, geometry: Geometry, points: np.ndarray) -> np.ndarray:
        """V at points (n, 3) bohr, (n,) Hartree."""
        ends = {tag: (start, end) for tag, start, end in self.ranges}
        value = np.full(len(points), self.potmax)
        for tag, position in zip(geometry.tags, geometry.positions, strict=True):
            start, end = ends[tag]
            r = np.linalg.norm(points - position, axis=1)
            ramp = np.ones_like(r)
            # A point at rstart itself has the full value in NWChem.
            between = (r > start) & (r <= end)
            ramp[r < start] = 0.0
            ramp[between] = np.sin(0.5 * np.pi * (r[between] - start) / (end - start)) ** 2
            value *= ramp
        return value
