"""Mails that people asked for: by their own rules, to their own address, never a flood."""

import asyncio
from uuid import UUID, uuid4

import pytest
from experiment_api import Api, as_, eventually
from experiment_service.app import create_app
from experiment_service.settings import Settings
from recipients import KnownRecipients
from servicekit.testing.postbox import postbox


@pytest.fixture
async def box():
    async with postbox() as box:
        yield box


@pytest.fixture
def recipients(people, project_id) -> KnownRecipients:
    known = KnownRecipients()
    for who in ("viewer", "editor", "owner"):
        known.add(project_id, people.principals[who].user_id, f"{who}@example.org")
    return known


@pytest.fixture
def start(settings, people, box, recipients, aiohttp_client, project_id):
    async def start(**more) -> Api:
        set_up = {"smtp_url": box.url, "public_url": "https://bench.example.org", **more}
        app = create_app(
            Settings.model_validate({**settings.model_dump(), **set_up}), people, recipients
        )
        client = await aiohttp_client(app, headers={"Authorization": "Bearer editor"})
        return Api(client, project_id)

    return start


@pytest.fixture
async def api(start) -> Api:
    return await start()


async def rule(api, *events: str, who="editor", status=201, **other):
    body = {"event_types": list(events) or ["run.failed"], **other}
    path = f"{api.project}/notification-rules"
    return await api.post(path, body, status=status, headers=as_(who))


async def fail(api, run) -> None:
    await api.patch(f"/api/v1/runs/{run['id']}", {"status": "failed"})


async def log(api, who="editor", **params):
    path = f"{api.project}/notifications"
    return (await api.get(path, headers=as_(who), params=params))["items"]


async def states(api, who="editor") -> list[str]:
    return [one["state"] for one in await log(api, who)]


async def test_a_failed_run_is_told_of_once_by_any_number_of_processes(
    api, start, experiment, box
) -> None:
    await start()
    await rule(api)
    await rule(api, "run.failed", "run.succeeded")
    run = await api.run(experiment, name="lr <b>0.1</b>")
    await fail(api, run)
    mail = await box.mail()

    assert mail["To"] == "editor@example.org"
    assert mail["Subject"] == "[Motor <bench>] Run “lr <b>0.1</b>” failed"
    plain = mail.get_body(("plain",)).get_content()
    assert f"https://bench.example.org/p/motor-bench/r/{run['id']}" in plain
    assert "https://bench.example.org/p/motor-bench/notifications" in plain
    html = mail.get_body(("html",)).get_content()
    assert "lr &lt;b&gt;0.1&lt;/b&gt;" in html
    assert "<b>" not in html

    async def sent() -> bool:
        return await states(api) == ["sent"]

    await eventually(sent)
    assert await log(api, "viewer") == []
    assert len(box.mails) == 1


async def test_what_happens_together_goes_in_one_mail_and_too_much_is_counted(
    api, experiment, box
) -> None:
    runs = [await api.run(experiment, name=f"n {number}") for number in range(23)]
    await rule(api, "run.failed", language="ru")
    body = {"status": "failed", "run_ids": [run["id"] for run in runs]}
    await api.post(f"{api.project}/runs/bulk-status", body)
    mail = await box.mail()
    assert mail["Subject"] == "[Motor <bench>] Событий: 23, проект Motor <bench>"
    plain = mail.get_body(("plain",)).get_content()
    assert plain.count("/r/") == 20
    assert "и ещё 3" in plain


async def test_a_rule_may_be_of_own_runs_of_one_experiment_and_of_a_name(
    api, experiment, box
) -> None:
    other = await api.experiment("other")
    await rule(api, "run.failed", who="viewer", only_mine=True)
    await rule(api, "run.failed", who="owner", experiment_id=other["id"], name_part="LR")
    for where, name in ((experiment, "lr 1"), (other, "plain"), (other, "my lr 2")):
        await fail(api, await api.run(where, name=name))
    mail = await box.mail()
    assert mail["To"] == "owner@example.org"
    assert "my lr 2" in mail["Subject"]
    assert len(await log(api, "owner")) == 1
    assert await log(api, "viewer") == []
    await rule(api, "run.failed", status=422, experiment_id=str(uuid4()))


async def test_who_left_gets_nothing_more(api, experiment, box, recipients) -> None:
    await rule(api)
    recipients.people.clear()
    await fail(api, await api.run(experiment))

    async def dropped() -> bool:
        return await states(api) == ["dropped"]

    await eventually(dropped)
    assert box.mails == []


