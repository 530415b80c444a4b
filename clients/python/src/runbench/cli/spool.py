"""Sending what is left on disk."""

from typing import Annotated

import typer

from runbench import settings
from runbench.cli.output import FAILED, USAGE, AsJson, as_json, err, fail, note, out
from runbench.sync import Outcome
from runbench.sync import sync as sync_spools


def sync(
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="URL", help="Send runs that no server has yet to this one."),
    ] = None,
    sensor_token: Annotated[
        str | None,
        typer.Option(
            "--sensor-token",
            metavar="TOKEN",
            help="For readings whose token was rotated: a newer one of that sensor.",
        ),
    ] = None,
    discard_refused: Annotated[
        bool,
        typer.Option("--discard-refused", help="Remove what the server refused for good."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Send what earlier runs and sensors left on this machine. Doing it twice adds nothing."""
    try:
        url = settings.clean_url(to) if to else None
    except ValueError as error:
        fail(str(error), USAGE)
    root = settings.spool_root()
    with err.status(f"sending from {root}") as status:
        outcomes = sync_spools(
            root,
            url=url,
            sensor_token=sensor_token,
            discard_refused=discard_refused,
            on_record=lambda o: status.update(f"sending {o.name}: {_counted(o)}"),
        )
    bad = [o for o in outcomes if o.result not in ("sent", "recording")]
    if json:
        as_json([{**o._asdict(), "folder": str(o.folder)} for o in outcomes])
    else:
        if not outcomes:
            out.print(f"Nothing to send in {root}.", markup=False)
        for outcome in outcomes:
            _tell(outcome)
    if bad:
        raise typer.Exit(FAILED)


def _counted(outcome: Outcome) -> str:
    files = f", {outcome.files} files" if outcome.files else ""
    return f"{outcome.records} records{files}"


def _tell(outcome: Outcome) -> None:
    match outcome.result:
        case "sent":
            out.print(f"{outcome.name}: sent, {_counted(outcome)}", markup=False)
        case "recording":
            out.print(f"{outcome.name}: is being recorded or sent by a process", markup=False)
        case _:
            out.print(f"{outcome.name}: {outcome.result}: {outcome.reason}", markup=False)
            note(f"  kept in {outcome.folder}")
    if outcome.refused:
        note(
            f"  {outcome.refused} records were refused by the server; see "
            f"{outcome.folder / 'refused.jsonl'} (--discard-refused removes them)"
        )
    if outcome.damaged_bytes:
        note(f"  {outcome.damaged_bytes} bytes were damaged and left out")
