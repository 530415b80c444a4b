"""Telling every process that a project has changed."""

from aiohttp import web
from servicekit.identity import ACCESS
from servicekit.wakeups import Wakeups

CHANNEL = "runbench:runs"

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_FIRST_REFUSAL = 400


class ProjectWakeups(Wakeups):
    """Hints that a project has changed, by its id."""

    def __init__(self, url: str) -> None:
        super().__init__(url, CHANNEL)

    async def announce_change(self, request: web.Request, response: web.StreamResponse) -> None:
        """Announce what the request changed, at the moment its answer goes out."""
        access = request.get(ACCESS)
        if access and request.method not in _READS and response.status < _FIRST_REFUSAL:
            self.announce(access.project_id)
