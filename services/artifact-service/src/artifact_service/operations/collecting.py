"""Removing what nothing names any more: content let go of, and uploads that broke."""

import structlog
from prometheus_client import Counter
from servicekit.database import Database

from artifact_service.queries.objects import (
    delete_object,
    lock_suspects,
    update_cleared,
    update_unneeded,
)
from artifact_service.queries.uploads import delete_completed, select_in_parts
from artifact_service.stores.contract import Store, key_of

log = structlog.get_logger()

REMOVED = Counter("artifact_objects_removed", "Objects that the collector removed.")

AT_ONCE = 200


async def collect(database: Database, store: Store, *, keep_sec: float) -> int:
    """Remove objects that nothing vouched for in `keep_sec`; answers how many.

    An object is condemned in a transaction of its own before it is touched, and its key never
    used again: an upload of the same content that comes meanwhile keeps its own copy. So a stop
    at any point leaves at worst an object that the next turn removes.

    Raises:
        StoreUnavailable: the store does not answer; the next turn goes on.
    """
    async with database.acquire() as connection:
        await delete_completed(connection)
    removed = 0
    while True:
        async with database.acquire() as connection, connection.transaction():
            suspects = await lock_suspects(connection, older_than=keep_sec, limit=AT_ONCE)
            await update_cleared(connection, object_ids=suspects)
            leaving = await update_unneeded(connection, object_ids=suspects)
            in_parts = await select_in_parts(connection, leaving)
        for object_id in leaving:
            await store.remove(key_of(object_id))
            if count := in_parts.get(object_id):
                await store.remove_parts(key_of(object_id), count=count)
            async with database.acquire() as connection:
                await delete_object(connection, object_id=object_id)
        removed += len(leaving)
        REMOVED.inc(len(leaving))
        if len(suspects) < AT_ONCE:
            return removed
