"""/api/v1/tokens and /api/v1/projects/{project_id}/tokens"""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.identity import ACCESS, PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.models.tokens import MadeToken, NewToken, Token
from auth_service.operations import tokens as operations

routes = Routes("tokens")


@routes.get("/api/v1/tokens", policy=policy.person())
async def list_own_tokens(request: Request, query: PageQuery) -> Page[Token]:
    """List one's own API tokens in all projects, newest first."""
    return await operations.list_own_tokens(call_of(request).database, request[PRINCIPAL], query)


@routes.get("/api/v1/projects/{project_id}/tokens", policy=policy.viewer(people_only=True))
async def list_project_tokens(request: Request, project_id: UUID, query: PageQuery) -> Page[Token]:
    """List a project's API tokens: all of them as its owner, else one's own."""
    return await operations.list_project_tokens(
        call_of(request).database, request[PRINCIPAL], project_id, request[ACCESS].role, query
    )


@routes.post(
    "/api/v1/projects/{project_id}/tokens",
    policy=policy.viewer(when_archived=False, people_only=True),
    idempotent=True,
)
async def create_token(request: Request, project_id: UUID, body: NewToken) -> MadeToken:
    """Make an API token with at most one's own role; its text is answered this once."""
    return await operations.create_token(call_of(request), request[PRINCIPAL], project_id, body)


@routes.delete(
    "/api/v1/tokens/{token_id}", policy=policy.signed_in(), raises=(errors.TokenNotFound,)
)
async def revoke_token(request: Request, token_id: UUID) -> None:
    """Revoke one's own API token, or one of a project that one owns."""
    await operations.revoke_token(call_of(request), request[PRINCIPAL], token_id)
