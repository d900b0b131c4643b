"""The lines of a kicked molecule against linear response on the same ground state: PySCF's TDHF, whole."""

from pathlib import Path

import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import read_contents
from hybrid_propagate.atomic.units import EV_PER_HARTREE
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.spectra.kicked_runs import read_kicked_runs
from hybrid_propagate.driver.spectra.lines import transition_densities
from hybrid_propagate.driver.spectra.response import read_response
from hybrid_propagate.driver.spectra.window import atom_charges, populations
from small_decks import kicked

ATOMS = "  H 0 0 0\n  F 0 0 0.92"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> hp.Run:
    """Hydrogen fluoride, kicked along its axis, 150 au."""
    folder = tmp_path_factory.mktemp("lines")
    shown = "  print dipole field energy moocc"
    text = kicked(ATOMS, tmax=150.0, start="fluoride", basis="6-31G", xc="hfexch", rest=shown)
    (folder / "fluoride.nw").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fluoride.nw", "--tol", "1e-4"]) == 0
        return hp.open_run(folder / "fluoride.h5")


def test_lines_are_those_of_linear_response(run: hp.Run, tmp_path: Path) -> None:
    """At a vanishing time step, bright lines within 2 meV, or a fiftieth of the shift taken off, and 1 %;
    the weak one within what the run states.

    The same transitions, and transition density.
    """
    from pyscf import gto, scf, tdscf

    mol = gto.M(atom="H 0 0 0; F 0 0 0.92", basis="6-31g", cart=True, verbose=0)
    mean_field = scf.RHF(mol).run(conv_tol=1e-12)
    response = tdscf.TDHF(mean_field)
    response.nstates = 12
    response.kernel()
    along = response.transition_dipole()[:, 2]
    strengths = 2.0 * response.e * along**2
    lines = run.lines(emax=42.0)
    bright = [n for n in range(12) if strengths[n] > 0.02 and response.e[n] * EV_PER_HARTREE < 42.0]
    assert len(lines) == len(bright) == 3
    for line, n in zip(lines, bright, strict=True):
        bright_line = strengths[n] > 0.5
        shift = abs(line.energy - response.e[n] * EV_PER_HARTREE)
        energy_bound = max(2e-3, 0.02 * shift) if bright_line else line.energy_uncertainty
        strength_bound = 1e-2 * strengths[n] if bright_line else line.strength_uncertainty
        assert line.converged_energy == pytest.approx(response.e[n] * EV_PER_HARTREE, abs=energy_bound)
        assert line.converged_strength == pytest.approx(strengths[n], abs=strength_bound)
        # The step moves the line by more than it can be wrong, and all of that is found.
        assert shift > 10 * energy_bound
        x, y = response.xy[n]
        weights = 2.0 * (np.square(x) - np.square(y))
        largest = line.transitions[0]
        occupied, empty = np.unravel_index(int(np.abs(weights).argmax()), weights.shape)
        assert (largest.occupied, largest.empty) == (occupied + 1, 5 + empty + 1)
        # Weights are those of the run, at its time step.
        assert largest.weight == pytest.approx(weights[occupied, empty], abs=2e-2)
        for shares in zip(*((one.leaves, one.arrives) for one in line.atoms), strict=True):
            assert sum(shares) == pytest.approx(1.0, abs=1e-6)
    # Nearly all of a line of HF comes from fluorine.
    assert lines[0].atoms[1].leaves > 0.8
    (found,) = transition_densities(read_kicked_runs(run.path), [lines[0].energy])
    matrix = found.sum(axis=0)
    dipole = np.einsum("xij,ji->x", mol.intor("int1e_r"), matrix)
    assert abs(dipole[2]) == pytest.approx(abs(along[bright[0]]), rel=2e-3)
    np.testing.assert_allclose(dipole[:2], 0.0, atol=1e-8)
    cube = tmp_path / "line.cube"
    run.transition_cube(lines[0], cube)
    points, values = _read_cube(cube)
    functions = mol.eval_gto("GTOval", points)
    # The columns of a cube file hold six digits.
    np.testing.assert_allclose(
        values, np.einsum("gi,ij,gj->g", functions, matrix, functions), rtol=1e-4, atol=1e-7
    )


