"""A Valkey cluster of a test's own: a few nodes on loopback that share the slots."""

import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from valkey import Valkey
from valkey.exceptions import ValkeyError

from servicekit.testing.valkey import valkey_server

SLOTS = 16_384
# After which a node counts as dead; a loaded machine may let one wait for a second.
NODE_TIMEOUT_MS = 3_000
PATIENCE_SEC = 30


class Node:
    """One server of the cluster, which may be killed and started again at the same address."""

    def __init__(self, port: int, bus_port: int, folder: Path) -> None:
        self.port, self.bus_port = port, bus_port
        self.client = cast("Any", Valkey(port=port, socket_timeout=5))
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with what it wrote down before it was killed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        options = {
            "port": self.port,
            "cluster-port": self.bus_port,
            "cluster-enabled": "yes",
            "cluster-node-timeout": NODE_TIMEOUT_MS,
            # The slots of the nodes that are there are served while another is away.
            "cluster-require-full-coverage": "no",
            # A replica takes over at once, however long ago it heard of its primary.
            "cluster-replica-validity-factor": 0,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "appendonly": "yes",
            "save": "",
            "repl-diskless-sync-delay": 0,
            "loglevel": "warning",
            "logfile": self._folder / "log",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen([valkey_server(), *words])  # noqa: S603 - our own words

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @property
    def id(self) -> str:
        """What the other nodes call it."""
        return self._say("CLUSTER", "MYID")

    def holds(self, key: str) -> bool:
        """Whether it is asked for that key."""
        slot = int(self._say("CLUSTER", "KEYSLOT", key))
        for first, last, holder, *_ in self.client.execute_command("CLUSTER SLOTS"):
            if first <= slot <= last:
                return holder[1] == self.port
        return False

    def _say(self, *words: str) -> str:
        answer = self.client.execute_command(*words)
        return answer.decode() if isinstance(answer, bytes) else str(answer)


class ValkeyCluster:
    """Nodes that share the slots; with replicas, the second half follows the first."""

    def __init__(self, nodes: list[Node], *, replicas: bool) -> None:
        self.nodes = nodes
        self.primaries = nodes[: len(nodes) // 2] if replicas else nodes
        self.replicas = nodes[len(self.primaries) :]

    @property
    def url(self) -> str:
        """Its address, which names two of the nodes."""
        return "valkey+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def holding(self, key: str) -> Node:
        """The node that is asked for a key."""
        (found,) = [node for node in self.primaries if node.holds(key)]
        return found

    def join(self) -> None:
        """Make one cluster of the nodes, which have just been started."""
        for node in self.nodes:
            until(node.client.ping)
        share = SLOTS // len(self.primaries) + 1
        for number, node in enumerate(self.primaries):
            last = min(SLOTS, (number + 1) * share) - 1
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        first, *others = self.nodes
        for node in others:
            first.client.execute_command("CLUSTER MEET", "127.0.0.1", node.port, node.bus_port)
        until(lambda: all(self._knows_all(node) for node in self.nodes))
        for primary, replica in zip(self.primaries, self.replicas, strict=False):
            replica.client.execute_command("CLUSTER REPLICATE", primary.id)
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Return when every node that runs sees all slots served and every replica follows."""
        until(lambda: all(_is_whole(node) for node in self.nodes))
        until(lambda: all(_follows(node) for node in self.replicas))

    def _knows_all(self, node: Node) -> bool:
        info = node.client.execute_command("CLUSTER INFO")
        return f"cluster_known_nodes:{len(self.nodes)}" in _lines(info)


def _is_whole(node: Node) -> bool:
    lines = _lines(node.client.execute_command("CLUSTER INFO"))
    return {"cluster_state:ok", f"cluster_slots_ok:{SLOTS}"} <= lines


def _follows(node: Node) -> bool:
    return node.client.info("replication").get("master_link_status") == "up"


def _lines(info: dict[str, str]) -> set[str]:
    return {f"{name}:{value}" for name, value in info.items()}


def until(happened: Callable[[], bool]) -> None:
    """Return when it is so; meanwhile a node may be away."""
    give_up = time.monotonic() + PATIENCE_SEC
    while True:
        try:
            if happened():
                return
        except (ValkeyError, OSError):
            pass
        if time.monotonic() > give_up:
            raise TimeoutError("the Valkey cluster did not get ready")
        time.sleep(0.02)


@contextmanager
def valkey_cluster(folder: Path, *, replicas: bool = False) -> Generator[ValkeyCluster]:
    """Three nodes that share the slots, and with `replicas` another three that follow them."""
    count = 6 if replicas else 3
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(2 * count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in probes]
    nodes = [
        Node(ports[2 * number], ports[2 * number + 1], folder / str(number))
        for number in range(count)
    ]
    try:
        for node in nodes:
            node.start()
        cluster = ValkeyCluster(nodes, replicas=replicas)
        cluster.join()
        yield cluster
    finally:
        for node in nodes:
            node.kill()
            node.client.close()
