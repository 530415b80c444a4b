"""What the figures depend on: the machine, its load, and the memory of processes."""

import contextlib
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil


def conditions(postgres: str, fsync: str) -> dict[str, str]:
    """What has to be said beside every figure."""
    one, five, fifteen = os.getloadavg()
    return {
        "cores": str(os.process_cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": f"{postgres}, fsync {fsync}",
        "load": f"{one:.2f} {five:.2f} {fifteen:.2f} before the first round",
        "revision": _revision(),
    }


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all that they started."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                found[process.pid] = process
    return list(found.values())


def memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes of these processes together; what they share counts once (PSS, where the system tells).

    Elsewhere than on Linux what they share counts in each (RSS).
    """
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            rollup = Path(f"/proc/{process.pid}/smaps_rollup")
            if rollup.exists():
                found = re.search(r"^Pss:\s+(\d+) kB", rollup.read_text(), re.MULTILINE)
                total += int(found[1]) * 1024 if found else 0
            else:
                total += process.memory_info().rss
    return total


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        found = re.search(r"^model name\s*: (.+)$", described.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _revision() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
