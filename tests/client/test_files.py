"""Files of runs between the Python client and the real services."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
import runbench
from runbench.api import Api
from runbench.outbox import digest_of

from scripts.stack import Stack
from tests.client.test_recording import Bench, bench

__all__ = ["bench"]

MADE = """
import os, sys, runbench
run = runbench.init(name="maker", capture=False)
for number in range({count}):
    name = f"{number}.bin"
    with open(name, "wb") as file:
        file.write(number.to_bytes(4, "little") * ({size} if number % 8 == 7 else 999))
    run.log_artifact(name, f"made/{number}.bin")
    os.unlink(name)
    run.log({"x": number})
    print(number, flush=True)
"""


def contents(run: runbench.StoredRun) -> dict[str, bytes]:
    return {file.path: file.read() for file in run.artifacts()}


def test_files_come_to_the_server_and_back(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "глубоко").mkdir(parents=True)
    (folder / "глубоко" / "a b%20#?.txt").write_text("one")
    (folder / "empty").touch()
    large = os.urandom(70 * 1024 * 1024)
    (folder / "large.bin").write_bytes(large)
    with runbench.init(name="maker") as run:
        run.log_artifact(folder)
        run.log_text("first", "report.md")
        run.log_text("# second", "report.md")
        run.log_table({"x": [1, 2]}, "table")
    (stored,) = runbench.runs(q="maker")
    found = contents(stored)
    assert found.pop("table.parquet")[:4] == b"PAR1"
    assert found == {
        "out/глубоко/a b%20#?.txt": b"one",
        "out/empty": b"",
        "out/large.bin": large,
        "report.md": b"# second",
    }
    assert {file.approved for file in stored.artifacts()} == {False}
    to = tmp_path / "to"
    bench.command("artifacts", "get", "maker", "out", "--to", str(to))
    assert (to / "out" / "large.bin").read_bytes() == large
    bench.command("artifacts", "get", "maker", "--to", str(to))
    assert "5 of 5 files" in bench.command("artifacts", "verify", "maker", str(to))
    again = json.loads(bench.command("artifacts", "put", "maker", str(folder), "--json"))
    assert [entry["sent"] for entry in again] == [False, False, False]
    bench.command("artifacts", "rm", "maker", "out", "-r")
    listed = json.loads(bench.command("artifacts", "ls", "maker", "--json"))
    assert [entry["path"] for entry in listed] == ["report.md", "table.parquet"]


def test_used_files_are_recorded_as_inputs(bench: Bench, tmp_path: Path) -> None:
    with runbench.init(name="maker") as maker:
        maker.log_text("data", "sets/train.csv")
        maker.log_text("more", "sets/test.csv")
    (made,) = runbench.runs(q="maker")
    with runbench.init(name="user") as run:
        place = run.use_artifact("maker:sets/train.csv", role="training")
        assert place.read_text() == "data"
        assert run.use_artifact(made.artifact("sets/train.csv").id, role="training") == place
        folder = run.use_artifact("maker:sets/", to=tmp_path)
        assert (folder / "test.csv").read_text() == "more"
        run_id = run.id
    with Api(bench.variables["RUNBENCH_URL"], bench.variables["RUNBENCH_TOKEN"]) as api:
        inputs = list(api.items(f"/api/v1/runs/{run_id}/inputs"))
        assert {entry["path"] for entry in inputs} == {"sets/train.csv", "sets/test.csv"}
        uses = api.get(f"/api/v1/artifacts/{made.artifact('sets/train.csv').id}/uses")
    assert [use["run_id"] for use in uses["items"]] == [run_id]


@pytest.mark.parametrize("name", ["artifact-service", "api-gateway"])
def test_killing_a_service_while_files_are_sent_loses_none(
    stack: Stack, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = MADE.replace("{count}", "40").replace("{size}", "20_000_000")
    script = bench.python(text + "run.finish()\n")
    assert script.stdout is not None
    while script.stdout.readline() != "8\n":
        pass
    victim = stack.identity(name)
    os.kill(victim.pid, signal.SIGKILL)
    _, said = script.communicate(timeout=180)
    assert script.returncode == 0, said
    stack.wait_until_ready(name, other_than=victim)
    bench.command("sync")
    (stored,) = runbench.runs(q="maker")
    found = contents(stored)
    for number in range(40):
        length = 20_000_000 if number % 8 == 7 else 999
        assert found[f"made/{number}.bin"] == number.to_bytes(4, "little") * length
    assert stored.status == "succeeded"


def test_a_script_killed_while_it_sends_files_loses_none(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = bench.python(MADE.replace("{count}", "1000").replace("{size}", "20_000_000"))
    assert script.stdout is not None
    while script.stdout.readline() != "24\n":
        pass
    script.kill()
    last = 24 + script.communicate(timeout=60)[0].count("\n")
    time.sleep(0.1)
    (outcome,) = json.loads(bench.command("sync", "--json"))
    assert outcome["result"] == "sent"
    (stored,) = runbench.runs(q="maker")
    found = contents(stored)
    for number in range(last + 1):
        length = 20_000_000 if number % 8 == 7 else 999
        assert found[f"made/{number}.bin"] == number.to_bytes(4, "little") * length


def test_a_large_file_goes_on_with_its_parts_after_the_client_and_the_service_are_killed(
    stack: Stack, bench: Bench, tmp_path: Path
) -> None:
    block = os.urandom(1 << 20)
    with (tmp_path / "large").open("wb") as file:
        for number in range(400):
            file.write(number.to_bytes(8, "little") + block[8:])
    script = bench.python(
        "import time, runbench\n"
        "run = runbench.init(name='maker', capture=False)\n"
        f"run.log_artifact({str(tmp_path / 'large')!r})\n"
        "print(run.id, flush=True)\n"
        "time.sleep(60)\n"
    )
    assert script.stdout is not None
    script.stdout.readline()
    spool = Path(bench.variables["RUNBENCH_DIR"]) / "spool"

    def upload() -> str | None:
        known = [json.loads(file.read_bytes()) for file in spool.glob("*/files/*.json")]
        return next((entry["upload_id"] for entry in known), None)

    with Api(bench.variables["RUNBENCH_URL"], bench.variables["RUNBENCH_TOKEN"]) as api:
        deadline = time.monotonic() + 60
        there: list[int] = []
        while len(there) < 3:
            assert time.monotonic() < deadline
            upload_id = upload()
            if upload_id is not None:
                parts = api.get(f"/api/v1/uploads/{upload_id}")["parts"]
                there = [part["number"] for part in parts]
        script.kill()
        script.communicate(timeout=30)
        victim = stack.identity("artifact-service")
        os.kill(victim.pid, signal.SIGKILL)
        stack.wait_until_ready("artifact-service", other_than=victim)
        left = api.get(f"/api/v1/uploads/{upload()}")["parts"]
        assert {part["number"] for part in left} >= set(there)
    (outcome,) = json.loads(bench.command("sync", "--json"))
    assert (outcome["result"], outcome["files"]) == ("sent", 1)
    (stored,) = runbench.runs(q="maker")
    (file,) = stored.artifacts()
    assert file.sha256 == digest_of(tmp_path / "large")
    place = file.download(tmp_path / "to")
    assert digest_of(place) == file.sha256


def test_what_the_server_does_not_take_is_kept_aside(bench: Bench) -> None:
    with runbench.init(name="maker") as run:
        run.log_text("file", "a.txt")
        assert run.flush(sent=True, timeout=60)
        run.log_text("below a file", "a.txt/b.txt")
        run.log_text("fine", "c.txt")
    (stored,) = runbench.runs(q="maker")
    assert contents(stored) == {"a.txt": b"file", "c.txt": b"fine"}
    assert stored.status == "succeeded"
    (outcome,) = json.loads(bench.command("sync", "--json"))
    assert (outcome["result"], outcome["refused"]) == ("sent", 1)
    (line,) = (Path(outcome["folder"]) / "refused.jsonl").read_text().splitlines()
    assert json.loads(line)["record"]["path"] == "a.txt/b.txt"
    assert "409" in json.loads(line)["reason"]


def test_a_viewer_reads_files_and_sends_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with runbench.init(name="maker") as run:
        run.log_text("data", "x.txt")
    monkeypatch.setenv("RUNBENCH_TOKEN", bench.make_token("viewer"))
    bench.variables["RUNBENCH_TOKEN"] = os.environ["RUNBENCH_TOKEN"]
    (stored,) = runbench.runs(q="maker")
    assert stored.artifact("x.txt").download(tmp_path / "to").read_text() == "data"
    with pytest.raises(AssertionError):
        bench.command("artifacts", "put", "maker", str(tmp_path / "to"))
