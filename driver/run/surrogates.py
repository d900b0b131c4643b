"""Which surrogate a run has, and its making: learned on the fly, trained, or both."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from ...adapters.deck import Deck, DeckError
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.quadrature import Quadrature
from ...adapters.system.formula import formula
from ...atomic.freed_memory import give_back
from ...surrogate.kernel.analytic import analytic_kernel, fits_analytic_kernel, kernel_response
from ...surrogate.kernel.coarse_grid import coarse_response
from ...surrogate.kernel.factored_mean_field import factored_mean_field, fits_factors
from ...surrogate.kernel.kernel_files import KernelFolder, read_blocks, write_blocks
from ...surrogate.kernel.pair_kernel import (
    Means,
    PairBlock,
    bytes_taken,
    moved_blocks,
    moved_irreps,
    pair_kernel,
    pairs_by_irrep,
)
from ...surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from ...surrogate.nonlinear.nonlinear_response import Effort, PointSource
from ...surrogate.nonlinear.or_grid import PointsOrGrid
from ...surrogate.on_the_fly.earlier_run import (
    carried_points,
    carried_prior,
    correction_of,
    read_earlier_run,
)
from ...surrogate.on_the_fly.first_guess import FirstGuess
from ...surrogate.on_the_fly.functional_response import FunctionalResponse, ResponseGround
from ...surrogate.on_the_fly.response import OnTheFlyResponse, base_irreps
from ...surrogate.runtime.network_response import (
    SHIPPED,
    Graphs,
    NetworkNotApplicable,
    NetworkResponse,
    check_applicable,
    open_graphs,
)
from ...surrogate.runtime.neural_surrogate import NeuralSurrogate
from ...surrogate.runtime.session import Device, GraphError, check_device
from ...surrogate.surrogate import Surrogate
from ...surrogate.weak_fields.by_regime import ByRegime
from ...surrogate.weak_fields.pair_response import (
    NEARLY_DIAGONAL,
    PairResponse,
    eta_at_rest,
    expansion_matrices,
    pairs_at_rest,
)
from ...surrogate.weak_fields.turned_round import turning_signs
from ..loop.backend import GroundState
from ..loop.controller import Target
from ..loop.problem import Problem, active_dipoles
from ..loop.regime import begins_weak
from .options import Options, physics_of

if TYPE_CHECKING:
    from ...surrogate.own_steps.block import StepGraphs

#: Bounds of the share of a density change that may stay outside the surrogate's directions.
OUTSIDE = (1e-6, 1e-4)
#: Error of the nonlinear part's points over the residual wanted, since without its first order that part is a
#: share of the response only; and the error's bounds.
POINTS_WORTH, POINTS_ERROR = 10.0, (1e-3, 5e-3)
#: The same for fields that would drive |δP| no further than MILD, did F not answer. Ionised water and
#: resonant H2CO, which are driven further, took 11 and 12 builds that way instead of 9 and 7.
MILD, MILD_WORTH, MILD_ERROR = 1.0, 120.0, (1e-3, 6e-3)
#: There points are also learned in half the time, and fewer of them: a step takes two thirds, for as many
#: Fock builds. Closed shells' runs of no more steps than these learn from fewer rotations yet; longer ones,
#: such as water's pump and probe, and H2O+ then had to learn anew.
MILD_EFFORT = Effort(level=1, candidates=1000, better=0.4, enough=8.0)
SHORT, SHORT_TRAINED = 1000, 20
#: Share of the response that is not linear, over |δP|, as seen in water; bounds of the |δP| from which on the
#: functional gives it.
CURVED, NONLINEAR = 0.12, (1e-3, 0.02)
#: In shorter runs the points are not worth learning.
LEAST_STEPS = 100
#: PySCF's level of the grid for what densities of one step differ by: it is a sixth off.
NEARLY_LEVEL = 0
#: Pairs of an irrep up to which modes give the steps; of more, relaxation takes less time and memory.
MOST_MODES = 3000


def with_surrogate(options: Options, deck: Deck) -> Options:
    """The options with their surrogate settled: `hybrid` by default where the shipped correction of the
    analytic kernel was trained for all of the deck, else `response`.

    Raises DeckError where the network asked for cannot serve, DeviceError, GraphError.
    """
    tasks = deck.propagations
    if options.surrogate in ("neural", "hybrid"):
        graphs = _graphs(options)
        for task in tasks:
            try:
                check_applicable(graphs.metadata, task.system)
            except NetworkNotApplicable as error:
                raise DeckError(
                    task.place, f"--surrogate {options.surrogate}: {error}; accepted: --surrogate response"
                ) from error
        return replace(options, weights_hash=graphs.metadata["weights"])
    if options.surrogate == "rollout":
        # It imports onnx, which no other surrogate needs.
        from .graph_surrogate import check_rollout

        check_rollout(deck)
        check_device(options.device)
    if options.surrogate != "auto":
        return options
    shipped = SHIPPED["correction"]
    if options.prior is None and options.kernels is None and (shipped / "response.onnx").exists():
        graphs = open_graphs(shipped, options.device)
        try:
            for task in tasks:
                check_applicable(graphs.metadata, task.system)
        except NetworkNotApplicable:
            return replace(options, surrogate="response")
        return replace(options, surrogate="hybrid", weights_hash=graphs.metadata["weights"])
    return replace(options, surrogate="response")


def make_surrogate(
    ground: GroundState,
    problem: Problem,
    options: Options,
    target: Target,
    tell: Callable[[str, float], None],
    graphs: "StepGraphs | None" = None,
) -> Surrogate:
    """The surrogate of a run about its ground state; tell: takes words and the share done meanwhile.

    graphs: where `rollout` has its steps made, with other runs' at once; None: alone.

    Raises PriorError, DeviceError, GraphError, NetworkNotApplicable.
    """
    engine, start = ground.engine, (problem.basis, problem.ground_density, problem.ground_build)
    outside = float(np.clip(target.residual, *OUTSIDE))
    if options.surrogate not in ("neural", "hybrid"):
        full = partial(_learned, ground, problem, options, target, tell)
        if options.surrogate == "rollout":
            from .graph_surrogate import make_rollout

            full = partial(make_rollout, ground, problem, options, target, tell, graphs)
        if options.engine != "pyscf":
            # NWChem's own steps have not been compared with weak motion's.
            return full()
        if options.prior is not None:
            # A file that cannot serve is refused before anything runs.
            read_earlier_run(options.prior, physics_of(problem.system), problem.system)
        dear = not fits_analytic_kernel(engine, options.memory)
        surrogate = ByRegime(partial(_pair_response, ground, problem, options), full, full_is_dear=dear)
        if not begins_weak(problem) or not surrogate.weaken():
            # Made here, the kernel's seconds and progress are told apart.
            assert surrogate.full
        return surrogate
    xc = engine.system.functional.pyscf
    network = NetworkResponse(_graphs(options), engine.mol, ground.orbitals.density(), xc, tell)
    if options.surrogate == "neural":
        return NeuralSurrogate(engine, *start, network)
    spread = network.typical_spread(_typical_changes(problem))
    guess = FirstGuess(network.prior(), spread, nonlinear=nonlinear_source(ground, problem, target, tell))
    return OnTheFlyResponse(engine, *start, guess, outside)


def _pair_response(ground: GroundState, problem: Problem, options: Options) -> PairResponse | None:
    """None where the start is no closed set of orbitals at rest, or there is no kernel."""
    engine, basis, density = ground.engine, problem.basis, problem.ground_density
    pairs = _closed_set(problem)
    if pairs is None:
        return None
    key, build = basis.coefficients, problem.ground_build
    about = once(engine, "about", key, partial(expansion_matrices, engine, basis, density, build))
    pushes = [np.real(pairs.block(coupling.matrix)) for coupling in problem.couplings]
    pushes = np.array(pushes).reshape(-1, pairs.n_pairs)
    irreps = base_irreps(basis, density)
    dipoles = np.array([np.real(pairs.block(matrix)) for matrix in active_dipoles(problem)])
    indices = moved_blocks(pairs, irreps, pushes, dipoles)
    means = Means(options.memory, single=max(map(len, indices)) > MOST_MODES)
    # What the deck's other fields move comes at the same reading of the integrals, where it takes few bytes.
    every = moved_blocks(pairs, irreps, np.concatenate([pushes, ground.directions @ dipoles]), dipoles)
    few = [] if means.single else [index for index in every if len(index) <= MOST_MODES]
    together = list({int(index[0]): index for index in (*indices, *few)}.values())
    make = partial(pair_kernel, engine, basis, pairs, irreps)
    made = once(engine, "pairs", key, dict[int, PairBlock])
    missing = [index for index in together if int(index[0]) not in made]
    more = _kept_or_made(_kernel_folder(problem, options), pairs, missing, means, make)
    if more is None:
        return None
    made.update({int(block.index[0]): block for block in more})
    blocks = [made[int(index[0])] for index in indices]
    by_irrep, followed = pairs_by_irrep(pairs, irreps), {int(index[0]) for index in indices}
    unmoved = {number: index for number, index in by_irrep.items() if int(index[0]) not in followed}
    room = bytes_taken(engine, pairs, irreps, indices, means) - sum(block.n_bytes for block in blocks)
    eta, builds = np.zeros(pairs.n_pairs), 0
    if unmoved:
        builds = int(not is_kept(engine, "rest", key))
        eta = once(engine, "rest", key, partial(eta_at_rest, engine, basis, pairs, about, by_irrep.values()))
    still = pairs_at_rest(pairs, eta, unmoved, builds)
    turning = turning_signs(irreps, moved_irreps(by_irrep, pushes), about.fock)
    try:
        response = PairResponse(pairs, about, blocks, still, room, turning)
    except np.linalg.LinAlgError:
        return None
    return response if response.is_near_rest else None


def _kernel_folder(problem: Problem, options: Options) -> KernelFolder | None:
    """Where the kernels of a propagation's ground state are kept, if the user wants that."""
    if options.kernels is None:
        return None
    system = problem.system
    name = formula(system.geometry.atomic_numbers)
    return KernelFolder(options.kernels, name, physics_of(system), problem.basis.coefficients)


