"""Conversion profiles: of a signal one at a time is valid, and which one is never in doubt."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from experiment_api import as_


@pytest.fixture
def profiles(sensor) -> str:
    return f"/api/v1/sensors/{sensor['id']}/profiles"


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def publish(api, profile, hours: float | None = None, *, status=200):
    body = {} if hours is None else {"valid_from": at(hours)}
    return await api.post(f"/api/v1/profiles/{profile['id']}/publish", body, status=status)


async def read(api, profile):
    return await api.get(f"/api/v1/profiles/{profile['id']}")


async def states(api, profiles) -> dict[int, str]:
    page = await api.get(profiles)
    return {item["version"]: item["state"] for item in page["items"]}


async def test_a_profile_is_drafted_changed_and_published(
    api, sensor, profiles, connection
) -> None:
    draft = await api.profile(sensor, a=2, unit="°C", note="by hand")
    path = f"/api/v1/profiles/{draft['id']}"
    assert (draft["version"], draft["state"], draft["valid_from"]) == (1, "draft", None)
    assert await api.get(path) == draft
    changed = await api.patch(
        path,
        {"kind": "polynomial", "parameters": {"coefficients": [1, 2, 0.5]}, "unit": None},
        headers={"If-Match": '"1"'},
    )
    assert (changed["kind"], changed["unit"], changed["note"]) == ("polynomial", "", "by hand")
    await api.patch(path, {"note": "x"}, status=412, headers={"If-Match": '"1"'})
    assert await connection.fetchval("SELECT count(*) FROM experiment.published_profiles") == 0

    published = await publish(api, draft)

    assert (published["state"], published["valid_to"]) == ("active", None)
    row = await connection.fetchrow("SELECT * FROM experiment.published_profiles")
    assert row["profile_id"] == UUID(draft["id"])
    assert (row["kind"], row["signal"]) == ("polynomial", "temperature")
    for method, more in (("PATCH", {"json": {"note": "y"}}), ("DELETE", {})):
        problem = await api.ask(method, path, status=409, **more)
        assert problem["type"] == "/problems/profile-published"
    assert (await publish(api, draft, status=409))["type"] == "/problems/profile-published"


async def test_a_draft_is_deleted_and_nothing_of_it_stays(api, profile, profiles) -> None:
    await api.ask("DELETE", f"/api/v1/profiles/{profile['id']}", status=204)

    await api.get(f"/api/v1/profiles/{profile['id']}", status=404)
    assert (await api.get(profiles))["items"] == []


async def test_publishing_one_retires_the_other(api, sensor, profiles) -> None:
    first, second = await api.profile(sensor, a=1), await api.profile(sensor, a=2)
    await publish(api, first)
    after = await publish(api, second)

    assert await states(api, profiles) == {1: "retired", 2: "active"}
    assert (await read(api, first))["valid_to"] == after["valid_from"]


async def test_a_later_moment_schedules_and_taking_it_back_leaves_no_gap(
    api, sensor, profiles
) -> None:
    first, second, third = [await api.profile(sensor, a=n) for n in range(3)]
    await publish(api, first)
    scheduled = await publish(api, second, 2)
    assert await states(api, profiles) == {1: "active", 2: "scheduled", 3: "draft"}
    assert (await read(api, first))["valid_to"] == scheduled["valid_from"]
    between = await publish(api, third, 1)
    assert between["valid_to"] == scheduled["valid_from"]

    retired = await api.post(f"/api/v1/profiles/{third['id']}/retire")

    assert retired["state"] == "retired"
    assert (await read(api, first))["valid_to"] == scheduled["valid_from"]
    await api.post(f"/api/v1/profiles/{second['id']}/retire")
    assert (await read(api, first))["valid_to"] is None
    ended = await api.post(f"/api/v1/profiles/{first['id']}/retire")
    assert ended["state"] == "retired"
    assert await api.post(f"/api/v1/profiles/{first['id']}/retire") == ended
    fourth = await api.profile(sensor)
    problem = await api.post(f"/api/v1/profiles/{fourth['id']}/retire", status=409)
    assert problem["type"] == "/problems/profile-not-published"


async def test_a_moment_in_the_past_takes_the_time_up_to_the_next_one(
    api, sensor, profiles
) -> None:
    first, second = await api.profile(sensor, a=1), await api.profile(sensor, a=2)
    now = await publish(api, first)
    before = await publish(api, second, -24)

    assert before["valid_to"] == now["valid_from"]
    assert await states(api, profiles) == {1: "active", 2: "retired"}
    third = await api.profile(sensor, a=3)
    body = {"valid_from": now["valid_from"]}
    problem = await api.post(f"/api/v1/profiles/{third['id']}/publish", body, status=409)
    assert problem["type"] == "/problems/profile-time-taken"


async def test_many_publish_at_once_and_the_spans_never_overlap(
    client, api, sensor, connection
) -> None:
    drafts = [await api.profile(sensor, a=n) for n in range(10)]

    answers = await asyncio.gather(
        *(client.post(f"/api/v1/profiles/{draft['id']}/publish", json={}) for draft in drafts * 2)
    )

    assert sorted(answer.status for answer in answers) == [200] * 10 + [409] * 10
    rows = await connection.fetch(
        "SELECT valid_from, valid_to FROM experiment.published_profiles ORDER BY valid_from"
    )
    assert [row["valid_to"] for row in rows] == [row["valid_from"] for row in rows[1:]] + [None]


async def test_signals_have_profiles_of_their_own(api, sensor, profiles) -> None:
    signals = f"/api/v1/sensors/{sensor['id']}/signals"
    await api.post(signals, {"name": "pressure"}, status=201)
    first = await api.profile(sensor)
    other = await api.profile(sensor, signal="pressure")
    await publish(api, first)
    await publish(api, other)

    assert (first["version"], other["version"]) == (1, 1)
    assert (await read(api, first))["state"] == "active"
    found = await api.get(profiles, params={"signal": "pressure", "state": "active"})
    assert [item["id"] for item in found["items"]] == [other["id"]]
    problem = await api.ask("DELETE", f"{signals}/pressure", status=409)
    assert problem["type"] == "/problems/signal-in-use"


async def test_a_capture_session_keeps_to_the_profiles_it_pins(
    api, run, sensor, connection
) -> None:
    first, second = await api.profile(sensor, a=1), await api.profile(sensor, a=2)
    await publish(api, first)
    sessions = f"/api/v1/runs/{run['id']}/capture-sessions"
    body = {"sensor_ids": [sensor["id"]], "pin_profiles": True}
    made = await api.post(sessions, body, status=201)
    assert made["profiles"] == {sensor["id"]: {"temperature": first["id"]}}
    await publish(api, second)
    assert await api.get(f"/api/v1/capture-sessions/{made['id']}") == made
    await api.post(f"/api/v1/capture-sessions/{made['id']}/stop")

    pins = {sensor["id"]: {"temperature": first["id"]}}
    again = await api.post(sessions, body | {"profiles": pins}, status=201)

    assert again["profiles"] == pins
    added = await api.sensor("TC-2")
    await api.ask("PUT", f"/api/v1/capture-sessions/{again['id']}/sensors/{added['id']}")
    await api.ask(
        "DELETE", f"/api/v1/capture-sessions/{again['id']}/sensors/{sensor['id']}", status=204
    )
    assert (await api.get(f"/api/v1/capture-sessions/{again['id']}"))["profiles"] == {}


async def test_only_published_profiles_of_recorded_signals_are_pinned(
    api, run, sensor, profile
) -> None:
    other = await api.sensor("TC-2")
    await publish(api, published := await api.profile(sensor))
    for profiles, pointer in (
        ({sensor["id"]: {"temperature": profile["id"]}}, "/temperature"),
        ({sensor["id"]: {"pressure": published["id"]}}, "/pressure"),
        ({other["id"]: {"temperature": published["id"]}}, "/temperature"),
    ):
        problem = await api.post(
            f"/api/v1/runs/{run['id']}/capture-sessions",
            {"sensor_ids": [sensor["id"]], "profiles": profiles},
            status=422,
        )
        assert problem["errors"][0]["pointer"] == f"#/profiles/{next(iter(profiles))}{pointer}"


async def test_profiles_are_read_where_the_sensor_is_shared_and_changed_at_home(
    api, people, sensor, profile
) -> None:
    people.person("guest", project_id=(other := UUID(int=7)), role="editor")
    people.roles[people.principals["editor"].user_id, other] = people.roles[
        people.principals["guest"].user_id, other
    ]
    path = f"/api/v1/profiles/{profile['id']}"
    await api.get(path, status=404, headers=as_("guest"))
    await api.ask("PUT", f"/api/v1/sensors/{sensor['id']}/projects/{other}")

    await api.get(path, headers=as_("guest"))
    await api.post(f"{path}/publish", {}, status=403, headers=as_("guest"))


async def test_raw_sql_cannot_take_a_profile_elsewhere(sensor, profile, connection) -> None:
    for statement in (
        "UPDATE experiment.conversion_profiles SET project_id = gen_random_uuid()",
        "UPDATE experiment.conversion_profiles SET signal = 'nothing'",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute(statement)


@pytest.mark.parametrize(
    ("kind", "parameters", "pointer"),
    [
        ("linear", {"a": 1}, "#/parameters/b"),
        ("linear", {"a": "1", "b": 0}, "#/parameters/a"),
        ("linear", {"a": True, "b": 0}, "#/parameters/a"),
        ("linear", {"a": 1, "b": 0, "c": 0}, "#/parameters/c"),
        ("polynomial", {"coefficients": []}, "#/parameters/coefficients"),
        ("polynomial", {"coefficients": [1] * 21}, "#/parameters/coefficients"),
        ("polynomial", {"coefficients": [1, None]}, "#/parameters/coefficients/1"),
        ("lookup_table", {"table": [[0, 0]]}, "#/parameters/table"),
        ("lookup_table", {"table": [[0, 0], [1]]}, "#/parameters/table/1"),
        ("lookup_table", {"table": [[0, 0], [0, 1]]}, "#/parameters/table/1/0"),
        ("lookup_table", {"table": [[0, 0], [1, 1]], "clamped": 1}, "#/parameters/clamped"),
        ("spline", {}, "#/kind"),
    ],
)
async def test_what_is_no_profile_is_refused_with_its_place(
    api, profiles, kind, parameters, pointer
) -> None:
    body = {"signal": "temperature", "kind": kind, "parameters": parameters}
    problem = await api.post(profiles, body, status=422)

    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_every_mistake_in_the_parameters_is_named(api, profiles) -> None:
    table = [[0, 1], ["1", None], [0, 3], [2]]
    parameters = {"table": table, "clamped": "no", "a/b": 1}
    wrong = [
        {"pointer": "#/parameters/a~1b", "detail": "does not belong to this kind"},
        {"pointer": "#/parameters/clamped", "detail": "must be true or false"},
        {"pointer": "#/parameters/table/1/0", "detail": "must be a number"},
        {"pointer": "#/parameters/table/1/1", "detail": "must be a number"},
        {
            "pointer": "#/parameters/table/2/0",
            "detail": "the raw value 0.0 stands in row 0 already",
        },
        {"pointer": "#/parameters/table/3", "detail": "takes 2 items; these are 1"},
    ]
    body = {"kind": "lookup_table", "parameters": parameters}

    drafted = await api.post(profiles, {"signal": "temperature", **body}, status=422)
    calculated = await api.post("/api/v1/profiles/convert", {**body, "values": [1]}, status=422)

    assert drafted["errors"] == calculated["errors"] == wrong
    assert (await api.get(profiles))["items"] == []


async def test_a_profile_stays_with_its_signal_and_kind_fits_parameters(api, profile) -> None:
    path = f"/api/v1/profiles/{profile['id']}"

    for change, pointer in (
        ({"signal": "pressure"}, "#/signal"),
        ({"kind": "polynomial"}, "#/parameters/coefficients"),
    ):
        problem = await api.patch(path, change, status=422)
        assert problem["errors"][0]["pointer"] == pointer
    await api.patch(path, {"signal": "temperature"})


@pytest.mark.parametrize(
    "moment", ["1989-12-31T00:00:00Z", "9999-12-31T23:59:59-14:00", "soon", "2026-01-01T00:00:00"]
)
async def test_what_is_no_moment_is_refused(api, profile, moment) -> None:
    path = f"/api/v1/profiles/{profile['id']}/publish"

    problem = await api.post(path, {"valid_from": moment}, status=422)

    assert problem["errors"][0]["pointer"] == "#/valid_from"


async def test_the_calculator_shows_each_value_or_why_there_is_none(api) -> None:
    table = {"table": [[0, 10], [10, 30]]}
    calculation = {"kind": "lookup_table", "parameters": table, "values": [5, -1, 10]}
    made = await api.post("/api/v1/profiles/convert", calculation, headers=as_("outsider"))

    assert made["items"] == [
        {"raw": 5.0, "physical": 20.0, "reason": None},
        {"raw": -1.0, "physical": None, "reason": "out_of_table"},
        {"raw": 10.0, "physical": 30.0, "reason": None},
    ]
    calculation |= {"kind": "polynomial", "parameters": {"coefficients": [1, 0, 2]}}
    made = await api.post("/api/v1/profiles/convert", calculation | {"values": [3, 1e200]})
    assert [item["physical"] for item in made["items"]] == [19.0, None]
    assert made["items"][1]["reason"] == "overflow"
    for wrong in ({"values": []}, {"values": ["1"]}, {"parameters": {}}, {"kind": "x"}):
        await api.post("/api/v1/profiles/convert", calculation | wrong, status=422)
    await api.post("/api/v1/profiles/convert", calculation, status=401, headers=as_("nobody"))
