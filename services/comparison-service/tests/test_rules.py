"""Rules: their text, and whether runs keep to them."""

import pytest
from comparison_api import Api
from comparison_service.models.rule_text import RuleSyntaxError, parse_rule
from comparison_service.models.rules import Rule


@pytest.mark.parametrize(
    "text",
    [
        "max(loss) <= baseline * 1.02",
        "p95(imu.ax) < 3",
        "p99.9(signal:imu.ax) < 0.001",
        "best(metric:val/loss) < baseline - 2%",
        'mean("a \\"b\\" c") >= baseline * 0.5 + 3% - 1e-09',
        'param(optimizer) == "adam"',
        "param(flag) != true",
        "count(loss) == 100000",
        "last(x) > -1.5",
        "last(x) > 9007199254740992",
        "std(x) != 1e+300",
    ],
)
def test_the_text_of_a_rule_is_read_and_written_alike(text: str) -> None:
    rule = Rule.model_validate(parse_rule(text))
    assert rule.text() == text
    assert Rule.model_validate(parse_rule(rule.text())) == rule


def test_a_median_and_signs_beside_numbers_are_understood() -> None:
    assert parse_rule("median(a)<=baseline+2%-3") == {
        "figure": "percentile",
        "percentile": 50.0,
        "name": "a",
        "op": "<=",
        "baseline": {"percent": 2.0, "offset": -3.0},
    }


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("", 1, "ends"),
        ("max", 4, "ends"),
        ("best loss", 6, "'('"),
        ("p101(a) < 1", 1, "figure"),
        ("lowest(a) < 1", 1, "figure"),
        ("max() < 1", 5, "name"),
        ("max(a b) < 1", 7, "')'"),
        ("max(a) = 1", 8, "no meaning"),
        ("max(a) < ", 9, "ends"),
        ("max(a) < b", 10, "limit"),
        ("max(a) < 1 2", 12, "follow"),
        ("max(a) < baseline * x", 21, "number"),
        ("max(a) < baseline + 1 + 2", 25, "already"),
        ("max(a) < 1e999", 10, "too large"),
        ('max("a) < 1', 5, "no meaning"),
        ("max(a) < 1; drop table", 11, "no meaning"),
        ("max(" + "a" * 1000 + ") < 1", 1000, "at most"),
    ],
)
def test_a_mistake_is_named_with_its_column(text: str, column: int, word: str) -> None:
    with pytest.raises(RuleSyntaxError) as refused:
        parse_rule(text)
    assert refused.value.column == column
    assert word in refused.value.said


async def test_mistakes_of_rules_are_named_by_their_pointers(api: Api) -> None:
    run = await api.run(await api.experiment())
    rules = [
        "max(loss) <= 1",
        "max(loss) =< 1",
        {"name": "a", "op": "<"},
        {"name": "a", "op": "<", "value": 1, "figure": "percentile"},
        {"name": "a", "op": "<", "value": "x", "of": "param", "figure": "value"},
        {"name": "a", "op": "~", "value": 1},
        {"name": "a", "op": "<", "value": 1, "unit": "g"},
        {"name": "a", "op": "<", "value": "adam"},
        7,
    ]
    problem = await api.compare("evaluate", status=422, run_ids=[run], rules=rules)
    details = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert {pointer.split("/")[2] for pointer in details} == set("12345678")
    assert details["#/rules/1"].startswith("column 11: ")


async def test_thresholds_are_held_against_every_figure_of_a_metric(api: Api) -> None:
    run = await api.run(await api.experiment(), params={"optimizer": "adam", "lr": "0.1"})
    await api.log(run, loss=[float(n) for n in range(101)], odd=["NaN", "NaN"])
    expected = {
        "last(loss) == 100": 100.0,
        "first(loss) == 0": 0.0,
        "min(loss) >= 0": 0.0,
        "max(loss) <= 100": 100.0,
        "best(loss) == 0": 0.0,
        "mean(loss) == 50": 50.0,
        "p95(loss) == 95": 95.0,
        "median(loss) == 50": 50.0,
        "count(loss) == 101": 101.0,
        'param(optimizer) == "adam"': "adam",
        "param(lr) <= 0.1": "0.1",
    }

    answer = await api.compare("evaluate", run_ids=[run], rules=list(expected))

    assert answer["passed"], answer["results"]
    assert [result["value"] for result in answer["results"]] == list(expected.values())
    assert answer["results"][5]["limit"] == 50.0

    answer = await api.compare(
        "evaluate",
        run_ids=[run],
        rules=[
            "max(loss) < 100",
            "last(odd) < 1",
            "max(odd) < 1",
            "p95(gone) < 1",
            "best(odd) < 1",
            "param(gone) == 1",
            "param(optimizer) < 1",
            'param(optimizer) != "adam"',
        ],
    )
    assert not answer["passed"]
    assert [result["passed"] for result in answer["results"]] == [False] * 8
    reasons = [result["reason"] for result in answer["results"]]
    assert reasons[0] is None
    assert reasons[1] == "NaN keeps to no limit"
    assert reasons[2] == "every value is NaN"
    assert reasons[3] == "the run has no metric and no signal 'gone'"
    assert "min or max" in reasons[4]
    assert reasons[5] == "no param 'gone'"
    assert answer["results"][1]["value"] == "NaN"


