"""Comparing runs through the Python client, at the real services."""

import json
from pathlib import Path

import pytest
import runbench

from tests.client.test_recording import Bench, bench

__all__ = ["bench"]


def recorded(name: str, lr: float, losses: list[float]) -> None:
    with runbench.init(experiment="motor", name=name, config={"lr": lr, "same": 1}) as run:
        for step, loss in enumerate(losses):
            run.log({"loss": loss, "nan": float("nan")}, step=step)
        run.log_text(name, "report.txt")


def test_runs_stand_side_by_side(bench: Bench) -> None:
    recorded("first", 0.1, [1.0, 0.5, 0.4])
    recorded("second", 0.2, [1.0, 0.25, 0.3])
    found = runbench.compare(["first", "second"], baseline="first")
    assert found.missing == []
    table = {(row["part"], row["key"]): row for row in found.table(only_different=True)}
    assert table["params", "lr"]["second"] == 0.2
    assert ("params", "same") not in table
    assert (table["metrics", "loss"]["first"], table["metrics", "loss"]["second"]) == (0.4, 0.3)
    assert ("artifacts", "report.txt") in table
    assert found.best == {"loss": found.ids[1]}
    rows = {row["name"]: row for row in found.rows()}
    assert rows["second"]["metrics.loss.min"] == 0.25
    assert rows["first"]["environment.python"]
    (loss,) = found.series("loss", points=10, group_by=[])
    assert (loss["key"], loss["x"]) == ("loss", [0, 1, 2])
    assert [run["last"] for run in loss["runs"]] == [[1.0, 0.5, 0.4], [1.0, 0.25, 0.3]]
    assert loss["groups"][0]["n"] == [2, 2, 2]
    assert {row["key"] for row in found.correlations("loss")} == {"lr", "same"}
    said = bench.command("compare", "first", "second", "--baseline", "first", "--only-diff")
    assert "metrics\tloss\t0.4\t0.3 * (-25.00%)" in said
    data = json.loads(bench.command("compare", "first", "@latest", "--json"))
    assert [run["name"] for run in data["runs"]] == ["first", "second"]


def test_rules_are_kept_or_broken(bench: Bench, tmp_path: Path) -> None:
    recorded("first", 0.1, [1.0, 0.5, 0.4])
    recorded("second", 0.2, [1.0, 0.25, 0.3])
    rules = ["last(loss) <= baseline - 20%", "mean(loss) < 0.6", "param(lr) == 0.2"]
    verdict = runbench.check("second", rules, baseline="first")
    assert verdict
    assert [result["value"] for result in verdict.results] == pytest.approx([0.3, 1.55 / 3, 0.2])
    assert verdict.results[0]["limit"] == pytest.approx(0.32)
    (tmp_path / "rules.toml").write_text(
        'baseline = "first"\n'
        'rules = ["max(loss) <= baseline", {name = "loss", figure = "count", op = "==", value = 3}]'
    )
    said = bench.command("check", "second", "--rules", str(tmp_path / "rules.toml"))
    assert said.endswith("2 of 2 rules are kept\n")
    broken = runbench.check("second", ["last(loss) < 0.3", "last(none) < 1", "last(nan) < 1"])
    assert [result["passed"] for result in broken.results] == [False, False, False]
    assert all(result["reason"] for result in broken.results[1:])
    with pytest.raises(runbench.ApiError, match="column 10"):
        runbench.check("second", ["last(loss"])
    with pytest.raises(AssertionError):
        bench.command("check", "second", "--rule", "last(loss) < 0.3")
