"""What is shown of files, hostile ones too, within bounds of memory and time."""

import io
import json
import os
import resource
import time
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp.test_utils import TestClient
from artifact_api import VIEWER, put

MIB = 1 << 20


async def preview(
    client: TestClient, run_id: UUID, path: str, content: Any, **query: Any
) -> dict[str, Any]:
    made = await put(client, run_id, path, content)
    response = await client.get(
        f"/api/v1/artifacts/{made['id']}/preview", params=query, headers=VIEWER
    )
    assert response.status == 200, await response.text()
    return await response.json()


def parquet(table: pa.Table, **more: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **more)
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Hello, мир"),
        ("utf-8-sig", "Hello, мир"),
        ("utf-16", "Hello, мир"),
        ("utf-16-le", "Hello, plain text"),
        ("utf-16-be", "Hello, plain text"),
        ("cp1251", "Обучение завершено, потери уменьшились"),
        ("cp1252", "Größe – naïve"),
    ],
)
async def test_text_is_read_in_its_encoding(
    client: TestClient, run_id: UUID, encoding: str, text: str
) -> None:
    shown = await preview(client, run_id, "a.txt", text.encode(encoding))
    assert (shown["kind"], shown["text"], shown["truncated"]) == ("text", text, False)


async def test_of_a_long_text_the_beginning_is_shown_without_half_a_character(
    client: TestClient, run_id: UUID
) -> None:
    shown = await preview(client, run_id, "a.log", "x" + "ж" * MIB)
    assert shown["truncated"]
    assert set(shown["text"]) == {"x", "ж"}
    assert len(shown["text"].encode()) <= 256 << 10


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.md", b"# Title", "markdown"),
        ("a.json", b'{"a": 1}', "json"),
        ("a.ipynb", b'{"cells": []}', "json"),
        ("a.json", b'{"data": [{"x": [1], "type": "bar"}], "layout": {}}', "plotly"),
        ("a.json", b'{"layout": {"title": "x"}, "data": [{"x": [1]}]}', "plotly"),
        ("a.json", b'{"data": [{"a": 1}], "total": 7}', "json"),
        ("a.json", b'{"$schema": "https://vega.github.io/schema/vega-lite/v5.json"}', "vega"),
        ("a.json", b'{"$schema": "https://evil.example/vega.github.io/"}', "json"),
        ("a.png", b"\x89PNG\r\n\x1a\n0000", "image"),
        ("a.pdf", b"%PDF-1.7", "pdf"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        ("a.html", b"<!DOCTYPE html><p>", "html"),
        ("a.txt", b"<!DOCTYPE html><p>", "text"),
        ("a.mp3", b"ID3\x03\x00", "audio"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom", "video"),
        ("a.webm", b"\x1a\x45\xdf\xa3\x00", "video"),
        ("a.pkl", b"\x80\x04\x95\x00", "none"),
        ("a.zip", b"PK\x03\x04", "none"),
        ("a.png", b"just text", "text"),
        ("BMW.txt", b"BM and MZ may begin a text", "text"),
        ("empty.txt", b"", "text"),
        ("empty", b"", "none"),
    ],
)
async def test_the_kind_goes_by_name_and_content(
    client: TestClient, run_id: UUID, name: str, content: bytes, kind: str
) -> None:
    shown = await preview(client, run_id, name, content)
    assert shown["kind"] == kind
    assert (shown["text"] is not None) is (kind in {"text", "markdown", "json", "plotly", "vega"})
    assert (shown["reason"] is not None) is (kind == "none")


