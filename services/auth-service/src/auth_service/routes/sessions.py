"""/auth: signing in and out, and one's sessions."""

from uuid import UUID

from aiohttp.web import Request
from servicekit import policy
from servicekit.identity import PRINCIPAL
from servicekit.pagination import Page, PageQuery
from servicekit.problems import Unavailable
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.identity import principal_if_any
from auth_service.models.people import Credentials, Registration
from auth_service.models.sessions import Logout, OpenSession, Refresh, Session
from auth_service.operations import accounts
from auth_service.operations import sessions as operations

BODY_LIMIT = 16_384

routes = Routes("sessions")


@routes.post(
    "/auth/register",
    policy=policy.public(),
    body_limit=BODY_LIMIT,
    raises=(errors.EmailTaken, errors.RegistrationClosed, errors.TooManyAttempts, Unavailable),
)
async def register(request: Request, body: Registration) -> Session:
    """Register and sign in."""
    return await accounts.register(call_of(request), body)


@routes.post(
    "/auth/login",
    policy=policy.public(),
    status=200,
    body_limit=BODY_LIMIT,
    raises=(errors.WrongCredentials, errors.TooManyAttempts, Unavailable),
)
async def log_in(request: Request, body: Credentials) -> Session:
    """Sign in with e-mail address and password."""
    return await operations.log_in(call_of(request), body)


@routes.post(
    "/auth/refresh",
    policy=policy.public(),
    status=200,
    body_limit=BODY_LIMIT,
    raises=(errors.RefreshTokenInvalid,),
)
async def refresh(request: Request, body: Refresh) -> Session:
    """Exchange a refresh token for its successor and a new access token.

    A repeat within ten seconds is given the same successor; later it ends the session.
    """
    return await operations.refresh(call_of(request), body)


@routes.post("/auth/logout", policy=policy.public(), status=204, body_limit=BODY_LIMIT)
async def log_out(request: Request, body: Logout | None = None) -> None:
    """End the session that the access token or the refresh token belongs to."""
    principal = await principal_if_any(request)
    await operations.log_out(call_of(request), principal, body)


@routes.post("/auth/logout-everywhere", policy=policy.person(), status=204)
async def log_out_everywhere(request: Request) -> None:
    """End every session of the person, this one too."""
    await operations.log_out_everywhere(call_of(request), request[PRINCIPAL])


@routes.get("/auth/sessions", policy=policy.person())
async def list_sessions(request: Request, query: PageQuery) -> Page[OpenSession]:
    """List one's open sessions, newest first."""
    return await operations.list_sessions(call_of(request).database, request[PRINCIPAL], query)


@routes.delete(
    "/auth/sessions/{session_id}", policy=policy.person(), raises=(errors.SessionNotFound,)
)
async def end_session(request: Request, session_id: UUID) -> None:
    """End one of one's sessions."""
    await operations.end_session(call_of(request), request[PRINCIPAL], session_id)