def _kept_or_made(
    folder: KernelFolder | None,
    pairs: OccupiedEmpty,
    indices: list[np.ndarray],
    means: Means,
    make: Callable[[list[np.ndarray], Means], tuple[PairBlock, ...] | None],
) -> list[PairBlock] | None:
    """Blocks of these pairs, from the folder where it has them; None where they take too much memory.

    Raises KernelFileError, RefusedFile.
    """
    kind = np.float32 if means.single else np.float64
    kept = [] if folder is None else read_blocks(folder, pairs, indices, kind)
    known = {int(block.index[0]) for block in kept}
    missing = [index for index in indices if int(index[0]) not in known]
    if not missing:
        return kept
    made = make(missing, means)
    give_back()
    if made is None:
        return None
    if folder is not None:
        write_blocks(folder, made)
    return [*kept, *made]


def _closed_set(problem: Problem) -> OccupiedEmpty | None:
    """Pairs of orbitals at the start; None where that is no closed set of orbitals at rest."""
    basis = problem.basis
    try:
        pairs = occupied_empty(problem.ground_density, basis.energies, NEARLY_DIAGONAL)
    except ValueError:
        return None
    between = np.real(problem.ground_fock - basis.energies[:, None, :] * np.eye(basis.n_functions))
    rests = pairs.n_pairs and pairs.gaps.min() > 0.0 and np.abs(between).max() <= NEARLY_DIAGONAL
    return pairs if rests else None


