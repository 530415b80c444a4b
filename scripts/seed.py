"""Demo people and data, made through the public HTTP API of a running stack. A second run changes nothing."""

import json
from collections.abc import Callable

from scripts.environment import Workspace


class SeedError(Exception):
    """The stack refused a step; the message names the step and the answer."""


def sow(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Make what is missing."""


def token(workspace: Workspace) -> str | None:
    """The API token that seeding made, None when it made none."""
    path = workspace.home / "seeded.json"
    return json.loads(path.read_text()).get("token") if path.exists() else None
