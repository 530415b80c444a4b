"""Readings of capture sessions, laid over each other."""

from uuid import uuid4

from comparison_api import Api


def track(session: str, sensor: dict, **more) -> dict:
    return {"capture_session_id": session, "sensor_id": sensor["id"], "signal": "ax", **more}


async def test_tracks_begin_at_the_start_of_their_sessions_or_at_an_event(api: Api) -> None:
    experiment = await api.experiment()
    runs = [await api.run(experiment) for _ in range(2)]
    sensor = await api.sensor("imu", "ax", "ay")
    sessions = [
        await api.record(run, sensor, ax=values)
        for run, values in zip(runs, ([1.0, 2.0], [3.0]), strict=True)
    ]
    path = f"/api/v1/capture-sessions/{sessions[1]}/events"
    event = await api.make("experiment", path, {"text": "impact"})

    answer = await api.compare(
        "telemetry",
        tracks=[
            track(sessions[0], sensor, offset_us=1_000_000),
            track(sessions[1], sensor),
            track(sessions[1], sensor, align=event["id"]),
        ],
    )

    first, second, marked = answer["tracks"]
    assert first["t"] == [1_000_010, 1_000_011]
    assert first["values"] == [1.0, 2.0]
    assert (first["run_id"], first["sensor_name"], first["kind"]) == (runs[0], "imu", "raw")
    assert second["t"] == [10]
    assert marked["t"][0] < 0
    assert answer["missing"] == []


async def test_what_is_not_there_is_404_and_what_is_away_is_named(api: Api) -> None:
    run = await api.run(await api.experiment())
    sensor = await api.sensor("imu", "ax")
    session = await api.record(run, sensor, ax=[1.0])

    for wrong in (
        track(str(uuid4()), sensor),
        track(session, {"id": str(uuid4())}),
        track(session, sensor) | {"signal": "az"},
        track(session, sensor, align=str(uuid4())),
    ):
        await api.compare("telemetry", status=404, tracks=[wrong])
    fine = track(session, sensor)
    await api.compare("telemetry", as_="outsider", status=404, tracks=[fine])
    await api.compare("telemetry", status=422, tracks=[fine] * 25)
    await api.compare("telemetry", status=422, tracks=[fine | {"align": "end"}])

    await api.stack.relays["telemetry"].stop()
    answer = await api.compare("telemetry", tracks=[fine])
    assert answer["tracks"] == []
    assert answer["missing"][0]["part"] == "telemetry"
    await api.stack.relays["experiment"].stop()
    await api.compare("telemetry", status=503, tracks=[fine])
