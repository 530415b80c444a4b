"""SQL on projects and their members."""

from datetime import datetime
from uuid import UUID

from servicekit.database import Connection, fetch_all, fetch_one, fetch_optional
from servicekit.identity import Access, Role

from auth_service.models.projects import LockedProject, Member, Project


async def insert_project(
    connection: Connection,
    *,
    project_id: UUID,
    slug: str,
    name: str,
    description: str,
    created_by: UUID,
) -> None:
    """Add a project, as yet without members."""
    await connection.execute(
        """
        INSERT INTO auth.projects (id, slug, name, description, created_by)
        VALUES ($1, $2, $3, $4, $5)
        """,
        project_id,
        slug,
        name,
        description,
        created_by,
    )


async def lock_slugs(connection: Connection, *, stem: str) -> None:
    """Let nobody else look for a free slug of this stem until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 4))", stem)


async def select_slugs(connection: Connection, *, slug: str, stem: str) -> set[str]:
    """The slugs in use that are this one, or the stem with something behind a hyphen."""
    rows = await connection.fetch(
        "SELECT slug FROM auth.projects WHERE slug = $1 OR starts_with(slug, $2 || '-')",
        slug,
        stem,
    )
    return {row["slug"] for row in rows}


async def select_project(connection: Connection, project_id: UUID, *, user_id: UUID) -> Project:
    """A project as one of its members sees it."""
    return await fetch_one(
        connection,
        Project,
        """
        SELECT id, slug, name, description, members.role, version, created_at, updated_at,
               archived_at,
               (SELECT count(*) FROM auth.members WHERE members.project_id = id) AS member_count
        FROM auth.projects
        JOIN auth.members ON members.project_id = id AND members.user_id = $2
        WHERE id = $1
        """,
        project_id,
        user_id,
    )


async def select_projects_by_name(
    connection: Connection,
    *,
    user_id: UUID,
    only: UUID | None,
    slug: str | None,
    text: str | None,
    archived: bool | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[Project]:
    """The person's projects; case does not matter in their order."""
    return await fetch_all(
        connection,
        Project,
        """
        SELECT id, slug, name, description, members.role, version, created_at, updated_at,
               archived_at,
               (SELECT count(*) FROM auth.members WHERE members.project_id = id) AS member_count
        FROM auth.projects
        JOIN auth.members ON members.project_id = id AND members.user_id = $1
        WHERE ($2::uuid IS NULL OR id = $2)
          AND ($3::text IS NULL OR slug = $3)
          AND ($4::text IS NULL OR strpos(lower(name), lower($4)) > 0
               OR strpos(slug, lower($4)) > 0)
          AND ($5::boolean IS NULL OR (archived_at IS NOT NULL) = $5)
          AND ($6::text IS NULL OR (lower(name), id) > (lower($6), $7::uuid))
        ORDER BY lower(name), id
        LIMIT $8
        """,
        user_id,
        only,
        slug,
        text,
        archived,
        after and after[0],
        after and after[1],
        limit,
    )


async def select_projects_newest_first(
    connection: Connection,
    *,
    user_id: UUID,
    only: UUID | None,
    slug: str | None,
    text: str | None,
    archived: bool | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Project]:
    """The person's projects, by when they were made."""
    return await fetch_all(
        connection,
        Project,
        """
        SELECT id, slug, name, description, members.role, version, created_at, updated_at,
               archived_at,
               (SELECT count(*) FROM auth.members WHERE members.project_id = id) AS member_count
        FROM auth.projects
        JOIN auth.members ON members.project_id = id AND members.user_id = $1
        WHERE ($2::uuid IS NULL OR id = $2)
          AND ($3::text IS NULL OR slug = $3)
          AND ($4::text IS NULL OR strpos(lower(name), lower($4)) > 0
               OR strpos(slug, lower($4)) > 0)
          AND ($5::boolean IS NULL OR (archived_at IS NOT NULL) = $5)
          AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::uuid))
        ORDER BY created_at DESC, id DESC
        LIMIT $8
        """,
        user_id,
        only,
        slug,
        text,
        archived,
        before and before[0],
        before and before[1],
        limit,
    )


