"""One ground state by an installed, unmodified NWChem, in a folder of its own that is gone afterwards."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from ..deck import GroundStateTask
from ..orbitals import Orbitals
from ..pyscf.molecule import molecule
from ..scf_run import ScfRun
from .basis_order import nwchem_order
from .deck_writer import ground_state_deck
from .movecs import read_movecs, write_movecs
from .process import NWChemError, command_words, guarded
from .scratch import scratch_folder

#: ` d= 0,ls=0.0,diis     3    -76.3198366007 -6.94D-02  3.61D-03  2.27D-02     1.5`
_ITERATION = re.compile(r"\s*d=\s*\S+,ls=\S+?\s+(\d+)\s+(-?\d+\.\d+)\s+\S+\s+\S+\s+\S+\s+\S+\s*$")
_START, _END, _TAIL_LINES = "start.movecs", "end.movecs", 15


def run_nwchem_scf(ground: GroundStateTask, command: str, guess: Orbitals | None) -> ScfRun:
    """Converge the deck's ground state, with its own thresholds, from `guess` or NWChem's atomic guess.

    guess: in PySCF's order of functions, all orbitals. Raises NWChemError.
    """
    system = ground.system
    order = nwchem_order(system)
    began = time.perf_counter()
    scratch = scratch_folder()
    folder = scratch.path
    try:
        if guess is not None:
            write_movecs(folder / _START, guess, order, float(molecule(system).energy_nuc()))
        deck = ground_state_deck("scf", ground, None if guess is None else _START, _END)
        (folder / "scf.nw").write_text(deck)
        log = run_to_end(command_words(command), folder)
        seconds = time.perf_counter() - began
        energies = scf_energies(log)
        if not energies or not (folder / _END).exists():
            raise NWChemError("NWChem's SCF failed", last_lines(log))
        orbitals = read_movecs(folder / _END, order, system.n_spin)
    finally:
        scratch.remove()
    converged = "Calculation failed to converge" not in log
    return ScfRun(energies, converged, seconds, orbitals, ground.energy_tolerance)


def scf_energies(log: str) -> tuple[float, ...]:
    """Energy of each iteration (Hartree) of the last DFT task in a log."""
    found = [match for line in log.splitlines() if (match := _ITERATION.match(line))]
    first = max((k for k, match in enumerate(found) if match[1] == "1"), default=0)
    return tuple(float(match[2]) for match in found[first:])


def last_lines(log: str) -> tuple[str, ...]:
    """The last lines that say anything."""
    return tuple([line for line in log.splitlines() if line.strip(" -=")][-_TAIL_LINES:])


def run_to_end(words: list[str], folder: Path) -> str:
    """NWChem on `scf.nw` in a folder; its log. Raises NWChemError where there is no such command."""
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environment["OMP_NUM_THREADS"] = "1"
    if not words or shutil.which(words[0]) is None:
        raise NWChemError(f"{' '.join(words)} cannot be started: no such command")
    with subprocess.Popen(
        [*guarded(words), "scf.nw"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as running:
        try:
            return running.communicate()[0]
        except BaseException:
            # The guard ends NWChem; killed itself, it could not.
            running.terminate()
            raise
