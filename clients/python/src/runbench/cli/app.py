"""The commands and how their errors end."""

import sys
from typing import Annotated

import typer

import runbench
from runbench import settings
from runbench.api import ApiError, Unreachable
from runbench.cli import (
    account,
    artifacts,
    capture,
    comparisons,
    doctor,
    export,
    forward,
    imports,
    metrics,
    projects,
    runs,
    sensors,
    simulate,
    spool,
    wrap,
)
from runbench.cli.output import FAILED, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, USAGE, err
from runbench.downloads import WrongContent
from runbench.history import BadSource
from runbench.outbox import Changed
from runbench.paths import UnsafePath

EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not signed in or not allowed, 4 not found, "
    "5 the server does not answer."
)

app = typer.Typer(
    name="runbench",
    help="Record experiments and look at them.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:  # noqa: FBT001 - typer's callback
    if show:
        typer.echo(runbench.__version__)
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Record experiments and look at them."""


app.command()(account.login)
app.command()(account.logout)
app.command()(account.whoami)
app.add_typer(runs.app, name="runs")
app.add_typer(projects.app, name="projects")
app.add_typer(metrics.app, name="metrics")
app.add_typer(artifacts.app, name="artifacts")
app.add_typer(imports.app, name="import")
app.add_typer(sensors.app, name="sensors")
app.add_typer(capture.app, name="capture")
app.command()(forward.forward)
app.command()(simulate.simulate)
app.command()(export.export)
app.command()(comparisons.compare)
app.command()(comparisons.check)
app.command()(spool.sync)
app.command()(doctor.doctor)
app.command(context_settings=wrap.CONTEXT)(wrap.run)


def run_app() -> None:
    """Run the command line; every expected error is one sentence and an exit code."""
    try:
        app()
    except ApiError as error:
        _end(_told(error), _code(error))
    except Unreachable as error:
        _end(f"{error.reason}. Is it the right address? See `runbench doctor`.", UNREACHABLE)
    except LookupError as error:
        _end(str(error.args[0] if error.args else error), NOT_FOUND)
    except (settings.BadSetting, BadSource) as error:
        _end(str(error), USAGE)
    except (Changed, UnsafePath, WrongContent) as error:
        _end(str(error), FAILED)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            sys.exit(FAILED)
        _end(str(error), FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _code(error: ApiError) -> int:
    if error.status in (401, 403):
        return NOT_ALLOWED
    return NOT_FOUND if error.status == 404 else FAILED


def _told(error: ApiError) -> str:
    if error.status == 401:
        return f"not signed in ({error}). Run `runbench login`."
    trace = f" (trace {error.trace_id})" if error.trace_id and error.status >= 500 else ""
    return f"{error}{trace}"


def _end(message: str, code: int) -> None:
    err.print(f"error: {message}", markup=False)
    sys.exit(code)
