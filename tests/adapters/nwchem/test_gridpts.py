"""NWChem's file of quadrature points: what real NWChem leaves, old blocks, damage, and what it is for."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import GroundStateTask, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.nwchem.agreement import compare
from hybrid_propagate.adapters.nwchem.basis_order import density_to_nwchem, nwchem_order
from hybrid_propagate.adapters.nwchem.deck_writer import ResidentTasks, nwchem_deck
from hybrid_propagate.adapters.nwchem.gridpts import GridFileError, read_grid
from hybrid_propagate.adapters.nwchem.movecs import read_movecs
from hybrid_propagate.adapters.nwchem.process import NAME, NWChemProcess
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint
from hybrid_propagate.adapters.pyscf.engine import expanded_about, make_engine

DECK = """start deck
geometry "m" units angstroms nocenter noautosym noautoz
  O 0.0 0.1 0.1173
  H 0.0 0.7572 -0.4692
  H 0.1 -0.7572 -0.4692
end
set geometry "m"
charge 1
basis spherical
  * library 6-31G*
end
dft
  xc b3lyp
  mult 2
  convergence energy 1e-9 density 1e-7
end
task dft energy
rt_tddft
  tmax 1.0
  dt 0.1
end
task dft rt_tddft
"""


@pytest.mark.parametrize("command", ["nwchem", "mpirun -np 2 --oversubscribe nwchem"])
def test_engine_on_nwchems_grid_is_nwchem(command: str, tmp_path: Path) -> None:
    """Its total energy, dipole and orbital energies are reproduced on its points, serial and under MPI."""
    (tmp_path / "deck.nw").write_text(DECK)
    deck = read_deck(tmp_path / "deck.nw")
    ground, task = deck.tasks
    assert isinstance(ground, GroundStateTask)
    assert isinstance(task, PropagationTask)
    system, order = task.system, nwchem_order(task.system)
    with NWChemProcess(command, system.n_spin, system.n_basis) as process:
        files = {ground.output: "o.movecs"}
        process.start(nwchem_deck(NAME, [ground], task, files, ResidentTasks(100, 0, 5)))
        orbitals = read_movecs(process.folder / "o.movecs", order, system.n_spin)
        first = density_to_nwchem(orbitals.density().astype(complex), order)
        process.send(RestartPoint(99, 0.0, first))
        _, printed = process.receive()
        points = read_grid(sorted(process.folder.glob(f"{NAME}.gridpts.*")), process.grid_block)
        assert process.energies["Total DFT"] == pytest.approx(orbitals.total_energy, abs=1e-9)
    engine = expanded_about(make_engine(system, 1e9, points), orbitals.density(), kernel=False)
    agreement = compare(engine, orbitals, printed, True)
    assert agreement.energy < 1e-8
    assert agreement.overlap < 1e-9
    assert agreement.dipole < 1e-9
    assert agreement.orbital_energies is not None
    assert agreement.orbital_energies < 1e-5
    assert agreement.failures == []
    own = expanded_about(make_engine(system, 1e9), orbitals.density(), kernel=False)
    assert compare(own, orbitals, printed, True).energy > 10 * agreement.energy


def block(boxes: list[np.ndarray], size: int) -> np.ndarray:
    """One block as NWChem lays it out."""
    rows = [np.array([[1.0, 0.0, 5.0, len(boxes)]])]
    for box in boxes:
        rows += [np.array([[len(box), 5.0, 0.0, 0.0]]), box]
    used = np.concatenate(rows)
    used[0, 1] = len(used)
    record = np.zeros(size)
    record[: used.size] = used.ravel()
    record[-1:].view(np.int64)[0] = len(used)
    return record


def test_old_blocks_count_once(tmp_path: Path) -> None:
    points = np.random.default_rng(3).normal(size=(7, 4))
    first, second = block([points[:2], points[2:5]], 41), block([points[5:]], 41)
    path = tmp_path / "nw.gridpts.0"
    path.write_bytes(np.concatenate([first, second, first]).tobytes())
    coords, weights = read_grid([path], 41)
    np.testing.assert_array_equal(coords, points[:, :3])
    np.testing.assert_array_equal(weights, points[:, 3])


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "nw.gridpts.0"
    good = block([np.ones((3, 4))], 41)
    wrong_count = good.copy()
    wrong_count[4] = 2.0
    for data, expected in (
        (good[:-1], "not a multiple of 41"),
        (wrong_count, "do not add up"),
        (np.zeros(41), "does not say how long"),
    ):
        path.write_bytes(data.tobytes())
        with pytest.raises(GridFileError, match=expected):
            read_grid([path], 41)
    with pytest.raises(GridFileError, match="No such file"):
        read_grid([tmp_path / "none"], 41)
    with pytest.raises(GridFileError, match="no file"):
        read_grid([], 41)
