"""The audit trail has what people do in every service, each once, with who and in which request."""

import time

from support.world import World

TOLD = {
    "experiment.created",
    "run.started",
    "artifact.stored",
    "sensor.created",
    "capture.started",
    "webhook.created",
    "comparison.created",
}
WITHIN_SEC = 60


def rows(world: World, project_id: str) -> list[dict[str, object]]:
    """The whole trail of a project, page by page."""
    found: list[dict[str, object]] = []
    cursor = ""
    while True:
        page = world.call(
            "GET",
            f"/api/v1/projects/{project_id}/audit?limit=100" + (cursor and f"&cursor={cursor}"),
            "owner",
        )
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = page["next_cursor"]


def test_what_every_service_did_is_in_the_trail(world: World) -> None:
    place = world.places["own"]
    owner = world.people["owner"]
    deadline = time.monotonic() + WITHIN_SEC
    trail: list[dict[str, object]] = []
    while not {row["action"] for row in trail} >= TOLD and time.monotonic() < deadline:
        time.sleep(0.2)
        trail = rows(world, place.project_id)

    made = [row for row in trail if row["action"] in TOLD]
    assert {row["action"] for row in made} == TOLD
    assert {(row["actor_id"], row["actor_name"]) for row in made} == {(owner.user_id, "Owner")}
    assert all(row["trace_id"] and row["result"] == "success" for row in made)
    assert {row["address"] for row in made} == {"127.0.0.1"}
    (sensor,) = [row for row in made if row["action"] == "sensor.created"]
    assert (sensor["target_type"], sensor["target_id"]) == ("sensor", place.ids["sensor_id"])
    for row in trail:
        assert len([other for other in trail if other["id"] == row["id"]]) == 1


def test_a_program_is_named_with_its_owner_and_a_change_leaves_one_row(world: World) -> None:
    place = world.places["own"]
    path = f"/api/v1/experiments/{place.ids['experiment_id']}"
    world.call("PATCH", path, "program_editor", json={"description": "audited"})
    deadline = time.monotonic() + WITHIN_SEC
    changed: list[dict[str, object]] = []
    while not changed and time.monotonic() < deadline:
        time.sleep(0.2)
        changed = [
            row
            for row in rows(world, place.project_id)
            if row["action"] == "experiment.changed"
            and row["actor_id"] == world.people["editor"].user_id
        ]

    (row,) = changed
    details = row["details"]
    assert isinstance(details, dict)
    assert row["actor_kind"] == "token"
    assert details["token_id"]
    assert details["data"] == {"fields": ["description"]}