def _learned(
    ground: GroundState,
    problem: Problem,
    options: Options,
    target: Target,
    tell: Callable[[str, float], None],
) -> Surrogate:
    """Learned on the fly: from the analytic kernel on, and from what an earlier run has learned beyond that.

    Where no kernel fits, the response is formed anew at every density of strong motion. In weak motion, and
    where that does not fit either, it is learned from the one on a coarse grid. Raises PriorError.
    """
    engine, density = ground.engine, ground.orbitals.density()
    kernel = once(engine, "full", density, lambda: analytic_kernel(engine, density, options.memory, tell))
    strong = not begins_weak(problem) or _closed_set(problem) is None
    if strong and not fits_analytic_kernel(engine, options.memory):
        formed = _formed_anew(ground, problem, options, target, tell)
        if formed is not None:
            return formed
    prior = coarse_response(engine, density, options.memory) if kernel is None else kernel_response(kernel)
    nonlinear = nonlinear_source(ground, problem, target, tell)
    if options.prior is not None:
        run = read_earlier_run(options.prior, physics_of(problem.system), problem.system)
        correction = correction_of(run, problem.system, options.memory)
        prior = carried_prior(correction, prior, engine.integrals.overlap, problem.basis)
        if nonlinear is not None:
            carried = carried_points(run, problem.system.geometry.positions)
            nonlinear = replace(nonlinear, carried=carried)
    start = (problem.basis, problem.ground_density, problem.ground_build)
    outside = float(np.clip(target.residual, *OUTSIDE))
    return OnTheFlyResponse(
        engine, *start, FirstGuess(prior, builds=kernel is None, nonlinear=nonlinear), outside
    )


