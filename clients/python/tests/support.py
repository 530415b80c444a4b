"""Processes of the user's, and waiting."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


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
