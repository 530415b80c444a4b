"""All lines of the Procfile under honcho, with a word on progress and a summary when all are ready.

`python -m scripts.up [--only NAME,NAME] [--no-seed] [--port-base N] [--detach]`
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from typing import override

from honcho import environ
from honcho.manager import Manager
from honcho.printer import Message, Printer

from scripts import demo_rig, environment, guard, leftovers, ports, seed, summary
from scripts import state as states
from scripts.environment import ROOT, Workspace
from scripts.page import server as page
from scripts.state import Identity, State

SPEAKER = "runbench"
LATE_SECONDS = 20.0
DETACHED_SECONDS = 180.0


class Up(Manager):
    """honcho's manager, less its habit to end everything when one process ends."""

    def __init__(self, printer: Printer, patience: threading.Event) -> None:
        super().__init__(printer)
        self.ending = patience
        self._wanted_end = False

    @override
    def terminate(self) -> None:
        self.ending.set()
        self._wanted_end = True
        if super()._all_started():  # before that honcho knows no pids to signal
            super().terminate()

    @override
    def _all_started(self) -> bool:
        started = super()._all_started()
        if started and self._wanted_end and not self._terminating:
            super().terminate()
        return started

    @property
    def started(self) -> bool:
        """Whether every process has been forked off."""
        return super()._all_started()

    @override
    def _any_stopped(self) -> bool:
        # A wrapper never ends by itself; if one is killed, the others carry on.
        return self._terminating

    @override
    def _system_print(self, data: str) -> None:
        """Say nothing of pids and signals: the summary and the wrappers say what matters."""

    def say(self, text: str) -> None:
        """Show text among the lines of the processes; may be called from any thread."""
        now = self._clock.now()
        self.events.put(Message(type="line", data=text, time=now, name=SPEAKER, colour="36"))


class Starter:
    """Looks on while the processes start, tells what happens, seeds, and prints the summary."""

    def __init__(self, workspace: Workspace, manager: Up, names: list[str], *, seeds: bool) -> None:
        self.workspace = workspace
        self.manager = manager
        self.names = names
        self.seeds = seeds
        self.began = time.monotonic()

    def look_on(self) -> None:
        """Report each process as it becomes ready; the summary when none is awaited any more.

        Once a process has failed, those that may wait for it in vain get a little time and no more.
        """
        ready: set[str] = set()
        reminded = time.monotonic()
        failed_since: float | None = None
        while not self.manager.ending.wait(0.05):
            failed = False
            for name in self.names:
                state = states.read(self.workspace.states, name)
                if name in ready or not state or not state.alive:
                    continue
                if state.status == "ready":
                    self.manager.say(f"{name} is ready after {self.seconds:.1f} s")
                    ready.add(name)
                failed |= state.status == "failed"
            now = time.monotonic()
            failed_since = (failed_since or now) if failed else None
            if len(ready) == len(self.names) or (
                failed_since and now - failed_since > LATE_SECONDS
            ):
                self.conclude()
                return
            if now - reminded > LATE_SECONDS:
                late = [name for name in self.names if name not in ready]
                self.manager.say(f"still waiting for {', '.join(late)}")
                reminded = now

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.began

    def conclude(self) -> None:
        """Seed a new workspace, then say where everything is."""
        took = self.seconds
        all_ready = all(states.is_ready(self.workspace.states, name) for name in self.names)
        if self.seeds and all_ready and not summary.seeded(self.workspace):
            self.manager.say("first start: making the demo people, project and runs")
            try:
                seed.sow(self.workspace, self.manager.say)
            except seed.SeedError as error:
                self.manager.say(f"the demo data could not be made: {error}")
        if self.seeds and all_ready and demo_rig.wanted(self.workspace):
            demo_rig.start(self.workspace)
            self.manager.say("the demo rig sends to project Demo (RUNBENCH_DEMO_RIG=1)")
        text = summary.block(self.workspace, took, self.names, seed.token(self.workspace))
        outcome = json.dumps({"seconds": round(took, 3), "all_ready": all_ready})
        environment.replace(self.workspace.home / "ready.json", outcome)
        environment.replace(self.workspace.home / "ready.txt", f"{text}\n")
        self.manager.say(f"\n{text}\n")


@contextlib.contextmanager
def alone(workspace: Workspace) -> Generator[None]:
    """Hold the workspace: one start at a time, and none beside a running one."""
    workspace.make_home()
    with (workspace.home / "up.lock").open("a") as lock:
        for patience in (True, False):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                running = states.read(workspace.states, "up")
                if running and running.alive:
                    raise SystemExit(
                        f"Runbench is running already here (pid {running.wrapper.pid}): "
                        "see `nox -s status`, end it with `nox -s stop`"
                    ) from None
                # A killed session is still leaving: its processes notice within a second.
                end_leftovers(workspace)
                if not patience:
                    fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_leftovers(workspace: Workspace) -> None:
    """End what a killed session left, and say what that was."""
    if left := leftovers.end_all(workspace):
        print(f"ended what an earlier session had left: {', '.join(left)}", flush=True)


