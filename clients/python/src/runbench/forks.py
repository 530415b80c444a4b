"""Forks and imports: a child forked while a background thread imports a module could never import
that module itself, because its lock is held by a thread that the child does not have.

Background threads therefore import while they hold `importing`, and a fork waits for them.
"""

import os
import threading
from collections.abc import Callable

FORK_WAITS_SECONDS = 2.0

importing = threading.RLock()
_held = threading.local()
_in_children: list[Callable[[], None]] = []


def guard(after_in_child: Callable[[], None]) -> None:
    """Make forks wait for background imports, then call this in the child. Once for each."""
    first = not _in_children
    _in_children.append(after_in_child)
    if first and hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before,
            after_in_parent=_after_in_parent,
            after_in_child=_after_in_child,
        )


def _before() -> None:
    _held.yes = importing.acquire(timeout=FORK_WAITS_SECONDS)


def _after_in_parent() -> None:
    if getattr(_held, "yes", False):
        _held.yes = False
        importing.release()


def _after_in_child() -> None:
    global importing  # noqa: PLW0603 - the old one may be held by a thread that is not here
    importing = threading.RLock()
    for then in _in_children:
        then()
