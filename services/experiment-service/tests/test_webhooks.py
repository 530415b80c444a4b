"""Webhooks: owners name addresses, which are told of what happens, signed, until they hear it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from experiment_api import as_, eventually
from experiment_service.app import create_app
from experiment_service.jobs.sender import SENDER
from experiment_service.operations.deliveries import receive_events
from experiment_service.settings import Settings
from receivers import receiver
from servicekit.database import DATABASE
from servicekit.events import Event, Subject

OWNER = as_("owner")
ALL = ["run.started", "run.succeeded", "run.failed", "run.interrupted", "run.archived",
       "run.restored", "run.created"]  # fmt: skip


@pytest.fixture
async def there():
    async with receiver() as there:
        yield there


@pytest.fixture
async def hook(api, there):
    return await add(api, there.url)


async def add(api, url, *, types=ALL, status=201, **more):
    body = {"name": "CI", "url": url, "event_types": types, **more}
    return await api.post(f"{api.project}/webhooks", body, status=status, headers=OWNER)


async def deliveries(api, hook, **params):
    path = f"/api/v1/webhooks/{hook['id']}/deliveries"
    return (await api.get(path, params=params, headers=OWNER))["items"]


async def until(api, hook, state, count=1):
    async def holds() -> bool:
        return len(await deliveries(api, hook, state=state)) >= count

    await eventually(holds)


async def hurry(connection, hook):
    """Let what waits for its next try be due now."""
    await connection.execute(
        "UPDATE experiment.webhook_deliveries SET next_try_at = now()"
        " WHERE webhook_id = $1 AND next_try_at IS NOT NULL",
        UUID(hook["id"]),
    )


async def queue(client, project_id, *, kind="run.failed", event_id=None):
    """Hand over an event as the events of other services come."""
    event = Event(
        id=event_id or uuid4(),
        type=kind,
        project_id=project_id,
        subject=Subject(kind="run", id=uuid4()),
        occurred_at=datetime.now(UTC),
    )
    async with client.app[DATABASE].acquire() as connection, connection.transaction():
        await receive_events(connection, [event])
    return event


async def test_what_happens_to_a_run_is_told_with_a_signature(api, hook, there, experiment) -> None:
    run = await api.run(experiment, name="first")
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "succeeded"})
    await until(api, hook, "delivered", 2)

    assert sorted(there.types) == ["run.started", "run.succeeded"]
    told = there.calls[there.types.index("run.succeeded")]
    assert told.is_signed_with(hook["secret"])
    assert not told.is_signed_with("whsec_" + "A" * 43 + "=")
    event = told.event
    assert event["project_id"] == api.project.rpartition("/")[2]
    assert event["subject"] == {"kind": "run", "id": run["id"], "name": "first"}
    assert event["data"]["status"] == "succeeded"
    assert event["data"]["experiment_name"] == experiment["name"]
    assert event["data"]["duration_seconds"] >= 0
    assert told.headers["webhook-id"] == event["id"]
    assert told.headers["content-type"] == "application/json"


async def test_every_step_of_a_run_is_told_once(api, hook, there, experiment) -> None:
    run = await api.run(experiment, status="draft")
    path = f"/api/v1/runs/{run['id']}"
    for status in ("running", "interrupted", "running", "failed"):
        await api.patch(path, {"status": status})
    await api.patch(path, {"status": "failed"})
    await api.post(f"{path}/archive")
    await api.post(f"{path}/restore")
    await until(api, hook, "delivered", 7)

    assert sorted(there.types) == sorted(
        ["run.created", "run.started", "run.interrupted", "run.started", "run.failed",
         "run.archived", "run.restored"]
    )  # fmt: skip
    assert len({call.headers["webhook-id"] for call in there.calls}) == 7


async def test_only_what_was_chosen_is_told_and_nothing_of_a_change_that_failed(
    api, there, experiment
) -> None:
    hook = await add(api, there.url, types=["run.failed"])
    run = await api.run(experiment)
    path = f"/api/v1/runs/{run['id']}"
    await api.patch(path, {"status": "draft"}, status=409)
    await api.patch(path, {"status": "failed", "name": "last"})
    await until(api, hook, "delivered")

    assert there.types == ["run.failed"]
    assert len(await deliveries(api, hook)) == 1


async def test_an_address_that_fails_is_called_again_until_it_takes_it(
    api, hook, there, client, project_id, connection
) -> None:
    there.statuses = [500, 302, 200]
    await queue(client, project_id)
    for tries in (1, 2):

        async def tried(tries=tries) -> bool:
            return (await deliveries(api, hook))[0]["attempts"] == tries

        await eventually(tried)
        [waiting] = await deliveries(api, hook)
        assert (waiting["state"], waiting["last_failure"]) == ("pending", None)
        assert waiting["next_try_at"] > waiting["created_at"]
        await hurry(connection, hook)
    await until(api, hook, "delivered")

    [delivery] = await deliveries(api, hook)
    details = await api.get(f"/api/v1/webhook-deliveries/{delivery['id']}", headers=OWNER)
    assert [call["status"] for call in details["calls"]] == [200, 302, 500]
    assert details["body"].encode() == there.calls[0].body == there.calls[2].body
    assert details["headers"]["webhook-id"] == there.calls[0].headers["webhook-id"]
    assert details["next_try_at"] is None
    assert "nobody's business" not in str(details)
    assert hook["secret"] not in str(details)


async def test_what_is_never_taken_is_given_up_and_can_be_sent_again(
    api, hook, there, client, project_id, connection
) -> None:
    there.statuses = [503]
    await queue(client, project_id)

    async def given_up() -> bool:
        await hurry(connection, hook)
        client.app[SENDER].wake()
        return bool(await deliveries(api, hook, state="dead"))

    await eventually(given_up)
    [dead] = await deliveries(api, hook)
    assert (dead["attempts"], dead["next_try_at"], dead["last_status"]) == (10, None, 503)
    there.statuses = [200]
    again = f"/api/v1/webhook-deliveries/{dead['id']}/redeliver"
    assert (await api.post(again, headers=OWNER, status=201))["state"] == "pending"
    await until(api, hook, "delivered")
    assert len({call.headers["webhook-id"] for call in there.calls}) == 1


async def test_how_long_a_receiver_asks_to_wait_is_waited(
    api, hook, there, client, project_id
) -> None:
    there.statuses, there.headers = [429], {"Retry-After": "3600"}
    await queue(client, project_id)

    async def tried() -> bool:
        return (await deliveries(api, hook))[0]["attempts"] == 1

    await eventually(tried)
    [waiting] = await deliveries(api, hook)
    wait = datetime.fromisoformat(waiting["next_try_at"]) - datetime.now(UTC)
    assert timedelta(minutes=55) < wait <= timedelta(minutes=61)


async def test_an_event_that_comes_twice_is_told_once(api, hook, there, client, project_id) -> None:
    event = await queue(client, project_id)
    await asyncio.gather(*(queue(client, project_id, event_id=event.id) for _ in range(5)))
    await until(api, hook, "delivered")

    assert len(await deliveries(api, hook)) == len(there.calls) == 1


async def test_several_processes_send_each_delivery_once(
    api, hook, there, client, project_id, settings, people, aiohttp_client
) -> None:
    await aiohttp_client(create_app(settings, people))
    await aiohttp_client(create_app(settings, people))
    for _ in range(40):
        await queue(client, project_id)
    await until(api, hook, "delivered", 40)

    assert len(there.calls) == len({call.headers["webhook-id"] for call in there.calls}) == 40


async def test_a_paused_one_is_not_called_and_hears_afterwards_what_it_missed(
    api, hook, there, client, project_id
) -> None:
    path = f"/api/v1/webhooks/{hook['id']}"
    paused = await api.patch(path, {"state": "paused"}, headers=OWNER)
    assert (paused["state"], paused["pause_reason"]) == ("paused", "by-hand")
    await queue(client, project_id)
    tested = await api.post(f"{path}/test", headers=OWNER, status=201)
    [missed] = await deliveries(api, hook, state="pending")
    assert (tested["state"], missed["next_try_at"]) == ("delivered", None)
    assert there.types == ["webhook.test"]

    active = await api.patch(path, {"state": "active"}, headers=OWNER)
    assert (active["state"], active["pause_reason"]) == ("active", None)
    await until(api, hook, "delivered", 2)
    assert there.types == ["webhook.test", "run.failed"]


async def test_one_that_fails_for_days_is_paused_and_loses_nothing(
    api, hook, there, client, project_id, connection
) -> None:
    there.statuses = [500]
    await connection.execute(
        "UPDATE experiment.webhooks SET failing_since = now() - interval '4 days'"
    )
    await queue(client, project_id)
    path = f"/api/v1/webhooks/{hook['id']}"

    async def paused() -> bool:
        return (await api.get(path, headers=OWNER))["state"] == "paused"

    await eventually(paused)
    assert (await api.get(path, headers=OWNER))["pause_reason"] == "failing"
    there.statuses = [200]
    await api.patch(path, {"state": "active"}, headers=OWNER)
    await until(api, hook, "delivered")
    assert (await api.get(path, headers=OWNER))["failing_since"] is None


async def test_one_that_says_it_is_gone_is_paused_and_that_is_told_once(
    api, hook, there, client, project_id, connection
) -> None:
    await connection.execute("INSERT INTO experiment.outbox_sinks (name) VALUES ('audit')")
    there.statuses = [410]
    for _ in range(3):
        await queue(client, project_id)

    async def gone() -> bool:
        found = await api.get(f"/api/v1/webhooks/{hook['id']}", headers=OWNER)
        return found["pause_reason"] == "gone"

    await eventually(gone)
    told = await connection.fetch(
        "SELECT event FROM experiment.outbox WHERE event->>'type' = 'webhook.paused'"
    )
    (event,) = (json.loads(row["event"]) for row in told)
    assert (event["subject"]["id"], event["data"]) == (hook["id"], {"reason": "gone"})
    assert event["actor"]["kind"] == "system"


async def test_a_new_secret_signs_beside_the_old_one_for_the_grace(api, hook, there) -> None:
    path = f"/api/v1/webhooks/{hook['id']}"
    new = await api.post(f"{path}/secret", {"grace_seconds": 60}, headers=OWNER, status=201)
    assert new["secret"] != hook["secret"]
    assert new["previous_secret_until"]
    await api.post(f"{path}/test", headers=OWNER, status=201)
    assert there.calls[-1].is_signed_with(new["secret"])
    assert there.calls[-1].is_signed_with(hook["secret"])

    newest = await api.post(f"{path}/secret", {"grace_seconds": 0}, headers=OWNER, status=201)
    await api.post(f"{path}/test", headers=OWNER, status=201)
    assert there.calls[-1].is_signed_with(newest["secret"])
    assert not there.calls[-1].is_signed_with(new["secret"])


async def test_a_secret_is_shown_once_and_stored_sealed(api, hook, there, connection) -> None:
    key = {**OWNER, "Idempotency-Key": "once"}
    body = {"name": "B", "url": there.url, "event_types": ["run.failed"]}
    first = await api.post(f"{api.project}/webhooks", body, status=201, headers=key)
    again = await api.post(f"{api.project}/webhooks", body, status=201, headers=key)

    assert first["secret"].startswith("whsec_")
    assert (again["id"], again["secret"]) == (first["id"], None)
    listed = await api.get(f"{api.project}/webhooks", headers=OWNER)
    assert [one["name"] for one in listed["items"]] == ["CI", "B"]
    assert "whsec_" not in str(listed)
    stored = await connection.fetch("SELECT * FROM experiment.webhooks")
    kept = await connection.fetch("SELECT * FROM experiment.idempotency_keys")
    for secret in (hook["secret"], first["secret"]):
        assert secret not in f"{stored} {kept}"
        assert secret.removeprefix("whsec_") not in f"{stored} {kept}"


async def test_a_test_says_how_it_went(api, hook, there) -> None:
    path = f"/api/v1/webhooks/{hook['id']}/test"
    there.statuses = [404]
    failed = await api.post(path, headers=OWNER, status=201)
    assert (failed["state"], failed["last_status"], failed["attempts"]) == ("dead", 404, 1)
    there.statuses = [204]
    fine = await api.post(path, headers=OWNER, status=201)
    assert (fine["state"], fine["last_status"], fine["event_type"]) == (
        "delivered", 204, "webhook.test",
    )  # fmt: skip


async def test_an_address_that_is_not_public_is_not_called(
    api, there, settings, people, project_id, aiohttp_client
) -> None:
    shut = Settings.model_validate(settings.model_dump() | {"webhook_allowed_networks": []})
    client = await aiohttp_client(create_app(shut, people), headers=OWNER)
    known = await add(api, there.url)
    api.client = client
    tested = await api.post(f"/api/v1/webhooks/{known['id']}/test", status=201)
    assert (tested["state"], tested["last_failure"]) == ("dead", "address-refused")
    assert there.calls == []


async def test_an_address_that_says_itself_that_it_is_not_public_is_refused_at_once(
    api, settings, people, aiohttp_client
) -> None:
    hosts = ["10.0.0.1", "169.254.169.254", "0.0.0.0", "0", "127.1", "0x7f.1", "017700000001",  # noqa: S104
             "2130706434", "127.0.0.2.", "localhost.", "LOCALHOST", "a.localhost", "[::1]", "[::]",
             "[fe80::1%25eth0]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]",
             "\uff11\uff12\uff17.0.0.2", "127\u30020\u30020\u30022"]  # fmt: skip
    settings = Settings.model_validate(
        settings.model_dump() | {"webhook_allowed_networks": ["192.168.7.0/24"]}
    )
    api.client = await aiohttp_client(create_app(settings, people), headers=OWNER)
    allowed = await add(api, "http://192.168.7.1/hook")
    for host in hosts:
        problem = await add(api, f"http://{host}:8080/hook", status=422)
        assert [error["pointer"] for error in problem["errors"]] == ["#/url"], host
        await api.patch(f"/api/v1/webhooks/{allowed['id']}", {"url": f"http://{host}/"}, status=422)


async def test_without_a_key_there_are_no_webhooks(api, there, settings, people, aiohttp_client):
    off = Settings.model_validate(settings.model_dump() | {"webhook_secret_key": ""})
    api.client = await aiohttp_client(create_app(off, people), headers=OWNER)

    problem = await add(api, there.url, status=409)
    assert problem["type"] == "/problems/webhooks-off"


@pytest.mark.parametrize("key", ["short", "a" * 40, "x,y,z"])
def test_a_weak_key_is_refused(settings, key) -> None:
    with pytest.raises(ValueError, match="WEBHOOK_SECRET_KEY"):
        Settings.model_validate(settings.model_dump() | {"webhook_secret_key": key})


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp://example.org"},
        {"url": "https://user:word@example.org"},
        {"url": ""},
        {"event_types": []},
        {"event_types": ["run.exploded"]},
        {"name": ""},
        {"secret": "mine"},
        {"state": "gone"},
    ],
)
async def test_what_is_no_webhook_is_refused(api, hook, there, change) -> None:
    await api.patch(f"/api/v1/webhooks/{hook['id']}", change, status=422, headers=OWNER)
    body = {"name": "x", "url": there.url, "event_types": ["run.failed"], **change}
    await api.post(f"{api.project}/webhooks", body, status=422, headers=OWNER)


async def test_who_changed_it_meanwhile_is_not_overwritten(api, hook) -> None:
    path = f"/api/v1/webhooks/{hook['id']}"
    await api.patch(path, {"name": "new"}, headers={**OWNER, "If-Match": '"1"'})
    await api.patch(path, {"name": "newer"}, status=412, headers={**OWNER, "If-Match": '"1"'})


async def test_a_deleted_one_hears_no_more(api, hook, there, client, project_id) -> None:
    await api.ask("DELETE", f"/api/v1/webhooks/{hook['id']}", status=204, headers=OWNER)
    await queue(client, project_id)
    await api.get(f"/api/v1/webhooks/{hook['id']}", status=404, headers=OWNER)
    assert there.calls == []


async def test_there_are_so_many_webhooks_and_no_more(api, there) -> None:
    for _ in range(50):
        await add(api, there.url)
    problem = await add(api, there.url, status=422)
    assert "50" in problem["detail"]


async def test_old_deliveries_are_forgotten(
    api, hook, client, project_id, connection, settings, people, aiohttp_client
) -> None:
    await queue(client, project_id)
    await until(api, hook, "delivered")
    await connection.execute(
        "UPDATE experiment.webhook_deliveries SET created_at = now() - interval '31 days'"
    )
    await aiohttp_client(create_app(settings, people))

    async def gone() -> bool:
        return await deliveries(api, hook) == []

    await eventually(gone)
