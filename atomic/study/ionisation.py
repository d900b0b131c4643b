"""First ionisation energies: ΔSCF, and the measured ones."""

from collections.abc import Iterable

from ..solver.configuration import ground_configuration
from ..solver.model import Model, orbitals_of
from ..solver.scf import CycleStart, self_consistent, solve_atom
from ..units import EV_PER_HARTREE

# eV, Z = 1 to 108. NIST Atomic Spectra Database, as carried by mendeleev 1.3.0 (MIT licence), to six digits.
# fmt: off
MEASURED = (
    13.5984, 24.5874, 5.39171, 9.3227, 8.29802, 11.2603, 14.5341, 13.6181, 17.4228, 21.5645,
    5.13908, 7.64624, 5.98577, 8.15168, 10.4867, 10.36, 12.9676, 15.7596, 4.34066, 6.11316,
    6.56149, 6.82812, 6.74619, 6.76651, 7.43404, 7.90247, 7.88101, 7.63988, 7.72638, 9.3942,
    5.9993, 7.89944, 9.78855, 9.75237, 11.8138, 13.9996, 4.17713, 5.69487, 6.21726, 6.63413,
    6.75885, 7.09243, 7.11938, 7.3605, 7.4589, 8.33684, 7.57623, 8.99382, 5.78636, 7.34392,
    8.60839, 9.00981, 10.4512, 12.1298, 3.89391, 5.21166, 5.5769, 5.5386, 5.4702, 5.525,
    5.58187, 5.64372, 5.67038, 6.1498, 5.8638, 5.93906, 6.0215, 6.1077, 6.1844, 6.25416,
    5.42587, 6.82507, 7.54957, 7.86403, 7.83352, 8.43823, 8.96702, 8.95883, 9.22555, 10.4375,
    6.10829, 7.41668, 7.28552, 8.41807, 9.31751, 10.7485, 4.07274, 5.27842, 5.38023, 6.3067,
    5.89, 6.19405, 6.26554, 6.02576, 5.97381, 5.99224, 6.19785, 6.28188, 6.3684, 6.5,
    6.58, 6.62621, 4.96, 6.02, 6.8, 7.8, 7.7, 7.6,
)
# fmt: on


def ionisation_energy(z: int, model: Model) -> float:
    """E(cation) − E(neutral) in eV, both in their experimental ground configurations."""
    neutral = solve_atom(z, model=model)
    if z == 1:
        return -neutral.energies.total * EV_PER_HARTREE
    orbitals = orbitals_of(ground_configuration(z, 1), model)
    cation = self_consistent(float(z), orbitals, model, neutral.mesh, CycleStart(neutral.potential))
    return (cation.energies.total - neutral.energies.total) * EV_PER_HARTREE


def mean_absolute_error(energies: dict[int, float], elements: Iterable[int]) -> float:
    """Against the measured ones, eV."""
    errors = [abs(energies[z] - MEASURED[z - 1]) for z in elements]
    return sum(errors) / len(errors)
