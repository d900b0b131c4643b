"""A function over many arguments in worker processes of one thread each."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TypeVar

Result = TypeVar("Result")


def parallel(
    function: Callable[..., Result], arguments: Iterable[tuple[object, ...]], workers: int
) -> Iterator[Result]:
    """Results of function(*a) as they finish, in any order. workers ≤ 1 runs them here, in order."""
    if workers <= 1:
        yield from (function(*a) for a in arguments)
        return
    # The matrices of one atom are too small to share between threads; the processes are the parallelism.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts_to_the_parent)
    running: set[Future[Result]] = set()
    try:
        for a in arguments:
            running.add(pool.submit(function, *a))
            if len(running) >= 2 * workers:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (f.result() for f in finished)
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (f.result() for f in finished)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """An interrupt reaches every process of a terminal's group; workers finish their task and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