async def test_a_limit_may_follow_the_baseline_that_is_named_or_the_experiments(api: Api) -> None:
    experiment = await api.experiment()
    baseline, good, bad = [await api.run(experiment) for _ in range(3)]
    await api.log(baseline, loss=[1.0], score=[-10.0])
    await api.log(good, loss=[1.02], score=[-10.1])
    await api.log(bad, loss=[1.03], score=[-11.0])
    rules = ["max(loss) <= baseline * 1.02", "last(score) >= baseline - 2%"]

    none = await api.compare("evaluate", run_ids=[good], rules=rules)
    assert "there is no baseline" in none["results"][0]["reason"]

    path = f"/api/v1/experiments/{experiment}/baseline"
    await api.ask("PUT", path, {"run_id": baseline}, as_="editor")
    answer = await api.compare("evaluate", run_ids=[good, bad], rules=rules)
    assert [result["passed"] for result in answer["results"]] == [True, True, False, False]
    first = answer["results"][0]
    assert (first["baseline"], first["limit"], first["baseline_run_id"]) == (1.0, 1.02, baseline)
    assert answer["results"][1]["limit"] == pytest.approx(-10.2)

    answer = await api.compare(
        "evaluate", run_ids=[good], rules=["last(loss) < baseline"], baseline_run_id=bad
    )
    assert answer["passed"]
    missing = await api.compare(
        "evaluate", run_ids=[good], rules=["last(other) < baseline"], baseline_run_id=bad
    )
    assert not missing["passed"]


async def test_signals_of_capture_sessions_are_held_against_limits(api: Api) -> None:
    experiment = await api.experiment()
    run, other = await api.run(experiment), await api.run(experiment)
    sensor = await api.sensor("imu", "ax", "ay")
    await api.record(run, sensor, ax=[float(n) for n in range(100)])
    await api.record(run, sensor, ax=[200.0])

    answer = await api.compare(
        "evaluate",
        run_ids=[run],
        rules=[
            "p95(imu.ax) < 96.1",
            "max(signal:imu.ax) == 200",
            "count(imu.ax) == 101",
            "mean(imu.ay) < 1",
            "last(imu.ax) < 1",
        ],
    )

    assert [result["passed"] for result in answer["results"]] == [True, True, True, False, False]
    assert answer["results"][0]["value"] == pytest.approx(95.0)
    assert answer["results"][3]["reason"] == "no readings"
    none = await api.compare("evaluate", run_ids=[other], rules=["p95(imu.ax) < 3"])
    assert none["results"][0]["reason"] == "the run has no metric and no signal 'imu.ax'"

    await api.stack.relays["telemetry"].stop()
    away = await api.compare("evaluate", run_ids=[run], rules=["p95(imu.ax) < 300"])
    assert not away["passed"]
    assert away["results"][0]["reason"] == "readings could not be read"
    assert away["missing"][0]["part"] == "telemetry"


async def test_readings_are_converted_before_they_are_held_against_a_limit(api: Api) -> None:
    run = await api.run(await api.experiment())
    sensor = await api.sensor("imu", "ax")
    path = f"/api/v1/sensors/{sensor['id']}/profiles"
    body = {"signal": "ax", "kind": "linear", "parameters": {"a": 10, "b": 1}, "unit": "g"}
    draft = await api.make("experiment", path, body)
    await api.make("experiment", f"/api/v1/profiles/{draft['id']}/publish", {})
    await api.record(run, sensor, ax=[1.0, 2.0])

    rules = ["max(imu.ax) == 21"]
    answer = await api.compare("evaluate", run_ids=[run], rules=rules)
    assert answer["passed"], answer
    assert answer["results"][0]["unit"] == "g"
    raw = await api.compare("evaluate", run_ids=[run], rules=["max(imu.ax) == 2"], values="raw")
    assert raw["passed"]


async def test_without_metrics_service_every_rule_on_metrics_fails_for_that_reason(
    api: Api,
) -> None:
    run = await api.run(await api.experiment(), params={"lr": 1})
    await api.log(run, loss=[1.0])
    await api.stack.relays["metrics"].stop()
    answer = await api.compare(
        "evaluate", run_ids=[run], rules=["last(loss) < 9", "p95(loss) < 9", "param(lr) == 1"]
    )
    assert [result["passed"] for result in answer["results"]] == [False, False, True]
    assert "metrics-service does not answer" in answer["results"][0]["reason"]
