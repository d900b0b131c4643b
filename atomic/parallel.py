"""A function over many arguments in worker processes of one thread each."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
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
    pool = ProcessPoolExecutor(workers, context)
    running: set[Future[Result]] = set()
    others = set(multiprocessing.active_children())
    try:
        for a in arguments:
            # Workers are started here, and an interrupt is the parent's from their first moment on.
            with interrupts_held():
                running.add(pool.submit(function, *a))
            if len(running) >= 2 * workers:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (f.result() for f in finished)
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (f.result() for f in finished)
    except BaseException:
        # What they have half done is not there: files are written whole.
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        raise
    finally:
        # Waited for: a pool that ends while Python ends too is closed by two threads at once.
        pool.shutdown(cancel_futures=True)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """What is started within never hears of Ctrl-C."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
