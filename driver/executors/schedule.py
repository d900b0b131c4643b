"""Orders to an executor and results back, whatever becomes of the executor in between.

An order that its executor loses (a killed process, an engine that was shut down) is given out again, behind
all others: the work itself goes on from its own files. Orders may wait for others: neighbours for the
geometry that they start from.
"""

import queue
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .executor import ExecutorError, Executors

Order = TypeVar("Order")
Result = TypeVar("Result")

#: A dead process takes all orders of its pool along, whoever killed it: one lost so often runs by itself.
SUSPECT = 4
#: How often an order may be lost. Where a third is lost by chance, one in 6600 is lost eight times by itself.
MOST_LOSSES = SUSPECT + 8
#: Executors, one after another, that may end before they have done or lost anything.
MOST_IDLE = 8
#: Seconds for which nothing but a result is heard; signals are heard in between.
_LISTEN = 0.2


@dataclass(frozen=True)
class Lost:
    """What is told of an order that was lost too often. reason: of the last loss."""

    reason: str


@dataclass(eq=False)
class _Orders(Generic[Order]):
    """What is still to do.

    ready: names of those that may be given out. waiting: names by what they wait for.
    losses: how often, by name. idle: executors, one after another, that ended without anything of an order.
    """

    ready: deque[str]
    waiting: dict[str, list[str]]
    losses: dict[str, int] = field(default_factory=dict)
    idle: int = 0


def carried_out(
    function: Callable[[Order], Result],
    orders: Mapping[str, Order],
    after: Mapping[str, str],
    engines: Executors,
) -> Generator[tuple[str, Result | Lost], None, None]:
    """Names and results of function(order) as they come, in any order.

    function: picklable, and raises nothing of its own: what its future raises is taken for a loss.
    after: of some names, the name whose end they wait for; where that is no order, they wait for nothing.
    Raises ExecutorError where executors break down again and again, and what opening one raises.
    """
    waiting: dict[str, list[str]] = {}
    for name in orders:
        if after.get(name) in orders:
            waiting.setdefault(after[name], []).append(name)
    behind = {name for names in waiting.values() for name in names}
    todo: _Orders[Order] = _Orders(deque(name for name in orders if name not in behind), waiting)
    left = len(orders)
    while left:
        todo.idle += 1
        with engines.open() as executor:
            for name, result in _with_one(executor, function, orders, todo, engines.held):
                left -= 1
                yield name, result
                todo.ready.extend(todo.waiting.pop(name, ()))
        if left and todo.idle > MOST_IDLE:
            raise ExecutorError(f"executors broke down {todo.idle} times without a result; {left} items left")


def _with_one(
    executor: Executor,
    function: Callable[[Order], Result],
    orders: Mapping[str, Order],
    todo: _Orders[Order],
    held: int,
) -> Iterator[tuple[str, Result | Lost]]:
    """What one executor does, until all is done or it takes no more."""
    ended: queue.SimpleQueue[tuple[str, Future[Result]]] = queue.SimpleQueue()
    running, alone, broken = 0, False, False
    while running or (todo.ready and not broken):
        while todo.ready and running < held and not (broken or alone):
            suspect = todo.losses.get(todo.ready[0], 0) >= SUSPECT
            if suspect and running:
                break
            name = todo.ready.popleft()
            try:
                future = executor.submit(function, orders[name])
            except RuntimeError:
                # A broken or closed executor says so by a kind of RuntimeError.
                todo.ready.appendleft(name)
                broken = True
                break
            running, alone = running + 1, suspect
            future.add_done_callback(lambda future, name=name: ended.put((name, future)))
        if not running:
            break
        try:
            name, future = ended.get(timeout=_LISTEN)
        except queue.Empty:
            continue
        running, alone, todo.idle = running - 1, False, 0
        reason = _loss(future)
        if reason is None:
            yield name, future.result()
            continue
        todo.losses[name] = todo.losses.get(name, 0) + 1
        if todo.losses[name] >= MOST_LOSSES:
            yield name, Lost(f"lost {MOST_LOSSES} times by its executor: {reason}")
        else:
            todo.ready.append(name)


def _loss(future: "Future[Result]") -> str | None:
    """Why a future has no result; None where it has one."""
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    if error is None:
        return None
    return " ".join(f"{type(error).__name__}: {error}".split())
