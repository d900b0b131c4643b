"""Orders and results, whatever becomes of the executor."""

import random
from collections import Counter
from contextlib import nullcontext

import pytest
from hybrid_propagate.driver.executors.executor import ExecutorError, Executors
from hybrid_propagate.driver.executors.schedule import MOST_LOSSES, Lost, carried_out
from small_executors import Here, Losing

NAMES = [f"n{k}" for k in range(60)]


def test_every_order_has_one_result() -> None:
    engines = Executors(lambda: nullcontext(Here()), 7, 0)
    found = list(carried_out(str.upper, {name: name for name in NAMES}, {}, engines))
    assert sorted(found) == sorted((name, name.upper()) for name in NAMES)


def test_a_third_lost_and_breakdowns_change_nothing() -> None:
    dice = random.Random(1)

    def new() -> nullcontext[Losing]:
        made = Losing()
        made.random = dice
        return nullcontext(made)

    found = list(carried_out(str.upper, {name: name for name in NAMES}, {}, Executors(new, 7, 0)))
    assert sorted(found) == sorted((name, name.upper()) for name in NAMES)


def test_neighbours_wait_for_their_seed() -> None:
    order: list[str] = []

    def note(name: str) -> str:
        order.append(name)
        return name

    after = {"a2": "a1", "a3": "a1", "b2": "b1", "c2": "c1"}
    names = ["a2", "a1", "a3", "b2", "b1", "c2"]
    engines = Executors(lambda: nullcontext(Here()), 1, 0)
    list(carried_out(note, {name: name for name in names}, after, engines))
    assert set(order) == set(names)
    assert order.index("a1") < min(order.index("a2"), order.index("a3"))
    assert order.index("b1") < order.index("b2")
    # c1 is no order, so c2 waits for nothing.
    assert order.index("c2") < order.index("a2")


def test_an_order_that_kills_is_given_up_and_stops_nobody() -> None:
    calls: Counter[str] = Counter()

    def work(name: str) -> str:
        calls[name] += 1
        if name == "n3":
            raise MemoryError("killed")
        return name

    class Raising(Here):
        def submit(self, fn, /, *args, **kwargs):
            try:
                return super().submit(fn, *args, **kwargs)
            except MemoryError as error:
                from concurrent.futures import Future

                future: Future = Future()
                future.set_exception(error)
                return future

    engines = Executors(lambda: nullcontext(Raising()), 4, 0)
    found = dict(carried_out(work, {name: name for name in NAMES}, {"n4": "n3"}, engines))
    assert found.pop("n3") == Lost(f"lost {MOST_LOSSES} times by its executor: MemoryError: killed")
    assert set(found) == set(NAMES) - {"n3"}
    assert calls["n3"] == MOST_LOSSES


def test_executors_that_take_nothing_end_it() -> None:
    class Broken(Here):
        def submit(self, fn, /, *args, **kwargs):
            raise RuntimeError("cannot schedule new futures after shutdown")

    engines = Executors(lambda: nullcontext(Broken()), 2, 0)
    with pytest.raises(ExecutorError, match="without a result; 60 items left"):
        list(carried_out(str.upper, {name: name for name in NAMES}, {}, engines))
