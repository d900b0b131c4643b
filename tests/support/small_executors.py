"""Executors for campaigns in tests: in this process, and one that loses what it is given."""

import contextlib
import os
import random
import tempfile
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool


class Here(Executor):
    """Carries out at once, in a working folder of its own as a cluster's workers may have."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            future.set_result(fn(*args, **kwargs))
            assert os.listdir() == []
        return future


class Losing(Executor):
    """Loses a third of what it is given, before or after it is carried out, and breaks down now and then."""

    def __init__(self) -> None:
        self.random = random.Random(5)
        self.left = 5

    def submit(self, fn, /, *args, **kwargs):
        if not self.left:
            raise BrokenProcessPool("nobody is left")
        self.left -= 1
        future: Future = Future()
        chance = self.random.random()
        if chance > 1 / 6:
            result = fn(*args, **kwargs)
        if chance < 1 / 3:
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(result)
        return future


def here() -> Executor:
    """For `--executor small_executors:here`."""
    return Here()


_LOSING = [Losing()]


def losing() -> Executor:
    """A new one each time; the dice go on."""
    made = Losing()
    made.random = _LOSING[0].random
    return made


def no_executor() -> int:
    """What cannot serve."""
    return 3
