"""What the workspace says: log lines, likely fixes, the summary, sums of tests, contracts."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from scripts import console, demo, locks, logs, openapi, summary, tally
from scripts import state as states
from scripts.diagnosis import likely_fix
from scripts.environment import Workspace
from scripts.state import Identity, State


def test_a_json_line_becomes_a_readable_one_with_the_start_of_its_trace():
    raw = json.dumps(
        {
            "level": "warning",
            "event": "slow query",
            "timestamp": "2026-11-23T06:00:00Z",
            "seconds": 2.5,
            "path": "/api/v1/runs",
            "note": "two words",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }
    )

    shown = console.for_terminal("auth-service", raw)

    assert shown == (
        'WARNING slow query seconds=2.5 path=/api/v1/runs note="two words" trace=4bf92f35'
    )


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ('{"level": 50, "msg": "pino"}', "error"),
        ('{"level": "fatal", "msg": "caddy"}', "critical"),
        ('{"msg": "no level"}', "info"),
        ("[1, 2]", "info"),
        ('{"half": ', "info"),
        ("plain words", "info"),
        ('{"level": null, "ts": 1e99, "msg": null}', "info"),
    ],
)
def test_every_kind_of_line_has_a_level_and_none_is_lost(raw: str, level: str):
    line = console.parse(raw)

    assert line.level == level
    assert console.render(line)


def test_probes_are_not_shown_but_failing_requests_are():
    probe = '{"level": "info", "event": "request", "path": "/ready"}'
    request = '{"level": "info", "event": "request", "path": "/api/v1/runs"}'

    assert console.for_terminal("auth-service", probe) is None
    assert console.for_terminal("auth-service", request)


def test_a_traceback_stands_once_and_below_its_line():
    raw = json.dumps({"level": "error", "event": "broke", "exception": "Traceback\n  line 1"})

    assert console.render(console.parse(raw)) == "ERROR   broke\nTraceback\n  line 1"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("ModuleNotFoundError: No module named 'numpy'", "uv lock"),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'fastify'", "npm install"),
        ("migration 0001_runs.sql was changed after it had been applied", "new migration"),
        ("  JWT_SECRET: needs 32 random bytes", ".env.example"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "nox -s doctor"),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "nox -s status"),
        ("nothing that anybody knows", "nox -s logs -- portal"),
    ],
)
def test_the_likely_fix_follows_from_the_last_lines(line: str, word: str):
    assert word in likely_fix("portal", ["before", line, "after"], 1)


def test_a_pid_that_is_somebody_elses_now_is_never_signalled():
    me = Identity.of(os.getpid())
    assert me is not None
    earlier = Identity(me.pid, me.started - 1000)

    assert me.process is not None
    assert earlier.process is None
    assert not earlier.send(signal.SIGKILL)
    assert not earlier.send_group(signal.SIGKILL)


def test_a_torn_or_foreign_state_file_counts_as_no_state(tmp_path: Path):
    for text in ("", "{", "[]", '{"name": "portal"}', "null"):
        (tmp_path / "portal.json").write_text(text)
        assert states.read(tmp_path, "portal") is None


def test_the_summary_has_at_most_twenty_lines_and_names_what_failed(tmp_path: Path):
    workspace = Workspace(tmp_path, {})
    me = Identity(os.getpid(), time.time())
    (tmp_path / "seeded.json").write_text("{}")
    names = summary.expected()
    for name in names:
        State(name, "ready", me).save(workspace.states)
    State("portal", "failed", me, note="the reason").save(workspace.states)

    text = summary.block(workspace, 6.83, names, "rb_pat_x")

    assert len(text.splitlines()) <= 20
    assert "NOT ALL READY after 6.8 s, 10 of 11 processes answer" in text
    assert "portal failed: the reason" in text
    assert "demo@runbench.dev / demo-runbench-1" in text
    assert "RUNBENCH_TOKEN=rb_pat_x" in text


def test_logs_of_all_processes_are_merged_by_time(tmp_path: Path):
    (tmp_path / "a.log").write_text(
        "2026-01-01T00:00:01.000Z one\n2026-01-01T00:00:03.000Z three\n"
    )
    (tmp_path / "b.log").write_text("2026-01-01T00:00:02.000Z two\n")

    found = [line.split()[1] for _, line in logs.merged(tmp_path, ["a", "b"], 10)]

    assert found == ["one", "two", "three"]


def test_logs_can_be_asked_by_level_and_by_trace():
    line = '2026-01-01T00:00:01.000Z {"level": "info", "event": "x", "trace_id": "abcdef0123"}'

    assert logs.Filter("info", "abcd", 4).show("auth", line)
    assert logs.Filter("warning", "", 4).show("auth", line) is None
    assert logs.Filter("debug", "beef", 4).show("auth", line) is None


def test_the_sum_of_all_reports_is_said_in_the_words_of_pytest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "one.xml").write_text(
        "<testsuites><testsuite><testcase time='1'/><testcase time='2'><failure/></testcase>"
        "</testsuite></testsuites>"
    )
    (tmp_path / "two.xml").write_text(
        "<testsuites><testcase><skipped/></testcase><testcase/></testsuites>"
    )
    (tmp_path / "torn.xml").write_text("<testsuites>")

    tally.main([str(tmp_path), "3"])

    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "========== 2 failed, 2 passed, 1 skipped in 3.00s =========="


def test_equal_parts_of_two_services_are_shared():
    parts = {"schemas": {"Problem": {"type": "object"}, "Inside": {"type": "null"}}}
    problem = {"get": {"$ref": "#/components/schemas/Problem"}}
    inside = {"get": {"$ref": "#/components/schemas/Inside"}}
    one = {"paths": {"/api/v1/a": problem, "/ready": inside}, "components": parts}
    two = {"paths": {"/api/v1/b": problem}, "components": parts}

    merged = openapi.merge({"one": one, "two": two})

    assert list(merged["paths"]) == ["/api/v1/a", "/api/v1/b"]
    assert list(merged["components"]["schemas"]) == ["Problem"]


def test_unequal_parts_of_one_name_are_told_apart_by_their_service():
    def document(path: str, kind: str) -> dict[str, Any]:
        return {
            "paths": {path: {"get": {"$ref": "#/components/schemas/Answer"}}},
            "components": {
                "schemas": {
                    "Answer": {"type": kind, "items": {"$ref": "#/components/schemas/Answers"}},
                    "Answers": {"type": "array"},
                }
            },
        }

    merged = openapi.merge(
        {
            "auth-service": document("/auth/x", "string"),
            "metrics-service": document("/api/y", "null"),
        }
    )

    assert merged["paths"]["/auth/x"]["get"]["$ref"] == "#/components/schemas/Answer"
    assert merged["paths"]["/api/y"]["get"]["$ref"] == "#/components/schemas/MetricsAnswer"
    assert list(merged["components"]["schemas"]) == ["Answer", "Answers", "MetricsAnswer"]


def test_one_route_of_two_services_is_refused():
    one = {"paths": {"/api/v1/a": {"get": {}}}}
    two = {"paths": {"/api/v1/a": {"get": {"summary": "another"}}}}

    with pytest.raises(openapi.Conflict, match="also claims GET /api/v1/a"):
        openapi.merge({"one": one, "two": two})


def test_a_lock_with_a_mirror_or_without_a_platform_is_refused(tmp_path: Path):
    lock = tmp_path / "uv.lock"
    lock.write_text(
        'source = { registry = "https://pypi.org/simple" }\n'
        'wheels = [{ url = "https://mirror.example/a.whl" }]\n'
    )
    packages = {
        "node_modules/tool": {"optionalDependencies": {"@tool/linux": "1", "@tool/mac": "1"}},
        "node_modules/@tool/linux": {},
    }
    npm = tmp_path / "package-lock.json"
    npm.write_text(json.dumps({"packages": packages}))

    assert locks.foreign_hosts(lock) == ["mirror.example"]
    assert locks.missing_platforms(npm) == ["@tool/mac"]


def test_the_demo_is_the_same_every_time_and_has_every_kind_of_run():
    runs = [run for experiment in demo.experiments() for run in experiment.runs]
    endings = [run.ending for run in runs]
    values = [value for run in runs for curve in run.curves.values() for value in curve]
    groups = [run.tags["group"] for run in runs if "group" in run.tags]

    assert repr(demo.experiments()) == repr(demo.experiments())
    assert len(runs) == 42
    assert endings.count("failed") == 1
    assert endings.count(None) == 1
    assert {"NaN", "Infinity"} <= {value for value in values if isinstance(value, str)}
    assert max(groups.count(group) for group in groups) == 4
