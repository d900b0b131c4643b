"""`print dipcontribs` and `moocc`, and the parts of occupied orbitals, against NWChem 7.2.3 itself.

Debian's build stops there for want of one solver, which is diverted (`serial_diagonalization`).
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.driver.spectra.response import read_response
from hybrid_propagate.driver.spectra.window import dipole_of, moved
from serial_diagonalization import diverted
from small_decks import kicked

TIGHT = "  convergence energy 1d-10 density 1d-9 gradient 1d-7\n"
WINDOW = "set rt_tddft:dipcontrib:pol 3\n"
#: Water and its cation: the deck's dft lines, charge, and how NWChem names the spins.
SHELLS = {"closed": ("", 0, ("CLOSED",)), "open": ("  odft\n  mult 2\n", 1, ("ALPHA", "BETA"))}


@pytest.fixture(scope="module")
def complete_nwchem(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Runs it on `deck.nw` in a folder; returns the log."""
    wrapper = shutil.which("nwchem")
    assert wrapper is not None
    program = tmp_path_factory.mktemp("nwchem") / "nwchem"
    program.write_bytes(diverted(Path(wrapper).with_name("root").joinpath("usr/bin/nwchem").read_bytes()))
    program.chmod(0o755)

    def run(folder: Path) -> str:
        ended = subprocess.run(
            ["nwchem", "deck.nw"],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1", "NWCHEM_PROGRAM": str(program)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def contributions(log: str, spin: str) -> tuple[list[str], np.ndarray]:
    """The two head lines, and a row a point: its time, and what each pair gives."""
    lines = [line.split(" #")[0] for line in log.splitlines() if line.endswith(f"#Mu-Z i-a Contrib {spin}")]
    return lines[:2], np.array([[float(word) for word in line.split()] for line in lines[2:]])


@pytest.mark.parametrize("shell", SHELLS)
def test_what_orbitals_give(
    shell: str,
    complete_nwchem: Callable[[Path], str],
    propagate_in: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    dft, charge, spins = SHELLS[shell]
    deck = kicked(xc="hfexch", tmax=4.0, kick=1e-3, dft=dft + TIGHT, rest="  print dipole dipcontribs moocc")
    deck = deck.replace("rt_tddft\n", WINDOW + "rt_tddft\n", 1)
    folders = {name: tmp_path / name for name in ("nwchem", "here")}
    for folder in folders.values():
        folder.mkdir()
        (folder / "deck.nw").write_text(f"charge {charge}\n{deck}" if charge else deck)
    theirs = complete_nwchem(folders["nwchem"])
    ended = propagate_in(folders["here"], "deck.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    ours = ended.stdout

    response = read_response(folders["here"] / "water.h5")
    assert response is not None
    given = np.zeros((len(response.time), 7))
    for spin, name in enumerate(spins):
        (heads, a), (our_heads, b) = contributions(theirs, name), contributions(ours, name)
        assert our_heads == heads
        assert a.shape == b.shape == (len(response.time), 50)
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-8)
        pairs = a[:, 1:].reshape(-1, 7, 7)
        n_occupied = 1 + int(response.pairs[response.pairs[:, 0] == spin, 1].max())
        # NWChem leaves out the electrons' charge.
        given[:, :n_occupied] -= pairs[:, :n_occupied, n_occupied:].sum(axis=2)
    for number in range(1, 1 + int(response.pairs[:, 1].max())):
        part = dipole_of(response, (number, number))[:, 2]
        theirs_of_it = given[:, number - 1]
        within = 3e-5 * np.abs(theirs_of_it).max()
        np.testing.assert_allclose(part, theirs_of_it, rtol=0, atol=within)
    together = dipole_of(response, (1, 5))[:, 2]
    np.testing.assert_allclose(together, given.sum(axis=1), rtol=0, atol=5e-9)
    assert np.abs(given).max() > 1e-4

    occupations = [read_log(path)[0] for path in _logs(tmp_path, theirs, ours)]
    keys = [key for key in occupations[0].series if key.name == "MO Occupations"]
    assert len(keys) == len(spins)
    for key in keys:
        values = [log.series[key].values for log in occupations]
        np.testing.assert_allclose(values[1], values[0], rtol=0, atol=1e-8)
    # Electrons that have left an orbital, to second order: what it lacks at each point.
    full = sum(occupations[0].series[key].values for key in keys)
    left = [moved(response, t, t, (4, 4)).electrons for t in response.time[5:].tolist()]
    lacking = full[0, 3] - full[5:, 3]
    assert lacking.max() > 1e-9
    np.testing.assert_allclose(left, lacking, rtol=1e-2, atol=5e-12)


def _logs(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{number}.log" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths
