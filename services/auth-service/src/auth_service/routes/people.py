"""/auth/me, passwords, and finding people."""

from aiohttp.web import Request
from servicekit import policy
from servicekit.identity import PRINCIPAL
from servicekit.problems import Unavailable
from servicekit.routing import Routes

from auth_service import errors
from auth_service.call import call_of
from auth_service.models.people import (
    Me,
    NewPassword,
    PasswordChange,
    People,
    PeopleQuery,
    ProfileChange,
    ResetRequest,
)
from auth_service.models.sessions import Accepted
from auth_service.operations import accounts, passwords
from auth_service.routes.sessions import BODY_LIMIT

routes = Routes("people")


@routes.get("/auth/me", policy=policy.signed_in(), limit="inside")
async def read_me(request: Request) -> Me:
    """Read who one is, and with what credentials."""
    return await accounts.read_me(call_of(request).database, request[PRINCIPAL])


@routes.patch("/auth/me", policy=policy.person())
async def change_me(request: Request, body: ProfileChange) -> Me:
    """Change one's own name."""
    return await accounts.change_me(call_of(request), request[PRINCIPAL], body)


@routes.post(
    "/auth/change-password",
    policy=policy.person(),
    status=204,
    body_limit=BODY_LIMIT,
    raises=(errors.WrongPassword, errors.TooManyAttempts, Unavailable),
)
async def change_password(request: Request, body: PasswordChange) -> None:
    """Set a new password; every other session of the person ends."""
    await passwords.change_password(call_of(request), request[PRINCIPAL], body)


@routes.post("/auth/password-reset", policy=policy.public(), status=202, body_limit=BODY_LIMIT)
async def request_password_reset(request: Request, body: ResetRequest) -> Accepted:
    """Ask for a link for a new password; the answer is the same for every address."""
    return await passwords.request_reset(call_of(request), body)


@routes.post(
    "/auth/password-reset/confirm",
    policy=policy.public(),
    status=204,
    body_limit=BODY_LIMIT,
    raises=(errors.ResetTokenInvalid, Unavailable),
)
async def confirm_password_reset(request: Request, body: NewPassword) -> None:
    """Set a new password by a link; every session of the person ends."""
    await passwords.confirm_reset(call_of(request), body)


@routes.get("/api/v1/users", policy=policy.person())
async def find_people(request: Request, query: PeopleQuery) -> People:
    """Find people by the beginning of a name or an e-mail address."""
    return await accounts.find_people(call_of(request).database, query)
