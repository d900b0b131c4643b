"""`--surrogate rollout`: what it takes, and its making."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...adapters.deck import Deck, DeckError, PropagationTask
from ...atomic.errors import BadInput
from ...surrogate.nonlinear.nonlinear_response import PointSource
from ...surrogate.rollout.block import StepRules
from ...surrogate.rollout.functionals import parts
from ...surrogate.rollout.molecule import molecule_of
from ...surrogate.rollout.rollout_response import RolloutGround, RolloutResponse, Runner, alone
from ...surrogate.rollout.turned import turned
from ..loop.backend import GroundState
from ..loop.controller import Target
from ..loop.problem import Problem
from .options import Options

#: Error of points on held-out rotations that is wanted. With 2e-3 water in an ionising field took 11 builds
#: at --tol 1e-2, now 6.
POINTS_ERROR = 1e-3


def check_rollout(deck: Deck) -> None:
    """Refuse propagations that graphs cannot make. Raises DeckError."""
    for task in deck.propagations:
        if not task.real_time.no_propagation:
            check_steps(task)
            functional = task.system.functional
            try:
                parts(functional.pyscf, functional.directive)
            except BadInput as error:
                raise DeckError(task.place, f"--surrogate rollout: {error}") from error


def check_steps(task: PropagationTask) -> None:
    """Refuse steps that graphs do not have. Raises DeckError."""
    real_time = task.real_time
    if real_time.absorbing or real_time.static or real_time.propagator != "magnus":
        raise DeckError(task.place, "graphs have the magnus propagator, without static, mocap and spatialcap")


def make_rollout(
    ground: GroundState,
    problem: Problem,
    options: Options,
    target: Target,
    tell: Callable[[str, float], None],
    run: Runner = alone,
) -> RolloutResponse:
    """The surrogate about its ground state. run: hands steps to a graph.

    Raises NoFormula, TooLarge; when it first makes a step NoPoints, TooLong, DeviceError.
    """
    engine, basis, real_time = ground.engine, problem.basis, problem.real_time
    density = np.real(ground.orbitals.density())
    molecule = molecule_of(engine, basis, density, problem.ground_build, options.memory)
    fields = [turned(basis).matrices_in(np.real(coupling.matrix)) for coupling in problem.couplings]
    m = basis.n_functions
    molecule = replace(molecule, field=np.array(fields) if fields else np.zeros((1, 1, m, m)))
    source = None
    if engine.quadrature is not None:
        given = (engine.quadrature, basis, density, problem.ground_density)
        source = PointSource(*given, POINTS_ERROR, POINTS_ERROR, 0.0, tell, whole=True)
    about = RolloutGround(engine, basis, problem.ground_density, problem.ground_build, molecule)
    rules = StepRules(real_time.dt, real_time.tolerances.interpol, options.device)
    return RolloutResponse(about, source, rules, run)
