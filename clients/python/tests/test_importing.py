import math
import struct
import sys
from pathlib import Path

import pytest
from server import CUT
from typer.testing import CliRunner

from runbench import event_files
from runbench.cli.app import app
from runbench.event_files import read_scalars, read_tensorboard
from runbench.history import BadSource
from runbench.mlflow_store import read_mlflow

DATA = Path(__file__).parent / "data"


def command(*arguments):
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def write_store(root):
    """A file store as MLflow 3.17 writes it: a run, its child, one that was deleted."""

    def run(run_id, name, status, stage="active", **folders):
        place = root / "7" / run_id
        for kind in ("params", "tags", "metrics", "artifacts"):
            (place / kind).mkdir(parents=True)
            for key, text in folders.get(kind, {}).items():
                (place / kind / key).parent.mkdir(parents=True, exist_ok=True)
                (place / kind / key).write_text(text)
        (place / "meta.yaml").write_text(
            f"end_time: 1795644360317\nexperiment_id: '7'\nlifecycle_stage: {stage}\n"
            f"run_id: {run_id}\nrun_name: {name}\nstart_time: 1795644360301\nstatus: {status}\n"
            "tags: []\n"
        )

    root.mkdir()
    run(
        "aa", "'it''s'", 3,
        params={"lr": "0.1", "long": "x" * 9000},
        tags={"mlflow.note.content": "a *note*", "rig": "A", "mlflow.source.git.commit": "c0ffee"},
        metrics={
            "loss": "".join(f"{1795644360307 + n} {0.1 * n!r} {n}\n" for n in range(12_000)),
            "odd": "1795644360307 nan 5\n1795644360308 -inf 5\n1795644360309 1e-320 -3\n",
        },
        artifacts={"plots/a b.txt": "picture"},
    )  # fmt: skip
    run("00", "child", 4, tags={"mlflow.parentRunId": "aa"}, metrics={"v/a": "1795644360307 1 1\n"})
    run("bb", "gone", 3, stage="deleted")
    (root / "7" / "meta.yaml").write_text("experiment_id: '7'\nname: digits\n")
    return root


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path / "mlruns")


def state(server):
    return {
        run["name"]: (
            run["status"],
            run["params"],
            run["tags"],
            sorted(map(repr, server.points.get(run["id"], []))),
        )
        for run in server.runs.values()
    }


def test_an_mlflow_folder_arrives_whole_and_twice_adds_nothing(online, store):
    done = command("mlflow", store)
    assert done.exit_code == 0, done.output
    assert "12004 points sent" in done.stdout
    parent = next(run for run in online.runs.values() if run["name"] == "it's")
    child = next(run for run in online.runs.values() if run["name"] == "child")
    assert len(online.runs) == 2
    assert parent["experiment_name"] == "digits"
    assert (parent["status"], child["status"]) == ("succeeded", "failed")
    assert child["parent_run_id"] == parent["id"]
    assert (parent["notes"], parent["git_commit"]) == ("a *note*", "c0ffee")
    assert parent["params"]["lr"] == "0.1"
    assert parent["tags"]["rig"] == "A"
    assert parent["tags"]["import.source"] == "mlflow:aa"
    assert parent["tags"]["import.started_at"].startswith("2026-11-2")
    assert parent["tags"]["import.shortened_params"] == "long"
    rows = [(k, s, v, t) for k, s, v, t in online.points[parent["id"]] if k == "loss"]
    assert rows == [
        ("loss", n, float(repr(0.1 * n)), (1795644360307 + n) * 1000) for n in range(12_000)
    ]
    assert online.series(parent["id"], "odd") == [(5, "NaN"), (5, "-Infinity"), (-3, 1e-320)]
    assert online.files == {f"{parent['id']}/plots/a b.txt": b"picture"}
    before, posts = state(online), online.count("POST .*/metrics")
    again = command("mlflow", store, "--json")
    assert (again.exit_code, state(online)) == (0, before)
    assert '"new_runs": 0' in again.stdout
    assert '"points": 0' in again.stdout
    assert '"files": 0' in again.stdout
    assert online.count("POST .*/metrics") == posts


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("match", ["POST .*/runs$", "POST .*/metrics", "PUT", "PATCH"])
def test_an_import_that_is_cut_anywhere_goes_on_without_doubling(
    online, store, monkeypatch, match, at
):
    monkeypatch.setattr("runbench.sync.TRIES", 1)
    seen = 0

    def nth(_):
        nonlocal seen
        seen += 1
        return seen == at

    online.fail(match, CUT, times=1, when=nth)
    first = command("mlflow", store)
    again = command("mlflow", store)
    assert again.exit_code == 0, (first.output, again.output)
    assert len(online.runs) == 2
    parent = next(run for run in online.runs.values() if run["name"] == "it's")
    assert [step for step, _ in online.series(parent["id"], "loss")] == list(range(12_000))
    assert len(online.series(parent["id"], "odd")) == 3
    assert {run["status"] for run in online.runs.values()} == {"succeeded", "failed"}


