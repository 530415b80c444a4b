"""What is drawn for the properties: values with every kind of float, steps in any order."""

import math
import struct
from typing import Any

from hypothesis import strategies as st

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7976931348623157e308]
values = st.one_of(
    st.sampled_from(SPECIAL),
    st.floats(),
    st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
)
# Few distinct steps, so that equal ones meet often; and the ends of int64.
steps = st.one_of(st.integers(-20, 20), st.integers(-(2**63), 2**63 - 1))
times = st.integers(631_152_000_000_000, 2**62)
keys = st.sampled_from(["loss", "acc", "val/loss"])


@st.composite
def columns(draw: st.DrawFn) -> list[tuple[int, float, int]]:
    """Points as (x, value, time); now and then enough of them to be compressed or cut."""
    if draw(st.integers(0, 9)) == 0:
        count = draw(st.integers(40, 9000))
        start = draw(st.integers(-1000, 1000))
        seed = draw(st.integers(0, 2**32 - 1))
        # Times that go with the steps, or one way and the other.
        turn = draw(st.sampled_from([0, 1, 3]))
        return [
            (
                start + i * 7 % 5000,
                math.sin(seed + i) if i % 97 else math.nan,
                10**15 + (i * turn) % 7919,
            )
            for i in range(count)
        ]
    return draw(st.lists(st.tuples(steps, values, times), min_size=1, max_size=60))


def bits(value: float) -> Any:
    """A float by its bits; every NaN counts as the same."""
    return "NaN" if math.isnan(value) else struct.pack("<d", value)
