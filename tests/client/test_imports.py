"""Bringing runs over from MLflow's file store and TensorBoard's event files, and going on."""

import json
import struct
import time
from pathlib import Path

import pytest

from tests.client.test_recording import Bench, bench

__all__ = ["bench"]


def store_with(root: Path, *, runs: int = 3, points: int = 200) -> Path:
    """A small file store as MLflow writes it: nested runs, params, tags, metrics, an artifact."""
    experiment = root / "mlruns" / "7"
    experiment.mkdir(parents=True)
    (experiment / "meta.yaml").write_text(
        "artifact_location: file:///x\nexperiment_id: '7'\nlifecycle_stage: active\n"
        "name: 'it''s a motor'\n"
    )
    for number in range(runs):
        run = experiment / f"{number:032x}"
        for folder in ("params", "tags", "metrics/val", "artifacts/plots"):
            (run / folder).mkdir(parents=True)
        (run / "meta.yaml").write_text(
            f"run_id: {run.name}\nrun_name: run-{number}\nlifecycle_stage: active\n"
            f"status: {4 if number == 1 else 3}\nstart_time: 1700000000000\n"
            "end_time: 1700000009000\n"
        )
        (run / "params" / "lr").write_text(f"0.{number + 1}")
        (run / "tags" / "mlflow.note.content").write_text("über *alles*")
        if number:
            (run / "tags" / "mlflow.parentRunId").write_text(f"{0:032x}")
        lines = [f"{1700000000000 + n} {n / 3!r} {n}" for n in range(points)]
        lines.append(f"{1700000000000 + points} nan {points}")
        (run / "metrics" / "val" / "loss").write_text("\n".join(lines) + "\n")
        (run / "artifacts" / "plots" / "a b.txt").write_text(f"plot {number}")
    return root / "mlruns"


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def event_file(path: Path, points: int) -> None:
    """Scalars as TensorBoard's writers store them, with a record that broke off at the end."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for step in range(points):
            tag = b"train/loss"
            value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15" + struct.pack("<f", step / 4)
            summary = b"\x0a" + bytes([len(value)]) + value
            event = b"\x09" + struct.pack("<d", 1.7e9 + step)
            event += (b"\x10" + varint(step) if step else b"") + b"\x2a" + bytes([len(summary)])
            event += summary
            head = struct.pack("<Q", len(event))
            file.write(head + struct.pack("<I", crc32c(head)) + event)
            file.write(struct.pack("<I", crc32c(event)))
        head = struct.pack("<Q", 400)
        file.write(head + struct.pack("<I", crc32c(head)) + b"half")


def varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def listed(bench: Bench) -> dict[str, dict]:
    found = json.loads(bench.command("runs", "ls", "--json"))
    return {run["name"]: run for run in (found if isinstance(found, list) else found["items"])}


def test_an_mlflow_store_comes_over_once_and_goes_on(bench: Bench, tmp_path: Path) -> None:
    store = store_with(tmp_path)

    plan = json.loads(bench.command("import", "mlflow", str(store), "--dry-run", "--json"))
    assert [entry["points"] for entry in plan] == [201, 201, 201]
    assert listed(bench) == {}
    tally = json.loads(bench.command("import", "mlflow", str(store), "--json"))
    assert (tally["new_runs"], tally["points"], tally["files"], tally["refused"]) == (3, 603, 3, 0)
    runs = listed(bench)
    assert set(runs) == {"run-0", "run-1", "run-2"}
    assert runs["run-1"]["status"] == "failed"
    assert runs["run-2"]["parent_run_id"] == runs["run-0"]["id"]
    assert runs["run-0"]["experiment_name"] == "it's a motor"
    assert runs["run-0"]["notes"] == "über *alles*"

    again = json.loads(bench.command("import", "mlflow", str(store), "--json"))
    assert (again["new_runs"], again["points"], again["files"]) == (0, 0, 0)
    assert again["known_points"] == 603
    loss = store / "7" / f"{0:032x}" / "metrics" / "val" / "loss"
    with loss.open("a") as file:
        file.write("1700000001000 0.125 500\n")
    more = json.loads(bench.command("import", "mlflow", str(store), "--json"))
    assert (more["new_runs"], more["points"]) == (0, 1)


def test_event_files_of_tensorboard_come_over_once(bench: Bench, tmp_path: Path) -> None:
    for name in ("a", "b/eval"):
        event_file(tmp_path / "logs" / name / "events.out.tfevents.1.host", 150)

    command = ("import", "tensorboard", str(tmp_path / "logs"), "-x", "boards", "--json")
    tally = json.loads(bench.command(*command))
    assert (tally["runs"], tally["points"]) == (2, 300)
    runs = listed(bench)
    assert set(runs) == {"a", "b/eval"}
    got = bench.command("metrics", "get", runs["a"]["id"], "train/loss", "--json")
    assert json.loads(got)
    assert json.loads(bench.command(*command))["points"] == 0


def test_what_is_no_store_is_said_in_a_sentence(bench: Bench, tmp_path: Path) -> None:
    for arguments in (("mlflow", str(tmp_path)), ("tensorboard", str(tmp_path / "none"))):
        with pytest.raises(AssertionError):
            bench.command("import", *arguments)


def test_a_run_that_was_killed_is_resumed_where_it_was(bench: Bench) -> None:
    first = bench.python(
        "import runbench, time\n"
        "run = runbench.init(experiment='resumed', config={'lr': 1})\n"
        "for n in range(50): run.log({'loss': n})\n"
        "run.flush()\n"
        "print(run.id, flush=True)\n"
        "time.sleep(60)\n"
    )
    assert first.stdout is not None
    lines = iter(first.stdout.readline, "")
    run_id = next(line.strip() for line in lines if len(line.strip()) == 36)
    first.kill()
    first.wait(30)
    time.sleep(0.2)
    second = bench.python(
        "import runbench\n"
        f"with runbench.resume('{run_id}') as run:\n"
        "    for n in range(50, 60): run.log({'loss': n})\n"
    )
    _out, said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    run = listed(bench).popitem()[1]
    assert (run["id"], run["status"]) == (run_id, "succeeded")
    got = json.loads(bench.command("metrics", "get", run_id, "loss", "--json"))
    assert got[0]["step"] == list(range(60))
    assert got[0]["value"] == [float(n) for n in range(60)]
