"""Values of options out of their text."""

from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest
from hybrid_propagate.driver.front_door.option_values import count, count_or_none, positive


@pytest.mark.parametrize("read", [positive, count, count_or_none])
@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf", "1e400", "½"])
def test_values_that_are_none_are_refused_in_words(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a "):
        read(text)


def test_values() -> None:
    assert (positive("1e-3"), count("12"), count_or_none("0")) == (1e-3, 12, 0)
    for read, text in ((positive, "0"), (count, "0"), (count, "1.5"), (count_or_none, "1_000")):
        with pytest.raises(ArgumentTypeError, match=f"^'{text}' is not a "):
            read(text)
