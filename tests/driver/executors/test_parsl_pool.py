"""Parsl's executor on this machine, as `examples/clusters.py` opens it."""

import math
import os
from pathlib import Path

import pytest
from hybrid_propagate.driver.executors.executor import executors
from hybrid_propagate.driver.executors.schedule import carried_out


def test_parsl_carries_out_orders_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    orders = {f"n{k}": k for k in range(20)}
    found = dict(carried_out(math.factorial, orders, {}, executors("clusters:local", None)))
    assert found == {name: math.factorial(k) for name, k in orders.items()}
