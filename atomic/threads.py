"""Threads of the linear algebra, integrals and networks: as many as pay, whatever the environment says.

Commands start with one, before any library makes its own. A calculation of some size then asks for more.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

#: What the libraries look at as they are loaded, and child processes after them.
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
#: Threads in use, as far as this package has set them.
_in_use = [0]


@cache
def cores() -> int:
    """Cores that this process may use: by affinity, a container's quota, at most OMP_NUM_THREADS."""
    found = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    with contextlib.suppress(OSError, ValueError):
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        found.append(math.ceil(int(quota) / int(period)))
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if asked.isdecimal():
        found.append(int(asked))
    return max(1, min(found))


def start_with(n: int) -> None:
    """Threads of the libraries that are loaded from here on, and of child processes."""
    cores()
    os.environ.update(dict.fromkeys(_VARIABLES, str(n)))
    _in_use[0] = n


@contextmanager
def children_with(n: int) -> Iterator[None]:
    """Threads of the libraries of child processes that are started within."""
    cores()
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, str(n)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def threads_in_use() -> int:
    """Threads that libraries which are loaded from here on should use."""
    return _in_use[0] or cores()


@contextmanager
def limited_to(n: int) -> Iterator[None]:
    """n threads for every library that is loaded, and as they were afterwards."""
    from threadpoolctl import threadpool_limits

    before = _in_use[0]
    _in_use[0] = n
    try:
        with threadpool_limits(n):
            yield
    finally:
        _in_use[0] = before


@contextmanager
def at_most_one() -> Iterator[None]:
    """One thread where more are in use: with small matrices the others only wait for work."""
    with limited_to(1) if threads_in_use() > 1 else contextlib.nullcontext():
        yield
