"""Tags on many runs at once."""

from uuid import UUID

from servicekit.database import Database
from servicekit.problems import Invalid

from experiment_service.errors import RunArchived
from experiment_service.models.runs import BulkTagged, BulkTags
from experiment_service.models.values import MAX_TAGS
from experiment_service.operations.changing import changing
from experiment_service.operations.runs import too_many_tags
from experiment_service.queries.run_states import select_run_states
from experiment_service.queries.run_values import delete_run_tags, insert_run_tags
from experiment_service.queries.runs import update_run_tags


async def tag_runs(database: Database, project_id: UUID, tags: BulkTags) -> BulkTagged:
    """Remove and set tags on runs, on all of them or on none; what is in both is set.

    Raises:
        Invalid: one is no run of this project.
        RunArchived: one is archived.
        LimitExceeded: one would have too many tags.
    """
    async with changing(database, project_id) as now:
        states = await select_run_states(
            now.connection, project_id=project_id, run_ids=tags.run_ids
        )
        known = {state.id: state.status for state in states}
        unknown = [
            {"pointer": f"#/run_ids/{index}", "detail": "there is no such run in this project"}
            for index, run_id in enumerate(tags.run_ids)
            if run_id not in known
        ]
        if unknown:
            raise Invalid(errors=unknown)
        if archived := [str(run_id) for run_id, status in known.items() if status == "archived"]:
            raise RunArchived(f"Archived: {', '.join(archived[:20])}.")
        counts = await update_run_tags(
            now.connection,
            run_ids=list(known),
            added=tags.set,
            removed=tags.remove,
            at=now.turn.at,
            change=now.turn.change,
        )
        if max(counts, default=0) > MAX_TAGS:
            raise too_many_tags("#/set")
        await delete_run_tags(
            now.connection, run_ids=list(known), keys=set(tags.remove) - tags.set.keys()
        )
        await insert_run_tags(
            now.connection, run_ids=list(known), project_id=project_id, tags=tags.set
        )
        return BulkTagged(updated=len(counts))
