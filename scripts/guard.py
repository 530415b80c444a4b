"""Nobody stays behind: a process of ours ends when those that started it are gone.

A killed parent (`kill -9`, a closed terminal) has no chance to say so; its children look for it.
"""

import asyncio
import os

import psutil

from scripts.state import Identity

SUPERVISOR = "RUNBENCH_SUPERVISOR"
STARTER = "RUNBENCH_STARTER"
INTERVAL_SECONDS = 0.5


def supervisor() -> Identity | None:
    """Who runs all the lines: named in the environment by `up`, else the honcho above us."""
    if named := os.environ.get(SUPERVISOR):
        return Identity.of(int(named))
    try:
        above = psutil.Process().parents()
        honchos = [one for one in above if "honcho" in " ".join(one.cmdline()[:2])]
    except psutil.Error:
        return None
    return Identity.of(honchos[-1].pid) if honchos else None


def starter() -> Identity | None:
    """Whoever `up` was started for: named in the environment, else the `uv run` above it."""
    try:
        if named := os.environ.get(STARTER):
            return Identity.of(int(named))
        parent = psutil.Process().parent()
        return Identity.of(parent.pid) if parent and parent.name() == "uv" else None
    except psutil.Error:
        return None


async def until_orphaned(watched: Identity | None, parent: int) -> None:
    """Return when the parent has changed or the watched process is gone."""
    # No event tells of it.
    while os.getppid() == parent and (watched is None or watched.process):  # noqa: ASYNC110
        await asyncio.sleep(INTERVAL_SECONDS)
