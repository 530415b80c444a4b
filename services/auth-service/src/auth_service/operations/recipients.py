"""Whom other services may write to."""

from servicekit.database import Database

from auth_service.models.recipients import RecipientQuery, Recipients
from auth_service.queries.recipients import select_recipients


async def find_recipients(database: Database, query: RecipientQuery) -> Recipients:
    """Addresses of people who are active members now: nobody is written to by any other."""
    async with database.acquire() as connection:
        return Recipients(items=await select_recipients(connection, query.members))
