"""Orders and results, whatever becomes of the executor."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
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
                future: Future = Future()
                future.set_exception(error)
                return future

    engines = Executors(lambda: nullcontext(Raising()), 4, 0)
    found = dict(carried_out(work, {name: name for name in NAMES}, {"n4": "n3"}, engines))
    assert found.pop("n3") == Lost(f"lost {MOST_LOSSES} times by its executor: MemoryError: killed")
    assert set(found) == set(NAMES) - {"n3"}
    assert calls["n3"] == MOST_LOSSES


class Pool(Here):
    """One process: its death takes along all that it was given, as `ProcessPoolExecutor`'s does."""

    def __init__(self, dies: Callable[[str], bool]) -> None:
        self.dies, self.given, self.broken = dies, list[tuple[Future, str]](), False

    def submit(self, fn, /, *args, **kwargs):
        if self.broken:
            raise BrokenProcessPool("a process died")
        future: Future = Future()
        self.given.append((future, *args))
        # It works once it is full, or nothing more comes for a while.
        threading.Timer(0.02, self._work).start()
        return future

    def _work(self) -> None:
        given, self.given = self.given, []
        while given:
            future, name = given.pop(0)
            if not self.dies(name):
                future.set_result(name.upper())
                continue
            self.broken = True
            for lost, _ in [(future, name), *given]:
                lost.set_exception(BrokenProcessPool("a process died"))
            return


def test_a_process_that_dies_costs_no_other_order() -> None:
    names = [f"n{k}" for k in range(12)]
    engines = Executors(lambda: nullcontext(Pool(lambda name: name == "n3")), 16, 0)
    found = dict(carried_out(str.upper, {name: name for name in names}, {}, engines))
    assert isinstance(found.pop("n3"), Lost)
    assert found == {name: name.upper() for name in names if name != "n3"}


def test_processes_that_die_by_chance_cost_nothing() -> None:
    dice = random.Random(2)
    engines = Executors(lambda: nullcontext(Pool(lambda _: dice.random() < 1 / 3)), 2, 0)
    found = dict(carried_out(str.upper, {name: name for name in NAMES}, {}, engines))
    assert found == {name: name.upper() for name in NAMES}


def test_executors_that_take_nothing_end_it() -> None:
    opened: list[Here] = []

    class Broken(Here):
        def __init__(self) -> None:
            opened.append(self)

        def submit(self, fn, /, *args, **kwargs):
            raise RuntimeError("cannot schedule new futures after shutdown")

    engines = Executors(lambda: nullcontext(Broken()), 1000, 0)
    with pytest.raises(ExecutorError, match="without a result; 60 items left"):
        list(carried_out(str.upper, {name: name for name in NAMES}, {}, engines))
    assert len(opened) < 20