def test_what_moves_is_what_orbitals_and_dipole_say(run: hp.Run) -> None:
    """Occupations stored beside it, to second order; the dipole of all occupied orbitals, to first order."""
    response = read_response(run.path)
    assert response is not None
    contents = read_contents(run.path)
    stored = np.asarray(contents.series["occupations"])
    changes = stored - stored[0]
    np.testing.assert_allclose(populations(response), changes, atol=2e-3 * np.abs(changes).max())
    found = run.moved(50.0, 100.0)
    rows = (run.time >= 50.0) & (run.time <= 100.0)
    assert found.electrons == pytest.approx(changes[rows, 0, 5:].sum(axis=1).mean(), rel=1e-3)
    assert sum(part.weight for part in found.transitions) == pytest.approx(1.0, abs=5e-2)
    # Charges add up to nothing, and Löwdin's of the stored densities say the same.
    rows_stored, densities = _densities(run.path)
    charges = atom_charges(response, rows_stored)
    np.testing.assert_allclose(charges.sum(axis=1), 0.0, atol=1e-9)
    sizes, vectors = np.linalg.eigh(_overlap(run.path))
    root = (vectors * np.sqrt(sizes)) @ vectors.T
    functions = np.einsum("pi,kij,jp->kp", root, densities - densities[0], root)
    expected = -functions @ response.on
    # The densities are stored in single precision, and are of order one.
    rounding = 8 * np.finfo(np.float32).eps
    assert np.abs(expected).max() > 10 * rounding
    np.testing.assert_allclose(charges, expected, atol=rounding)
    # The core electrons of fluorine hardly move.
    core = run.moved(50.0, 100.0, occupied=(1, 1))
    assert core.electrons < 1e-3 * found.electrons
    whole, of_all = run.spectrum(emax=30.0), run.spectrum(emax=30.0, occupied=(1, 5))
    top = np.abs(whole.cross_section).max()
    np.testing.assert_allclose(of_all.cross_section, whole.cross_section, atol=2e-3 * top)
    parts = [run.spectrum(emax=30.0, occupied=(k, k)).cross_section for k in range(1, 6)]
    np.testing.assert_allclose(np.sum(parts, axis=0), of_all.cross_section, atol=1e-9 * top)


def _densities(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points of the densities stored, and the densities (k, n, n) of both spins."""
    import h5py

    with h5py.File(path) as file:
        return np.asarray(file["dynamics/density_step"]), np.asarray(file["dynamics/density_real"])[:, 0]


def _overlap(path: Path) -> np.ndarray:
    import h5py

    with h5py.File(path) as file:
        return np.asarray(file["matrices/overlap"])


def _read_cube(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3), bohr, and values (n,)."""
    rows = path.read_text().splitlines()
    origin = np.array(rows[2].split()[1:], float)
    counts = [int(row.split()[0]) for row in rows[3:6]]
    steps = [float(rows[3 + k].split()[1 + k]) for k in range(3)]
    axes = [origin[k] + steps[k] * np.arange(counts[k]) for k in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return points, np.array(" ".join(rows[8:]).split(), float)


def test_lines_of_a_file_without_response(run: hp.Run, tmp_path: Path) -> None:
    """They have no limit of no time step and no transitions, and a cube is refused in one line."""
    import h5py

    path = tmp_path / "old.h5"
    path.write_bytes(run.path.read_bytes())
    path.with_suffix(".json").write_bytes(run.path.with_suffix(".json").read_bytes())
    with h5py.File(path, "a") as file:
        for name in ("real", "imag", "step"):
            del file[f"dynamics/response_{name}"]
    old = hp.open_run(path)
    lines, full = old.lines(), run.lines()
    assert [line.energy for line in lines] == [line.energy for line in full]
    assert {line.converged_energy for line in lines} == {None}
    assert lines[0].transitions == ()
    with pytest.raises(hp.BadInput, match="it kept no response to make a transition density of"):
        old.transition_cube(lines[0], tmp_path / "x.cube")


def test_several_runs_and_logs(run: hp.Run) -> None:
    """`hp.lines` of one run gives that run's lines."""
    assert hp.lines(run) == run.lines()
    with pytest.raises(hp.BadInput, match="no kicked run to find lines in"):
        hp.lines()
