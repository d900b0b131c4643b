"""Threads, whatever the environment says."""

import os
import subprocess
import sys

import numpy as np  # noqa: F401  A library with threads of its own.
import pytest
from hybrid_propagate.atomic import threads
from hybrid_propagate.atomic.solver.scf import solve_atom
from threadpoolctl import threadpool_info


def test_libraries_are_limited_and_set_back() -> None:
    before = {lib["filepath"]: lib["num_threads"] for lib in threadpool_info()}
    with threads.limited_to(1):
        assert {lib["num_threads"] for lib in threadpool_info()} == {1}
        assert threads.threads_in_use() == 1
    assert {lib["filepath"]: lib["num_threads"] for lib in threadpool_info()} == before


@pytest.mark.parametrize("asked", ["64", "", "3,2"])
def test_a_command_starts_with_one_thread(asked: str) -> None:
    """Before numpy is loaded, and in its children; PySCF's own count follows."""
    code = (
        "from hybrid_propagate.atomic.threads import start_with\nstart_with(1)\n"
        "import os, numpy\nfrom threadpoolctl import threadpool_info\n"
        "print(os.environ['OMP_NUM_THREADS'], *{lib['num_threads'] for lib in threadpool_info()})"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OMP_NUM_THREADS": asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "1 1\n"


def test_cores_are_at_most_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads.cores.__wrapped__() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert 1 <= threads.cores.__wrapped__() <= len(os.sched_getaffinity(0))


def test_children_have_their_number_and_this_process_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with threads.children_with(1):
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_one_atom_takes_one_thread() -> None:
    """Small matrices lose by more; what is in use elsewhere stays."""
    seen: list[int] = []

    def look(_: object) -> None:
        seen.extend(pool["num_threads"] for pool in threadpool_info())

    with threads.limited_to(2):
        solve_atom("He", on_iteration=look)
        assert set(seen) == {1}
        assert max(pool["num_threads"] for pool in threadpool_info()) == 2
