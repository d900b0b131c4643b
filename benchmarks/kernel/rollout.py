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
from collections.abc import Iterator
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
from hybrid_propagate.surrogate.rollout.changes import in_range
from hybrid_propagate.surrogate.rollout.compare import by_numpy, run_graphs, trajectory_error
from hybrid_propagate.surrogate.rollout.graphs import Precision, graphs_of
from hybrid_propagate.surrogate.rollout.molecule import RolloutMatrices

DECKS = Path(__file__).parents[1] / "decks"
BATCHES, LEAST_SECONDS = (1, 16, 256), 2.0
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
#: Of the weak kick that both are compared in.
KICK = 1e-4


def main() -> None:
    """A row for every deck."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("decks", nargs="*", type=Path, metavar="DECK")
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    batches = " | ".join(f"batch {batch}" for batch in BATCHES)
    told = "functions | points | MiB | graph to numpy | weak kick to numpy | graph to reference"
    print(f"| deck | precision | {told} | {batches} | numpy |")
    print("|" + "---|" * (9 + len(BATCHES)))
    for deck in options.decks or [DECKS / f"{name}.nw" for name in ("water_ionised", "water_cation")]:
        for cells in rows(deck, options.steps):
            print("| " + " | ".join(cells) + " |", flush=True)


def rows(deck: Path, steps: int) -> Iterator[list[str]]:
    """Name, precision, functions, points, size, three errors, milliseconds by batch and of numpy."""
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
    fields = np.stack([field, np.zeros_like(field)], axis=1)
    fields[0, 1] = KICK / np.sqrt(3.0)
    by_hand = by_numpy(molecule, ground.dt, ground.engine)
    wanted = [by_hand.run(fields[:, k]) for k in range(2)]
    for precision in PRECISIONS:
        kept = in_range(molecule) if precision == "float32" else molecule
        models = graphs_of(kept, ground.dt, {}, precision)
        contents = {name: model.SerializeToString() for name, model in models.items()}
        found = run_graphs(contents, fields, by_block=True)
        if precision == "float32":
            found = found + wanted[0][0]
        compared = ((found[:, 0], wanted[0]), (found[:, 1], wanted[1]), (found[:, 0], reference))
        errors = [f"{trajectory_error(*both):.1e}" for both in compared]
        taken = [f"{milliseconds(contents, batch, field):.2f}" for batch in BATCHES]
        points = "0" if kept.points is None else str(len(kept.points.weights))
        size = f"{len(contents['block']) / 2**20:.2f}"
        yield [deck.stem, precision, str(kept.basis.shape[1]), points, size, *errors, *taken, numpy]


def milliseconds(contents: dict[str, bytes], batch: int, field: np.ndarray) -> float:
    """Processor time a trajectory step, by the block of ten steps."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    start, block = (onnxruntime.InferenceSession(contents[name], options) for name in ("start", "block"))
    single = start.get_inputs()[0].type == "tensor(float)"
    fields = np.repeat(field[:11, None], batch, axis=1).astype(np.float32 if single else np.float64)
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