def clear_the_way(workspace: Workspace, names: list[str]) -> None:
    """End what a killed session left, then make sure that every port is free.

    Raises SystemExit naming every port that is taken and by whom.
    """
    end_leftovers(workspace)
    given = {"postgres": workspace.database_server, "valkey": workspace.broker}
    mine = {name: workspace.ports[name] for name in names if not given.get(name)}
    mine["status-page"] = workspace.ports["status-page"]
    taken = [ports.in_the_way(name, port) for name, port in mine.items() if not ports.is_free(port)]
    if taken:
        raise SystemExit("\n".join(taken))


def run(workspace: Workspace, names: list[str], *, seeds: bool) -> int:
    """Run the processes until told to end; the exit code, 0 after Ctrl-C."""
    for stale in ("ready.txt", "ready.json"):
        (workspace.home / stale).unlink(missing_ok=True)
    base = workspace.given.get("RUNBENCH_PORT_BASE")
    environment.replace(workspace.home / "ports.json", json.dumps({"base": base}))
    me = Identity.of(os.getpid())
    if me:
        State("up", "starting", me).save(workspace.states)
    lines: dict[str, str] = environ.parse_procfile((ROOT / "Procfile").read_text()).processes
    variables = {
        **os.environ,
        guard.SUPERVISOR: str(os.getpid()),
        leftovers.MARK: str(workspace.home),
        "RUNBENCH_PYTHON": sys.executable,
        "RUNBENCH_COLOUR": "1" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else "0",
    }
    ending = threading.Event()
    manager = Up(Printer(sys.stdout), ending)
    for name in names:
        manager.add_process(name, lines[name], env=variables, cwd=str(ROOT))
    starter = Starter(workspace, manager, names, seeds=seeds)
    threading.Thread(target=starter.look_on, daemon=True).start()
    threading.Thread(target=show_page, args=(workspace, manager), daemon=True).start()
    threading.Thread(target=leave_with, args=(guard.starter(),), daemon=True).start()
    # A closed terminal is a word to end too, which honcho does not listen to.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    leftovers.end_all(workspace)
    (workspace.states / "up.json").unlink(missing_ok=True)
    print("everything has stopped", flush=True)
    return 0 if ending.is_set() else manager.returncode or 1


def show_page(workspace: Workspace, manager: Up) -> None:
    """Serve the status page, once nothing is forked off any more that would inherit its port."""
    while not manager.started:
        if manager.ending.wait(0.02):
            return
    try:
        server = page.listen(workspace)
    except OSError as error:
        manager.say(f"there is no status page: {error}")
        return
    server.serve_forever()


def leave_with(starter: Identity | None) -> None:
    """End this process when the one it was started for is gone."""
    while starter:
        time.sleep(guard.INTERVAL_SECONDS)
        if not starter.process:
            os.kill(os.getpid(), signal.SIGTERM)
            return


def detach(workspace: Workspace, arguments: list[str]) -> int:
    """Start in the background and return when the summary stands; 1 when it does not come."""
    workspace.make_home()
    workspace.logs.mkdir(exist_ok=True)
    ready = workspace.home / "ready.txt"
    ready.unlink(missing_ok=True)
    log = workspace.logs / "up.log"
    with log.open("ab") as output:
        background = subprocess.Popen(
            [sys.executable, "-m", "scripts.up", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + DETACHED_SECONDS
    while not ready.exists() and background.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if ready.exists():
        print(ready.read_text(), flush=True)
        return 0 if json.loads((workspace.home / "ready.json").read_text())["all_ready"] else 1
    print("\n".join(log.read_text().splitlines()[-20:]), flush=True)
    return 1


def main(arguments: list[str]) -> int:
    """Start what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s dev --", description=__doc__)
    parser.add_argument("--only", default="", help="names of processes, with commas")
    parser.add_argument("--no-seed", action="store_true", help="no demo data on first start")
    parser.add_argument("--port-base", help="move all ports, the portal's to this one")
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    chosen = parser.parse_args(arguments)
    only = [name for name in chosen.only.split(",") if name]
    if unknown := [name for name in only if name not in summary.expected()]:
        parser.error(f"no process {', '.join(unknown)}; there are {', '.join(summary.expected())}")
    if chosen.port_base:
        os.environ["RUNBENCH_PORT_BASE"] = chosen.port_base
    workspace = Workspace.load()
    if chosen.detach:
        return detach(workspace, [word for word in arguments if word != "--detach"])
    names = summary.expected(only)
    with alone(workspace):
        clear_the_way(workspace, names)
        return run(workspace, names, seeds=not chosen.no_seed and not only)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
