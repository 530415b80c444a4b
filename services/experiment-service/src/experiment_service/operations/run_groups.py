"""Putting runs into groups by what they have in common."""

from collections import defaultdict
from uuid import UUID

from servicekit.database import Database
from servicekit.problems import Invalid

from experiment_service.models.run_filters import Field
from experiment_service.models.run_groups import (
    MAX_GROUPED,
    MAX_NAMED,
    GroupSearch,
    MetricOfGroup,
    RunGroup,
    RunGroups,
)
from experiment_service.operations.filters import archived_filter
from experiment_service.operations.run_search import read_filter, read_order, speaks_of_archived
from experiment_service.queries.experiments import select_experiments_of_project
from experiment_service.queries.metrics import select_metrics_published
from experiment_service.queries.run_groups import (
    can_group_by,
    select_groups,
    select_metrics_of_groups,
    values_of,
)
from experiment_service.queries.run_search import RunFilter, select_matching


async def group_runs(database: Database, project_id: UUID, search: GroupSearch) -> RunGroups:
    """The largest groups of the runs that a filter wants, with figures of their metrics.

    Raises:
        Invalid: the filter or a field cannot be read, or nobody groups by it.
    """
    expression = read_filter(search.filter, {"pointer": "#/filter"})
    fields = _fields(search.by)
    archived = ["archived"] if speaks_of_archived(expression) else []
    async with database.acquire() as connection:
        published = await select_metrics_published(connection)
        experiment_ids: list[UUID] = []
        if search.experiment_ids:
            experiment_ids = await select_experiments_of_project(
                connection, project_id=project_id, experiment_ids=search.experiment_ids
            )
            if not experiment_ids:
                return RunGroups(items=[], grouped=0)
        wanted = RunFilter(
            project_id=project_id,
            experiment_ids=tuple(experiment_ids),
            archived=archived_filter(search.archived, archived),
            expression=expression,
            metrics_published=published,
        )
        run_ids = await select_matching(connection, wanted, limit=MAX_GROUPED)
        groups = await select_groups(
            connection, run_ids, fields, named=MAX_NAMED, limit=search.limit
        )
        figures: dict[str, dict[str, MetricOfGroup]] = defaultdict(dict)
        if published and search.metrics:
            for row in await select_metrics_of_groups(
                connection, run_ids, fields, project_id=project_id, keys=search.metrics
            ):
                figures[row["values"]][row["key"]] = MetricOfGroup.model_validate(row)
    return RunGroups(
        items=[
            RunGroup(
                values=values_of(group),
                count=group.count,
                run_ids=group.run_ids,
                metrics=figures.get(group.values, {}),
            )
            for group in groups
        ],
        grouped=len(run_ids),
    )


def _fields(texts: list[str]) -> list[Field]:
    terms = read_order(texts, {"pointer": "#/by"})
    for number, term in enumerate(terms):
        if term.descending or not can_group_by(term.field):
            detail = f"runs are not grouped by {texts[number]!r}"
            raise Invalid(
                errors=[
                    {
                        "pointer": f"#/by/{number}",
                        "detail": detail,
                        "position": 0,
                        "length": len(texts[number]),
                    }
                ]
            )
    return [term.field for term in terms]
