"""The server, token and project that a command works with."""

from typing import Any, NamedTuple

from runbench import settings
from runbench.api import Api
from runbench.cli.output import NOT_ALLOWED, fail
from runbench.reading import StoredRun, find_run, resolve_project


class Session(NamedTuple):
    """A signed-in connection; base is the address of the portal."""

    api: Api
    base: str
    project: str | None

    def resolve(self) -> dict[str, Any]:
        """The project that is meant. Raises LookupError, ApiError, Unreachable."""
        return resolve_project(self.api, self.project)

    def run(self, reference: str) -> StoredRun:
        """The run that is meant. Raises LookupError, ApiError, Unreachable."""
        return find_run(self.resolve(), self.api, reference, self.base)


def connect(project: str | None = None) -> Session:
    """A connection for this command; ends it when there is no token."""
    current = settings.load()
    if current.token is None:
        fail(f"no token for {current.url}. Run `runbench login {current.url}`.", NOT_ALLOWED)
    return Session(
        Api(current.url, current.token),
        current.portal_url or current.url,
        project or current.project,
    )
