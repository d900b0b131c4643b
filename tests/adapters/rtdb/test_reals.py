"""Numbers as text that NWChem's reader, and ours, takes for these very numbers."""

import numpy as np
import pytest
from hybrid_propagate.adapters.rtdb.reals import real_text, real_value


@pytest.mark.parametrize("text", ["0", "2.4", "4", "-0.001", "1e-07", "0.16666", "1.889725989"])
def test_short_numbers_stay_short(text: str) -> None:
    """2.4 is 24 times 0.1 to NWChem, another number than Python's 2.4."""
    value = real_value(text)
    assert value is not None
    assert real_text(value) == text


def test_any_number_there_and_back() -> None:
    """Exactly: the number of steps hangs on the last bit of tmax / dt."""
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=3000) * 10.0 ** rng.integers(-12, 12, size=3000)
    assert [real_value(real_text(value)) for value in numbers.tolist()] == numbers.tolist()
