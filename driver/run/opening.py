"""What a propagation's log says ahead of its first time point."""

import numpy as np

from ...adapters.log.header import NOTE, PropagationSummary, propagation_header
from ...adapters.log.lines import message_line
from ...adapters.system.system import function_mask
from .job import Job
from .setup import Setup


def opening(job: Job, setup: Setup, *, goes_on: bool) -> str:
    """Header and first messages; goes_on: from the run's own trajectory file."""
    real_time = job.task.real_time
    lines = [_header(job, setup)]
    if goes_on or real_time.load.kind == "restart":
        now = setup.progress.state.time
        lines.append(message_line(real_time.tag, now, "Loaded restart file") + "\n")
        lines.append(message_line(real_time.tag, now, "Propagation successfully restarted") + "\n")
    else:
        lines.append(message_line(real_time.tag, 0.0, "Propagation started") + "\n")
    if real_time.no_propagation:
        lines.append(" === Propagation skipped ===\n")
    return "".join(lines)


def _header(job: Job, setup: Setup) -> str:
    system, orbitals = job.task.system, setup.ground.orbitals
    integrals = setup.ground.engine.integrals
    # NWChem's numbers are those of its own functions, and about the origin.
    lengths, c = np.outer(integrals.scale, integrals.scale), integrals.center_of_mass
    dipole, overlap = integrals.dipole / lengths, integrals.overlap / lengths
    cross = np.einsum("i,jmn->ijmn", c, dipole)
    quadrupole = integrals.quadrupole / lengths + cross + cross.swapaxes(0, 1)
    quadrupole -= np.einsum("i,j,mn->ijmn", c, c, overlap)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    return propagation_header(
        job.deck.title,
        NOTE,
        system,
        job.task.real_time,
        PropagationSummary(
            total_energy=orbitals.total_energy,
            n_basis=len(integrals.overlap),
            n_orbitals=orbitals.coefficients.shape[2],
            functions=[int(function_mask(system, g).sum()) for g in system.geometries],
            center_of_mass=integrals.center_of_mass,
            dipole=[float(np.abs(d).max()) for d in dipole],
            quadrupole=[float(np.abs(quadrupole[i, j]).max()) for i, j in pairs],
            occupations=orbitals.occupations,
            orbital_energies=orbitals.energies,
        ),
    )
