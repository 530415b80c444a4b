"""Comparing runs through the Python client, at the real services."""

import json

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
    said = bench.command("compare", "first", "second", "--baseline", "first", "--only-diff")
    assert "metrics\tloss\t0.4\t0.3 * (-25.00%)" in said
    data = json.loads(bench.command("compare", "first", "@latest", "--json"))
    assert [run["name"] for run in data["runs"]] == ["first", "second"]
