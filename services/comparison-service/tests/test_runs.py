"""Runs side by side."""

from time import monotonic
from uuid import UUID, uuid4

import pytest
from comparison_api import Api, row
from servicekit.testing.identity import KnownPeople


async def test_what_differs_comes_first_and_what_is_missing_is_said_to_be(api: Api) -> None:
    experiment = await api.experiment("one")
    environment = {"python": "3.13", "packages": {"numpy": "2.4"}}
    first = await api.run(
        experiment,
        params={"lr": 0.1, "depth": 3, "zeta": None},
        tags={"rig": "A"},
        environment=environment,
        git_commit="abc",
    )
    second = await api.run(
        experiment,
        params={"lr": 0.2, "depth": 3.0},
        tags={"rig": "A"},
        environment=environment | {"packages": {"numpy": "2.5"}},
        git_commit="abc",
    )

    answer = await api.compare("runs", run_ids=[first, second])

    assert [run["id"] for run in answer["runs"]] == [first, second]
    assert answer["runs"][0]["experiment_name"] == "one"
    assert [one["key"] for one in answer["params"]] == ["lr", "zeta", "depth"]
    assert row(answer["params"], "lr")["values"] == [0.1, 0.2]
    assert row(answer["params"], "zeta")["missing"] == [1]
    assert not row(answer["params"], "depth")["differs"]
    assert row(answer["tags"], "rig") == {
        "key": "rig",
        "values": ["A", "A"],
        "missing": [],
        "differs": False,
    }
    assert answer["environment"][0]["key"] == "packages.numpy"
    assert not row(answer["environment"], "git.commit")["differs"]
    assert answer["missing"] == []


async def test_true_is_not_one_and_large_integers_stay_themselves(api: Api) -> None:
    experiment = await api.experiment()
    first = await api.run(experiment, params={"flag": True, "seed": 2**53})
    second = await api.run(experiment, params={"flag": 1, "seed": 2**53 + 1})

    answer = await api.compare("runs", run_ids=[first, second])

    assert row(answer["params"], "flag")["differs"]
    assert row(answer["params"], "seed")["values"] == [2**53, 2**53 + 1]
    assert row(answer["params"], "seed")["differs"]


async def test_metrics_stand_with_their_best_and_how_far_they_are_from_the_baseline(
    api: Api,
) -> None:
    experiment = await api.experiment()
    runs = [await api.run(experiment) for _ in range(3)]
    await api.log(runs[0], loss=[1.0, 0.5], speed=[3.0])
    await api.log(runs[1], loss=[2.0, 0.25, 0.4])
    await api.log(runs[2], loss=["NaN"], speed=["Infinity"])

    answer = await api.compare("runs", run_ids=runs, baseline_run_id=runs[0])

    loss = row(answer["metrics"], "loss")
    assert loss["direction"] == "min"
    assert loss["best_run_id"] == runs[1]
    assert (
        loss["cells"][1] | {"best": 0.25, "best_step": 1, "last": 0.4, "count": 3}
        == (loss["cells"][1])
    )
    assert loss["cells"][2]["last"] == "NaN"
    assert loss["cells"][2]["min"] is None
    assert loss["deltas"][1]["absolute"] == pytest.approx(-0.1)
    assert loss["deltas"][1]["relative"] == pytest.approx(-0.2)
    assert loss["deltas"][2] == {"absolute": None, "relative": None}
    speed = row(answer["metrics"], "speed")
    assert (speed["direction"], speed["best_run_id"]) == (None, None)
    assert speed["cells"][1] is None

    answer = await api.compare("runs", run_ids=runs, best={"speed": "max"}, summary="best")
    assert row(answer["metrics"], "speed")["best_run_id"] == runs[2]
    assert row(answer["metrics"], "loss")["best_run_id"] == runs[1]


async def test_the_baseline_need_not_be_among_the_runs(api: Api) -> None:
    experiment = await api.experiment()
    run, baseline = await api.run(experiment), await api.run(experiment)
    await api.log(run, loss=[3.0])
    await api.log(baseline, loss=[2.0])

    path = f"/api/v1/experiments/{experiment}/baseline"
    assert (await api.ask("GET", path))["run_id"] is None
    await api.ask("PUT", path, {"run_id": baseline}, as_="editor")

    answer = await api.compare("runs", run_ids=[run])
    assert answer["baseline_run_id"] == baseline
    assert row(answer["metrics"], "loss")["deltas"] == [{"absolute": 1.0, "relative": 0.5}]

    await api.ask("DELETE", path, as_="editor", status=204)
    assert (await api.compare("runs", run_ids=[run]))["baseline_run_id"] is None


async def test_a_baseline_is_a_run_of_its_experiment_and_set_by_editors(api: Api) -> None:
    experiment, other = await api.experiment(), await api.experiment()
    elsewhere = await api.run(other)
    path = f"/api/v1/experiments/{experiment}/baseline"

    refusal = await api.ask("PUT", path, {"run_id": elsewhere}, as_="editor", status=422)
    assert refusal["type"] == "/problems/run-elsewhere"
    await api.ask("PUT", path, {"run_id": str(uuid4())}, as_="editor", status=422)
    await api.ask("PUT", path, {"run_id": elsewhere}, as_="viewer", status=403)
    await api.ask("PUT", path, {"run_id": elsewhere}, as_="outsider", status=404)
    await api.ask("GET", path, as_="outsider", status=404)