def _formed_anew(
    ground: GroundState,
    problem: Problem,
    options: Options,
    target: Target,
    tell: Callable[[str, float], None],
) -> FunctionalResponse | None:
    """None for Hartree-Fock, and where vectors of three indices do not fit. Raises PriorError."""
    engine, basis = ground.engine, problem.basis
    if engine.quadrature is None or not fits_factors(engine, options.memory):
        return None
    source = _point_source(engine.quadrature, ground, problem, target, tell)
    if options.prior is not None:
        run = read_earlier_run(options.prior, physics_of(problem.system), problem.system)
        source = replace(source, carried=carried_points(run, problem.system.geometry.positions))
    mean_field = once(engine, "factors", basis.coefficients, lambda: factored_mean_field(engine, basis))
    about = ResponseGround(engine, basis, problem.ground_density, problem.ground_build)
    # Beside exact exchange, few points spare little of a step.
    worth = problem.n_steps >= LEAST_STEPS and not engine.exact_exchange
    whole = PointsOrGrid(replace(source, whole=True), engine.system.grid, worth)
    nearly = partial(whole.coarse, NEARLY_LEVEL) if engine.exact_exchange else None
    return FunctionalResponse(about, mean_field, whole, nearly)


def nonlinear_source(
    ground: GroundState, problem: Problem, target: Target, tell: Callable[[str, float], None]
) -> PointSource | None:
    """The functional on few points; None for Hartree-Fock, and where a run is too short to be worth it."""
    quadrature = ground.engine.quadrature
    if quadrature is None or problem.n_steps < LEAST_STEPS:
        return None
    return _point_source(quadrature, ground, problem, target, tell)


def _point_source(
    quadrature: Quadrature,
    ground: GroundState,
    problem: Problem,
    target: Target,
    tell: Callable[[str, float], None],
) -> PointSource:
    density = np.real(ground.orbitals.density())
    worth, error, effort = POINTS_WORTH, POINTS_ERROR, Effort()
    if problem.driven_size <= MILD:
        worth, error, effort = MILD_WORTH, MILD_ERROR, MILD_EFFORT
        if problem.n_steps <= SHORT and len(density) == 1:
            effort = replace(effort, trained=SHORT_TRAINED)
    wanted = float(np.clip(worth * target.residual, *error))
    wanted_whole = float(np.clip(target.residual, *POINTS_ERROR))
    wanted_from = float(np.clip(target.residual / CURVED, *NONLINEAR))
    given = (quadrature, problem.basis, density, problem.ground_density)
    return PointSource(*given, wanted, wanted_whole, wanted_from, tell, effort=effort)


Made = TypeVar("Made")
#: What `once` has made, by engine and kind, with the array that it belongs to.
_MADE: WeakKeyDictionary[PySCFEngine, dict[str, tuple[np.ndarray, Any]]] = WeakKeyDictionary()


def once(engine: PySCFEngine, kind: str, about: np.ndarray, make: Callable[[], Made]) -> Made:
    """What belongs to a ground state: made for a deck's first propagation from it, kept for the others."""
    if not is_kept(engine, kind, about):
        _MADE.setdefault(engine, {})[kind] = about, make()
    return _MADE[engine][kind][1]


def is_kept(engine: PySCFEngine, kind: str, about: np.ndarray) -> bool:
    """Whether `once` has it already."""
    kept = _MADE.get(engine, {})
    return kind in kept and np.array_equal(kept[kind][0], about)


def weights_folder(options: Options) -> Path:
    """Where the graphs of `--surrogate neural` or `hybrid` are."""
    if options.weights is not None:
        return options.weights
    order = ("response", "correction") if options.surrogate == "neural" else ("correction", "response")
    found = [SHIPPED[name] for name in order if (SHIPPED[name] / "response.onnx").exists()]
    if not found:
        raise GraphError(f"no trained weights in {SHIPPED[order[0]]}; hybrid-export makes them")
    return found[0]


def _graphs(options: Options) -> Graphs:
    return _opened(weights_folder(options).resolve(), options.device)


@cache
def _opened(folder: Path, device: Device) -> Graphs:
    """Opened once for the checks and for all runs of a deck."""
    return open_graphs(folder, device)


def _typical_changes(problem: Problem) -> np.ndarray:
    """AO changes (3, n, n) that fields along x, y, z begin with: occupied-empty elements of the dipole."""
    basis = problem.basis
    dipole = np.array([basis.fock_in(d[None])[0] for d in problem.engine.integrals.dipole])
    numbers = np.real(np.diagonal(problem.ground_density[0]))
    return basis.density_out((dipole * (numbers[:, None] - numbers) ** 2)[:, None])[:, 0]
