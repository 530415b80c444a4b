import json
import logging
import time

import pytest
from server import CUT, TOKEN, Server
from support import until

import runbench
from runbench import settings
from runbench.recorder import BACKOFF_MOST, BATCH_BYTES, Backoff
from runbench.spool import is_busy, leftovers, read_records
from runbench.sync import sync


def points(server, run, key="x"):
    return server.series(run["id"], key)


def sync_all():
    """What `runbench sync` does, once the threads of earlier runs in this process have let go."""
    until(lambda: not any(is_busy(folder) for folder in leftovers(settings.spool_root())))
    return sync(settings.spool_root())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runbench.recorder.BACKOFF_FIRST", 0.02)
    monkeypatch.setattr("runbench.recorder.BACKOFF_MOST", 0.1)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("runbench.recorder.AWAY_PATIENCE", 0.3)


def test_a_script_starts_and_ends_without_a_server_and_sync_brings_all(online, spools, impatient):
    online.stop()
    with runbench.init(name="alone", config={"lr": 1}, tags=["t"]) as run:
        for step in range(100):
            run.log({"x": step})
        assert run.url == f"{online.url}/p/bench/runs"
        run.set_tags(late="yes")
    assert len(spools()) == 1
    online.start()
    (outcome,) = sync_all()
    assert outcome.result == "sent"
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert stored["tags"] == {"t": "", "late": "yes"}
    assert points(online, stored) == [(step, float(step)) for step in range(100)]
    assert spools() == []
    assert sync_all() == []
    assert len(online.runs) == 1


def test_a_server_that_goes_and_returns_during_training_gets_everything_once(online):
    with runbench.init() as run:
        for step in range(50):
            run.log({"x": step})
        run.flush(sent=True)
        online.stop()
        for step in range(50, 100):
            run.log({"x": step})
            run.flush()
        assert not run.flush(sent=True, timeout=0.2)
        online.start()
        for step in range(100, 150):
            run.log({"x": step})
    assert points(online, online.only_run()) == [(step, float(step)) for step in range(150)]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_refusals_are_tried_again(online, status):
    online.fail("", status, times=2)
    online.fail("POST .*/metrics", status, times=2)
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_an_answer_cut_off_after_the_commit_changes_nothing_twice(online):
    for match in ("POST .*/experiments$", "POST .*/runs$", "POST .*/metrics", "PATCH"):
        online.fail(match, CUT, times=1)
    with runbench.init() as run:
        run.log({"x": 1.0})
        run.set_tags(a="b")
    assert len(online.experiments) == 1
    stored = online.only_run()
    assert points(online, stored) == [(0, 1.0)]
    assert online.duplicates == 1
    assert (stored["tags"], stored["status"]) == ({"a": "b"}, "succeeded")


def test_the_server_s_retry_after_is_kept(online):
    online.fail("POST .*/metrics", 429, times=1, headers={"Retry-After": "1"})
    with runbench.init() as run:
        run.log({"x": 1.0})
        run.flush()
        until(lambda: online.count("POST .*/metrics") == 1)
        started = time.monotonic()
        run.flush(sent=True)
        assert time.monotonic() - started > 0.8
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_waiting_times_double_spread_and_stay_bounded(monkeypatch):
    monkeypatch.undo()
    pause = Backoff()
    waits = [pause.next(None) for _ in range(30)]
    assert max(waits[:1]) <= 0.5
    assert max(waits) <= BACKOFF_MOST
    assert len(set(waits)) == 30
    assert pause.next(7.0) >= 7.0
    assert pause.next(1e9) <= 310.0


@pytest.mark.parametrize("status", [413, 422])
def test_one_point_that_the_server_refuses_costs_only_itself(online, spools, status, caplog):
    if status == 413:
        online.fail(
            "POST .*/metrics", 413, times=10_000,
            when=lambda body: sum(len(s["step"]) for s in body["series"]) > 4,
        )  # fmt: skip
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for step in range(40):
            run.log({"x": step, "y": -step})
        run.log({"forbidden/key": 1.0})
    stored = online.only_run()
    assert sorted(points(online, stored, "x")) == [(step, float(step)) for step in range(40)]
    assert sorted(points(online, stored, "y")) == [(step, float(-step)) for step in range(40)]
    assert stored["status"] == "succeeded"
    (folder,) = spools()
    (line,) = (folder / "refused.jsonl").read_text().splitlines()
    assert json.loads(line)["record"]["series"][0]["key"] == "forbidden/key"
    assert "422" in json.loads(line)["reason"]
    assert caplog.text.count("the server refused a record") == 1
    (outcome,) = sync_all()
    assert (outcome.result, outcome.refused) == ("sent", 1)
    assert stored["status"] == "succeeded"
    sync(settings.spool_root(), discard_refused=True)
    assert spools() == []