def test_what_has_been_logged_since_is_brought_by_the_next_import(online, store):
    command("mlflow", store)
    with (store / "7" / "aa" / "metrics" / "odd").open("a") as file:
        file.write("1795644360310 0.5 6\n1795644360310 0.5 6\n")
    assert "2 points sent" in command("mlflow", store).stdout
    parent = next(run for run in online.runs.values() if run["name"] == "it's")
    assert online.series(parent["id"], "odd")[-2:] == [(6, 0.5), (6, 0.5)]


def test_a_dry_run_says_what_there_is_and_sends_nothing(online, store):
    done = command("mlflow", store, "--dry-run")
    assert done.exit_code == 0
    assert "2 runs; nothing was sent" in done.stdout
    assert "points: 12003" in done.stdout
    assert online.requests == []


def test_what_is_no_store_is_said_with_its_place(online, store, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    for place, words in ((tmp_path / "empty", "no MLflow file store"), (tmp_path / "no", "folder")):
        with pytest.raises(BadSource, match=words):
            read_mlflow(str(place))
    (store / "7" / "aa" / "metrics" / "odd").write_text("1 2 3\nnonsense\n")
    (run,) = [run for run in read_mlflow(str(store)) if run.source == "mlflow:aa"]
    with pytest.raises(BadSource, match=r"odd, line 2: 'nonsense'"):
        list(run.points())
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(BadSource, match="needs the mlflow package"):
        read_mlflow(f"sqlite:///{tmp_path}/x.db")


def test_event_files_of_tensorboard_arrive_bit_for_bit(online):
    done = command("tensorboard", DATA / "tensorboard", "-x", "boards")
    assert done.exit_code == 0, done.output
    assert {run["name"] for run in online.runs.values()} == {"train", "eval/first"}
    train = next(run for run in online.runs.values() if run["name"] == "train")
    assert (train["experiment_name"], train["status"]) == ("boards", "succeeded")
    rows = [(s, v, t) for k, s, v, t in online.points[train["id"]] if k == "loss"]
    f32 = [struct.unpack("<f", struct.pack("<f", 0.1 + step))[0] for step in range(20)]
    assert rows == [
        *((step, f32[step], 1760000000250000 + step * 1_000_000) for step in range(20)),
        (7, "NaN", 1760000101500000),
    ]
    assert online.series(train["id"], "acc/top1") == [(-3, 0.75)]
    assert online.series(train["id"], "exact") == [(7, 0.1 + 0.2)]
    assert online.series(train["id"], "words") == []
    assert "0 points sent" in command("tensorboard", DATA / "tensorboard", "-x", "boards").stdout
    assert len(online.runs) == 2


def test_an_event_file_torn_anywhere_gives_what_is_whole_and_damage_is_said(tmp_path):
    (whole,) = (DATA / "tensorboard" / "train").iterdir()
    data, path = whole.read_bytes(), tmp_path / "events.out.tfevents.1"
    scalars = list(read_scalars(whole))
    assert len(scalars) == 23
    assert sum(math.isnan(value) for _, _, value, _ in scalars) == 1
    before = -1
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        found = list(read_scalars(path))
        assert [repr(s) for s in found] == [repr(s) for s in scalars[: len(found)]]
        assert len(found) >= before
        before = len(found)
    for place in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(BadSource, match="damaged at byte"):
            list(read_scalars(path))


def test_a_folder_without_event_files_is_said(tmp_path):
    for place, words in ((tmp_path, "no event files"), (tmp_path / "no", "no folder")):
        with pytest.raises(BadSource, match=words):
            read_tensorboard(str(place))


def test_the_checksum_is_castagnoli_s():
    crc = event_files._masked(b"123456789")
    assert crc == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