async def test_files_are_compared_by_their_content(api: Api) -> None:
    experiment = await api.experiment()
    first, second = await api.run(experiment), await api.run(experiment)
    for run in (first, second):
        await api.file(run, "config/same.txt", b"same")
        await api.file(run, "model.bin", run.encode())
    await api.file(first, "alone.txt", b"alone")

    answer = await api.compare("runs", run_ids=[first, second])

    assert [one["path"] for one in answer["artifacts"]] == [
        "alone.txt",
        "model.bin",
        "config/same.txt",
    ]
    assert row(answer["artifacts"], "alone.txt")["cells"][1] is None
    assert row(answer["artifacts"], "config/same.txt")["cells"][0]["size"] == 4


async def test_runs_of_several_projects_are_compared_by_who_sees_them_all(
    api: Api, people: KnownPeople, project_id: UUID
) -> None:
    other = uuid4()
    people.roles[people.principals["editor"].user_id, other] = people.roles[
        people.principals["editor"].user_id, project_id
    ]
    here = await api.run(await api.experiment())
    there = await api.run(await api.experiment(project=other))

    both = await api.compare("runs", as_="editor", run_ids=[here, there])
    assert len({run["project_id"] for run in both["runs"]}) == 2
    hidden = await api.compare("runs", as_="viewer", status=404, run_ids=[here, there])
    nowhere = await api.compare("runs", as_="viewer", status=404, run_ids=[here, str(uuid4())])
    assert hidden["title"] == nowhere["title"]
    assert "project" not in hidden["detail"]
    await api.compare("runs", as_="outsider", status=404, run_ids=[here])


@pytest.mark.parametrize("name", ["metrics", "artifact"])
async def test_a_service_that_is_away_is_named_and_the_rest_is_answered(
    api: Api, name: str
) -> None:
    run = await api.run(await api.experiment(), params={"lr": 1})
    await api.log(run, loss=[1.0])
    await api.file(run, "a.txt", b"a")
    await api.stack.relays[name].stop()

    answer = await api.compare("runs", run_ids=[run])

    part, other = ("metrics", "artifacts") if name == "metrics" else ("artifacts", "metrics")
    assert answer["missing"] == [
        {"part": part, "run_id": None, "reason": f"{name}-service does not answer"}
    ]
    assert answer[part] == []
    assert len(answer[other]) == len(answer["params"]) == 1


async def test_a_slow_service_is_waited_for_no_longer_than_its_time(api: Api) -> None:
    run = await api.run(await api.experiment())
    api.stack.relays["metrics"].delay = 30

    began = monotonic()
    answer = await api.compare("runs", run_ids=[run])

    assert monotonic() - began < 4
    assert answer["missing"][0]["reason"] == "metrics-service did not answer within 2 s"


async def test_without_experiment_service_nothing_is_compared(api: Api) -> None:
    run = await api.run(await api.experiment())
    await api.stack.relays["experiment"].stop()

    problem = await api.compare("runs", status=503, run_ids=[run])
    assert problem["detail"] == "experiment-service does not answer."


async def test_others_are_asked_with_the_callers_token_and_trace_in_one_call_each(
    api: Api,
) -> None:
    experiment = await api.experiment()
    runs = [await api.run(experiment) for _ in range(30)]
    trace = f"00-{'a' * 32}-{'b' * 16}-01"

    await api.ask(
        "POST",
        "/api/v1/comparisons/runs",
        {"run_ids": runs},
        traceparent=trace,
        **{"X-Request-Id": "request-7"},
    )

    for name in ("experiment", "metrics", "artifact"):
        said = b"".join(api.stack.relays[name].bytes_before)
        assert said.count(b"POST /api/") == 1, name
        assert b"Authorization: Bearer viewer" in said
        assert b"X-Request-Id: request-7" in said
        assert b"00-" + b"a" * 32 in said


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"run_ids": []}, "#/run_ids"),
        ({"run_ids": ["x"]}, "#/run_ids/0"),
        ({"run_ids": [str(UUID(int=n)) for n in range(101)]}, "#/run_ids"),
        ({"run_ids": [str(uuid4())], "colour": 1}, "#/colour"),
        ({"run_ids": [str(uuid4())], "best": {"loss": "middle"}}, "#/best/loss"),
        ({}, "#/run_ids"),
    ],
)
async def test_a_mistake_is_named_by_its_pointer(api: Api, body: dict, pointer: str) -> None:
    problem = await api.compare("runs", status=422, **body)
    assert pointer in [error["pointer"] for error in problem["errors"]]


async def test_a_hundred_runs_of_large_params_make_a_bounded_answer(api: Api) -> None:
    experiment = await api.experiment()
    params = {f"p{n:03}": "x" * 5000 for n in range(100)}
    runs = [await api.run(experiment, params=params | {"seed": n}) for n in range(100)]

    answer = await api.ask("POST", "/api/v1/comparisons/runs", {"run_ids": runs})

    assert answer["params"][0]["key"] == "seed"
    assert answer["omitted"]["params"] == 101 - len(answer["params"])
    assert answer["omitted"]["params"] > 0
    assert len(answer["params"][1]["values"][0]) == 1000