async def test_csv_is_shown_as_a_table(client: TestClient, run_id: UUID) -> None:
    text = 'step,loss,name\n1,0.5,"a, b"\n2,1e-3,c\n3,nan\n'
    shown = await preview(client, run_id, "a.csv", text.encode(), rows=2, offset=0)
    assert shown["kind"] == "table"
    assert [(one["name"], one["type"]) for one in shown["table"]["columns"]] == [
        ("step", "integer"),
        ("loss", "number"),
        ("name", "text"),
    ]
    assert shown["table"]["rows"] == [[1, 0.5, "a, b"], [2, 0.001, "c"]]
    assert shown["table"]["row_count"] == 3
    assert shown["truncated"]
    shown = await preview(client, run_id, "a.csv", text.encode(), rows=2, offset=2)
    assert shown["table"]["rows"] == [[3, "nan", None]]
    assert not shown["truncated"]


@pytest.mark.parametrize(("name", "sign"), [("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", "\t")])
async def test_columns_are_parted_by_what_the_first_row_has_most_of(
    client: TestClient, run_id: UUID, name: str, sign: str
) -> None:
    shown = await preview(client, run_id, name, f"a{sign}b\n1,5{sign}2\n".encode())
    assert shown["table"]["rows"] == [["1,5", 2]]


async def test_parquet_is_shown_as_a_table_from_anywhere_in_it(
    client: TestClient, run_id: UUID
) -> None:
    table = pa.table(
        {
            "n": list(range(5000)),
            "x": [float("nan"), *(number / 2 for number in range(4999))],
            "big": [2**60] * 5000,
            "list": [[1, 2]] * 5000,
            "raw": [b"\x00\x01"] * 5000,
            "name": [None, *("row" for _ in range(4999))],
        }
    )
    content = parquet(table, row_group_size=700)
    shown = await preview(client, run_id, "a.parquet", content, rows=3)
    assert shown["table"]["rows"][0] == [0, "nan", str(2**60), "[1, 2]", "0001", None]
    assert shown["table"]["columns"][0] == {"name": "n", "type": "int64"}
    assert shown["table"]["row_count"] == 5000
    assert shown["truncated"]
    for offset in (699, 700, 2345, 4998, 5000, 9999):
        shown = await preview(client, run_id, "a.parquet", content, rows=3, offset=offset)
        expected = list(range(5000))[offset : offset + 3]
        assert [row[0] for row in shown["table"]["rows"]] == expected
    assert not shown["truncated"]


def bomb() -> bytes:
    """A few kilobytes that are gigabytes when they are read: one value, many times over."""
    long = pa.DictionaryArray.from_arrays(
        pa.array([0] * 4096, pa.int32()), pa.array(["x" * (1 << 20)])
    )
    return parquet(pa.table({"a": long}), compression="zstd", store_schema=False)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.parquet", bomb()),
        ("cut.parquet", parquet(pa.table({"a": [1, 2]}))[:-9]),
        ("lies.parquet", b"PAR1" + b"\xff" * 1000 + (900).to_bytes(4, "little") + b"PAR1"),
        ("long.parquet", b"PAR1" + bytes(100) + (2**31).to_bytes(4, "little") + b"PAR1"),
        ("deep.json", b"[" * 500_000),
        ("wide.json", b"[" + b"[]," * 300_000 + b"[]]"),
        ("quotes.csv", b'a,b\n"' + b"x" * (5 * MIB)),
        ("columns.csv", b"," * (5 * MIB)),
        ("rows.csv", b"a\n" * (3 * MIB)),
        ("nul.csv", b"a,b\n\x00,\x00\n"),
        ("line.txt", b"x" * (40 * MIB)),
        ("line.csv", b"x" * (40 * MIB)),
        ("line.json", b'{"a": "' + b"x" * (40 * MIB)),
        ("random.csv", os.urandom(MIB)),
        ("digits.csv", b"a\n" + b"9" * 100_000 + b"\n1e999\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_hostile_content_costs_little(
    client: TestClient, run_id: UUID, name: str, content: bytes
) -> None:
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shown = await preview(client, run_id, name, content)
    assert time.monotonic() - began < 25
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < 300 * MIB
    assert len(json.dumps(shown)) < 12 * MIB
