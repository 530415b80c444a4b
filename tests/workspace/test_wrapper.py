"""What one line of the Procfile does with its program."""

import socket
import subprocess
import sys
from collections.abc import Callable
from signal import SIGHUP, SIGKILL, SIGTERM, SIGUSR1

from scripts import ports
from scripts.guard import SUPERVISOR
from tests.workspace.conftest import SERVER, Lone, eventually

CRASH = "import sys\nprint('what went wrong')\nsys.exit(3)\n"


def test_a_program_is_told_its_port_and_is_ready_when_it_answers(lone: Lone):
    lone.start(SERVER)

    lone.until("ready")

    assert not ports.is_free(lone.port)
    assert "serving version one" in lone.log


def test_a_saved_file_starts_the_program_again(lone: Lone):
    first = lone.start(SERVER).until("ready").child

    lone.program.write_text(SERVER.replace("version one", "version two"))

    lone.until_said("serving version two")
    second = lone.until("ready", restarts=1).child
    assert "program.py saved" in lone.log
    assert first != second


def test_a_saved_syntax_error_is_named_and_the_running_program_stays(lone: Lone):
    first = lone.start(SERVER).until("ready").child

    lone.program.write_text("def broken(:\n")

    lone.until_said("waiting for the next save")
    assert "program.py:1: invalid syntax" in lone.log
    assert lone.until("ready").child == first
    lone.program.write_text(SERVER.replace("version one", "version three"))
    lone.until_said("serving version three")


def test_a_crash_is_named_with_the_last_lines_and_the_program_starts_again(lone: Lone):
    first = lone.start(SERVER).until("ready").child
    assert first is not None

    first.send(SIGKILL)

    lone.until_said("portal was killed by signal 9")
    assert "| serving version one" in lone.log
    assert lone.until("ready", restarts=1).child != first


def test_a_crash_loop_stops_after_three_quick_exits_and_says_the_likely_fix(lone: Lone):
    lone.start("import not_a_module_of_ours\n")

    state = lone.until("failed")

    assert "ended 3 times at once" in lone.log
    assert "ModuleNotFoundError" in lone.log
    assert "a Python dependency is missing" in state.note
    assert lone.process is not None
    assert lone.process.poll() is None, "the wrapper stays, or honcho would end the others"


def test_saving_a_file_ends_a_crash_loop(lone: Lone):
    lone.start(CRASH).until("failed")

    lone.program.write_text(SERVER)

    lone.until("ready")


def test_a_taken_port_is_named_with_its_owner_and_the_program_starts_when_it_is_free(lone: Lone):
    with socket.create_server(("127.0.0.1", lone.port)):
        lone.start(SERVER)
        note = lone.until("failed").note
        assert f"port {lone.port} for portal is in use by" in note
        assert "pid" in note
        assert "--port-base" in note

    lone.until("ready")


def test_a_program_waits_for_what_it_needs(lone: Lone):
    lone.start(SERVER, needs=("valkey",))

    lone.until_said("waits for valkey")

    assert ports.is_free(lone.port)
    state = lone.state
    assert state is not None
    # The test plays the part of valkey, ready now.
    type(state)("valkey", "ready", state.wrapper).save(lone.home / "state")
    lone.until("ready")


def test_a_rest_by_hand_lasts_until_a_restart_by_hand(lone: Lone, gone: Callable[[int], None]):
    first = lone.start(SERVER).until("ready").child
    assert first is not None

    lone.signal(SIGUSR1)
    lone.until("stopped")
    gone(first.pid)
    assert ports.is_free(lone.port)

    lone.signal(SIGHUP)
    assert lone.until("ready").child != first


def test_the_end_of_a_wrapper_ends_all_that_its_program_started(
    lone: Lone, gone: Callable[[int], None]
):
    text = (
        "import subprocess, sys\n"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('grandchild', one.pid, flush=True)\n"
        "one.wait()\n"
    )
    lone.start(text, ready_path=None)
    log = lone.until_said("grandchild ")
    grandchild = int(log.split("grandchild ")[1].split()[0])

    lone.signal(SIGTERM)

    gone(grandchild)
    assert lone.process is not None
    assert lone.process.wait(10) == 0


def test_a_program_that_ignores_the_word_is_ended_by_force(lone: Lone, gone: Callable[[int], None]):
    text = SERVER.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
    child = lone.start(text).until("ready").child
    assert child is not None

    lone.signal(SIGTERM)

    gone(child.pid)


def test_nobody_stays_when_the_starter_is_killed(lone: Lone, gone: Callable[[int], None]):
    starter = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    lone.given = {SUPERVISOR: str(starter.pid)}
    state = lone.start(SERVER).until("ready")
    assert state.child is not None

    starter.kill()
    starter.wait()

    gone(state.child.pid)
    gone(state.wrapper.pid)


def test_an_endless_line_does_not_stop_the_log(lone: Lone):
    lone.start(SERVER.replace("print(", "print('x' * 300_000); print(", 1))

    lone.until("ready")

    assert "serving version one" in eventually(lambda: lone.log or None, "a log")
