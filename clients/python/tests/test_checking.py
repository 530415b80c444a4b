"""Whether runs keep to rules: the verdict, the exit codes, the files that hold rules."""

import json
import re
from pathlib import Path

import pytest
from test_command_line import command, recorded

import runbench
from runbench.checking import BadRules, RuleFile, read_rules

__all__ = ["command", "recorded"]

CI = Path(__file__).parents[3] / "docs" / "ci"


def test_a_verdict_has_the_numbers(recorded):
    verdict = runbench.check("r1", ["last(loss) < 0.6", "last(loss) < 0.4"], baseline="r0")
    assert not verdict
    assert [(r["passed"], r["value"], r["limit"]) for r in verdict.results] == [
        (True, 0.5, 0.6),
        (False, 0.5, 0.4),
    ]
    assert runbench.check(runbench.runs(q="r1"), ["last(loss) < 0.6"])
    with pytest.raises(runbench.ApiError, match="rules/0 column 1: is no rule"):
        runbench.check("r1", ["loss"])
    with pytest.raises(LookupError):
        runbench.check("nobody", ["last(loss) < 0.6"])


def test_the_command_ends_by_what_came_of_the_rules(recorded, command, tmp_path):
    done = command("check", "r1", "--rule", "last(loss) < 0.6")
    assert (done.returncode, done.stdout) == (
        0,
        "pass  last(loss) < 0.6  [value 0.5, limit 0.6]\n1 of 1 rules are kept\n",
    )
    done = command("check", "r1", "-r", "last(loss) < 0.6", "-r", "max(loss) < 0.5")
    assert done.returncode == 1
    assert "FAIL  max(loss) < 0.5  [value 0.5, limit 0.5]" in done.stdout
    done = command("check", "r1", "-r", "last(acc) < baseline")
    assert done.returncode == 1
    assert "[limit 0.75, baseline 0.75; the run has no metric acc]" in done.stdout
    (tmp_path / "rules.toml").write_text('baseline = "r0"\nrules = ["last(loss) < 0.6"]\n')
    done = command("check", "r1", "r2", "--rules", str(tmp_path / "rules.toml"), "--json")
    assert done.returncode == 0
    results = json.loads(done.stdout)["results"]
    assert [r["baseline_run_id"] for r in results] == [runbench.runs(q="r0")[0].id] * 2


def test_what_cannot_be_said_has_an_exit_code_of_its_own(recorded, command, monkeypatch, tmp_path):
    recorded.unread = [{"part": "metrics", "run_id": None, "reason": "metrics-service is away"}]
    done = command("check", "r1", "-r", "last(acc) < 1")
    assert (done.returncode, "metrics-service is away" in done.stderr) == (2, True)
    assert command("check", "r1", "-r", "last(loss) < 0.1").returncode == 1, "it is known"
    for arguments in (
        ("r1",),
        ("r1", "-r", "loss"),
        ("nobody", "-r", "last(loss) < 1"),
        ("r1", "--rules", str(tmp_path / "none.toml")),
        ("r1", "-p", "none", "-r", "last(loss) < 1"),
    ):
        done = command("check", *arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("error: ")
        assert done.stdout == ""
    assert command("check", "r1", "-r", "last(loss) < 1", RUNBENCH_TOKEN="").returncode == 2
    recorded.stop()
    assert command("check", "r1", "-r", "last(loss) < 1").returncode == 2


def test_files_hold_rules_in_three_forms(tmp_path):
    table = {"name": "x", "figure": "max", "op": "<", "value": 3}
    wanted = RuleFile("nightly", ["max(loss) <= 1", table])
    (tmp_path / "a.toml").write_text(
        'baseline = "nightly"\n'
        'rules = ["max(loss) <= 1", {name = "x", figure = "max", op = "<", value = 3}]\n'
    )
    (tmp_path / "a.json").write_text(
        json.dumps({"baseline": "nightly", "rules": ["max(loss) <= 1", table]})
    )
    assert read_rules(tmp_path / "a.toml") == wanted
    assert read_rules(tmp_path / "a.json") == wanted
    (tmp_path / "b.json").write_text('["acc > 0.5"]')
    assert read_rules(tmp_path / "b.json") == RuleFile(None, ["acc > 0.5"])
    pytest.importorskip("yaml")
    (tmp_path / "a.yaml").write_text(
        "baseline: nightly\nrules:\n- max(loss) <= 1\n- {name: x, figure: max, op: '<', value: 3}\n"
    )
    assert read_rules(tmp_path / "a.yaml") == wanted


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.toml", "rules = ["),
        ("a.json", "{"),
        ("a.json", "{}"),
        ("a.toml", "rules = [3]"),
        ("a.toml", 'rules = ["x < 1"]\nbase = "x"'),
        ("a.toml", b"\xff".decode("latin-1")),
    ],
)
def test_a_file_without_rules_is_said(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(BadRules, match=name):
        read_rules(tmp_path / name)


def test_the_example_for_ci_is_sound_and_pinned():
    assert len(read_rules(CI / "rules.toml").rules) == 4
    uses = re.findall(r"uses: (\S+)", (CI / "runbench.yml").read_text())
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use) for use in uses)
