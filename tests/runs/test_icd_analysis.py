"""The published analysis of interatomic Coulombic decay, jamesxfischer/NWChem_ICD, with us in NWChem's place.

It runs a dimer's ground state, takes an electron out of an inner orbital, writes NWChem's restart file by
itself, lets the propagation go on from there, and reads charges and occupations off the log.
Decks, files and readers are restated here; its numbers stand in its own formats.
"""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main

FIRST = """echo

scratch_dir ./scr

geometry "Ne" units angstroms noautosym nocenter noautoz
 Ne  0.0 0.0 0.0
end

geometry "He" units angstroms noautosym nocenter noautoz
 He  0.0 0.0 1.6
end

geometry "dimer" units angstroms noautosym nocenter noautoz
 Ne  0.0 0.0 0.0
 He  0.0 0.0 1.6
end

BASIS
 * library 3-21G
END

dft
 xc hfexch
 disp vdw 4
 odft
 convergence energy 1d-9 density 1d-8 gradient 1d-7
end

set geometry "Ne"
set geometry "He"
set geometry "dimer"

task dft

unset rt_tddft:*
rt_tddft
  tmax 1.0
  dt 0.5
  print dipole energy charge
end
task dft rt_tddft
"""
#: The analysis prints `moocc` too, at which NWChem's builds of Debian stop.
SECOND = """echo

restart pair

rt_tddft
  tmax 4
  dt 0.5
  load restart
  print charge dipole field energy{}
end
task dft rt_tddft
"""
HOLE, OCCUPIED = 2, 6


def coefficients(movecs: Path) -> np.ndarray:
    """(n, n), a row for each orbital of the first set: Fortran's records, each between its lengths."""
    data, records, at = movecs.read_bytes(), [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<i", data, at)
        records.append(data[at + 4 : at + 4 + length])
        at += 8 + length
    n = int(np.frombuffer(records[7], np.int64)[0])
    return np.array([np.frombuffer(record) for record in records[11 : 11 + n]])


def write_with_a_hole(path: Path, orbitals: np.ndarray) -> None:
    """The restart file as its script writes it: of point 0, numbers run together in fields of twenty."""
    n = len(orbitals)
    matrices, total = [], 0.0
    for spin in range(2):
        occupations = (np.arange(n) < OCCUPIED).astype(float)
        occupations[HOLE - 1] -= spin
        matrices.append(orbitals.T @ np.diag(occupations) @ orbitals)
        total += 1.67 * np.abs(matrices[-1]).sum() + 0.12 * np.sqrt(np.abs(matrices[-1]).max())
    head = ["RT-TDDFT restart file", "created   Sat Jun 30 07:49:38 2022", "nmats     2", f"nbf_ao    {n}"]
    head += ["it        0", "t           0.000000000000E+00", f"checksum    {total:.12E}"]
    body = "".join(f"{x:20.10E}    0.0000000000E+00" for matrix in matrices for x in matrix.ravel())
    path.write_text("\n".join((*head, body)))


def functions(restart: Path) -> int:
    """Their number, as its script takes it: behind the first four blanks of the line."""
    (line,) = (line for line in restart.read_text().splitlines() if "nbf_ao" in line)
    return int(line.split("    ")[1])


def charges(log: str, fragment: str) -> np.ndarray:
    """Rows of time and charge of both spins: lines with these words, columns two and three."""
    labels = ("Charge", "<rt_tddft>", "(total spin)", fragment)
    lines = [line.split() for line in log.splitlines() if all(label in line for label in labels)]
    return np.array([[float(words[1]), float(words[2])] for words in lines])


def occupations(log: str) -> np.ndarray:
    """Alpha's and beta's added: of each line without its first word, and without the five of its label."""
    found = []
    for spin in ("alpha", "beta"):
        lines = [line for line in log.splitlines() if f"# MO Occupations ({spin} spin)" in line]
        found.append(np.array([[float(word) for word in line.split()[1:-5]] for line in lines]))
    np.testing.assert_array_equal(found[0][:, 0], found[1][:, 0])
    return np.column_stack((found[0][:, 0], (found[0] + found[1])[:, 1:]))


def test_a_hole_in_an_inner_orbital(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    nwchem_in: Callable[[Path, str], Path],
) -> None:
    """All three steps; NWChem goes on from the same file behind its own first run."""
    monkeypatch.chdir(tmp_path)
    Path("pair.nw").write_text(FIRST)
    assert main(["pair.nw"]) == 0
    orbitals = coefficients(tmp_path / "pair.movecs")
    assert functions(tmp_path / "pair.rt_restart") == len(orbitals) == 11
    write_with_a_hole(tmp_path / "pair.rt_restart", orbitals)
    theirs = tmp_path / "theirs"
    (theirs / "scr").mkdir(parents=True)
    nwchem_in(theirs, f"start pair\n{FIRST}")
    shutil.copy("pair.rt_restart", theirs)
    expected = nwchem_in(theirs, SECOND.format("")).read_text(errors="replace")
    capsys.readouterr()

    Path("re.nw").write_text(SECOND.format(" moocc"))
    assert main(["re.nw", "--surrogate", "none"]) == 0
    log = capsys.readouterr().out
    for fragment in ("Ne", "He"):
        found, wanted = charges(log, fragment), charges(expected, fragment)
        assert len(wanted) == 8
        np.testing.assert_allclose(found[:, 0], wanted[:, 0], atol=1e-5)
        np.testing.assert_allclose(found[:, 1], wanted[:, 1], rtol=0, atol=2e-7)
    assert np.ptp(charges(log, "Ne")[:, 1]) > 5e-3
    populations = occupations(log)
    np.testing.assert_allclose(populations[0, 1 : OCCUPIED + 1], [2, 1, 2, 2, 2, 2], atol=1e-6)
    np.testing.assert_allclose(populations[:, 1:].sum(axis=1), 2 * OCCUPIED - 1, atol=1e-9)

    # What is done is known as such.
    assert main(["re.nw", "--surrogate", "none", "--restart"]) == 0
    assert "nothing is left to be done" in capsys.readouterr().err
