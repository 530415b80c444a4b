"""Real starts, with PostgreSQL and Valkey, on ports and in a folder of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts import leftovers, ports
from scripts import stack as stacks
from scripts import state as states
from scripts.environment import PORT_OFFSETS, Workspace
from tests.workspace.conftest import eventually
from tests.workspace.place import STORES, Place, ended_at_last

STOP_SECONDS = 5.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place of the test's own."""
    with ended_at_last(Place(tmp_path / "dev")) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running place that tests share: they leave it as it is."""
    with ended_at_last(Place(tmp_path_factory.mktemp("shared") / "dev")) as made:
        made.start()
        made.until_ready()
        yield made


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_leaves_no_process_and_no_port(place: Place, sign: signal.Signals):
    up = place.start()
    place.until_ready()
    eventually(lambda: "READY in" in place.text, "the summary")

    began = time.monotonic()
    up.send_signal(sign)
    up.wait(20)

    assert time.monotonic() - began < STOP_SECONDS
    place.until_empty()


def test_a_killed_start_takes_its_processes_with_it_and_the_next_one_finds_the_data(place: Place):
    up = place.start()
    place.until_ready()
    place.sql("create table kept (word text)")
    place.sql("insert into kept values ('durable')")

    up.kill()
    up.wait()
    place.until_empty()

    place.start()
    place.until_ready()
    assert place.sql("select word from kept") == [("durable",)]


def test_a_start_recovers_when_everything_was_killed_at_once(place: Place):
    place.start()
    place.until_ready()
    place.sql("create table kept (word text)")

    # The servers survive: the worst leftover there is.
    victims = [one for one in place.members() if one.name() not in {"postgres", "valkey-server"}]
    for victim in victims:
        victim.kill()
    place.started[0].wait(20)
    _, left = psutil.wait_procs(victims, timeout=20)
    assert not left
    assert leftovers.server_of(place.home)

    place.start()
    place.until_ready()
    assert place.sql("select word from kept") == []
    assert "ended what an earlier session had left: " in place.text


def test_a_lock_whose_pid_is_somebody_elses_is_dropped_and_its_owner_left_alone(place: Place):
    up = place.start()
    place.until_ready()
    up.terminate()
    up.wait(20)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    lock = place.home / "postgres" / "data" / "postmaster.pid"
    lock.write_text(f"{bystander.pid}\n{lock.parent}\n0\n1\n\n127.0.0.1\n\nready\n")

    place.start()
    place.until_ready()

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_second_start_beside_a_running_one_says_so(running: Place):
    second = running.script("scripts.up", "--no-seed", "--only", STORES)

    assert second.returncode == 1
    assert "Runbench is running already here" in second.stderr
    assert states.is_ready(running.workspace.states, "postgres")


def test_a_taken_port_stops_the_start_with_the_name_of_its_owner(place: Place):
    port = place.workspace.ports["valkey"]
    with socket.create_server(("127.0.0.1", port)):
        refused = place.script("scripts.up", "--no-seed", "--only", STORES)
        advice = place.script("scripts.doctor", "--json")

    assert refused.returncode == 1
    assert f"port {port} for valkey is in use by" in refused.stderr
    assert f"pid {os.getpid()}" in refused.stderr
    assert "Traceback" not in refused.stderr
    found = [one for one in json.loads(advice.stdout) if one["verdict"] == "wrong"]
    assert any(str(port) in one["what"] and one["fix"] for one in found)
    assert advice.returncode == 1


def test_honcho_starts_the_same_procfile_and_its_end_is_clean(place: Place):
    honcho = str(Path(sys.executable).with_name("honcho"))
    place.given["RUNBENCH_PYTHON"] = sys.executable
    started = place.start(honcho, "start", "postgres", "valkey")
    place.until_ready()

    started.send_signal(signal.SIGINT)
    started.wait(20)

    place.until_empty()


def test_the_end_of_a_killed_honcho_is_the_end_of_its_processes(place: Place):
    honcho = str(Path(sys.executable).with_name("honcho"))
    place.given["RUNBENCH_PYTHON"] = sys.executable
    started = place.start(honcho, "start", "postgres", "valkey")
    place.until_ready()

    started.kill()
    started.wait()

    place.until_empty()


def test_a_killed_wrapper_does_not_take_the_others_down(place: Place):
    place.start()
    place.until_ready()
    victim = states.read(place.workspace.states, "valkey")
    other = states.read(place.workspace.states, "postgres")
    assert victim is not None
    assert other is not None
    assert other.child is not None

    victim.wrapper.send(signal.SIGKILL)
    eventually(lambda: not victim.alive, "the end of the wrapper")
    time.sleep(1)

    assert other.child.process
    assert place.sql("select 1") == [(1,)]


def test_status_tells_of_what_runs(running: Place):
    status = running.script("scripts.status", "-o", "json")
    rows = {row["name"]: row for row in json.loads(status.stdout)}
    environment = running.script("scripts.status", "-o", "env").stdout

    assert status.returncode == 0
    assert rows["postgres"]["status"] == "ready"
    assert rows["postgres"]["memory"] > 1
    port = running.workspace.ports["api-gateway"]
    assert f"RUNBENCH_URL='http://127.0.0.1:{port}'" in environment


def test_a_restart_by_the_beginning_of_a_name_waits_until_it_is_ready(running: Place):
    before = states.read(running.workspace.states, "valkey")

    restarted = running.script("scripts.control", "restart", "valk")

    assert restarted.stdout.startswith("valkey: ready")
    after = states.read(running.workspace.states, "valkey")
    assert before is not None
    assert after is not None
    assert before.child != after.child


def test_the_logs_can_be_read_while_it_runs(running: Place):
    logs = running.script("scripts.logs", "postgres", "--lines", "500").stdout

    assert "PostgreSQL" in logs


def test_stop_ends_everything_and_says_when_nothing_runs(place: Place):
    assert place.script("scripts.status").returncode == 3
    place.start()
    place.until_ready()

    assert place.script("scripts.control", "stop").stdout == "stopped\n"

    place.until_empty()
    assert place.script("scripts.control", "stop").stdout == "nothing runs here\n"


def test_psql_opens_the_database_without_asking_for_a_password(running: Place):
    answer = running.script("scripts.psql", "auth_db", "-Atc", "select current_database()")

    assert answer.stdout.strip() == "auth_db"


def test_data_and_logs_are_for_their_user_alone(running: Place):
    assert running.home.stat().st_mode & 0o077 == 0


def test_a_start_in_the_background_returns_with_the_summary(place: Place):
    started = place.script("scripts.up", "--no-seed", "--only", STORES, "--detach")

    assert started.returncode == 0
    assert "READY in" in started.stdout
    assert place.script("scripts.status").returncode == 0
    assert place.script("scripts.control", "stop").stdout == "stopped\n"
    place.until_empty()
    assert "does not run here" in place.script("scripts.psql").stderr


def test_reset_deletes_the_data_only_when_told(place: Place):
    place.start()
    place.until_ready()

    unsure = place.script("scripts.reset")
    assert unsure.returncode == 1
    assert states.is_ready(place.workspace.states, "postgres")

    sure = place.script("scripts.reset", "--yes")
    assert sure.returncode == 0
    assert not (place.home / "postgres").exists()
    place.until_empty()


def test_existing_servers_are_used_instead_of_the_embedded_ones(running: Place, tmp_path: Path):
    guest = Place(tmp_path / "guest")
    guest.given |= {
        "DATABASE_URL": running.workspace.database_url("postgres"),
        "TELEMETRY_BROKER_URL": f"redis://127.0.0.1:{running.workspace.ports['valkey']}/1",
    }
    guest.workspace = Workspace(guest.home, guest.given)

    up = guest.start()
    guest.until_ready()

    assert "using the PostgreSQL at 127.0.0.1" in guest.text
    assert not (guest.home / "postgres").exists()
    assert ports.is_free(guest.workspace.ports["postgres"])
    assert guest.workspace.database_url("auth_db").startswith(
        running.workspace.database_url("auth_db")
    )
    up.terminate()
    up.wait(20)
    assert running.sql("select 1") == [(1,)]


def test_a_stack_for_tests_has_free_ports_of_its_own():
    base = stacks.free_base()

    assert all(ports.is_free(base + offset) for offset in PORT_OFFSETS.values())
