"""Metrics of runs on one grid."""

from math import sqrt

import pytest
from comparison_api import Api


async def test_runs_are_aligned_by_step_and_what_is_missing_is_null(api: Api) -> None:
    experiment = await api.experiment()
    long, short, none = [await api.run(experiment) for _ in range(3)]
    await api.log(long, loss=[(0, 4.0), (10, 3.0), (20, 2.0)])
    await api.log(short, loss=[(0, 8.0), (5, "NaN"), (10, "Infinity")])

    answer = await api.compare("series", run_ids=[long, short, none], metrics=["loss", "other"])

    loss, other = answer["metrics"]
    assert loss["x"] == [0, 5, 10, 20]
    assert [run["run_id"] for run in loss["runs"]] == [long, short]
    assert loss["runs"][0]["last"] == [4.0, None, 3.0, 2.0]
    assert loss["runs"][1]["last"] == [8.0, "NaN", "Infinity", None]
    assert loss["runs"][0]["exact"]
    assert loss["groups"] == []
    assert (other["x"], other["runs"]) == ([], [])


async def test_a_grid_keeps_extremes_and_has_as_many_places_as_asked_for(api: Api) -> None:
    run = await api.run(await api.experiment())
    values = [1.0] * 5000
    values[1234] = 99.0
    await api.log(run, loss=values)

    answer = await api.compare("series", run_ids=[run], metrics=["loss"], points=10)

    curve = answer["metrics"][0]
    assert curve["x"] == [499 + 500 * n for n in range(10)]
    assert curve["runs"][0]["max"] == [1.0, 1.0, 99.0] + [1.0] * 7
    assert curve["runs"][0]["count"] == 5000


async def test_relative_time_begins_with_each_runs_first_point(api: Api) -> None:
    experiment = await api.experiment()
    runs = [await api.run(experiment) for _ in range(2)]
    for run, start in zip(runs, (1_700_000_000_000_000, 1_700_000_900_000_000), strict=True):
        series = {"key": "loss", "step": [0, 1], "value": [1.0, 2.0], "time": [start, start + 60]}
        await api.make("metrics", f"/api/v1/runs/{run}/metrics", {"series": [series]})

    answer = await api.compare("series", run_ids=runs, metrics=["loss"], x="relative")
    assert answer["metrics"][0]["x"] == [0, 60]
    assert [run["last"] for run in answer["metrics"][0]["runs"]] == [[1.0, 2.0]] * 2
    answer = await api.compare("series", run_ids=runs, metrics=["loss"], x="time")
    assert answer["metrics"][0]["x"][0] >= 1_700_000_000_000_000
    assert len(answer["metrics"][0]["x"]) == 2 * (2 if answer["metrics"][0]["x"][1] < 0 else 1)


async def test_seeds_are_summed_up_by_the_params_that_they_share(api: Api) -> None:
    experiment = await api.experiment()
    runs = [await api.run(experiment, params={"lr": 0.1, "seed": n}) for n in range(3)]
    runs.append(await api.run(experiment, params={"lr": 0.2}))
    for run, values in zip(runs, ([1, 2], [2, 4], [6, "NaN"], [5]), strict=True):
        await api.log(run, loss=values)

    body = {"run_ids": runs, "metrics": ["loss"], "group_by": ["lr"]}
    answer = await api.compare("series", **body)

    group, alone = answer["metrics"][0]["groups"]
    assert group["label"] == {"lr": 0.1}
    assert group["run_ids"] == runs[:3]
    assert group["n"] == [3, 2]
    assert group["center"] == [3.0, 3.0]
    assert group["high"] == pytest.approx([3 + sqrt(7), 3 + sqrt(2)])
    assert (alone["center"], alone["low"], alone["n"]) == ([5.0, None], [5.0, None], [1, 0])

    answer = await api.compare("series", **body | {"center": "median", "band": "minmax"})
    group = answer["metrics"][0]["groups"][0]
    assert (group["center"], group["low"], group["high"]) == ([2.0, 3.0], [1.0, 2.0], [6.0, 4.0])
    answer = await api.compare("series", **body | {"group_by": []})
    assert len(answer["metrics"][0]["groups"]) == 1


async def test_outsiders_see_nothing_and_too_much_is_refused(api: Api) -> None:
    run = await api.run(await api.experiment())
    await api.compare("series", as_="outsider", status=404, run_ids=[run], metrics=["loss"])
    keys = [f"m{n}" for n in range(25)]
    await api.compare("series", status=422, run_ids=[run], metrics=keys)
    await api.compare("series", status=422, run_ids=[run], metrics=["a"], points=2001)


async def test_without_metrics_service_the_answer_says_so(api: Api) -> None:
    run = await api.run(await api.experiment())
    await api.stack.relays["metrics"].stop()
    answer = await api.compare("series", run_ids=[run], metrics=["loss"], group_by=[])
    assert answer["metrics"] == []
    assert answer["missing"][0]["part"] == "metrics"


async def test_params_are_held_against_a_metric(api: Api) -> None:
    experiment = await api.experiment()
    runs = []
    for n in range(6):
        params = {
            "linear": n,
            "text": str(10.0**n),
            "optimizer": "adam" if n < 3 else "sgd",
            "same": 1,
            "name": f"run {n}",
            "flag": n % 2 == 0,
        }
        runs.append(await api.run(experiment, params=params | ({"rare": n} if n < 2 else {})))
        await api.log(runs[-1], loss=[9.0, 2.0 * n + 1])
    runs.append(await api.run(experiment, params={"linear": 100}))

    answer = await api.compare("correlations", run_ids=runs, metric="loss")

    items = {item["key"]: item for item in answer["items"]}
    assert items["linear"]["pearson"] == pytest.approx(1)
    assert items["linear"]["n"] == 6
    assert items["text"]["kind"] == "number"
    assert items["text"]["spearman"] == pytest.approx(1)
    assert items["text"]["pearson"] == pytest.approx(0.68, abs=0.1)
    assert items["optimizer"]["kind"] == "category"
    assert items["optimizer"]["eta_squared"] == pytest.approx(54 / 70)
    assert items["same"]["reason"] == "the param is the same in all runs"
    assert items["name"]["reason"] == "every run has another value"
    assert items["rare"]["reason"] == "fewer than 3 runs have both"
    assert items["flag"]["kind"] == "category"
    assert answer["items"][0]["key"] in {"linear", "text"}
    assert answer["values"][runs[6]] is None
