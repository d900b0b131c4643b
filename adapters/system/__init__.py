"""What is propagated: geometry, basis, functional, field, real-time settings."""

from .field import Excitation, Field
from .functional import Functional
from .geometry import Geometry
from .real_time import DensityPlot, DipoleContributions, MOCap, RealTime
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
    "System",
]
