"""What is propagated: geometry, basis, functional, field, real-time settings."""

from .absorbing import MOCap, SpatialCap
from .field import Excitation, Field
from .functional import Functional
from .geometry import Geometry
from .real_time import DensityPlot, DipoleContributions, RealTime
from .system import Shells, System

__all__ = [
    "DensityPlot",
    "DipoleContributions",
    "Excitation",
    "Field",
    "Functional",
    "Geometry",
    "MOCap",
    "RealTime",
    "Shells",
    "SpatialCap",
    "System",
]
