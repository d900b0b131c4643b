"""A trajectory under way, by any source of Fock matrices: its dipole, and states from which others part."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from ..loop.problem import Problem, electronic_dipoles, field_free, make_step
from ..loop.segment import is_check_point, rebuilt
from ..propagators.magnus import FockOf
from ..propagators.state import State

#: F' of a P' that stands at a step of the run.
FockAt = Callable[[int], FockOf]
#: Steps between two looks at whether to pause.
LOOK_EVERY = 8


@dataclass(eq=False)
class Course:
    """Where a trajectory is.

    first: steps made where it begins.
    state: where it is.
    dipole: (3,) each, electrons alone, au: from its first point to `state`.
    branches: states kept, by their steps.
    densities: P' at the same points as `dipole`, where they are kept.
    """

    first: int
    state: State
    dipole: list[np.ndarray] = field(default_factory=list)
    branches: dict[int, State] = field(default_factory=dict)
    densities: list[np.ndarray] | None = None


def begin_course(problem: Problem, state: State, *, keep_densities: bool = False) -> Course:
    """A trajectory at its first point."""
    dipole = [electronic_dipoles(problem, state.density[None])[0]]
    return Course(state.step, state, dipole, densities=[state.density] if keep_densities else None)


def go_on(
    problem: Problem,
    fock_at: FockAt,
    course: Course,
    last: int,
    branches: Collection[int],
    pause: Callable[[], bool],
) -> bool:
    """Make steps up to `last`; False where `pause`, asked now and then, ended it early.

    branches: steps at which the state is kept. Raises NoFixedPoint.
    """
    step = make_step(problem)
    made: list[np.ndarray] = []

    def hand_over() -> None:
        if made:
            course.dipole.extend(electronic_dipoles(problem, np.array(made)))
            if course.densities is not None:
                course.densities.extend(made)
            made.clear()

    while True:
        state = course.state
        if state.step in branches:
            course.branches[state.step] = state
        if state.step >= last:
            hand_over()
            return True
        if len(made) >= LOOK_EVERY:
            hand_over()
            if pause():
                return False
        if is_check_point(problem, state):
            state = rebuilt(problem, state, field_free(problem, fock_at(state.step)))
        course.state, _ = step(state, field_free(problem, fock_at(state.step + 1)))
        made.append(course.state.density)
