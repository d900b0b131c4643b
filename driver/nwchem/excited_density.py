"""The relaxed density of an excited state by an installed NWChem, for a propagation that starts from it."""

from ...adapters.deck import DeckError, ExcitedDensityTask
from ...adapters.nwchem.basis_order import nwchem_order
from ...adapters.nwchem.deck_writer import excited_density_deck
from ...adapters.nwchem.movecs import write_movecs
from ...adapters.nwchem.process import NWChemError, command_words
from ...adapters.nwchem.scf import last_lines, run_to_end
from ...adapters.nwchem.scratch import scratch_folder
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.molecule import molecule

_NAME, _START = "scf", "start.movecs"


def excited_density(task: ExcitedDensityTask, command: str, guess: Orbitals | None) -> bytes:
    """NWChem's file of the density, `<start>.dmat`; guess: orbitals that its SCF starts from.

    Raises NWChemError, and DeckError where NWChem leaves no density.
    """
    scratch = scratch_folder()
    folder = scratch.path
    try:
        if guess is not None:
            repulsion = float(molecule(task.system).energy_nuc())
            write_movecs(folder / _START, guess, nwchem_order(task.system), repulsion)
        deck = excited_density_deck(_NAME, task, None if guess is None else _START)
        (folder / f"{_NAME}.nw").write_text(deck)
        log = run_to_end(command_words(command), folder)
        if "TDDFT Gradient" not in log:
            raise NWChemError("NWChem's task tddft gradient failed", last_lines(log))
        written = folder / f"{_NAME}.dmat"
        if not written.exists():
            raise DeckError(task.place, "NWChem left no density: the tddft block needs civecs and a root")
        return written.read_bytes()
    finally:
        scratch.remove()
