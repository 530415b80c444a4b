import io
import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass

import pytest
from server import TOKEN, Server

import runbench
from runbench.cli import main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(capfd, monkeypatch):
    """The command line, run in this process as a terminal-less shell would."""

    def run(*arguments, stdin="", **environment):
        capfd.readouterr()
        with monkeypatch.context() as patch:
            for name, value in {"COLUMNS": "200", **environment}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["runbench", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            with pytest.raises(SystemExit) as end:
                main()
        said = capfd.readouterr()
        return Done(int(end.value.code or 0), said.out, said.err)

    return run


def process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "runbench", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


@pytest.fixture
def recorded(online):
    for number in range(3):
        with runbench.init(
            experiment="motor", name=f"r{number}", config={"lr": number / 10}
        ) as run:
            run.log({"loss": 1.0 / (number + 1), "nan": float("nan")}, step=4)
    return online


@pytest.fixture
def signed_out(server, monkeypatch):
    monkeypatch.setenv("RUNBENCH_URL", server.url)
    return server


def test_login_checks_the_token_and_keeps_it_for_its_owner_alone(server, tmp_path, command):
    done = command("login", server.url, "--token-stdin", stdin=f"{TOKEN}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Signed in to {server.url} as A, project bench.\n"
    kept = tmp_path / "config" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert TOKEN not in done.stdout + done.stderr
    assert command("whoami").stdout.startswith(f"A <a@example.org> at {server.url}\n")
    with runbench.init() as run:
        run.log({"x": 1.0})
    assert len(server.runs) == 1
    assert "Forgot" in command("logout").stdout
    assert TOKEN not in kept.read_text()
    assert command("whoami").returncode == 3


def test_a_token_that_the_server_does_not_know_is_not_kept(server, tmp_path, command):
    done = command("login", server.url, "--token-stdin", stdin="rb_pat_no\n")
    assert done.returncode == 3
    assert "does not accept this token" in done.stderr
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "reason"),
    [
        (["login", "ftp://x", "--token-stdin"], "t\n", 2, "no http(s) address"),
        (["login", "--token-stdin"], "\n", 1, "no token was given"),
        (["login", "--token-stdin"], "two words\n", 1, "this is no token"),
        (["login"], "", 2, "--token-stdin"),
        (["runs", "ls"], "", 3, "runbench login"),
        (["nonsense"], "", 2, "nonsense"),
        (["run"], "", 2, "COMMAND"),
        (["sync", "--to", "ftp://x"], "", 2, "no http(s) address"),
    ],
)
def test_mistakes_end_with_a_sentence_and_a_code(
    signed_out, arguments, stdin, code, reason, command
):
    done = command(*arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_server_that_is_away_or_missing_things_has_its_own_code(recorded, command):
    assert command("runs", "show", "nothing").returncode == 4
    assert "no run 'nothing'" in command("runs", "show", "nothing").stderr
    assert command("runs", "ls", "-p", "other").returncode == 4
    assert command("metrics", "get", "r1", "acc").returncode == 4
    recorded.fail("", 403, times=1)
    assert command("runs", "ls").returncode == 3
    recorded.stop()
    away = command("projects", "ls")
    assert away.returncode == 5
    assert "does not answer" in away.stderr
    assert "Traceback" not in away.stderr


def test_runs_are_listed_as_plain_columns_when_piped(recorded, command):
    lines = command("runs", "ls").stdout.splitlines()
    assert lines[0].split("\t") == [
        "name", "status", "experiment", "created", "duration", "loss", "nan",
    ]  # fmt: skip
    assert lines[1].startswith("r2\tsucceeded\tmotor\t")
    assert len(lines) == 4
    assert "\x1b" not in "".join(lines)
    chosen = command("runs", "ls", "-n", "1", "-o", "name,lr,metrics.loss,params.none")
    assert chosen.stdout == "name\tlr\tmetrics.loss\tparams.none\nr2\t0.2\t0.33333\t\n"


def test_every_listing_speaks_json(recorded, command):
    for arguments in (
        ["projects", "ls"], ["runs", "ls"], ["runs", "show", "r1"], ["runs", "open", "r1"],
        ["metrics", "ls", "r1"], ["metrics", "get", "r1", "loss", "nan"], ["whoami"], ["doctor"],
        ["sync"], ["runs", "tag", "r1", "a=b"], ["run", "--json", "--", sys.executable, "-c", ""],
    ):  # fmt: skip
        more = [] if "--json" in arguments else ["--json"]
        done = command(*arguments, *more)
        assert done.returncode == 0, (arguments, done.stderr)
        json.loads(done.stdout, parse_constant=pytest.fail)


def test_a_run_is_found_by_name_id_end_of_id_and_at_latest(recorded, command):
    target = next(run for run in recorded.runs.values() if run["name"] == "r2")
    for reference in ("r2", "R2", target["id"], target["id"][-8:], "@latest"):
        done = command("runs", "show", reference)
        assert done.returncode == 0, done.stderr
        assert target["id"] in done.stdout
    assert "loss  0.33333" in command("runs", "show", "r2").stdout


def test_tags_are_set_and_removed(recorded, command):
    assert command("runs", "tag", "r1", "rig=A", "checked").returncode == 0
    target = next(run for run in recorded.runs.values() if run["name"] == "r1")
    assert target["tags"] == {"rig": "A", "checked": ""}
    command("runs", "tag", "r1", "--remove", "rig")
    assert target["tags"] == {"checked": ""}


def test_metrics_are_printed_with_every_digit(recorded, command):
    assert command("metrics", "ls", "r2").stdout.splitlines()[1].startswith("loss\t1\t4\t0.33333")
    line = command("metrics", "get", "r2", "loss").stdout.splitlines()[1]
    assert line.startswith(f"loss\t4\t{1 / 3!r}\t")


@pytest.mark.parametrize(
    ("code", "status"), [(0, "succeeded"), (3, "failed"), (130, "interrupted")]
)
def test_any_command_can_be_recorded(online, code, status):
    job = [sys.executable, "-c", f"print('hello'); raise SystemExit({code})", "--lr=1"]
    done = process("run", "-x", "jobs", "--tag", "rig=A", "--", *job)
    assert done.returncode == code
    assert done.stdout == "hello\n"
    stored = online.only_run()
    assert stored["status"] == status
    assert stored["tags"] == {"rig": "A", "exit_code": str(code)}
    assert stored["experiment_name"] == "jobs"
    assert stored["environment"]["argv"] == job


def test_a_command_that_does_not_exist_is_a_failed_run(online, command):
    done = command("run", "--", "no-such-program")
    assert done.returncode == 127
    assert online.only_run()["status"] == "failed"


def test_a_script_inside_a_recorded_command_becomes_its_child(online, command):
    script = "import runbench; runbench.init(name='inner').finish()"
    command("run", "--name", "outer", "--", sys.executable, "-c", script)
    by_name = {run["name"]: run for run in online.runs.values()}
    assert by_name["inner"]["parent_run_id"] == by_name["outer"]["id"]


def test_sync_sends_what_is_left_and_says_what_cannot_be_sent(online, monkeypatch, command):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    with runbench.init(name="left") as run:
        run.log({"x": 1.0})
    with runbench.init("nowhere", name="lost") as run:
        run.log({"x": 1.0})
    monkeypatch.delenv("RUNBENCH_MODE")
    assert "unsent: 2 runs" in command("doctor").stdout
    done = command("sync")
    assert done.returncode == 1
    assert "left: sent, 2 records" in done.stdout
    assert "lost: refused: there is no project 'nowhere'" in done.stdout
    assert [run["name"] for run in online.runs.values()] == ["left"]


def test_the_next_run_mentions_what_is_left(online, monkeypatch):
    monkeypatch.setenv("RUNBENCH_MODE", "offline")
    runbench.init().finish()
    monkeypatch.delenv("RUNBENCH_MODE")
    done = process("run", "--", sys.executable, "-c", "")
    assert "1 earlier run is not sent yet: run `runbench sync`" in done.stderr


def test_doctor_names_what_is_in_the_way_and_the_fix(online, monkeypatch, command):
    good = command("doctor")
    assert good.returncode == 0, good.stdout
    assert "answers in" in good.stdout
    monkeypatch.setenv("RUNBENCH_TOKEN", "rb_pat_wrong")
    bad = command("doctor")
    assert bad.returncode == 1
    assert f"runbench login {online.url}" in bad.stdout


def test_a_token_kept_for_one_server_is_not_shown_to_another(server, monkeypatch, command):
    command("login", server.url, "--token-stdin", stdin=f"{TOKEN}\n")
    other = Server()
    try:
        done = command("whoami", RUNBENCH_URL=other.url)
        assert done.returncode == 3
        command("doctor", RUNBENCH_URL=other.url)
        assert other.tokens_seen == set()
    finally:
        other.stop()
