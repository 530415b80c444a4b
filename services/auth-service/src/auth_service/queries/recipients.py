"""SQL on whom other services may write to: one function, one statement."""

from collections.abc import Sequence

from servicekit.database import Connection, fetch_all

from auth_service.models.recipients import Membership, Recipient


async def select_recipients(
    connection: Connection, members: Sequence[Membership]
) -> list[Recipient]:
    """Those of the people who are active and in their project, which is not archived."""
    return await fetch_all(
        connection,
        Recipient,
        """
        SELECT DISTINCT p.id AS project_id, p.slug AS project_slug, p.name AS project_name,
               u.id AS user_id, u.name, u.email
        FROM unnest($1::uuid[], $2::uuid[]) AS wanted (project_id, user_id)
        JOIN auth.members AS m USING (project_id, user_id)
        JOIN auth.users AS u ON u.id = m.user_id AND u.deactivated_at IS NULL
        JOIN auth.projects AS p ON p.id = m.project_id AND p.archived_at IS NULL
        """,
        [member.project_id for member in members],
        [member.user_id for member in members],
    )
