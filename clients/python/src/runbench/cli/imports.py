"""`runbench import`: bring over what was recorded elsewhere."""

import dataclasses
from typing import Annotated

import typer

from runbench.cli.output import FAILED, AsJson, Project, as_json, fail, note, out
from runbench.cli.session import connect
from runbench.event_files import read_tensorboard
from runbench.history import Importer, PastRun, in_order
from runbench.mlflow_store import read_mlflow
from runbench.progress import Bar
from runbench.upload import Blocked

app = typer.Typer(help="Bring runs over from other trackers.", no_args_is_help=True)

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be brought over; send nothing.")
]


@app.callback()
def group() -> None:
    """Bring runs over from other trackers. Doing it twice adds nothing."""


@app.command("mlflow")
def mlflow(
    store: Annotated[
        str, typer.Argument(help="A folder such as ./mlruns, sqlite:///mlflow.db, or an address.")
    ],
    *,
    project: Project = None,
    files: Annotated[
        bool, typer.Option("--files/--no-files", help="Also the artifacts of a local folder.")
    ] = True,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Bring over MLflow's experiments and runs: params, tags, whole metrics, nesting, status.

    Start and end are kept as tags. Start it again to go on where it stopped, or to bring what has
    come since.
    """
    _bring(read_mlflow(store), project, files=files, dry_run=dry_run, json=json)


@app.command("tensorboard")
def tensorboard(
    logdir: Annotated[str, typer.Argument(help="The log folder; each folder in it is a run.")],
    *,
    project: Project = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-x", help="Default: the folder's name.")
    ] = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Bring over the scalars of TensorBoard's event files.

    Start it again to go on where it stopped, or to bring what has come since.
    """
    runs = read_tensorboard(logdir)
    if experiment is not None:
        runs = [dataclasses.replace(run, experiment=experiment) for run in runs]
    _bring(runs, project, files=False, dry_run=dry_run, json=json)


def _bring(
    runs: list[PastRun], project: str | None, *, files: bool, dry_run: bool, json: bool
) -> None:
    runs = in_order(runs)
    if dry_run:
        _tell_plan(runs, json=json)
        return
    session = connect(project)
    found = session.resolve()
    importer = Importer(session.api, found, files=files)
    try:
        with Bar("importing", len(runs)) as bar:
            for run in runs:
                importer.bring(run)
                bar.advance(label=f"{run.experiment} / {run.name}")
    except Blocked as error:
        fail(f"{error}; what came before it is there, start again to go on", FAILED)
    tally = importer.tally
    if json:
        as_json(dataclasses.asdict(tally))
    else:
        out.print(
            f"{tally.runs} runs in {found['slug']} ({tally.new_runs} of them new), "
            f"{tally.points} points sent, {tally.known_points} there already, "
            f"{tally.files} files sent",
            markup=False,
        )
    if tally.shortened:
        note(f"  {tally.shortened} tags were shortened or left out")
    if tally.refused:
        fail(f"the server refused {tally.refused} records, which are not there", FAILED)


def _tell_plan(runs: list[PastRun], *, json: bool) -> None:
    plan = [
        {
            "experiment": run.experiment,
            "run": run.name,
            "status": run.status,
            "params": len(run.params),
            "points": sum(len(series.step) for series in run.points()),
        }
        for run in runs
    ]
    if json:
        as_json(plan)
        return
    for entry in plan:
        out.print("  ".join(f"{key}: {value}" for key, value in entry.items()), markup=False)
    out.print(f"{len(plan)} runs; nothing was sent", markup=False)
