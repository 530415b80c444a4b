"""`runbench artifacts`: what a person does with the files of a run in a shell."""

import json
import os

import pytest
from files import PART_BYTES
from test_command_line import command

import runbench

__all__ = ["command"]


@pytest.fixture
def run(online):
    with runbench.init(name="maker") as made:
        made.log_text("one", "a.txt")
        made.log_text("two", "deep/b.txt")
        made.log_text("three", "deep/er/c.txt")
    return online


def test_files_are_listed(run, command):
    done = command("artifacts", "ls", "maker")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["path", "a.txt", "deep/"]
    done = command("artifacts", "ls", "maker", "deep", "-r", "--json")
    assert [e["path"] for e in json.loads(done.stdout)] == ["deep/b.txt", "deep/er/c.txt"]
    assert "no files in none" in command("artifacts", "ls", "maker", "none").stderr
    assert command("artifacts", "ls", "nobody").returncode == 4


def test_files_are_brought_once_and_compared(run, command, tmp_path):
    to = tmp_path / "here"
    done = command("artifacts", "get", "maker", "--to", str(to))
    assert done.stdout == f"3 files (11 B) to {to}\n"
    assert (to / "deep" / "er" / "c.txt").read_text() == "three"
    again = command("artifacts", "get", "maker", "deep/", "a.txt", "-o", str(to))
    assert again.stdout == f"0 files (0 B) to {to}, 3 were there already\n"
    assert command("artifacts", "verify", "maker", str(to)).stdout == "3 of 3 files are the same\n"
    (to / "a.txt").write_text("other")
    (to / "deep" / "b.txt").unlink()
    done = command("artifacts", "verify", "maker", str(to))
    assert done.returncode == 1
    assert done.stdout == "another: a.txt\nmissing: deep/b.txt\n1 of 3 files are the same\n"
    found = json.loads(
        command("artifacts", "verify", "maker", str(tmp_path / "no"), "--json").stdout
    )
    assert {entry["found"] for entry in found} == {"missing"}
    assert not (tmp_path / "no").exists()
    done = command("artifacts", "get", "maker", "none.txt", "-o", str(to))
    assert (done.returncode, "no file 'none.txt'" in done.stderr) == (4, True)
    known = json.loads(
        command("artifacts", "get", "maker", "a.txt", "-o", str(to), "--json").stdout
    )
    assert [(entry["path"], entry["brought"]) for entry in known] == [("a.txt", True)]


def test_files_and_folders_are_sent_once(run, command, tmp_path):
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep" / "x.bin").write_bytes(b"x")
    (out / "y.tmp").write_bytes(b"y")
    done = command("artifacts", "put", "maker", str(out), "--ignore", "*.tmp")
    assert done.stdout == "1 files sent (1 B)\n"
    again = command("artifacts", "put", "maker", str(out), "--ignore", "*.tmp")
    assert again.stdout == "0 files sent (0 B), 1 were there already\n"
    command("artifacts", "put", "maker", str(out / "y.tmp"), "--as", "z.txt")
    command("artifacts", "put", "maker", str(out / "y.tmp"), str(out), "--as", "all")
    paths = {key.partition("/")[2] for key in run.files}
    assert {"out/deep/x.bin", "z.txt", "all/y.tmp", "all/out/deep/x.bin", "all/out/y.tmp"} < paths
    assert command("artifacts", "put", "maker", str(tmp_path / "none")).returncode == 2
    done = command("artifacts", "put", "maker", str(out / "y.tmp"), "--as", "forbidden")
    assert (done.returncode, "nobody may" in done.stderr) == (1, True)
    done = command("artifacts", "put", "maker", str(out / "y.tmp"), "--as", "../x")
    assert (done.returncode, "part that is empty" in done.stderr) == (1, True)


def test_a_large_file_that_broke_off_goes_on_where_it_was(run, command, tmp_path, monkeypatch):
    monkeypatch.setattr("runbench.file_upload.PARTS_FROM", PART_BYTES)
    monkeypatch.setattr("runbench.sync.TRIES", 1)
    content = os.urandom(PART_BYTES * 4 + 1)
    (tmp_path / "big").write_bytes(content)
    run.fail("POST .*/complete", 503)
    assert command("artifacts", "put", "maker", str(tmp_path / "big")).returncode == 1
    assert run.count("PUT .*/parts/") == 5
    assert command("artifacts", "put", "maker", str(tmp_path / "big"), "--as", "n").returncode == 0
    assert command("artifacts", "put", "maker", str(tmp_path / "big")).returncode == 0
    assert run.count("PUT .*/parts/") == 10
    assert [c for key, c in run.files.items() if key.endswith("/big")] == [content]


def test_files_are_removed(run, command):
    assert command("artifacts", "rm", "maker", "a.txt").stdout == "1 files removed\n"
    assert command("artifacts", "rm", "maker", "a.txt").returncode == 4
    assert command("artifacts", "rm", "maker", "deep").returncode == 4
    done = command("artifacts", "rm", "maker", "deep", "-r", "--json")
    assert json.loads(done.stdout) == ["deep/b.txt", "deep/er/c.txt"]
    assert run.files == {}


def test_a_hostile_server_is_told_from_a_good_one(run, command, tmp_path):
    run.files.lies["path"] = "../../out"
    for arguments in (
        ("get", "maker", "-o", str(tmp_path / "to")),
        ("verify", "maker", str(tmp_path)),
    ):
        done = command("artifacts", *arguments)
        assert (done.returncode, "part that is empty, . or .." in done.stderr) == (1, True)
    assert list(tmp_path.rglob("out")) == []
