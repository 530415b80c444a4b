"""The datasets that runs read: one function, one statement."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel
from servicekit.database import Connection, fetch_all

from experiment_service.mlflow.messages import DatasetInput

CONTEXT = "mlflow.data.context"


class RunDataset(BaseModel, frozen=True):
    """A dataset that a run reads."""

    run_id: UUID
    name: str
    digest: str
    source_type: str
    source: str
    schema_text: str | None
    profile: str | None
    tags: dict[str, str]


async def insert_run_datasets(
    connection: Connection, inputs: Sequence[DatasetInput], *, run_id: UUID, project_id: UUID
) -> None:
    """Note datasets that a run reads; one that is noted already stays as it is."""
    tags = [{tag.key: tag.value for tag in given.tags} for given in inputs]
    await connection.execute(
        """
        INSERT INTO experiment.run_datasets (
            run_id, project_id, name, digest, position, source_type, source, schema, profile,
            context, tags
        )
        SELECT $1, $2, given.name, given.digest, noted.count + given.number, given.source_type,
               given.source, given.schema, given.profile, given.context, given.tags
        FROM unnest(
            $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::jsonb[]
        ) WITH ORDINALITY AS given (
            name, digest, source_type, source, schema, profile, context, tags, number
        )
        CROSS JOIN (
            SELECT count(*) FROM experiment.run_datasets WHERE run_id = $1
        ) AS noted
        ORDER BY given.number
        ON CONFLICT DO NOTHING
        """,
        run_id,
        project_id,
        [given.dataset.name for given in inputs],
        [given.dataset.digest for given in inputs],
        [given.dataset.source_type for given in inputs],
        [given.dataset.source for given in inputs],
        [given.dataset.schema_ for given in inputs],
        [given.dataset.profile for given in inputs],
        [one.get(CONTEXT) for one in tags],
        tags,
    )


async def select_run_datasets(
    connection: Connection, *, run_ids: Sequence[UUID]
) -> list[RunDataset]:
    """The datasets that the runs read, in the order in which they were noted."""
    return await fetch_all(
        connection,
        RunDataset,
        """
        SELECT run_id, name, digest, source_type, source, schema AS schema_text, profile, tags
        FROM experiment.run_datasets
        WHERE run_id = ANY($1::uuid[])
        ORDER BY run_id, position
        """,
        run_ids,
    )
