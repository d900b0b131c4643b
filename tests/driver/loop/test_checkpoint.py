"""Checkpoints of the whole loop on the toy engine: whatever segment a run goes on from, nothing changes."""

import numpy as np
import pytest
from hybrid_propagate.atomic.errors import BadInput
from hybrid_propagate.driver.loop.checkpoint import pack_checkpoint, unpack_checkpoint
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.problem import Problem
from hybrid_propagate.driver.loop.progress import Progress
from hybrid_propagate.driver.loop.reference import EmbeddedReference
from hybrid_propagate.driver.loop.run import run
from hybrid_propagate.driver.loop.segment import Limits, Segment
from hybrid_propagate.surrogate.surrogate import Surrogate
from toy_engine import kicked, make_chain, make_response, start, toy_problem


class Densities:
    """A reporter that keeps P' of every point."""

    def __init__(self) -> None:
        self.rows: dict[int, np.ndarray] = {}

    def segment(self, segment: Segment, tally: object) -> None:
        for k, density in enumerate(segment.densities):
            self.rows[segment.start.step + k] = density

    def event(self, event: object, tally: object) -> None:
        pass


@pytest.mark.parametrize(
    ("n_spin", "hybrid", "local", "size"),
    [(1, 0.25, 0.3, 0.02), (1, 1.0, 0.0, 0.02), (2, 0.0, 0.3, 0.3)],
    ids=["hybrid functional", "Hartree-Fock", "open shell, strong kick"],
)
@pytest.mark.parametrize("hybrid_run", [True, False])
def test_going_on_from_any_checkpoint_changes_not_a_bit(
    n_spin: int, hybrid: float, local: float, size: float, hybrid_run: bool
) -> None:
    tmax = 30.0 if hybrid_run else 4.0
    system, engine = make_chain(6, n_spin, hybrid, local)
    problem = toy_problem(system, engine, kicked(size, tmax, 0.2))
    target = Target(error=1e-3, max_ml_steps=12, duration=tmax)
    saved: list[dict[str, np.ndarray]] = []
    surrogate = make_response(problem) if hybrid_run else None

    def keep(progress: Progress) -> bool:
        saved.append({name: array.copy() for name, array in pack_checkpoint(progress, surrogate).items()})
        return False

    whole = Densities()
    assert propagate(problem, surrogate, target, start(problem, target), whole, keep)
    assert len(whole.rows) == problem.n_steps
    if hybrid_run:
        assert len(saved) > 8
    for arrays in saved[: -1 : max(1, len(saved) // 8)]:
        again = make_response(problem) if hybrid_run else None
        progress = unpack_checkpoint(arrays, again)
        first = progress.state.step
        rest = Densities()
        propagate(problem, again, target, progress, rest, lambda now: False)
        assert sorted(rest.rows) == list(range(first, problem.n_steps))
        for step, density in rest.rows.items():
            np.testing.assert_array_equal(density, whole.rows[step], err_msg=f"from {first}, at {step}")


def propagate(
    problem: Problem,
    surrogate: Surrogate | None,
    target: Target,
    progress: Progress,
    reporter: Densities,
    stop,
) -> bool:
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, Limits(), (reporter,))
    return run(hybrid, progress, stop)


def test_a_checkpoint_is_arrays_that_a_file_takes() -> None:
    system, engine = make_chain(4, 1, 0.25, 0.3)
    problem = toy_problem(system, engine, kicked(0.02, 4.0, 0.2))
    target = Target(1e-3, 12, 4.0)
    progress = start(problem, target)
    surrogate = make_response(problem)
    propagate(problem, surrogate, target, progress, Densities(), lambda now: now.state.step > 3)
    arrays = pack_checkpoint(progress, surrogate)
    assert all(isinstance(array, np.ndarray) and array.dtype.kind in "fciuSb" for array in arrays.values())
    again = unpack_checkpoint(arrays, make_response(problem))
    assert again.tally == progress.tally
    assert again.energies == progress.energies
    assert again.state.step == progress.state.step > 3
    assert again.ledger.length == progress.ledger.length
    # The same audits are drawn.
    draws = [[ledger.wants_audit() for _ in range(50)] for ledger in (again.ledger, progress.ledger)]
    assert draws[0] == draws[1]


def test_a_checkpoint_of_an_earlier_version_is_refused() -> None:
    """Its ledger had four numbers, and there was no shadow."""
    system, engine = make_chain(4, 1, 0.25, 0.3)
    problem = toy_problem(system, engine, kicked(0.02, 4.0, 0.2))
    progress = start(problem, Target(1e-3, 12, 4.0))
    arrays = pack_checkpoint(progress, None)
    with pytest.raises(BadInput, match="of an earlier version; run the deck without --restart"):
        unpack_checkpoint({**arrays, "ledger_counts": np.zeros(4, int)}, None)
    del arrays["ledger"]
    with pytest.raises(BadInput, match="of an earlier version"):
        unpack_checkpoint(arrays, None)
