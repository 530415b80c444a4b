"""What can go wrong here, in the words our users read."""

from servicekit.problems import Conflict, Forbidden, NotFound, Problem, TooManyRequests


class _Refused(Problem):
    """The request carries no right to this."""

    status = 401


class WrongCredentials(_Refused):
    """The e-mail address or the password is wrong."""

    code = "wrong-credentials"


class RefreshTokenInvalid(_Refused):
    """The session has ended; sign in again."""

    code = "refresh-token-invalid"


class ResetTokenInvalid(Problem):
    """The link was used, has expired, or was replaced by a newer one."""

    code, status = "reset-token-invalid", 410


class TooManyAttempts(TooManyRequests):
    """Too many attempts; wait a moment and try again."""

    code = "too-many-attempts"


class WrongPassword(Forbidden):
    """The current password is wrong."""

    code = "wrong-password"


class RegistrationClosed(Forbidden):
    """Registration is closed; ask an administrator for an account."""

    code = "registration-closed"


class EmailTaken(Conflict):
    """Somebody is registered with this e-mail address."""

    code = "email-taken"


class ProjectSlugTaken(Conflict):
    """Another project has this address."""

    code = "project-slug-taken"


class LastOwner(Conflict):
    """A project needs at least one owner."""

    code = "last-owner"


class LastAdmin(Conflict):
    """Runbench needs at least one administrator."""

    code = "last-admin"


class UserDeactivated(Conflict):
    """The person is deactivated."""

    code = "user-deactivated"


class SessionNotFound(NotFound):
    """You have no such session."""

    code = "session-not-found"


class UserNotFound(NotFound):
    """There is no such person."""

    code = "user-not-found"


class MemberNotFound(NotFound):
    """This person is no member of the project."""

    code = "member-not-found"


class TokenNotFound(NotFound):
    """There is no such API token, or you may not see it."""

    code = "token-not-found"
