"""`task tddft`: excitation energies by linear response, from PySCF, printed as NWChem prints its roots."""

import numpy as np
from pyscf import tdscf

from ...adapters.deck import LinearResponseTask
from ...adapters.log.units import ROOT_EV_PER_HARTREE
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.mean_field import converged_mean_field
from ...atomic.units import EV_PER_HARTREE
from ..page.lines import Root


def linear_response_section(
    task: LinearResponseTask, engine: PySCFEngine, orbitals: Orbitals
) -> tuple[str, list[Root]]:
    """Log section with the roots of one `task tddft`, and those that light excites."""
    open_shell = task.system.open_shell
    roots: list[Root] = []
    mean_field = converged_mean_field(task.system, engine.mol, orbitals)
    lines = [
        "",
        "                                NWChem TDDFT Module",
        "                                -------------------",
        "",
    ]
    for spin, wanted in (("singlet", task.singlet), ("triplet", task.triplet and not open_shell)):
        if not wanted:
            continue
        solver = (tdscf.TDA if task.tamm_dancoff else tdscf.TDDFT)(mean_field)
        solver.nstates = task.n_roots
        solver.verbose = 0
        if not open_shell:
            solver.singlet = spin == "singlet"
        solver.kernel()
        strengths = solver.oscillator_strength() if spin == "singlet" else np.zeros(len(solver.e))
        if spin == "singlet":
            energies = np.atleast_1d(solver.e) * EV_PER_HARTREE
            dipoles = np.reshape(solver.transition_dipole(), (-1, 3)).tolist()
            roots += [
                Root(float(e), float(f), (x, y, z))
                for e, f, (x, y, z) in zip(energies, strengths, dipoles, strict=True)
            ]
        for root, (energy, strength) in enumerate(
            zip(np.atleast_1d(solver.e), strengths, strict=True), start=1
        ):
            label = "" if open_shell else f" {spin}"
            lines += [
                "  " + "-" * 76,
                f"  Root {root:3d}{label} a  {energy:26.9f} a.u. {energy * ROOT_EV_PER_HARTREE:21.4f} eV",
                "  " + "-" * 76,
                f"     Dipole Oscillator Strength {strength:25.7f}",
                "",
            ]
    return "\n".join(lines) + "\n", roots
