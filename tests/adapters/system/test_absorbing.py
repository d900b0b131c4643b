"""The absorbing potential in space against its formula."""

import numpy as np
import pytest
from hybrid_propagate.adapters.system import Geometry, SpatialCap

CAP = SpatialCap(0.5, (4, 2, 5), (-4.0, -1.0, 0.0), (4.0, 1.0, 5.0), (("H", 1.0, 3.0), ("He1", 1.0, 1.0)))
PAIR = Geometry(
    "pair", ("H", "He1"), np.array([1, 2]), np.array([1.0, 2.0]), np.array([[0, 0, 0], [9.0, 0, 0]])
)


def test_points_leave_out_the_far_corner() -> None:
    layer = CAP.layer(4)
    assert layer.shape == (8, 3)
    assert set(layer[:, 0]) == {-4.0, -2.0, 0.0, 2.0}
    assert set(layer[:, 1]) == {-1.0, 0.0}
    assert set(layer[:, 2]) == {4.0}


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (0.5, 0.0),
        (2.0, 0.25),
        (1.5, 0.5 * np.sin(np.pi / 8) ** 2),
        (3.0, 0.5),
        (5.0, 0.5),
        (8.5, 0.0),
        # At rstart itself NWChem's conditions leave the full value.
        (1.0, 0.5),
    ],
)
def test_the_ramp(x: float, value: float) -> None:
    assert CAP.potential(PAIR, np.array([[x, 0.0, 0.0]])) == pytest.approx([value], abs=1e-15)
