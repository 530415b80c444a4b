"""People for tests: tokens that stand for themselves, and the roles they hold."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from aiohttp import web

from servicekit.identity import Access, Principal, Role, Scope, bearer_token
from servicekit.problems import Unauthenticated, Unavailable


@dataclass(slots=True)
class KnownPeople:
    """An `Identity` that is told whom it knows, handed to `create_app` in auth-service's place."""

    principals: dict[str, Principal] = field(default_factory=dict[str, Principal])
    roles: dict[tuple[UUID, UUID], Role] = field(default_factory=dict[tuple[UUID, UUID], Role])
    admins: set[UUID] = field(default_factory=set[UUID])
    archived: set[UUID] = field(default_factory=set[UUID])
    slugs: dict[str, UUID] = field(default_factory=dict[str, UUID])
    away: bool = False

    def person(self, token: str, *, project_id: UUID | None = None, role: str = "") -> Principal:
        """Someone whose bearer token is `token`, with a role in the project if one is given."""
        principal = Principal(user_id=uuid4(), session_id=uuid4())
        self.principals[token] = principal
        if project_id and role:
            self.roles[principal.user_id, project_id] = Role(role)
        return principal

    def program(self, token: str, *, project_id: UUID, role: str) -> Principal:
        """A person's program whose API token is `token`, limited to the project and role."""
        principal = Principal(
            user_id=uuid4(),
            kind="token",
            token_id=uuid4(),
            scope=Scope(project_id=project_id, role=Role(role)),
        )
        self.principals[token] = principal
        self.roles[principal.user_id, project_id] = Role(role)
        return principal

    async def identify(self, request: web.Request) -> Principal | None:
        token = bearer_token(request)
        if token is None:
            return None
        if self.away:
            raise Unavailable
        if token not in self.principals:
            raise Unauthenticated
        return self.principals[token]

    async def access(
        self, _request: web.Request, principal: Principal, project_id: UUID
    ) -> Access | None:
        role = self.roles.get((principal.user_id, project_id))
        if role is None:
            return None
        return Access(
            project_id=project_id,
            slug=next((slug for slug, id_ in self.slugs.items() if id_ == project_id), "test"),
            user_id=principal.user_id,
            role=role,
            archived=project_id in self.archived,
        )

    async def find_project(
        self, _request: web.Request, principal: Principal, slug: str
    ) -> UUID | None:
        project_id = self.slugs.get(slug)
        return project_id if (principal.user_id, project_id) in self.roles else None

    async def is_admin(self, _request: web.Request, principal: Principal) -> bool:
        return principal.user_id in self.admins
