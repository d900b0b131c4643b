"""Rotatory strengths from magnetic dipoles after kicks along x, y and z."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main as propagate
from hybrid_propagate.driver.spectra.dichroism import CGS, rotatory_lines
from hybrid_propagate.driver.spectra.kicked_runs import read_kicked_runs
from hybrid_propagate.driver.spectra.lines import KickedRun
from hybrid_propagate.driver.spectra.records import read_records
from hybrid_propagate.driver.spectra.spectrum import Kick, Signal, SpectrumError
from pyscf import gto, scf, tdscf
from small_decks import kicked

STEP, IMPULSE = 0.2, 1e-4
OMEGA = np.array([0.3, 0.45, 0.7])
DIPOLES = np.array([[0.5, 0.1, 0.0], [0.0, 0.6, 0.3], [0.2, 0.0, 0.7]])
TENSORS = np.random.default_rng(2).normal(size=(3, 3, 3))


def made_up(j: int) -> Signal:
    """δμ = 2κ Σ d d_j sin ωt and m = 2κ Σ T_j cos ωt after a kick along j at its first point."""
    time = STEP * np.arange(1500)
    since = (time - STEP / 2)[:, None]
    window = np.cos(OMEGA * STEP / 2)
    sines, cosines = (f(since * OMEGA) * window * (since > 0) for f in (np.sin, np.cos))
    dipole = 2 * IMPULSE * np.einsum("tn,ni,n->ti", sines, DIPOLES, DIPOLES[:, j])
    magnetic = 2 * IMPULSE * np.einsum("tn,ni->ti", cosines, TENSORS[:, :, j])
    kick = Kick(np.eye(3)[j], IMPULSE, 0.0, STEP, 1)
    return Signal("xyz"[j], time, dipole, kick, magnetic=magnetic)


def test_what_was_put_in() -> None:
    lines = rotatory_lines([KickedRun(made_up(j)) for j in range(3)], 25.0)
    assert [line.energy for line in lines] == pytest.approx(27.211386 * OMEGA, rel=1e-5)
    wanted = CGS * np.trace(TENSORS, axis1=1, axis2=2)
    assert [line.rotatory for line in lines] == pytest.approx(wanted, rel=2e-3)


def test_runs_apart_of_different_lengths() -> None:
    """Each keeps its own lines, and the moments end with the shortest."""
    runs = []
    for j, last in enumerate((1500, 1200, 1350)):
        one = made_up(j)
        alone = one.dipole * np.eye(3)[j]
        assert one.magnetic is not None
        cut = replace(one, time=one.time[:last], dipole=alone[:last], magnetic=one.magnetic[:last])
        runs.append(KickedRun(cut))
    lines = rotatory_lines(runs, 25.0)
    assert [line.energy for line in lines] == pytest.approx(27.211386 * OMEGA, rel=1e-5)
    wanted = CGS * np.trace(TENSORS, axis1=1, axis2=2)
    assert [line.rotatory for line in lines] == pytest.approx(wanted, rel=2e-3)


def test_what_it_needs() -> None:
    runs = [KickedRun(made_up(j)) for j in range(3)]
    with pytest.raises(SpectrumError, match="kicks along x, y and z"):
        rotatory_lines(runs[:2], 25.0)
    runs[1] = KickedRun(replace(runs[1].signal, magnetic=None))
    with pytest.raises(SpectrumError, match="y: no magnetic dipole"):
        rotatory_lines(runs, 25.0)


PEROXIDE = "  O 0.0 0.73 -0.05\n  O 0.0 -0.73 -0.05\n  H 0.80 0.89 0.42\n  H -0.80 -0.89 0.42"
TIGHT = "  tolerances interpol 1d-9\n  nchecks 0\n  print dipole magnetic field energy convergence"
SCF = "  convergence energy 1d-10 density 1d-9 gradient 1d-8"
APART = 0.3


def test_hydrogen_peroxide_against_linear_response(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PySCF's TDHF of the same molecule and basis: the lines up to 14 eV that stand alone, to 1 %.

    PySCF's magnetic dipole is that of the whole angular momentum, which R has half of, and its electric one
    lacks the electron's sign.
    """
    monkeypatch.chdir(tmp_path)
    for axis in "xyz":
        words = {"tmax": 150.0, "dt": 0.2, "polarization": axis, "kick": 1e-3, "xc": "hfexch"}
        Path("d.nw").write_text(kicked(PEROXIDE, start=axis, steps=TIGHT, dft=SCF, **words))
        options = ("--log", f"{axis}.out", "--save-density", "0", "--surrogate", "none")
        assert propagate(["d.nw", *options]) == 0
    runs = [run for axis in "xyz" for run in read_kicked_runs(Path(f"{axis}.h5"))]

    mean_field = scf.RHF(gto.M(atom=PEROXIDE, basis="sto-3g", verbose=0)).run(conv_tol=1e-11)
    response = tdscf.TDHF(mean_field)
    response.nstates, response.conv_tol = 12, 1e-10
    response.kernel()
    moments = response.transition_dipole(), response.transition_magnetic_dipole()
    strengths = -0.5 * CGS * np.einsum("nx,nx->n", *moments)
    energies = 27.211386 * response.e
    compared = 0
    for line in rotatory_lines(runs, 25.0):
        gaps = np.abs(energies - line.energy)
        if line.energy < 14.0 and np.sort(gaps)[1] > APART:
            assert gaps.min() < 0.05
            assert line.rotatory == pytest.approx(strengths[gaps.argmin()], rel=0.01)
            compared += 1
    assert compared == 3
    # The log has the same, to its digits.
    (record,) = read_records(Path("x.out"))
    assert record.magnetic == pytest.approx(runs[0].signal.magnetic, abs=1e-14)
