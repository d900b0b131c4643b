"""The header against real NWChem logs: each of our lines stands in NWChem's, in the same order."""

import re
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path

import ase.io
import ase.io.formats
import cclib
import numpy as np
import pytest
from hybrid_propagate.adapters.log.header import (
    GroundStateSummary,
    PropagationSummary,
    ground_state_section,
    propagation_header,
)
from hybrid_propagate.adapters.log.lines import vector_line
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.adapters.pyscf.molecule import molecule
from small_decks import kicked

NOTE = "Written by hybrid-propagate in the format of NWChem."


def numbers_of(text: str, pattern: str) -> list[float]:
    return [float(found) for found in re.findall(pattern, text)]


def summary_of(run) -> PropagationSummary:
    """What the caller computes, taken from the real log, so that only the layout is compared."""
    text = run.log.read_text(encoding="utf-8")
    text = text[text.index("NWChem Real-Time TDDFT Module") :]
    mol = molecule(run.system)
    active = run.system.geometry.positions
    functions = [
        sum(
            stop - start
            for (_, _, start, stop), position in zip(mol.aoslice_by_atom(), active, strict=True)
            if np.linalg.norm(geometry.positions - position, axis=1).min() < 1e-8
        )
        for geometry in run.system.geometries
    ]
    orbitals = np.array(re.findall(r"^ +\d+ +([012]\.00) +(\S+E[+-]\d\d)$", text, re.MULTILINE), float)
    occupations, energies = orbitals.reshape(run.system.n_spin, -1, 2).transpose(2, 0, 1)
    center = re.search(r"Center of mass = \((.*)\)", text)
    assert center is not None
    return PropagationSummary(
        total_energy=numbers_of(text, r"Total DFT energy = *(\S+)")[0],
        n_basis=mol.nao,
        n_orbitals=mol.nao,
        functions=functions,
        center_of_mass=np.array(center[1].split(","), float),
        dipole=numbers_of(text, r"norm\[D_.\] *= (\S+)"),
        quadrupole=numbers_of(text, r"norm\[Q_..\] *= (\S+)"),
        occupations=occupations,
        orbital_energies=energies,
    )


def test_every_line_is_one_of_nwchems(run) -> None:
    """Titles, parameters, geometries, fields, rules, orbitals; but for our note and the xc words."""
    theirs = [line.rstrip() for line in run.log.read_text(encoding="utf-8").splitlines()]
    theirs = theirs[next(k for k, line in enumerate(theirs) if "Real-Time TDDFT Module" in line) :]
    title = "water, sparse print points" if not run.system.open_shell else ""
    ours = propagation_header(title, NOTE, run.system, run.real_time, summary_of(run)).splitlines()
    own = {f" {NOTE}", f"          {run.system.functional.directive}"}
    at, compared = 0, 0
    for line in ours:
        if not line.strip() or any(line.startswith(start) for start in own):
            continue
        assert line.rstrip() in theirs[at:], line
        at += theirs[at:].index(line.rstrip()) + 1
        compared += 1
    assert compared > 70


def test_readers_find_what_they_look_for(run, tmp_path: Path) -> None:
    """Our own header gives our reader (and `nw_rtparse`-like tools) the step and the propagator."""
    real_time = replace(run.real_time, propagator="rk4")
    header = propagation_header("t", NOTE, run.system, real_time, summary_of(run))
    (tmp_path / "log").write_text(header + vector_line("<rt_tddft>:", 0.0, (1.0,), "Etot") + "\n")
    (found,) = read_log(tmp_path / "log")
    assert (found.dt, found.magnus) == (0.2, False)


def test_ground_state_energies(run) -> None:
    """The five lines of energies, to the column."""
    text = run.log.read_text(encoding="utf-8")
    words = ("Total DFT", "One electron", "Coulomb", "Exchange-Corr.", "Nuclear repulsion")
    values = [numbers_of(text, rf"{word} energy = +(-?\d+\.\d{{12}})")[0] for word in words]
    lines = ground_state_section("t", run.system, 13, GroundStateSummary(*values)).splitlines()
    energies = [line for line in lines if " energy = " in line]
    assert len(energies) == 5
    for line in energies:
        assert line in text.splitlines()


@pytest.mark.parametrize(("n_orbitals", "words"), [(4, "Found 2 linear dependencies."), (6, "No linear")])
def test_linear_dependencies(run, n_orbitals: int, words: str) -> None:
    """As many functions as were dropped."""
    summary = replace(summary_of(run), n_basis=6, n_orbitals=n_orbitals)
    assert words in propagation_header("t", NOTE, run.system, run.real_time, summary)


def test_ase_and_cclib_read_our_log_as_they_read_nwchems(tmp_path: Path) -> None:
    """Energies and nuclei; real NWChem's log of the same deck is the judge."""
    deck = kicked(tmax=1.0, rest="  print dipole field energy", head='title "water"')
    # cclib knows a geometry of this name alone, NWChem's or ours.
    deck = deck.replace('"molecule"', '"geometry"')
    logs = {}
    for who in ("nwchem", "ours"):
        folder = tmp_path / who
        folder.mkdir()
        (folder / "a.nw").write_text(deck)
        program = (
            "nwchem" if who == "nwchem" else str(Path(sysconfig.get_path("scripts"), "hybrid-propagate"))
        )
        logs[who] = folder / "a.log"
        with logs[who].open("w") as log:
            subprocess.run([program, "a.nw"], cwd=folder, stdout=log, stderr=subprocess.DEVNULL, check=True)
    ase_read = {who: ase.io.read(path, format="nwchem-out") for who, path in logs.items()}
    assert ase.io.formats.filetype(str(logs["ours"]), guess=True) == "nwchem-out"
    np.testing.assert_allclose(ase_read["ours"].positions, ase_read["nwchem"].positions, atol=1e-7)
    assert ase_read["ours"].get_potential_energy() == pytest.approx(
        ase_read["nwchem"].get_potential_energy(), abs=1e-3
    )
    parsed = {who: cclib.io.ccread(str(path)) for who, path in logs.items()}
    for name in ("natom", "charge", "mult", "nbasis"):
        assert getattr(parsed["ours"], name) == getattr(parsed["nwchem"], name)
    assert parsed["ours"].atomnos.tolist() == parsed["nwchem"].atomnos.tolist() == [8, 1, 1]
    np.testing.assert_allclose(parsed["ours"].atomcoords, parsed["nwchem"].atomcoords, atol=1e-7)
    np.testing.assert_allclose(parsed["ours"].scfenergies, parsed["nwchem"].scfenergies, atol=1e-3)
