"""Files of a run: logged while it is recorded, sent in the background, whatever happens."""

import hashlib
import json
import logging
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from files import PART_BYTES
from server import CUT
from support import needs_fork, script, until

import runbench
from runbench import direct, media, settings
from runbench.api import Api
from runbench.file_upload import send_file
from runbench.outbox import Outgoing
from runbench.spool import is_busy, leftovers
from runbench.sync import sync


def stored(online):
    return {key.partition("/")[2]: content for key, content in online.files.items()}


def sync_all():
    until(lambda: not any(is_busy(folder) for folder in leftovers(settings.spool_root())))
    return sync(settings.spool_root())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("runbench.recorder.BACKOFF_FIRST", 0.02)
    monkeypatch.setattr("runbench.recorder.BACKOFF_MOST", 0.1)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("runbench.recorder.AWAY_PATIENCE", 0.3)


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr("runbench.file_upload.PARTS_FROM", 2 * PART_BYTES)
    monkeypatch.setattr("runbench.outbox.COPIED_BYTES", PART_BYTES)


def test_files_folders_and_content_arrive_with_the_end_of_the_run(online, spools, tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    out = tmp_path / "out"
    for name in ("a.txt", "deep/b.bin", "deep/c.tmp", "__pycache__/x.pyc", ".git/config"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(name.encode())
    with runbench.init() as run:
        run.log({"x": 1.0})
        run.log_artifact(tmp_path / "model.pt")
        run.log_artifact(str(tmp_path / "model.pt"), "models/best.pt")
        run.log_artifact(out, ignore=["*.tmp"])
        run.log_artifacts(out, "copy", ignore=["deep"])
        run.log_text("# hé", "report.md")
        run.log_text("plain", "notes")
        run.log_json({"a": float("nan"), "b": [1, (2,)], 3: None}, "facts")
        (tmp_path / "model.pt").write_bytes(b"other weights of later")
    assert stored(online) == {
        "model.pt": b"weights",
        "models/best.pt": b"weights",
        "out/a.txt": b"a.txt",
        "out/deep/b.bin": b"deep/b.bin",
        "copy/a.txt": b"a.txt",
        "report.md": "# hé".encode(),
        "notes.txt": b"plain",
        "facts.json": media.json_bytes({"a": "NaN", "b": [1, [2]], "3": None}),
    }
    assert spools() == []


def test_the_end_is_told_when_the_files_are_there(online):
    online.fail("PUT .*/artifacts/", 503, times=3)
    with runbench.init() as run:
        run.log_text("x" * 1000, "x.txt")
    order = [f"{method} {path}" for method, path in online.requests]
    last = max(n for n, request in enumerate(order) if "/artifacts/" in request)
    assert last < next(n for n, request in enumerate(order) if request.startswith("PATCH"))
    assert online.only_run()["status"] == "succeeded"


@pytest.mark.parametrize("size", [0, 1, PART_BYTES * 2, PART_BYTES * 5 + 7])
def test_a_large_file_goes_in_parts_that_break_off_and_go_on(online, in_parts, tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "big").write_bytes(content)
    online.fail("PUT .*/parts/2", CUT)
    online.fail("PUT .*/parts/1", 503)
    online.fail("POST .*/complete", CUT)
    with runbench.init() as run:
        run.log_artifact(tmp_path / "big")
    assert stored(online) == {"big": content}
    if size >= PART_BYTES * 2:
        assert len(online.files.uploads) == 1, "one upload, gone on with"


def test_of_several_files_of_one_path_the_last_one_counts(online, in_parts, tmp_path):
    last = tmp_path / "last.ckpt"
    with runbench.init() as run:
        online.stop()
        for epoch in range(20):
            last.write_bytes(bytes([epoch]) * PART_BYTES * 3)
            run.log_artifact(last)
        run.log_text("1", "note.txt")
        run.log_text("2", "note.txt")
        online.start()
        assert run.flush(sent=True, timeout=60)
        assert stored(online) == {"last.ckpt": bytes([19]) * PART_BYTES * 3, "note.txt": b"2"}
    assert len(online.files.history) <= 4, "what gave way was not sent"


def test_a_large_file_may_be_deleted_or_replaced_but_not_written_to(
    online, in_parts, tmp_path, caplog, spools
):
    names = ("deleted", "replaced", "written")
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * PART_BYTES)
    online.stop()
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for name in names:
            run.log_artifact(tmp_path / name)
        (tmp_path / "deleted").unlink()
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "new").replace(tmp_path / "replaced")
        with (tmp_path / "written").open("r+b") as file:
            file.write(b"!")
        online.start()
    assert stored(online) == {name: name.encode() * PART_BYTES for name in names[:2]}
    assert "written was written to after it was logged" in caplog.text
    (folder,) = spools()
    (line,) = (folder / "refused.jsonl").read_text().splitlines()
    assert json.loads(line)["record"]["path"] == "written"
    (outcome,) = sync_all()
    assert (outcome.result, outcome.refused) == ("sent", 1)
    sync(settings.spool_root(), discard_refused=True)
    assert spools() == []


