"""Processes of the user's, waiting, and what not every platform has."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

# Windows has neither: what the client does there about them is nothing, so there is nothing to test.
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
needs_timers = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="Windows has no interval timers"
)
# To give a folder to somebody else is root's right; CI runs as root.
needs_root = pytest.mark.skipif(
    getattr(os, "getuid", lambda: 1)() != 0, reason="only root may give a folder away"
)


def script(text: str, **more: Any) -> subprocess.Popen[str]:
    """A Python process of the user's."""
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for what has to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
