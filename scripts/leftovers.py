"""What a killed session left running: found by a mark that only we set, and by nothing else."""

import os
import signal
from pathlib import Path

import psutil

from scripts import state as states
from scripts.environment import Workspace
from scripts.state import Identity

# In the environment of all that the Procfile starts: the folder of the workspace.
MARK = "RUNBENCH_WORKSPACE"
OWN_STOP_SECONDS = 5.0


def server_of(home: Path) -> Identity | None:
    """The PostgreSQL server that runs on the data of this workspace, if one does."""
    data = home / "postgres" / "data"
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(pid)
        return Identity.of(pid) if str(data) in server.cmdline() else None
    except (OSError, IndexError, ValueError, psutil.Error):
        return None


def marked(home: Path) -> list[psutil.Process]:
    """Every process that carries the mark of this workspace, except those above this one."""
    mine = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            ours = process.pid not in mine and process.environ().get(MARK) == str(home)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):  # gone meanwhile, or another user's
            continue
    return found


def end_all(workspace: Workspace) -> list[str]:
    """End every process of this workspace that still runs; the names of those that did.

    Wrappers are asked first, since they stop their own process in order; what is left after
    that, because its wrapper was killed, is ended one by one.
    """
    found = [one for one in states.living(workspace.states) if one.wrapper.pid != os.getpid()]
    states.end([one.wrapper for one in found if one.alive], OWN_STOP_SECONDS)
    states.end([one.child for one in found if one.child and one.child.process], OWN_STOP_SECONDS)
    names = [one.name for one in found]
    if server := server_of(workspace.home):
        # SIGTERM would wait for its clients to leave.
        states.end([server], OWN_STOP_SECONDS, signal.SIGINT)
        names.append("the PostgreSQL server")
    left = marked(workspace.home)
    names += [one.name() for one in left if one.is_running()]
    states.end([Identity(one.pid, one.create_time()) for one in left], OWN_STOP_SECONDS)
    return names