def test_what_cannot_be_logged_is_said_and_stops_nothing(online, tmp_path, caplog, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.log_artifact(tmp_path / "none.txt")
        run.log_artifact(tmp_path / "pipe")
        run.log_text("x", "../outside")
        run.log_artifacts(tmp_path / "nowhere")
        run.log_figure(object(), "figure")
        run.log_table([[1]], "table")
        run.log_image("text", "image")
        run.log({"x": 1.0})
    for words in ("is not there", "is no file", "..", "is no folder", "matplotlib", "columns"):
        assert words in caplog.text
    assert stored(online) == {}
    assert online.only_run()["status"] == "succeeded"
    monkeypatch.setenv("RUNBENCH_STRICT", "1")
    with runbench.init() as run, pytest.raises(FileNotFoundError):
        run.log_artifact(tmp_path / "none.txt")
    with pytest.raises(RuntimeError, match="is over"):
        run.log_text("x", "x.txt")


def test_a_refused_file_costs_only_itself_and_is_kept_aside(online, spools, caplog):
    online.fail("PUT .*/artifacts/large", 413)
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.log_text("1", "forbidden/a.txt")
        run.log_text("2", "large.txt")
        run.log_text("3", "fine.txt")
    assert stored(online) == {"fine.txt": b"3"}
    assert online.only_run()["status"] == "succeeded"
    (folder,) = spools()
    kept = [json.loads(line) for line in (folder / "refused.jsonl").read_text().splitlines()]
    assert {line["record"]["path"] for line in kept} == {"forbidden/a.txt", "large.txt"}
    assert {Path(line["record"]["kept"]).read_bytes() for line in kept} == {b"1", b"2"}
    assert {line["reason"][:3] for line in kept} == {"422", "413"}
    assert caplog.text.count("the server refused") == 1
    assert sync_all()[0].refused == 2


@pytest.mark.parametrize(
    ("status", "words"), [(401, "login"), (403, "may not write"), (404, "404")]
)
def test_a_refusal_of_all_files_is_said_once_and_sync_sends_them_later(
    online, spools, caplog, status, words
):
    online.fail("PUT .*/artifacts/", status, times=1000)
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        for number in range(20):
            run.log_text("x", f"{number}.txt")
            run.log({"x": number})
        assert not run.flush(sent=True, timeout=20)
    assert online.count("PUT .*/artifacts/") <= 6
    assert sum(words in record.getMessage() for record in caplog.records) == 1
    assert len(online.series(online.only_run()["id"], "x")) == 20
    assert online.only_run()["status"] == "succeeded"
    assert len(spools()) == 1
    (outcome,) = sync_all()
    assert outcome.result == "refused"
    online.faults.clear()
    (outcome,) = sync_all()
    assert (outcome.result, outcome.files) == ("sent", 20)
    assert len(stored(online)) == 20
    assert spools() == []


def test_without_a_server_files_wait_on_disk_and_the_script_ends_in_time(
    online, spools, impatient, tmp_path, capfd
):
    (tmp_path / "file").write_bytes(b"content")
    online.stop()
    started = time.monotonic()
    with runbench.init() as run:
        run.log_artifact(tmp_path / "file")
        run.log_text("x", "x.txt")
    assert time.monotonic() - started < 5
    assert "2 files (0.0 MB) not sent yet" in capfd.readouterr().err
    (tmp_path / "file").unlink()
    online.start()
    (outcome,) = sync_all()
    assert (outcome.result, outcome.files) == ("sent", 2)
    assert stored(online) == {"file": b"content", "x.txt": b"x"}
    assert online.only_run()["status"] == "succeeded"
    assert spools() == []


def test_when_only_files_cannot_be_sent_the_run_ends_all_the_same(online, spools, impatient):
    online.fail("PUT .*/artifacts/", 503, times=10_000)
    with runbench.init() as run:
        run.log_text("x", "x.txt")
        run.log({"x": 1.0})
    assert online.only_run()["status"] == "succeeded"
    assert len(spools()) == 1
    with runbench.init(mode="offline") as run:
        run.log_text("y", "y.txt")
    online.faults.clear()
    assert {outcome.result for outcome in sync_all()} == {"sent"}
    assert stored(online) == {"x.txt": b"x", "y.txt": b"y"}


def test_a_run_that_goes_on_brings_the_files_that_were_left(online, spools, impatient):
    first = runbench.init()
    run_id = first.id
    online.fail("PUT .*/artifacts/", 503, times=10_000)
    first.log_text("old", "both.txt")
    first.log_text("old", "old.txt")
    first.finish()
    online.faults.clear()
    until(lambda: not any(is_busy(folder) for folder in leftovers(settings.spool_root())))
    with runbench.resume(run_id) as run:
        run.log_text("new", "both.txt")
    assert stored(online) == {"both.txt": b"new", "old.txt": b"old"}
    assert spools() == []


KILLED = """
import os, sys, runbench
run = runbench.init(capture=False)
os.makedirs("made", exist_ok=True)
os.write(1, b"started\\n")
for number in range(100_000):
    name = f"made/{number}.bin"
    with open(name, "wb") as file:
        file.write(number.to_bytes(4, "little") * (1000 if number % 10 else 6_000_000))
    run.log_artifact(name)
    os.unlink(name)
    run.log_text(str(number), "latest.txt")
    os.write(1, f"{number}\\n".encode())
"""


@pytest.mark.parametrize("away", [False, True], ids=["server there", "server away"])
def test_a_script_killed_while_it_sends_files_loses_none(online, spools, tmp_path, away):
    run_ids = set()
    for seconds in (0.1, 0.4, 0.9):
        process = script(KILLED, cwd=tmp_path)
        process.stdout.readline()
        if away:
            until(lambda: len(online.runs) > len(run_ids))
            online.stop()
        time.sleep(seconds)
        process.kill()
        said = process.communicate(timeout=30)[0].split()
        if away:
            online.start()
        assert all(outcome.result == "sent" for outcome in sync(settings.spool_root()))
        assert spools() == []
        (run_id,) = set(online.runs) - run_ids
        run_ids.add(run_id)
        last = int(said[-1]) if said else -1
        files = {k.partition("/")[2]: c for k, c in online.files.items() if run_id in k}
        for number in range(last + 1):
            content = files[f"made/{number}.bin".partition("/")[2]]
            assert content[:4] == content[-4:] == number.to_bytes(4, "little")
            assert len(content) == (4000 if number % 10 else 24_000_000)
        if last >= 0:
            assert int(files["latest.txt"]) >= last


def test_a_killed_upload_in_parts_goes_on_with_the_parts_that_are_there(
    online, spools, tmp_path, monkeypatch
):
    monkeypatch.setattr("runbench.file_upload.PARTS_FROM", 2 * PART_BYTES)
    content = os.urandom(PART_BYTES * 20)
    (tmp_path / "big").write_bytes(content)
    online.fail("PUT .*/parts/20", 503, times=10_000)
    process = script(
        "import runbench.file_upload, runbench, time\n"
        f"runbench.file_upload.PARTS_FROM = {2 * PART_BYTES}\n"
        "run = runbench.init(capture=False)\n"
        f"run.log_artifact({str(tmp_path / 'big')!r})\n"
        "time.sleep(60)\n"
    )
    until(lambda: any(len(u["contents"]) >= 15 for u in online.files.uploads.values()))
    process.kill()
    process.communicate(timeout=30)
    online.faults.clear()
    (upload,) = online.files.uploads.values()
    there = set(upload["contents"])
    before = online.count("PUT .*/parts/")
    assert [outcome.files for outcome in sync(settings.spool_root())] == [1]
    assert online.count("PUT .*/parts/") - before == 20 - len(there)
    assert stored(online) == {"big": content}
    assert spools() == []


@needs_fork
def test_a_forked_child_sends_no_files_of_its_parent(online):
    process = script(
        "import os, warnings, runbench\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "with runbench.init() as run:\n"
        "    run.log_text('1', 'parent.txt')\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        run.log_text('2', 'child.txt')\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "    run.log_text('3', 'after.txt')\n"
    )
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert stored(online) == {"parent.txt": b"1", "after.txt": b"3"}


def test_a_spool_that_is_full_or_read_only_still_brings_what_it_can(
    online, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("RUNBENCH_SPOOL_MB", "0.001")
    (tmp_path / "file").write_bytes(b"f" * 5000)
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.log_artifact(tmp_path / "file")
        run.log_text("x" * 2000, "x.txt")
        run.log_text("y", "y.txt")
    assert stored(online) == {"file": b"f" * 5000, "y.txt": b"y"}
    assert "the spool is full" in caplog.text
    monkeypatch.setenv("RUNBENCH_DIR", "/proc/none")
    with runbench.init() as run:
        run.log_text("in memory", "z.txt")
        run.log_artifact(tmp_path / "file", "again")
    assert stored(online)["z.txt"] == b"in memory"
    assert stored(online)["again"] == b"f" * 5000


def test_logging_a_file_takes_no_network_and_little_time(online, tmp_path):
    online.stop()
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number}.txt").write_text(str(number))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(4 * 1024**3)
    run = runbench.init(mode="offline")
    started = time.perf_counter()
    run.log_artifact(tmp_path / "huge")
    huge = time.perf_counter() - started
    run.log_artifact(folder)
    many = time.perf_counter() - started - huge
    run.finish()
    assert huge < 0.5, "a link, no copy"
    assert many < 5.0


def test_nothing_is_logged_where_nothing_is_recorded(online, tmp_path, spools):
    run = runbench.init(mode="disabled")
    run.log_text("x", "x.txt")
    run.log_artifact(tmp_path / "none")
    assert run.artifacts() == []
    run.finish()
    assert (stored(online), spools()) == ({}, [])


def test_used_files_are_checked_kept_and_recorded(online, tmp_path, environment):
    with runbench.init(name="maker") as maker:
        maker.log_text("data", "sets/train.csv")
        maker.log_text("more", "sets/deep/test.csv")
    (made,) = runbench.runs(q="maker")
    assert {file.path: file.read() for file in made.artifacts()} == {
        "sets/train.csv": b"data",
        "sets/deep/test.csv": b"more",
    }
    ids = {file.path: file.id for file in made.artifacts("sets")}
    with runbench.init() as run:
        first = run.use_artifact("maker:sets/train.csv", role="dataset")
        assert first.name == "train.csv"
        assert first.is_relative_to(environment)
        before = online.count("GET .*/artifacts/sets")
        assert run.use_artifact(ids["sets/train.csv"]) == first
        assert run.use_artifact(made.artifact("sets/train.csv")) == first
        assert online.count("GET .*/artifacts/sets") == before, "it is here already"
        first.write_text("meddled with")
        assert run.use_artifact(f"{made.id}:sets/train.csv").read_text() == "data"
        folder = run.use_artifact("maker:sets/", to=tmp_path / "here")
        assert (folder / "deep" / "test.csv").read_text() == "more"
        for wrong in ("maker:none", "nobody:x", "no id", str(made.id), "maker:none/"):
            with pytest.raises(LookupError):
                run.use_artifact(wrong)
        run_id = run.id
    used = [(artifact, body) for where, artifact, body in online.files.inputs if where == run_id]
    assert (ids["sets/train.csv"], {"role": "dataset"}) in used
    assert {artifact for artifact, _ in used} == set(ids.values())


def test_a_file_that_is_gone_by_the_time_its_use_is_recorded_stops_nothing(online, caplog):
    with runbench.init(name="maker") as maker:
        maker.log_text("data", "train.csv")
    online.fail("PUT .*/inputs/", 404)
    with caplog.at_level(logging.WARNING), runbench.init() as run:
        run.use_artifact("maker:train.csv")
        run.log({"x": 1.0})
        run_id = run.id
    assert online.series(run_id, "x") == [(0, 1.0)]
    assert online.runs[run_id]["status"] == "succeeded"
    assert "the server refused a record" in caplog.text


HOSTILE = ["../out", "a/../../out", "/etc/out", "a\\..\\..\\out", "C:out", "a/./b", "", "a\x00b"]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_server_writes_nothing_outside_of_the_folder(online, tmp_path, path):
    with runbench.init() as run:
        run.log_text("evil", "good.txt")
        run.flush(sent=True)
        (file,) = run.artifacts()
        online.files.lies["path"] = path
        (tmp_path / "a").mkdir()
        before = set(tmp_path.rglob("*"))
        with pytest.raises(ValueError, match="a file's path"):
            run.use_artifact(run.artifacts()[0], to=tmp_path / "to")
        assert set(tmp_path.rglob("*")) - before <= {tmp_path / "to"}
    assert file.path == "good.txt"


def test_a_link_in_the_folder_leads_nothing_out_of_it(online, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    to = tmp_path / "to"
    to.mkdir()
    (to / "deep").symlink_to(outside)
    (to / "plain.txt").symlink_to(outside / "plain.txt")
    (outside / "plain.txt").write_text("kept")
    with runbench.init() as run:
        run.log_text("evil", "deep/more/x.txt")
        run.log_text("new", "plain.txt")
    (stored_run,) = runbench.runs()
    with pytest.raises(ValueError, match="leads out of"):
        stored_run.artifact("deep/more/x.txt").download(to)
    assert stored_run.artifact("plain.txt").download(to).read_text() == "new"
    assert (outside / "plain.txt").read_text() == "kept"
    assert sorted(path.name for path in outside.iterdir()) == ["plain.txt"]


def test_content_that_is_not_what_the_server_says_is_not_kept(online, tmp_path, monkeypatch):
    with runbench.init() as run:
        run.log_text("evil", "x.txt")
    (stored_run,) = runbench.runs()
    online.files.lies["sha256"] = hashlib.sha256(b"good").hexdigest()
    monkeypatch.setattr("runbench.downloads.TRIES", 2)
    (file,) = stored_run.artifacts()
    for read in (lambda: file.download(tmp_path / "to"), file.read):
        with pytest.raises((ValueError, runbench.Unreachable)):
            read()
    assert [p for p in (tmp_path / "to").rglob("*") if not p.name.endswith("part")] == []


def test_the_longest_name_that_a_file_may_have_comes_back(online, tmp_path):
    name = "ы" * 125 + ".txt"
    with runbench.init() as run:
        run.log_text("x", name)
    assert runbench.runs()[0].artifact(name).download(tmp_path).read_text() == "x"


def test_a_download_in_pieces_breaks_off_and_goes_on(online, tmp_path, monkeypatch):
    monkeypatch.setattr("runbench.downloads.PIECE_BYTES", 10_000)
    monkeypatch.setattr("runbench.downloads.TRIES", 1)
    content = os.urandom(95_001)
    (tmp_path / "big").write_bytes(content)
    with runbench.init() as run:
        run.log_artifact(tmp_path / "big")
    (file,) = runbench.runs()[0].artifacts()
    online.fail("GET .*/artifacts/big", 503, times=1000, when=lambda _: len(online.requests) % 2)
    seen = 0
    while True:
        seen += 1
        try:
            file.download(tmp_path / "to")
            break
        except runbench.ApiError:
            assert not (tmp_path / "to" / "big").exists()
        online.requests.append(("GET", "nothing"))
    assert (tmp_path / "to" / "big").read_bytes() == content
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["big"]
    before = online.count("GET .*/artifacts/big")
    file.download(tmp_path / "to")
    assert online.count("GET .*/artifacts/big") == before


def test_a_server_that_refuses_a_large_body_unread_is_heard(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 30_000_000)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse():
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(
                    b"HTTP/1.1 413 Too Large\r\nContent-Type: application/problem+json\r\n"
                    b"Content-Length: 22\r\nConnection: close\r\n\r\n"
                    b'{"title": "Too large"}'
                )
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        with Api(f"http://127.0.0.1:{listening.getsockname()[1]}", "t") as api:
            file = Outgoing.of("big", tmp_path / "big")
            with pytest.raises(runbench.ApiError, match="413 Too large"):
                send_file(api, "run", file)
        thread.join()


def test_a_proxy_of_the_environment_is_used_for_large_files_too(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert direct.proxied("http://bench.example")
    assert not direct.proxied("https://bench.example")
    monkeypatch.setenv("no_proxy", "bench.example")
    assert not direct.proxied("http://bench.example")
