"""E(t) at many times is E(t) at each: a kick's end points are within rounding of points in time."""

import numpy as np
import pytest
from hybrid_propagate.adapters.system.field import Field, amplitude, amplitudes

Z = (0.0, 0.0, 1.0)
FIELDS = [
    Field("kick", "delta", Z, 0.3),
    Field("late", "delta", Z, -0.3, center=4.0),
    Field("between", "delta", Z, 0.3, center=4.05),
    Field("wave", "cw", Z, 0.2, frequency=0.4, phase=0.1),
    Field("pulse", "gaussian", Z, 0.2, frequency=0.4, center=4.0, width=1.0),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_many_times_at_once(field: Field) -> None:
    times = np.concatenate([np.add.accumulate(np.full(60, 0.1)), [-0.2, -0.005, 0.0, 4.0, 4.05, 3.95, 4.1]])
    sizes = amplitudes(field, times, 0.1)
    assert sizes.tolist() == [amplitude(field, time, 0.1) for time in times.tolist()]
    assert np.abs(sizes).max() > 0.1
