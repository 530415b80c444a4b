"""Identity for auth-service itself: from its own database, so that what is revoked ends at once."""

import hmac
from uuid import UUID

from aiohttp import web
from servicekit.application import IDENTITY
from servicekit.database import DATABASE
from servicekit.identity import (
    Access,
    Principal,
    Scope,
    bearer_token,
    verify_access_token,
)
from servicekit.machine_tokens import parse_machine_token
from servicekit.problems import Unauthenticated

from auth_service.models.projects import ProjectQuery
from auth_service.operations.projects import find_access, list_projects
from auth_service.queries.people import select_me
from auth_service.queries.sessions import select_holder
from auth_service.queries.tokens import select_credential, touch_token
from auth_service.signing import Keys


class OwnIdentity:
    """An `Identity` that asks nobody."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def identify(self, request: web.Request) -> Principal | None:
        """See `Identity.identify`."""
        token = bearer_token(request)
        if token is None:
            return None
        if token.startswith("rb_"):
            return await self._identify_program(request, token)
        claims = verify_access_token(token, self._keys.public)
        async with request.app[DATABASE].acquire() as connection:
            holder = await select_holder(connection, session_id=claims.sid, user_id=claims.sub)
        if holder is None:
            msg = "The session has ended."
            raise Unauthenticated(msg)
        return Principal(user_id=holder.user_id, session_id=claims.sid)

    async def access(
        self, request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        """See `Identity.access`."""
        return await find_access(request.app[DATABASE], principal, project_id)

    async def find_project(
        self, request: web.Request, principal: Principal, slug: str
    ) -> UUID | None:
        """See `Identity.find_project`."""
        query = ProjectQuery(slug=slug, archived="all", limit=1)
        page = await list_projects(request.app[DATABASE], principal, query)
        return page.items[0].id if page.items else None

    async def is_admin(self, request: web.Request, principal: Principal) -> bool:
        """See `Identity.is_admin`."""
        async with request.app[DATABASE].acquire() as connection:
            me = await select_me(connection, principal.user_id)
        return me.is_admin and principal.kind == "user"

    async def _identify_program(self, request: web.Request, token: str) -> Principal:
        parsed = parse_machine_token(token)
        if parsed and parsed.kind == "pat":
            async with request.app[DATABASE].acquire() as connection:
                found = await select_credential(connection, key_id=parsed.key_id)
                right = found and hmac.compare_digest(found.secret_hash, parsed.secret_hash)
                if found and right and found.is_good:
                    await touch_token(connection, found.id)
                    scope = Scope(project_id=found.project_id, role=found.role)
                    return Principal(
                        user_id=found.user_id, kind="token", token_id=found.id, scope=scope
                    )
        msg = "The API token is not valid, has expired or was revoked."
        raise Unauthenticated(msg)


async def principal_if_any(request: web.Request) -> Principal | None:
    """Who asks on a public route; credentials that are not valid count as none."""
    try:
        return await request.app[IDENTITY].identify(request)
    except Unauthenticated:
        return None
