"""The demo rig: simulated sensors that send to the demo project while the workspace runs.

`RUNBENCH_DEMO_RIG=1 nox -s dev` starts it beside the processes; its words are in
`.dev/logs/demo-rig.log`. A wind tunnel whose IMU is silent for ten seconds of every thirty.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

from runbench.api import Api, ApiError, Unreachable
from runbench.playing import play
from runbench.reading import resolve_project
from runbench.registry import token_for_device
from runbench.sensor import Sensor
from runbench.simulation import RIGS

from scripts import guard, leftovers, seed
from scripts.environment import Workspace

RIG, SCENARIO = "wind-tunnel", "dropout"
PAUSE_SECONDS = 5.0


def wanted(workspace: Workspace) -> bool:
    """Whether the workspace is asked to have one."""
    return workspace.given.get("RUNBENCH_DEMO_RIG", "").strip() == "1"


def start(workspace: Workspace) -> "subprocess.Popen[bytes]":
    """Start it in a process of its own, which ends when this one does."""
    workspace.logs.mkdir(exist_ok=True)
    with (workspace.logs / "demo-rig.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.demo_rig"],
            env={
                **workspace.given,
                guard.SUPERVISOR: str(os.getpid()),
                leftovers.MARK: str(workspace.home),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def main() -> int:
    """Send until told to end."""
    workspace = Workspace.load()
    token = seed.token(workspace)
    if token is None:
        print("there is no demo project: `nox -s seed` makes it", file=sys.stderr)
        return 1
    threading.Thread(target=end_when_alone, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url = workspace.url("api-gateway")
    home = str(workspace.home / "demo-rig")
    os.environ.update(RUNBENCH_URL=url, RUNBENCH_DIR=home, RUNBENCH_FINISH_TIMEOUT="2")
    began = time.time_ns() // 1000
    while True:
        try:
            with Api(url, token) as api:
                project = resolve_project(api, seed.PROJECT["slug"])
                tokens = {
                    device.name: token_for_device(api, project, device, began)
                    for device in RIGS[RIG]
                }
            break
        except (ApiError, Unreachable, LookupError) as error:
            print(f"the sensors cannot be registered yet: {error}", flush=True)
            time.sleep(PAUSE_SECONDS)
    sensors = {name: Sensor(secret) for name, secret in tokens.items()}
    start = time.time_ns() // 1000
    print(f"{RIG} sends, {SCENARIO}, from {start}", flush=True)
    play(RIGS[RIG], sensors, SCENARIO, start=start)
    return 0


def end_when_alone() -> None:
    """End this process with the one that started it."""
    asyncio.run(guard.until_orphaned(guard.supervisor(), os.getppid()))
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
