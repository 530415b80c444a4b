"""Identity from the debug headers, for working on one service without auth-service.

Only where RUNBENCH_ENV is dev, AUTH_SERVICE_URL is empty and the service listens on
loopback; anything else stops the start.
"""

import ipaddress
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from aiohttp import web

from servicekit.identity import Access, Principal, Role
from servicekit.problems import Unauthenticated
from servicekit.settings import ServiceSettings

log = structlog.get_logger()


class DebugIdentity:
    """`X-Debug-User` is who asks, `X-Debug-Role` what they may do in every project."""

    def __init__(self, settings: ServiceSettings) -> None:
        if not settings.is_development or settings.auth_service_url or not _loopback(settings.host):
            msg = (
                "AUTH_SERVICE_URL is not set. Set it, or use the debug headers: they need"
                " RUNBENCH_ENV=dev and a loopback HOST."
            )
            raise SystemExit(msg)
        log.warning("identity.debug_headers", hint="Everyone who reaches this port is let in.")

    async def identify(self, request: web.Request) -> Principal | None:
        """The person whom the header names: a UUID, or any name, which makes a stable one."""
        user = request.headers.get("X-Debug-User")
        if user is None:
            return None
        log.warning("identity.debug_request", user=user)
        try:
            return Principal(user_id=UUID(user))
        except ValueError:
            return Principal(user_id=uuid5(NAMESPACE_URL, user))

    async def access(
        self, request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        """The role that the header names, in whatever project it is."""
        try:
            role = Role(request.headers.get("X-Debug-Role", Role.OWNER))
        except ValueError as exc:
            msg = "X-Debug-Role must be viewer, editor or owner."
            raise Unauthenticated(msg) from exc
        return Access(
            project_id=project_id,
            slug="debug",
            user_id=principal.user_id,
            role=role,
            archived=False,
        )

    async def find_project(
        self,
        request: web.Request,  # noqa: ARG002
        principal: Principal,  # noqa: ARG002
        slug: str,
    ) -> UUID | None:
        """Whatever the slug is, the project of that name; the same one every time."""
        return uuid5(NAMESPACE_URL, slug)

    async def is_admin(self, request: web.Request, principal: Principal) -> bool:  # noqa: ARG002
        """Whether the role header says owner, whoever asks."""
        return request.headers.get("X-Debug-Role", Role.OWNER) == Role.OWNER


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
