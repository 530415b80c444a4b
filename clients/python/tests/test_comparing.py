"""Runs side by side, from Python and the command line."""

import json
import math

import pytest
from test_command_line import command, recorded

import runbench

__all__ = ["command", "recorded"]


def test_runs_stand_side_by_side(recorded):
    found = runbench.compare(["r0", *runbench.runs(q="r1"), "r2", "r0"], baseline="r2")
    assert found.names == ["r0", "r1", "r2"]
    assert len(found) == 3
    assert found.baseline == found.ids[2]
    assert found.best == {"loss": found.ids[2]}
    table = {(row["part"], row["key"]): row for row in found.table()}
    assert table["params", "lr"] == {
        "part": "params", "key": "lr", "differs": True, "r0": 0.0, "r1": 0.1, "r2": 0.2,
    }  # fmt: skip
    assert table["metrics", "loss"]["r1"] == 0.5
    assert math.isnan(table["metrics", "nan"]["r0"])
    assert ("metrics", "nan") not in {
        (row["part"], row["key"]) for row in found.table(only_different=True)
    }
    rows = {row["name"]: row for row in found.rows()}
    assert (rows["r1"]["params.lr"], rows["r1"]["metrics.loss"]) == (0.1, 0.5)
    assert [row["baseline"] for row in found.rows()] == [False, False, True]
    assert found.missing == [{"part": "artifacts", "run_id": None, "reason": "away"}]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_comparison_becomes_a_frame(recorded, library):
    pytest.importorskip(library)
    frame = runbench.compare(["r0", "r1", "r2"]).to_frame(library)
    assert list(frame["metrics.loss"]) == [1.0, 0.5, 1 / 3]


def test_runs_of_one_name_are_told_apart(online):
    for _ in range(2):
        runbench.init(name="same").finish()
    first, second = runbench.compare(runbench.runs()).names
    assert first != second
    assert first.startswith("same …")


def test_the_command_shows_what_differs_first(recorded, command):
    done = command("compare", "r0", "r1", "--baseline", "r0", "--only-diff")
    assert done.stdout.splitlines() == [
        "\tkey\tr0\tr1",
        "params\tlr\t0\t0.1",
        "metrics\tloss\t1\t0.5 * (-50.00%)",
    ]
    assert "not read: artifacts: away" in done.stderr
    assert "3 more rows of tags are not shown" in done.stderr
    assert "nan" in command("compare", "r0", "r1").stdout
    data = json.loads(command("compare", "r0", "r1", "--json").stdout)
    assert [run["name"] for run in data["runs"]] == ["r0", "r1"]
    assert command("compare", "r0", "nobody").returncode == 4
    assert "nothing differs" in command("compare", "r0", "--only-diff").stderr
