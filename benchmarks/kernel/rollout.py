"""The graphs of whole Magnus steps: error of trajectories, and processor time a step by batch, against numpy.

OMP_NUM_THREADS=1 python benchmarks/kernel/rollout.py [DECK...] [--steps 600]

The deck's own field acts on all trajectories of a batch. Errors are of trajectories: by the graph against
numpy with as many corrections, and against the driver's reference steps. Seconds of numpy are those of the
driver's own step with the same points and matrices, which ends where NWChem's tolerance is met. An
open shell has none.
"""

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import onnxruntime
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.bench.deck_run import deck_with_steps
from hybrid_propagate.driver.commands.propagate import main as propagate
from hybrid_propagate.driver.graphs.rollout import GroundOfGraphs, ground_of, molecule_with_points
from hybrid_propagate.driver.loop.problem import Problem, initial_state, make_problem, make_step
from hybrid_propagate.surrogate.kernel.analytic import AuxiliaryKernel, kernel_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import NonlinearResponse
from hybrid_propagate.surrogate.rollout.compare import by_numpy, run_graphs, trajectory_error
from hybrid_propagate.surrogate.rollout.graphs import graphs_of
from hybrid_propagate.surrogate.rollout.molecule import RolloutMatrices

DECKS = Path(__file__).parents[1] / "decks"
BATCHES, LEAST_SECONDS = (1, 16, 256), 2.0


def main() -> None:
    """A row for every deck."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("decks", nargs="*", type=Path, metavar="DECK")
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    batches = " | ".join(f"batch {batch}" for batch in BATCHES)
    print(f"| deck | functions | points | graph to numpy | graph to reference | {batches} | numpy |")
    print("|" + "---|" * (6 + len(BATCHES)))
    for deck in options.decks or [DECKS / f"{name}.nw" for name in ("water_ionised", "water_cation")]:
        print("| " + " | ".join(row(deck, options.steps)) + " |", flush=True)


def row(deck: Path, steps: int) -> list[str]:
    """Name, functions, points, two errors, milliseconds by batch and of numpy."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "deck.nw")
        path.write_text(f"permanent_dir {folder}\n{deck_with_steps(deck, steps)}")
        with contextlib.redirect_stdout(io.StringIO()):
            assert propagate([str(path), "--surrogate", "none", "--save-density", "0"]) == 0
        (trajectory,) = Path(folder).glob("*.h5")
        with h5py.File(trajectory) as file:
            reference, field = (np.asarray(file[f"dynamics/{name}"]) for name in ("dipole", "field"))
        ground = ground_of(path)
        molecule, learned = molecule_with_points(ground, path)
        numpy = milliseconds_of_numpy(path, ground, molecule, learned)
    models = graphs_of(molecule, ground.dt, {})
    contents = {name: model.SerializeToString() for name, model in models.items()}
    found = run_graphs(contents, field[:, None], by_block=True)[:, 0]
    wanted = by_numpy(molecule, ground.dt, ground.engine).run(field)
    errors = [f"{trajectory_error(found, other):.1e}" for other in (wanted, reference)]
    taken = [f"{milliseconds(contents, batch, field):.2f}" for batch in BATCHES]
    points = 0 if learned is None else len(learned.weights)
    return [deck.stem, str(molecule.basis.shape[1]), str(points), *errors, *taken, numpy]


def milliseconds(contents: dict[str, bytes], batch: int, field: np.ndarray) -> float:
    """Processor time a trajectory step, by the block of ten steps."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    start, block = (onnxruntime.InferenceSession(contents[name], options) for name in ("start", "block"))
    fields = np.repeat(field[:11, None], batch, axis=1)
    *state, _ = start.run(None, {"field": fields[0]})
    feeds = dict(zip([entry.name for entry in block.get_inputs()], (*state, fields[1:]), strict=True))
    block.run(None, feeds)
    began, calls = time.process_time(), 0
    while time.process_time() - began < LEAST_SECONDS:
        block.run(None, feeds)
        calls += 1
    return 1e3 * (time.process_time() - began) / (calls * 10 * batch)


def milliseconds_of_numpy(
    deck: Path, ground: GroundOfGraphs, molecule: RolloutMatrices, learned: NonlinearResponse | None
) -> str:
    """Processor time a step of the driver's loop; none of an open shell, whose matrices are in two bases."""
    if len(molecule.density) > 1:
        return ""
    real = molecule.coulomb if molecule.exchange is None else molecule.coulomb + molecule.exchange
    kernel = kernel_response(AuxiliaryKernel(molecule.basis.shape[1], 1, real, molecule.imaginary, None))

    def fock_of(density: np.ndarray) -> np.ndarray:
        change = density - molecule.density
        fock = molecule.fock + kernel(change)
        return fock if learned is None else fock + learned(change)

    problem = problem_of(deck, ground)
    state = initial_state(problem, molecule.density.astype(complex), molecule.fock.astype(complex), 0, 0.0)
    step = make_step(problem)
    began = time.process_time()
    for _ in range(problem.n_steps):
        state, _ = step(state, fock_of)
    return f"{1e3 * (time.process_time() - began) / problem.n_steps:.2f}"


def problem_of(deck: Path, ground: GroundOfGraphs) -> Problem:
    """The deck's first propagation about the ground state."""
    (task, *_) = read_deck(deck).propagations
    return make_problem(task, ground.engine, ground.basis, ground.build, ground.density)


if __name__ == "__main__":
    main()
