"""Columns as bytes: whichever codec is chosen, every bit comes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seriesstore import codec
from seriesstore.codec import PCODEC, RAW, ZSTD, UnknownCodec, pack, unpack
from seriesstore.points import Points

SIZES = [1, 47, 48, 255, 256, 4096, 10_000]


def codecs(data: bytes, columns: int) -> list[int]:
    found, at = [], 1
    for _ in range(columns):
        found.append(data[at])
        at += 5 + int.from_bytes(data[at + 1 : at + 5], "little")
    assert at == len(data)
    return found


def same(one: Points, other: Points) -> bool:
    pairs = [
        (one.x, other.x),
        (one.value.view(np.int64), other.value.view(np.int64)),
        (one.time, other.time),
        (one.ordinal, other.ordinal),
    ]
    return all(
        (mine is None and theirs is None)
        or (mine is not None and theirs is not None and np.array_equal(mine, theirs))
        for mine, theirs in pairs
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.sampled_from(SIZES),
    thorough=st.booleans(),
    timed=st.booleans(),
    numbered=st.booleans(),
)
def test_every_bit_comes_back(
    *, seed: int, count: int, thorough: bool, timed: bool, numbered: bool
) -> None:
    rng = np.random.default_rng(seed)
    anything = rng.integers(-(2**63), 2**63 - 1, count)
    points = Points(
        np.sort(anything),
        anything.view(np.float64),  # NaN of every payload among them
        anything if timed else None,
        np.arange(count) if numbered else None,
    )
    assert same(unpack(pack(points, thorough=thorough), count, ordinals=True), points)


def test_pcodec_is_for_numbers_and_zstd_for_what_repeats_in_no_order_of_size() -> None:
    rng = np.random.default_rng(1)
    count = 4096
    few = np.tile(rng.normal(size=16), count // 16)
    points = Points(np.arange(count), few)
    assert codecs(pack(points, thorough=True), 2) == [PCODEC, ZSTD]
    noise = Points(np.arange(count), rng.integers(-(2**63), 2**63 - 1, count).view(np.float64))
    assert codecs(pack(noise, thorough=True), 2) == [PCODEC, RAW]


def test_without_pcodec_everything_is_written_by_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 1000
    points = Points.of(np.arange(count), np.sin(np.arange(count)), np.arange(count) * 1000)
    by_pcodec = pack(points, thorough=True)
    monkeypatch.setattr(codec, "standalone", None)
    data = pack(points, thorough=True)
    assert PCODEC not in codecs(data, 3)
    assert same(unpack(data, count), points)
    with pytest.raises(UnknownCodec, match="not installed"):
        unpack(by_pcodec, count)


def test_a_codec_of_a_newer_version_is_named() -> None:
    data = bytearray(pack(Points.of([1], [1.0]), thorough=True))
    data[1] = 77
    with pytest.raises(UnknownCodec, match="77"):
        unpack(bytes(data), 1)
