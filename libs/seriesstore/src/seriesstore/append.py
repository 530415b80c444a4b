"""Writing: whole batches in the caller's transaction, each at most once.

The caller opens the transaction, and may put other rows of its own into it; what
is acknowledged after its commit is stored. The owners' rows are locked first, in
one order, so that writers wait for each other and never deadlock. Many batches in
one call cost little more than one: columns are put together before they are summed
up, and there is one statement for all series and one for all chunks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from seriesstore.gather import Gathered, gather
from seriesstore.points import Points

_COLUMNS = (
    "series_id",
    "owner_id",
    "first_ordinal",
    "last_ordinal",
    "count",
    "first_x",
    "last_x",
    "first_time",
    "last_time",
    "points",
)

type Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Batch:
    """What an owner gets at once: points of some of its series by key, in the order logged.

    A batch with an id is stored once however often it comes. The scope is what the owner
    belongs to; it is kept with each series for whoever looks for series across owners.
    """

    owner_id: UUID
    points: Mapping[str, Points]
    id: UUID | None = None
    scope_id: UUID | None = None

    @property
    def count(self) -> int:
        """How many points it holds."""
        return sum(map(len, self.points.values()))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: its place among those of its owner, and how many points it holds.

    Of a repeat (`new` is false) both are those of the batch that was stored before.
    """

    new: bool
    ordinal: int
    points: int


async def append(connection: Connection, batches: Sequence[Batch]) -> list[Receipt]:
    """Store the batches in the running transaction, those of an owner in the order given.

    A batch whose id its owner has stored before, or that stands earlier in `batches`, is left
    out. A batch without points takes no place.
    """
    places = await _lock_owners(connection, batches)
    stored = await _stored_before(connection, batches)
    receipts: list[Receipt] = []
    fresh: list[tuple[Batch, int]] = []
    for batch in batches:
        name = (batch.owner_id, batch.id)
        if batch.id and (before := stored.get(name)):
            receipts.append(Receipt(new=False, ordinal=before.ordinal, points=before.points))
            continue
        if count := batch.count:
            places[batch.owner_id] += 1
            fresh.append((batch, places[batch.owner_id]))
        receipt = Receipt(new=True, ordinal=places[batch.owner_id], points=count)
        receipts.append(receipt)
        if batch.id:
            stored[name] = receipt
    if fresh:
        gathered = gather([(batch.owner_id, place, batch.points) for batch, place in fresh])
        ids = await _upsert_series(connection, fresh, gathered)
        await _insert_chunks(connection, gathered, ids)
    return receipts


async def _lock_owners(connection: Connection, batches: Sequence[Batch]) -> dict[UUID, int]:
    """The owners' last ordinals; whoever else writes for them waits until the commit."""
    rows = await connection.fetch(
        """
        INSERT INTO owners AS known (id, ordinal)
        SELECT id, 0 FROM unnest($1::uuid[]) AS wanted (id)
        ON CONFLICT (id) DO UPDATE SET ordinal = known.ordinal
        RETURNING id, ordinal
        """,
        sorted({batch.owner_id for batch in batches}),
    )
    return {row["id"]: row["ordinal"] for row in rows}


async def _stored_before(
    connection: Connection, batches: Sequence[Batch]
) -> dict[tuple[UUID, UUID | None], Receipt]:
    """The named batches that are stored already, by owner and name; the owners are locked."""
    named = [batch for batch in batches if batch.id]
    if not named:
        return {}
    rows = await connection.fetch(
        """
        SELECT owner_id, id, ordinal, points
        FROM batches
        JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (owner_id, id) USING (owner_id, id)
        """,
        [batch.owner_id for batch in named],
        [batch.id for batch in named],
    )
    return {
        (row["owner_id"], row["id"]): Receipt(
            new=False, ordinal=row["ordinal"], points=row["points"]
        )
        for row in rows
    }


async def _upsert_series(
    connection: Connection, fresh: Sequence[tuple[Batch, int]], gathered: Gathered
) -> dict[tuple[UUID, str], int]:
    """Names, turns and summaries in one statement; answers the ids of the series.

    The last value is that of the greatest x, and among equal x the one logged last; the first
    that of the least x, and among equal x the one logged first.
    """
    last = {batch.owner_id: place for batch, place in fresh}
    scopes = {batch.owner_id: batch.scope_id for batch, _ in fresh}
    named = [(batch, place) for batch, place in fresh if batch.id]
    rows = await connection.fetch(
        """
        WITH turned AS (
            UPDATE owners
            SET ordinal = turn.ordinal, first_time = least(owners.first_time, turn.first_time)
            FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS turn (id, ordinal, first_time)
            WHERE owners.id = turn.id
        ), named AS (
            INSERT INTO batches (owner_id, id, ordinal, points)
            SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::bigint[], $7::integer[])
        )
        INSERT INTO series AS old (
            owner_id, scope_id, key, count, first_x, first_value, first_time,
            last_x, last_value, last_time, min_value, min_x, max_value, max_x
        )
        SELECT *
        FROM unnest(
            $8::uuid[], $9::uuid[], $10::text[], $11::bigint[],
            $12::bigint[], $13::double precision[], $14::bigint[],
            $15::bigint[], $16::double precision[], $17::bigint[],
            $18::double precision[], $19::bigint[], $20::double precision[], $21::bigint[]
        )
        ON CONFLICT (owner_id, key) DO UPDATE SET
            scope_id = coalesce(excluded.scope_id, old.scope_id),
            count = old.count + excluded.count,
            first_value = CASE WHEN excluded.first_x < old.first_x
                THEN excluded.first_value ELSE old.first_value END,
            first_time = CASE WHEN excluded.first_x < old.first_x
                THEN excluded.first_time ELSE old.first_time END,
            first_x = least(old.first_x, excluded.first_x),
            last_value = CASE WHEN excluded.last_x >= old.last_x
                THEN excluded.last_value ELSE old.last_value END,
            last_time = CASE WHEN excluded.last_x >= old.last_x
                THEN excluded.last_time ELSE old.last_time END,
            last_x = greatest(old.last_x, excluded.last_x),
            min_x = CASE WHEN excluded.min_value < old.min_value OR old.min_value IS NULL
                THEN excluded.min_x ELSE old.min_x END,
            min_value = least(old.min_value, excluded.min_value),
            max_x = CASE WHEN excluded.max_value > old.max_value OR old.max_value IS NULL
                THEN excluded.max_x ELSE old.max_x END,
            max_value = greatest(old.max_value, excluded.max_value)
        RETURNING id, owner_id, key
        """,
        list(last),
        list(last.values()),
        [gathered.owner_time(owner) for owner in last],
        [batch.owner_id for batch, _ in named],
        [batch.id for batch, _ in named],
        [place for _, place in named],
        [batch.count for batch, _ in named],
        [owner for owner, _ in gathered.keys],
        [scopes[owner] for owner, _ in gathered.keys],
        [key for _, key in gathered.keys],
        *gathered.summaries(),
    )
    return {(row["owner_id"], row["key"]): row["id"] for row in rows}


async def _insert_chunks(
    connection: Connection, gathered: Gathered, ids: Mapping[tuple[UUID, str], int]
) -> None:
    columns = (
        [ids[key] for key in gathered.keys],
        [owner for owner, _ in gathered.keys],
        *gathered.chunks(),
    )
    await connection.copy_records_to_table(
        "chunks", records=zip(*columns, strict=True), columns=_COLUMNS
    )