async def test_a_refusal_for_good_is_final_and_any_other_is_tried_again(
    api, experiment, box, connection
) -> None:
    await rule(api)
    box.answers = ["451 later", "550 no such person"]
    await fail(api, await api.run(experiment, name="a"))

    async def waits() -> bool:
        found = await log(api)
        return [(one["state"], one["failure"]) for one in found] == [("pending", "refused")]

    await eventually(waits)
    assert (await log(api))[0]["next_try_at"] is not None
    await connection.execute("UPDATE experiment.notifications SET next_try_at = now()")

    async def dead() -> bool:
        return await states(api) == ["dead"]

    await eventually(dead)
    assert box.mails == []


async def test_a_person_gets_so_many_mails_an_hour_and_the_rest_gathers(
    api, experiment, box, connection
) -> None:
    made = await rule(api)
    for _ in range(20):
        await api.post(f"{api.project}/notifications/test", {}, status=201)
    await api.post(f"{api.project}/notifications/test", {}, status=422)
    for name in ("a", "b"):
        await fail(api, await api.run(experiment, name=name))
    due = "SELECT min(next_try_at) > now() + interval '1 minute' FROM experiment.notifications"

    async def postponed() -> bool:
        return await connection.fetchval(f"{due} WHERE rule_id = $1", UUID(made["id"])) is True

    await eventually(postponed)
    assert len(box.mails) == 20
    await connection.execute(
        "UPDATE experiment.notifications SET sent_at = now() - interval '2 hours',"
        " next_try_at = CASE WHEN state = 'pending' THEN now() END"
    )
    mail = await box.mail(21)
    assert mail["Subject"] == "[Motor <bench>] 2 events in Motor <bench>"


async def test_a_paused_or_deleted_rule_tells_of_nothing_not_even_what_waited(
    api, experiment, box
) -> None:
    one, other = await rule(api, "run.created"), await rule(api, "run.failed")
    run = await api.run(experiment)
    paused = await api.patch(f"/api/v1/notification-rules/{one['id']}", {"state": "paused"})
    assert (paused["state"], paused["version"]) == ("paused", 2)
    assert await log(api) == []
    await api.run(experiment)
    await fail(api, run)
    await api.ask("DELETE", f"/api/v1/notification-rules/{other['id']}", status=204)
    assert await log(api) == []
    assert (await api.get(f"{api.project}/notification-rules"))["items"] == [paused]


async def test_rules_and_logs_are_everybodys_own(api) -> None:
    mine = await rule(api)
    path = f"/api/v1/notification-rules/{mine['id']}"
    for who in ("viewer", "owner"):
        await api.ask("PATCH", path, json={"state": "paused"}, status=404, headers=as_(who))
        await api.ask("DELETE", path, status=404, headers=as_(who))
        found = await api.get(f"{api.project}/notification-rules", headers=as_(who))
        assert found["items"] == []
    await api.ask("DELETE", path, status=404, headers=as_("outsider"))
    await api.patch(path, {"name_part": "x"}, status=412, headers={"If-Match": '"7"'})
    changed = await api.patch(path, {"name_part": "x", "event_types": ["run.started"]})
    assert (changed["name_part"], changed["event_types"]) == ("x", ["run.started"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_types": []},
        {"event_types": ["run.exploded"]},
        {"email": "stranger@example.org"},
        {"language": "de"},
        {"experiment_id": "x"},
    ],
)
async def test_what_is_no_rule_is_refused(api, wrong) -> None:
    body = {"event_types": ["run.failed"]} | wrong
    await api.post(f"{api.project}/notification-rules", body, status=422)


async def test_there_are_so_many_rules_and_no_more(api) -> None:
    await asyncio.gather(*(rule(api) for _ in range(50)))
    await rule(api, status=422)


async def test_a_test_says_how_it_went_and_where_mails_go(api, box) -> None:
    path = f"{api.project}/notifications"
    assert await api.get(f"{path}/mail") == {"is_set_up": True, "address": "editor@example.org"}
    sent = await api.post(f"{path}/test", {"language": "ru"}, status=201)
    assert (sent["state"], sent["event_type"]) == ("sent", "notification.test")
    assert (await box.mail())["Subject"] == "[Motor <bench>] Это проверка: письма до вас доходят"
    box.answers = ["550 never"]
    refused = await api.post(f"{path}/test", {}, status=201)
    assert (refused["state"], refused["failure"]) == ("dead", "refused")


async def test_without_a_mail_server_it_is_said_and_nothing_is_lost(start, experiment) -> None:
    api = await start(smtp_url="")
    path = f"{api.project}/notifications"
    assert await api.get(f"{path}/mail") == {"is_set_up": False, "address": None}
    assert (await api.post(f"{path}/test", {}, status=201))["failure"] == "off"
    made = await rule(api)
    await fail(api, await api.run(experiment, name="x"))
    found = await log(api)
    assert [one["rule_id"] for one in found] == [made["id"], None]


async def test_a_name_begins_no_other_header(api, experiment, box) -> None:
    await rule(api)
    await fail(api, await api.run(experiment, name="x\u2028Bcc: all@example.org"))
    mail = await box.mail()
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])
