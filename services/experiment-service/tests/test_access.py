"""Who may do what, and what nobody can do."""

from uuid import UUID, uuid4

import asyncpg
import pytest
from experiment_api import as_
from experiment_service.app import create_app
from experiment_service.settings import Settings
from servicekit.application import ENDPOINTS
from servicekit.identity import Role


async def test_every_route_admits_by_role_and_hides_from_outsiders(
    client, project_id, everything
) -> None:
    for endpoint in client.app[ENDPOINTS]:
        path = endpoint.path.format(**everything)
        if endpoint.streams or endpoint.policy.kind != "member":
            continue
        writes = endpoint.policy.role != Role.VIEWER
        body = {"json": {}} if endpoint.body else {}
        expected = {"outsider": 404, "admin": 404, "nobody": 401}
        if writes:
            expected["viewer"] = 403
        if endpoint.policy.role == Role.OWNER:
            expected["editor"] = 403
        for token, status in expected.items():
            response = await client.request(endpoint.method, path, headers=as_(token), **body)
            assert response.status == status, (token, endpoint.method, path)
        nothing = endpoint.path.format(**{name: uuid4() for name in everything})
        response = await client.request(endpoint.method, nothing, **body)
        assert response.status == 404, (endpoint.method, nothing)
        if endpoint.method == "GET":
            reader = str(endpoint.policy.role)
            response = await client.request("GET", path, headers=as_(reader))
            assert response.status == 200 or "values" in path, path


async def test_a_foreign_row_looks_like_a_missing_one(client, run) -> None:
    foreign = await client.get(f"/api/v1/runs/{run['id']}", headers=as_("outsider"))
    missing = await client.get(f"/api/v1/runs/{uuid4()}", headers=as_("outsider"))

    one, other = await foreign.json(), await missing.json()
    assert one.pop("trace_id") != other.pop("trace_id")
    assert one == other


async def test_an_archived_project_is_read_but_not_changed(
    api, people, project_id, experiment, run
) -> None:
    people.archived.add(project_id)

    await api.get(f"/api/v1/runs/{run['id']}")
    for path in (
        f"{api.project}/experiments",
        f"/api/v1/experiments/{experiment['id']}/runs",
        f"/api/v1/experiments/{experiment['id']}/archive",
        f"/api/v1/runs/{run['id']}/heartbeat",
        f"{api.project}/runs/bulk-tag",
    ):
        problem = await api.post(path, {}, status=409)
        assert problem["type"] == "/problems/project-archived"


async def test_raw_sql_cannot_mix_projects(api, run, connection) -> None:
    for statement in (
        "UPDATE experiment.runs SET project_id = gen_random_uuid()",
        "UPDATE experiment.experiments SET project_id = gen_random_uuid()",
        "INSERT INTO experiment.run_tags SELECT id, gen_random_uuid(), 'a', 'b' FROM runs",
        "INSERT INTO experiment.run_params (run_id, project_id, key, kind, number)"
        " SELECT id, gen_random_uuid(), 'a', 'number', 1 FROM runs",
        "UPDATE experiment.runs SET parent_run_id = gen_random_uuid()",
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("SET search_path TO experiment; " + statement)


async def test_other_services_learn_whose_a_run_is(run, connection, project_id) -> None:
    row = await connection.fetchrow("SELECT * FROM experiment.run_projects")

    assert dict(row) == {
        "run_id": UUID(run["id"]),
        "project_id": project_id,
        "experiment_id": UUID(run["experiment_id"]),
        "status": "running",
    }


@pytest.mark.parametrize("name", ["'; DROP TABLE experiment.runs; --", "%", "\\", '" OR 1=1'])
async def test_text_is_never_read_as_sql(api, experiment, name) -> None:
    run = await api.run(experiment, name=name, tags={name: name}, params={name: name})

    for params in ({"q": name}, {"tag": f"{name}"}, {"sort": f"params.{name}"}):
        if params.get("tag", "").count("="):
            continue
        page = await api.get(f"{api.project}/runs", params=params)
        assert [item["id"] for item in page["items"]] == [run["id"]]
    await api.get(f"{api.project}/experiments", params={"q": name})


async def test_the_debug_headers_let_the_service_work_alone(aiohttp_client, database_url) -> None:
    settings = {"database_url": database_url, "runbench_env": "dev"}
    client = await aiohttp_client(create_app(Settings.model_validate(settings)))
    path = f"/api/v1/projects/{uuid4()}/experiments"

    assert (await client.post(path, json={"name": "x"})).status == 401
    viewer = {"X-Debug-User": "me", "X-Debug-Role": "viewer"}
    assert (await client.post(path, json={"name": "x"}, headers=viewer)).status == 403
    editor = {"X-Debug-User": "me", "X-Debug-Role": "editor"}
    assert (await client.post(path, json={"name": "x"}, headers=editor)).status == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"runbench_env": "production"},
        {"runbench_env": "dev", "host": "0.0.0.0"},  # noqa: S104
    ],
)
def test_without_auth_service_it_starts_only_in_development_on_loopback(wrong) -> None:
    settings = Settings.model_validate({"database_url": "postgresql://x/y", **wrong})

    with pytest.raises(SystemExit, match="AUTH_SERVICE_URL"):
        create_app(settings)


async def test_with_auth_service_the_debug_headers_count_for_nothing(
    aiohttp_client, database_url
) -> None:
    settings = {
        "database_url": database_url,
        "runbench_env": "dev",
        "auth_service_url": "http://127.0.0.1:1",
    }
    client = await aiohttp_client(create_app(Settings.model_validate(settings)))
    headers = {"X-Debug-User": "me", "X-Debug-Role": "owner", "X_Debug_User": "me"}

    response = await client.get(f"/api/v1/projects/{uuid4()}/experiments", headers=headers)
    ready = await client.get("/ready")

    assert response.status == 401
    assert ready.status == 503
    assert (await ready.json())["dependencies"]["auth-service"] == "unreachable"
