"""Runs at once: one at a time, steps of all in one call, whatever each of them does between."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hybrid_propagate.driver.graphs.together import Together
from hybrid_propagate.surrogate.own_steps.block import Made, Request


@dataclass
class Doubling:
    """A block that gives twice the amplitudes; broken: for more trajectories than this, an error."""

    broken: int = 99
    sizes: list[int] = field(default_factory=list)

    def run(self, requests: list[Request]) -> list[Made]:
        self.sizes.append(len(requests))
        if len(requests) > self.broken:
            raise RuntimeError("a graph that fails")
        return [Made((2.0 * r.amplitudes,) * 3, np.zeros(0)) for r in requests]


def asking(together: Together, block: Doubling, first: float, times: int, said: list) -> Callable[[], float]:
    def work() -> float:
        value = first
        for k in range(times):
            said.append((first, k))
            nothing = (np.zeros(0),) * 3
            answer = together.run(block, Request(nothing, np.array([[value]]), nothing))  # type: ignore[arg-type]
            value = float(answer.state[0][0, 0])
        return value

    return work


def test_steps_of_all_that_are_left_are_made_at_once() -> None:
    """Three runs of 1, 3 and 2 blocks, and one of none; the order is the same every time."""
    orders = []
    for _ in range(5):
        together, block, said = Together(most=8), Doubling(), []
        works = [asking(together, block, 1.0 + k, n, said) for k, n in enumerate((1, 3, 2, 0))]
        assert together.carry_out(works) == [2.0, 16.0, 12.0, 4.0]
        assert block.sizes == [3, 2, 1]
        assert (together.calls, together.made) == (3, 6)
        orders.append(said)
    assert all(order == orders[0] for order in orders)


def test_no_call_has_more_than_asked_for() -> None:
    together, block = Together(most=2), Doubling()
    assert together.carry_out([asking(together, block, 1.0, 1, []) for _ in range(5)]) == [2.0] * 5
    assert block.sizes == [2, 2, 1]


def test_an_error_ends_its_run_alone() -> None:
    """Of the graph: all that asked; of a run: that one. The first is raised once all have ended."""
    together, block, said = Together(most=8), Doubling(), []

    def fails() -> float:
        raise ValueError("a run that fails")

    with pytest.raises(ValueError, match="a run that fails"):
        together.carry_out([asking(together, block, 1.0, 2, said), fails])
    assert block.sizes == [1, 1]
    together, block = Together(most=8), Doubling(broken=1)
    with pytest.raises(RuntimeError, match="a graph that fails"):
        together.carry_out([asking(together, block, 1.0, 2, said) for _ in range(2)])
