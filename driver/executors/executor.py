"""The executors that carry out calculations: processes of this machine, or what a named function returns."""

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ...atomic.errors import BadInput
from ...atomic.parallel import interrupts_held
from ...atomic.threads import children_with, cores

#: What `--executor` calls the processes of this machine.
LOCAL = "local"
#: Orders that an executor of somebody else's holds at a time: enough for a cluster, few enough for memory.
_MOST_HELD = 1000


class ExecutorError(BadInput):
    """An executor that cannot be had. One line."""


@dataclass(frozen=True)
class Executors:
    """Where executors come from.

    open: makes one, for a `with`; called again where one has broken down.
    held: orders that it is given at a time.
    workers: processes on this machine; 0 where they are somewhere else.
    """

    open: Callable[[], AbstractContextManager[Executor]]
    held: int
    workers: int


def executors(name: str, workers: int | None) -> Executors:
    """By name: `local`, or `MODULE:FUNCTION`, looked for in the working folder too. Raises ExecutorError.

    workers: of the local processes; None: as many as there are cores.
    """
    if name == LOCAL:
        n = workers or cores()
        return Executors(lambda: _processes(n), 2 * n, n)
    if workers is not None:
        raise ExecutorError(f"a number of processes is for --executor {LOCAL}; {name} has its own")
    factory = _function(name)
    return Executors(lambda: _named(factory, name), _MOST_HELD, 0)


def in_this_process() -> Executors:
    """One after another, without the start of a process."""
    return Executors(lambda: contextlib.nullcontext(_Here()), 1, 1)


class _Here(Executor):
    """Carries out at once what it is given."""

    def submit(self, fn, /, *args, **kwargs):  # pyright: ignore
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _function(name: str) -> Callable[[], Executor]:
    module, _, function = name.partition(":")
    if not (module and function):
        raise ExecutorError(
            f"--executor {name}: accepted: {LOCAL}, or MODULE:FUNCTION that returns an Executor"
        )
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise ExecutorError(f"--executor {name}: cannot be imported: {error}{_extra(error)}") from error
    except Exception as error:
        # A module of the user's may fail in any way.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExecutorError(f"--executor {name}: cannot be imported: {reason}") from error


def _extra(error: Exception) -> str:
    parsl = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "parsl"
    return ": pip install 'hybrid-propagate[cluster]'" if parsl else ""


@contextmanager
def _named(factory: Callable[[], Executor], name: str) -> Iterator[Executor]:
    try:
        made = factory()
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExecutorError(f"--executor {name}: it cannot be made: {reason}{_extra(error)}") from error
    if not isinstance(made, Executor):
        raise ExecutorError(
            f"--executor {name}: returns a {type(made).__name__}, no concurrent.futures.Executor"
        )
    ended = False
    try:
        yield made
        ended = True
    finally:
        made.shutdown(wait=ended, cancel_futures=not ended)


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Processes of one thread each, which end with this one however it ends."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = _Pool(workers, context, initializer=_end_with_parent)
    try:
        yield pool
    except BaseException:
        # What they have half done goes on from its last checkpoint: files are written whole.
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()
        raise
    finally:
        # Waited for: a pool that ends while Python ends too is closed by two threads at once.
        pool.shutdown(cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    """Processes that never hear of Ctrl-C, which is their parent's."""

    def submit(self, *args, **keywords):  # pyright: ignore
        # Workers are started here.
        with interrupts_held(), children_with(1):
            return super().submit(*args, **keywords)


def _end_with_parent() -> None:
    """In a worker: a parent that was killed leaves nobody behind who holds files."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
