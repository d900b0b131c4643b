"""Parsl as a `concurrent.futures.Executor`, for `--executor MODULE:FUNCTION`, as in `examples/clusters.py`.

Parsl starts two of its own programs by name, and they lie beside this Python.
"""

import os
import sysconfig
from concurrent.futures import Executor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parsl.providers.base import ExecutionProvider


def parsl_pool(
    provider: "ExecutionProvider", *, address: str, cores_per_worker: int = 1, folder: str
) -> Executor:
    """Parsl's HighThroughputExecutor with workers of so many cores on what a provider gives.

    address: of this machine, as the workers reach it; 127.0.0.1 for workers on this machine.
    folder: for Parsl's own logs. Raises ModuleNotFoundError without the extra `cluster`.
    """
    from parsl.concurrent import ParslPoolExecutor
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor

    scripts = sysconfig.get_path("scripts")
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if scripts not in paths:
        os.environ["PATH"] = os.pathsep.join([scripts, *paths])
    workers = HighThroughputExecutor(
        label="items",
        address=address,
        loopback_address="127.0.0.1",
        cores_per_worker=cores_per_worker,
        provider=provider,
        # A worker that is gone is noticed after so many seconds, and its items are given out again.
        heartbeat_period=10,
        heartbeat_threshold=40,
    )
    # Lost items are given out again by the campaign itself.
    return ParslPoolExecutor(
        config=Config(executors=[workers], run_dir=folder, retries=0, initialize_logging=False)
    )