def test_a_clock_that_is_far_ahead_costs_the_times_but_no_points(online, monkeypatch):
    with runbench.init() as run:
        monkeypatch.setattr("time.time_ns", lambda: int(4e18))
        for step in range(5):
            run.log({"x": step})
        monkeypatch.undo()
        run.flush(sent=True)
        kept = online.points[online.only_run()["id"]]
    assert [(step, value, when) for _, step, value, when in kept] == [
        (step, float(step), 0) for step in range(5)
    ]


def test_a_server_that_refuses_everything_is_not_asked_for_ever(online, spools):
    with runbench.init() as run:
        for step in range(3000):
            run.log({"forbidden": step}, step=step)
    assert online.count("POST .*/metrics") < 500
    kept = [json.loads(line) for line in (spools()[0] / "refused.jsonl").read_text().splitlines()]
    steps = [step for line in kept for s in line["record"]["series"] for step in s["step"]]
    assert sorted(steps) == list(range(3000))


def test_a_refused_param_does_not_cost_the_run(online, caplog):
    with caplog.at_level(logging.WARNING), runbench.init(config={"a": 1, "b": "unwanted"}) as run:
        run.log({"x": 1.0})
    stored = online.only_run()
    assert stored["params"] == {"a": 1}
    assert points(online, stored) == [(0, 1.0)]
    assert "#/params/b" in caplog.text


@pytest.mark.parametrize(
    ("status", "word"), [(401, "login"), (403, "may not write"), (404, "404"), (302, "redirects")]
)
def test_a_refusal_of_the_whole_is_said_once_and_never_hammered(
    online, spools, caplog, status, word
):
    online.fail("POST .*/metrics", status, times=10_000, headers={"Location": "http://evil.test/"})
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for step in range(5):
            run.log({"x": step})
            run.flush()
            time.sleep(0.05)
    assert online.count("POST .*/metrics") == 1
    assert sum(word in record.getMessage() for record in caplog.records) == 1
    assert len(spools()) == 1
    online.faults.clear()
    (outcome,) = sync_all()
    assert outcome.result == "sent"
    stored = online.only_run()
    assert points(online, stored) == [(step, float(step)) for step in range(5)]
    assert stored["status"] == "succeeded"


def test_a_redirect_never_carries_the_token_elsewhere(online):
    other = Server()
    try:
        online.fail("", 307, times=10_000, headers={"Location": other.url + "/api/v1/projects"})
        with runbench.init() as run:
            run.log({"x": 1.0})
        assert other.requests == []
    finally:
        other.stop()


def test_a_page_of_some_portal_in_between_is_no_acknowledgement(online):
    online.fail("", 200, times=3, raw=b"<html>please sign in to the wifi</html>")
    online.fail("POST .*/metrics", 200, times=2, raw=b"<html></html>")
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_an_unknown_project_is_said_and_everything_kept(online, spools, caplog):
    with caplog.at_level(logging.WARNING), runbench.init("nowhere") as run:
        run.log({"x": 1.0})
    assert "there is no project 'nowhere'" in caplog.text
    (outcome,) = sync_all()
    assert outcome.result == "refused"
    online.projects.append({**online.project, "id": "p2", "slug": "nowhere", "name": "Nowhere"})
    (outcome,) = sync_all()
    assert outcome.result == "sent"
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_without_a_token_the_run_is_kept_for_later(online, monkeypatch, caplog, spools):
    monkeypatch.delenv("RUNBENCH_TOKEN")
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.log({"x": 1.0})
    assert "runbench login" in caplog.text
    assert online.requests == []
    monkeypatch.setenv("RUNBENCH_TOKEN", TOKEN)
    assert [o.result for o in sync_all()] == ["sent"]
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_offline_runs_go_to_the_server_of_the_day_they_are_sent(online, monkeypatch, spools):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    with runbench.init(config={"a": 1}) as run:
        run.log({"x": 1.0})
    assert online.requests == []
    assert len(spools()) == 1
    assert [o.result for o in sync_all()] == ["sent"]
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert stored["environment"]["python"]
    assert points(online, stored) == [(0, 1.0)]


def test_a_run_recorded_for_one_server_is_not_sent_to_another(
    online, monkeypatch, spools, impatient
):
    online.stop()
    runbench.init(name="mine").finish()
    other = Server()
    try:
        monkeypatch.setenv("RUNBENCH_URL", other.url)
        (outcome,) = sync_all()
        assert outcome.result == "refused"
        assert "no token" in outcome.reason
        assert other.requests == []
        (outcome,) = sync(settings.spool_root(), url=other.url)
        assert outcome.result == "sent"
        assert [run["name"] for run in other.runs.values()] == ["mine"]
    finally:
        other.stop()


