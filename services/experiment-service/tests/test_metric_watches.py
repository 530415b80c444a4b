"""Limits on metrics: a run that is found beyond one is told of, once."""

import asyncio
from uuid import UUID

import pytest
from experiment_api import as_, eventually
from experiment_service.app import create_app
from receivers import receiver


@pytest.fixture
async def there():
    async with receiver() as there:
        yield there


@pytest.fixture
async def hook(api, there):
    body = {"name": "CI", "url": there.url, "event_types": ["metric.threshold_crossed"]}
    return await api.post(f"{api.project}/webhooks", body, status=201, headers=as_("owner"))


@pytest.fixture
async def report(connection):
    """What metrics-service publishes, with a way to say a run's latest values."""
    await connection.execute(
        """
        CREATE SCHEMA metrics;
        CREATE TABLE metrics.values (
            run_id uuid, key text, value float8, step bigint, PRIMARY KEY (run_id, key)
        );
        CREATE VIEW metrics.latest AS
            SELECT r.project_id, v.run_id, v.key, v.value, v.step, now() AS time
            FROM metrics.values AS v JOIN experiment.runs AS r ON r.id = v.run_id
        """
    )

    async def say(run, **values: float) -> None:
        for key, value in values.items():
            await connection.execute(
                "INSERT INTO metrics.values VALUES ($1, $2, $3, 7)"
                " ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value",
                UUID(run["id"]),
                key,
                value,
            )

    return say


async def limit(api, key="loss", direction="above", threshold=1.5, *, status=201, who="editor"):
    body = {"key": key, "direction": direction, "threshold": threshold}
    return await api.post(f"{api.project}/metric-watches", body, status=status, headers=as_(who))


async def test_a_run_beyond_a_limit_is_told_of_once_by_any_number_of_processes(
    api, hook, there, experiment, report, settings, people, aiohttp_client
) -> None:
    await aiohttp_client(create_app(settings, people))
    watch = await limit(api)
    await limit(api, "accuracy", "below", 0.2)
    fine, hot, flat, odd = [await api.run(experiment, name=name) for name in "abcd"]
    await report(fine, loss=1.5, accuracy=0.2)
    await report(odd, loss=float("nan"), accuracy=float("nan"))
    await report(hot, loss=2.0)
    await report(flat, accuracy=0.1)
    await api.patch(f"/api/v1/runs/{flat['id']}", {"status": "succeeded"})

    async def told(count: int) -> None:
        async def holds() -> bool:
            return len(there.calls) >= count

        await eventually(holds)

    await told(2)
    await report(hot, loss=3.0)
    await report(fine, loss=1.6)
    await told(3)
    names = [call.event["subject"]["name"] for call in there.calls]
    assert sorted(names) == ["a", "b", "c"]
    first = there.calls[names.index("b")].event
    assert first["type"] == "metric.threshold_crossed"
    assert first["data"] == {
        "watch_id": watch["id"],
        "key": "loss",
        "direction": "above",
        "threshold": 1.5,
        "value": 2.0,
        "step": 7,
        "experiment_id": experiment["id"],
        "experiment_name": experiment["name"],
    }


async def test_limits_are_listed_for_all_and_set_and_forgotten_by_editors(api) -> None:
    await limit(api, who="viewer", status=403)
    one = await limit(api)
    other = await limit(api, "accuracy", "below", 0.2)
    path = f"{api.project}/metric-watches"
    assert (await api.get(path, headers=as_("viewer")))["items"] == [one, other]
    await api.ask(
        "DELETE", f"/api/v1/metric-watches/{one['id']}", status=403, headers=as_("viewer")
    )
    await api.ask("DELETE", f"/api/v1/metric-watches/{one['id']}", status=204)
    assert (await api.get(path))["items"] == [other]


@pytest.mark.parametrize(
    "wrong",
    [{"key": ""}, {"direction": "beside"}, {"threshold": "high"}, {"threshold": None}, {"who": 1}],
)
async def test_what_is_no_limit_is_refused(api, wrong) -> None:
    body = {"key": "loss", "direction": "above", "threshold": 1} | wrong
    await api.post(f"{api.project}/metric-watches", body, status=422)


async def test_there_are_so_many_limits_and_no_more(api) -> None:
    await asyncio.gather(*(limit(api) for _ in range(100)))
    await limit(api, status=422)
