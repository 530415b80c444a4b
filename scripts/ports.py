"""Who listens on a port, and whether a port is free."""

import socket

import psutil

from scripts.environment import LOOPBACK


def is_free(port: int) -> bool:
    """Whether a server of ours could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listener(port: int) -> psutil.Process | None:
    """The process that listens on a TCP port, None when nobody does or it is not ours to see."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS shows only one's own, process by process
        return None
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
            try:
                return psutil.Process(one.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def owner(port: int) -> str:
    """Who holds a port, in words: `python (pid 12, user ann)`."""
    found = listener(port)
    if found is None:
        return "a process of another user"
    try:
        return f"{found.name()} (pid {found.pid}, user {found.username()})"
    except psutil.Error:
        return f"pid {found.pid}"


def in_the_way(name: str, port: int) -> str:
    """The sentence for a port that is taken: who has it and what to do."""
    return (
        f"port {port} for {name} is in use by {owner(port)}: "
        "stop that program, or move all ports with `nox -s dev -- --port-base 4000`"
    )
