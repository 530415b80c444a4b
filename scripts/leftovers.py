"""What a killed session left running, found by pid and start time and by nothing else."""

import os
from pathlib import Path

import psutil

from scripts import state as states
from scripts.environment import Workspace
from scripts.state import Identity

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


def end_all(workspace: Workspace) -> list[str]:
    """End every process of this workspace that still runs; the names of those that did.

    Wrappers are asked first, since they stop their own process in order; what is left after
    that, and programs whose wrapper was killed, are ended one by one.
    """
    found = [one for one in states.living(workspace.states) if one.wrapper.pid != os.getpid()]
    states.end([one.wrapper for one in found if one.alive], OWN_STOP_SECONDS)
    states.end([one.child for one in found if one.child and one.child.process], OWN_STOP_SECONDS)
    names = [one.name for one in found]
    if server := server_of(workspace.home):
        states.end([server], OWN_STOP_SECONDS)
        names.append("the PostgreSQL server")
    return names