def test_sync_leaves_alone_what_is_being_recorded(online, spools):
    with runbench.init() as run:
        run.log({"x": 1.0})
        run.flush()
        assert [o.result for o in sync(settings.spool_root())] == ["recording"]
    assert points(online, online.only_run()) == [(0, 1.0)]


def test_sync_that_fails_half_way_goes_on_where_it_was(online, monkeypatch, spools, impatient):
    monkeypatch.setattr("runbench.sync.TRIES", 2)
    online.stop()
    with runbench.init() as run:
        for step in range(5):
            run.log({"x": step})
            run.flush()
    online.start()
    sent = 0

    def third(body):
        nonlocal sent
        sent += 1
        return sent >= 3

    fault = online.fail("POST .*/metrics", 503, times=10_000, when=third)
    (outcome,) = sync_all()
    assert outcome.result == "unreachable"
    fault.times = 0
    assert [o.result for o in sync_all()] == ["sent"]
    assert points(online, online.only_run()) == [(step, float(step)) for step in range(5)]
    assert online.duplicates == 0


def test_an_archived_run_takes_nothing_more_and_says_so(online, caplog):
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.flush(sent=True)
        assert run.id
        online.only_run()["status"] = "archived"
        run.log({"x": 1.0})
    assert "Run archived" in caplog.text


def test_more_than_the_queue_holds_is_dropped_counted_and_said_once(online, monkeypatch, caplog):
    monkeypatch.setenv("RUNBENCH_QUEUE_MB", "0.01")
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for step in range(20_000):
            run.log({"x": step}, step=step)
        dropped = run._recorder.dropped
    kept = points(online, online.only_run())
    assert 0 < len(kept) < 20_000
    assert len(kept) + dropped == 20_000
    assert caplog.text.count("some are dropped") == 1


def test_a_spool_that_may_not_grow_drops_metrics_but_not_the_ending(online, monkeypatch, impatient):
    monkeypatch.setenv("RUNBENCH_SPOOL_MB", "0.002")
    online.stop()
    with runbench.init() as run:
        for step in range(100):
            run.log({"x": step})
            run.flush()
    online.start()
    sync_all()
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert 0 < len(points(online, stored)) < 100


def test_a_home_that_cannot_be_written_to_still_records(online, monkeypatch, tmp_path, caplog):
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("RUNBENCH_DIR", str(tmp_path / "blocked" / "x"))
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.log({"x": 1.0})
    assert "cannot write" in caplog.text
    stored = online.only_run()
    assert (points(online, stored), stored["status"]) == ([(0, 1.0)], "succeeded")


def test_finish_waits_no_longer_than_it_is_told(online, spools):
    online.fail("POST .*/metrics", 503, times=10_000, headers={"Retry-After": "60"})
    run = runbench.init()
    run.log({"x": 1.0})
    until(lambda: online.count("POST .*/metrics") == 1)
    started = time.monotonic()
    run.finish(timeout=0.5)
    assert time.monotonic() - started < 10
    online.faults.clear()
    assert [o.result for o in sync_all()] in (["sent"], [])
    assert points(online, online.only_run()) == [(0, 1.0)]


@pytest.mark.parametrize("raw", [b"[]", b"{}", b'"ok"', b"null", b'{"accepted": "yes"}'])
def test_json_that_acknowledges_nothing_is_no_acknowledgement(online, raw):
    online.fail("POST .*/runs$", 200, times=2, raw=raw)
    online.fail("POST .*/metrics", 200, times=2, raw=raw)
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert points(online, online.only_run()) == [(0, 1.0)]
    assert len(online.runs) == 1


def test_one_run_that_the_server_fails_on_does_not_keep_the_others(online, monkeypatch, impatient):
    monkeypatch.setattr("runbench.sync.TRIES", 2)
    online.stop()
    for name in ("poison", "sound"):
        with runbench.init(name=name) as run:
            run.log({"x": 1.0})
    online.start()
    online.fail("POST .*/runs$", 500, times=10_000, when=lambda body: body["name"] == "poison")
    assert sorted(outcome.result for outcome in sync_all()) == ["sent", "unreachable"]
    assert [run["name"] for run in online.runs.values()] == ["sound"]
    online.faults.clear()
    assert [outcome.result for outcome in sync_all()] == ["sent"]


def test_batches_are_cut_by_their_bytes_too(online):
    online.stop()
    with runbench.init(capture=False) as run:
        run.log({f"{number:04}" + "ключ" * 60: 1.0 for number in range(3000)})
        run.flush()
        folder = run._recorder.spool.folder
        sizes = [len(record) for record in read_records(folder)]
        online.start()
    assert len(online.points[online.only_run()["id"]]) == 3000
    assert max(sizes) < 2 * BATCH_BYTES
