"""The bulk reads of the other services: all rows or none, and none of a stranger's."""

from typing import Any
from uuid import uuid4

import pytest
from comparison_api import Api, who


@pytest.fixture
async def world(api: Api) -> dict[str, Any]:
    run = await api.run(await api.experiment())
    await api.log(run, loss=[1.0, "NaN", 3.0])
    await api.file(run, "a.txt", b"a")
    sensor = await api.sensor("imu", "ax")
    session = await api.record(run, sensor, ax=[1.0, 3.0])
    return {"run": run, "sensor": sensor["id"], "session": session}


def reads(run: str, sensor: str, session: str) -> list[tuple[str, str, dict[str, Any]]]:
    signal = {"capture_session_ids": [session], "sensor_id": sensor, "signal": "ax"}
    return [
        ("experiment", "/api/v1/runs/lookup", {"run_ids": [run]}),
        ("experiment", "/api/v1/capture-sessions/lookup", {"run_ids": [run]}),
        ("experiment", "/api/v1/capture-sessions/lookup", {"capture_session_ids": [session]}),
        ("metrics", "/api/v1/metrics/summaries", {"run_ids": [run]}),
        ("metrics", "/api/v1/metrics/aligned", {"run_ids": [run], "keys": ["loss"]}),
        ("metrics", "/api/v1/metrics/statistics", {"run_ids": [run], "keys": ["loss"]}),
        ("artifact", "/api/v1/artifacts/lookup", {"run_ids": [run]}),
        ("telemetry", "/api/v1/telemetry/statistics", {"items": [signal]}),
    ]


async def test_members_read_and_nobody_tells_a_stranger_from_a_mistake(
    api: Api, world: dict[str, Any]
) -> None:
    answers: dict[str, Any] = {}
    for service, path, body in reads(**world):
        answers[path] = await api.make(service, path, body, "viewer")
        for name, status in (("outsider", 404), ("nobody", 401)):
            response = await api.stack.others[service].post(path, json=body, headers=who(name))
            assert response.status == status, (path, name)
    missing = {"run": str(uuid4()), "sensor": world["sensor"], "session": str(uuid4())}
    for service, path, body in reads(**missing):
        response = await api.stack.others[service].post(path, json=body, headers=who("viewer"))
        assert response.status == 404, path

    statistics = answers["/api/v1/metrics/statistics"]["items"][0]
    assert (statistics["count"], statistics["finite"], statistics["mean"]) == (3, 2, 2.0)
    assert answers["/api/v1/telemetry/statistics"]["items"][0]["max"] == 3.0
    assert answers["/api/v1/artifacts/lookup"]["complete"]


async def test_one_hidden_run_hides_all(api: Api, world: dict[str, Any]) -> None:
    for service, path, body in reads(**world):
        if "run_ids" in body:
            both = body | {"run_ids": [world["run"], str(uuid4())]}
            response = await api.stack.others[service].post(path, json=both, headers=who("viewer"))
            assert response.status == 404, path


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_cut_list_says_so(api: Api, limit: int) -> None:
    run = await api.run(await api.experiment())
    await api.log(run, a=[1.0], b=[1.0])
    body = {"run_ids": [run], "limit": limit}
    answer = await api.make("metrics", "/api/v1/metrics/summaries", body, "viewer")
    assert answer["complete"] == (limit == 2)
    assert [item["key"] for item in answer["items"]] == ["a", "b"][:limit]