async def lock_project(connection: Connection, project_id: UUID) -> LockedProject:
    """A project, kept from changing until the transaction ends."""
    return await fetch_one(
        connection,
        LockedProject,
        """
        SELECT id, slug, name, description, version, archived_at IS NOT NULL AS is_archived
        FROM auth.projects
        WHERE id = $1
        FOR UPDATE
        """,
        project_id,
    )


async def update_project(
    connection: Connection,
    project_id: UUID,
    *,
    slug: str,
    name: str,
    description: str,
) -> None:
    """Change a project; its version goes up by one."""
    await connection.execute(
        """
        UPDATE auth.projects
        SET slug = $2, name = $3, description = $4, version = version + 1, updated_at = now()
        WHERE id = $1
        """,
        project_id,
        slug,
        name,
        description,
    )


async def update_archived(connection: Connection, project_id: UUID, *, archived: bool) -> None:
    """Archive a project, or bring it back; its version goes up by one."""
    await connection.execute(
        """
        UPDATE auth.projects
        SET archived_at = CASE WHEN $2 THEN now() END, version = version + 1, updated_at = now()
        WHERE id = $1
        """,
        project_id,
        archived,
    )


async def select_access(
    connection: Connection, *, project_id: UUID, user_id: UUID
) -> Access | None:
    """The person's own part in the project."""
    return await fetch_optional(
        connection,
        Access,
        """
        SELECT id AS project_id, slug, members.user_id, members.role,
               archived_at IS NOT NULL AS archived
        FROM auth.projects
        JOIN auth.members ON members.project_id = id AND members.user_id = $2
        WHERE id = $1
        """,
        project_id,
        user_id,
    )


async def upsert_member(
    connection: Connection, *, project_id: UUID, user_id: UUID, role: Role
) -> None:
    """Give a person a role, their first or another."""
    await connection.execute(
        """
        INSERT INTO auth.members (project_id, user_id, role)
        VALUES ($1, $2, $3)
        ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role
        """,
        project_id,
        user_id,
        role,
    )


async def delete_member(connection: Connection, *, project_id: UUID, user_id: UUID) -> None:
    """Take a person's part in a project away."""
    await connection.execute(
        "DELETE FROM auth.members WHERE project_id = $1 AND user_id = $2", project_id, user_id
    )


async def select_role(connection: Connection, *, project_id: UUID, user_id: UUID) -> Role | None:
    """The role of a person; None for who is no member."""
    role = await connection.fetchval(
        "SELECT role FROM auth.members WHERE project_id = $1 AND user_id = $2", project_id, user_id
    )
    return Role(role) if role else None


async def count_owners(connection: Connection, *, project_id: UUID, but: UUID) -> int:
    """Active owners beside one."""
    return await connection.fetchval(
        """
        SELECT count(*)
        FROM auth.members
        JOIN auth.users ON users.id = user_id AND users.deactivated_at IS NULL
        WHERE project_id = $1 AND role = 'owner' AND user_id <> $2
        """,
        project_id,
        but,
    )


async def select_member(connection: Connection, *, project_id: UUID, user_id: UUID) -> Member:
    """A member."""
    return await fetch_one(
        connection,
        Member,
        """
        SELECT user_id, users.name, users.email, role, added_at
        FROM auth.members
        JOIN auth.users ON users.id = user_id
        WHERE project_id = $1 AND user_id = $2
        """,
        project_id,
        user_id,
    )


async def select_members(
    connection: Connection,
    *,
    project_id: UUID,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[Member]:
    """By name; case does not matter."""
    return await fetch_all(
        connection,
        Member,
        """
        SELECT user_id, users.name, users.email, role, added_at
        FROM auth.members
        JOIN auth.users ON users.id = user_id
        WHERE project_id = $1
          AND ($2::text IS NULL OR (lower(users.name), user_id) > (lower($2), $3::uuid))
        ORDER BY lower(users.name), user_id
        LIMIT $4
        """,
        project_id,
        after and after[0],
        after and after[1],
        limit,
    )
