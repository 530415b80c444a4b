"""What the tests of the whole share: one running stack a session."""

from collections.abc import Iterator

import pytest
from support.world import NOBODY_NETWORK

from scripts.stack import Stack
from scripts.stack import stack as running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """All of Runbench, on ports and with data of its own, with the built portal."""
    with running_stack({"WEBHOOK_ALLOWED_NETWORKS": NOBODY_NETWORK}) as running:
        yield running
