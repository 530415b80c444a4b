"""What a program needs to be a line of the Procfile: an orderly stop, a word when it is ready."""

import os
import signal
import sys
import threading
from pathlib import Path

READY_FILE = "RUNBENCH_READY_FILE"


def stop_asked() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    asked = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: asked.set())
    return asked


def say(text: str) -> None:
    """One line for the terminal and the log, at once."""
    print(text, flush=True)


def tell_ready() -> None:
    """Tell the wrapper that started this program that it can work now."""
    if named := os.environ.get(READY_FILE):
        Path(named).touch()


def fail(text: str) -> None:
    """Say why and how to go on, and end with an error."""
    print(text, file=sys.stderr, flush=True)
    raise SystemExit(1)
