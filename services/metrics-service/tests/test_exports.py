"""Every point of a run as a file."""

import io
import math
import random
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from aiohttp.test_utils import TestClient
from metrics_api import VIEWER, log, points, said
from metrics_service.operations.exports import MOST_AT_ONCE

FORMS = ["parquet", "arrow", "csv"]


async def export(client: TestClient, run_id: UUID, form: str, *keys: str) -> pa.Table:
    response = await client.get(
        f"/api/v1/runs/{run_id}/metrics/export",
        params=[("format", form), *(("key", key) for key in keys)],
        headers=VIEWER,
    )
    assert response.status == 200, await response.text()
    assert f'filename="{run_id}.{form}"' in response.headers["Content-Disposition"]
    data = io.BytesIO(await response.read())
    match form:
        case "parquet":
            return pa_parquet.read_table(data)
        case "arrow":
            return pa.ipc.open_stream(data).read_all()
        case _:
            # NaN is a value here, not a gap.
            return pa_csv.read_csv(data, convert_options=pa_csv.ConvertOptions(null_values=[]))


@pytest.mark.parametrize("form", FORMS)
async def test_an_export_holds_every_point_exactly(
    client: TestClient, run_id: UUID, form: str
) -> None:
    chance = random.Random(2)  # noqa: S311
    odd = [math.nan, math.inf, -math.inf, 0.1, -0.0, 5e-324]
    logged: dict[str, list[tuple[int, float]]] = {}
    for _ in range(6):
        for key in ("b", "a/ü"):
            rows = [(chance.randint(-(2**63), 2**63 - 1), chance.choice(odd)) for _ in range(500)]
            logged.setdefault(key, []).extend(rows)
            steps, values = zip(*rows, strict=True)
            await log(
                client, run_id, points(key, step=list(steps), value=[said(v) for v in values])
            )

    table = await export(client, run_id, form)
    assert table.column_names == ["key", "step", "value", "time"]
    found = list(
        zip(*(table.column(name).to_pylist() for name in ("key", "step", "value")), strict=True)
    )
    expected = [
        (key, *row) for key in sorted(logged) for row in sorted(logged[key], key=lambda row: row[0])
    ]
    assert list(map(str, found)) == list(map(str, expected))
    some = await export(client, run_id, form, "b", "never")
    assert set(some.column("key").to_pylist()) == {"b"}


@pytest.mark.parametrize("form", FORMS)
async def test_a_run_without_metrics_is_an_empty_table(
    client: TestClient, run_id: UUID, form: str
) -> None:
    table = await export(client, run_id, form)
    assert (table.num_rows, table.column_names) == (0, ["key", "step", "value", "time"])


async def test_who_may_not_read_exports_nothing(client: TestClient, run_id: UUID) -> None:
    for run, headers, status in (
        (run_id, {}, 401),
        (run_id, {"Authorization": "Bearer outsider"}, 404),
        (uuid4(), VIEWER, 404),
    ):
        response = await client.get(f"/api/v1/runs/{run}/metrics/export", headers=headers)
        assert response.status == status


async def test_readers_who_take_their_time_leave_room_for_everybody_else(
    client: TestClient, run_id: UUID
) -> None:
    for first in range(0, 600_000, 10_000):
        steps = list(range(first, first + 10_000))
        values = [random.random() for _ in steps]  # noqa: S311
        await log(client, run_id, points(step=steps, value=values))
    slow: list[Any] = []
    for _ in range(MOST_AT_ONCE):
        response = await client.get(
            f"/api/v1/runs/{run_id}/metrics/export?format=csv", headers=VIEWER
        )
        await response.content.readline()
        slow.append(response)
    refused = await client.get(f"/api/v1/runs/{run_id}/metrics/export", headers=VIEWER)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    await log(client, run_id, points(step=[-1], value=[1]))

    for response in slow[1:]:
        response.close()
    rest = await slow[0].content.read()
    assert rest.count(b"\n") == 600_000, "whole, and as it was when it began"
    assert (await client.get(f"/api/v1/runs/{run_id}/metrics/export", headers=VIEWER)).status == 200
