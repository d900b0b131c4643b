"""Local processes by cores and memory."""

from types import SimpleNamespace

import pytest
from hybrid_propagate.driver.campaign import cost


@pytest.mark.parametrize(("n_bytes", "workers"), [(1e9, 4), (3e9, 2), (7e9, 1), (50e9, 1)])
def test_as_many_as_cores_and_half_of_the_memory_allow(
    n_bytes: float, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four cores, 16 GB."""
    monkeypatch.setattr(cost, "cores", lambda: 4)
    monkeypatch.setattr(cost, "half_of_memory", lambda: 8e9)
    monkeypatch.setattr(cost, "cost_of_item", lambda item, options: (1.0, item.size))
    small, large = (SimpleNamespace(level={"basis": str(size)}, size=size) for size in (1e6, n_bytes))
    assert cost.workers_that_fit((small, large, small), None) == workers
