"""What is in the way, and what to do about it."""

import email.utils
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import typer

import runbench
from runbench import settings
from runbench.api import LOOPBACK, Api, ApiError, Unreachable
from runbench.cli.output import FAILED, AsJson, as_json, out, size
from runbench.reading import resolve_project
from runbench.spool import is_busy, leftovers
from runbench.values import json_object

SKEW_SECONDS = 30
LITTLE_DISK = 500_000_000


class Finding(NamedTuple):
    """One thing looked at; fix says what to do when ok is False."""

    what: str
    found: str
    ok: bool = True
    fix: str = ""


def doctor(json: AsJson = False) -> None:  # noqa: FBT002 - typer's way
    """Look at what recording needs: server, token, clock, disk."""
    findings = list(_examine())
    if json:
        as_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            mark, style = ("ok  ", "green") if finding.ok else ("BAD ", "bold red")
            out.print(mark, style=style, end="")
            out.print(f"{finding.what}: {finding.found}", markup=False)
            if not finding.ok and finding.fix:
                out.print(f"    {finding.fix}", markup=False)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def _examine() -> Iterator[Finding]:
    yield Finding("client", f"runbench {runbench.__version__}, Python {sys.version.split()[0]}")
    current = settings.load()
    online = current.mode == "online"
    yield Finding("mode", current.mode, ok=online, fix="unset RUNBENCH_MODE to send")
    yield from _server(current)
    proxies = getproxies()
    scheme = urlsplit(current.url).scheme
    if scheme in proxies and (urlsplit(current.url).hostname or "") not in LOOPBACK:
        yield Finding("proxy", f"{scheme} goes through {proxies[scheme].rpartition('@')[2]}")
    yield from _disk(current.spool)


def _server(current: settings.Settings) -> Iterator[Finding]:
    url = current.url
    with Api(url, current.token, read_timeout=10) as api:
        started = time.monotonic()
        try:
            date = api.request("GET", "/health").date
        except Unreachable as error:
            fix = "is it started? is RUNBENCH_URL right?"
            yield Finding("server", error.reason, ok=False, fix=fix)
            return
        except ApiError as error:
            date = None
            yield Finding("server", f"{url} answers ({error.status} on /health)")
        else:
            took = (time.monotonic() - started) * 1000
            yield Finding("server", f"{url} answers in {took:.0f} ms")
        if date is not None:
            skew = abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time())
            fix = "set this machine's clock; metric times are taken from it"
            found = f"{skew:.0f} s from the server's"
            yield Finding("clock", found, ok=skew < SKEW_SECONDS, fix=fix)
        yield from _token(api, current)


def _token(api: Api, current: settings.Settings) -> Iterator[Finding]:
    fix = f"runbench login {current.url}"
    if not current.token:
        yield Finding("token", f"none for {current.url}", ok=False, fix=fix)
        return
    try:
        me = api.get("/auth/me")
    except (ApiError, Unreachable) as error:
        yield Finding("token", str(error), ok=False, fix=fix)
        return
    role = json_object(me.get("scope")).get("role")
    yield Finding(
        "token",
        f"{me.get('email')}" + (f", role {role}" if role else ""),
        ok=role != "viewer",
        fix="a viewer's token cannot record: make one with the role editor",
    )
    try:
        project = resolve_project(api, current.project)
    except (ApiError, Unreachable, LookupError) as error:
        yield Finding("project", str(error), ok=False, fix="set RUNBENCH_PROJECT")
    else:
        open_ = not project.get("archived_at")
        yield Finding("project", project["slug"], ok=open_, fix="it is archived: restore it")


def _disk(root: Path) -> Iterator[Finding]:
    existing = next(folder for folder in (root, *root.parents) if folder.is_dir())
    writable = os.access(existing, os.W_OK | os.X_OK)
    fix = "set RUNBENCH_DIR to a folder that you may write to"
    yield Finding("spool", str(root), ok=writable, fix=fix)
    free = shutil.disk_usage(existing).free
    fix = "make room, or set RUNBENCH_DIR"
    yield Finding("disk", f"{size(free)} free", ok=free > LITTLE_DISK, fix=fix)
    left = [folder for folder in leftovers(root) if not is_busy(folder)]
    if left:
        used = sum(file.stat().st_size for folder in left for file in folder.glob("*"))
        found = f"{len(left)} runs, {size(used)}"
        yield Finding("unsent", found, ok=False, fix="runbench sync")
