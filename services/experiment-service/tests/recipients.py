"""Whom a test knows as members, in auth-service's place."""

from uuid import UUID

from experiment_service.clients.recipients import Recipient


class KnownRecipients:
    """Members of projects with their addresses."""

    def __init__(self) -> None:
        self.people: dict[tuple[UUID, UUID], Recipient] = {}

    def add(self, project_id: UUID, user_id: UUID, address: str) -> None:
        self.people[project_id, user_id] = Recipient(
            email=address, name="Ada", project_slug="motor-bench", project_name="Motor <bench>"
        )

    async def find(self, project_id: UUID, user_id: UUID) -> Recipient | None:
        return self.people.get((project_id, user_id))
