"""`runbench run -- command`: record any command as a run."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Annotated

import typer

import runbench
from runbench.cli.output import USAGE, AsJson, Project, as_json, fail

CONTEXT = {
    "allow_extra_args": False,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}
NOT_STARTED = 127


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…")],
    *,
    project: Project = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-x", help="Its name; made when it is new.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The run's name.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="KEY or KEY=VALUE.")] = None,
    json: AsJson = False,
) -> None:
    """Run a command and record it: how long, how it ended, which commit, on what machine.

    A script inside that calls runbench.init() becomes a child of this run. Ends with the command's
    exit code.
    """
    if command and command[0] == "--":
        command = command[1:]
    if not command:
        fail("say which command: runbench run -- python train.py", USAGE)
    given = {key: value for key, _, value in (entry.partition("=") for entry in tag or [])}
    try:
        recording = runbench.init(
            project, experiment, name=name, tags=given or None, command=command
        )
    except ValueError as error:
        fail(str(error), USAGE)
    code = _execute(command, recording)
    recording.set_tags(exit_code=code)
    interrupted = code in (130, -signal.SIGINT)
    recording.finish("interrupted" if interrupted else "failed" if code else "succeeded")
    if json:
        as_json(
            {
                "id": recording.id,
                "status": recording.status,
                "exit_code": code,
                "url": recording.url,
            }
        )
    raise typer.Exit(code if code >= 0 else 128 - code)


def _execute(command: list[str], recording: "runbench.Run") -> int:
    environment = dict(os.environ)
    if recording.id:
        environment["RUNBENCH_PARENT_RUN_ID"] = recording.id
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - what was asked for
    except OSError as error:
        recording.set_tags(error=f"{type(error).__name__}: {error}")
        recording.add_note(f"The command could not be started: {error}")
        return NOT_STARTED
    before = signal.signal(signal.SIGTERM, lambda _signal, _frame: process.terminate())
    try:
        while True:
            # Ctrl-C reaches the command by itself; it decides how to end.
            with suppress(KeyboardInterrupt):
                return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
