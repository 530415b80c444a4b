"""Signing in with an API token, and out."""

import os
import sys
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from runbench import settings
from runbench.api import LOOPBACK, Api, ApiError
from runbench.cli.output import FAILED, NOT_ALLOWED, USAGE, AsJson, as_json, fail, note, out
from runbench.cli.session import connect
from runbench.values import json_object

Url = Annotated[str | None, typer.Argument(help="The server, such as http://localhost:3000.")]


def login(
    url: Url = None,
    *,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from standard input.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Keep an API token for a server (made in the portal under Settings, API tokens)."""
    address = _address(url)
    token = _ask(address, stdin=token_stdin)
    if urlsplit(address).scheme == "http" and urlsplit(address).hostname not in LOOPBACK:
        note(f"warning: {address} is not encrypted; the token can be read on the way")
    try:
        with Api(address, token) as api:
            me = api.get("/auth/me")
            project = _project_of(api, me)
    except ApiError as error:
        if error.status == 401:
            fail(f"{address} does not accept this token", NOT_ALLOWED)
        raise
    kept = settings.credentials()
    kept["tokens"] = {**json_object(kept.get("tokens")), address: token}
    kept["default"] = address
    path = settings.save_credentials(kept)
    if json:
        as_json({"url": address, "user": me, "project": project, "kept_in": str(path)})
        return
    where = f", project {project['slug']}" if project else ""
    out.print(f"Signed in to {address} as {me['name']}{where}.", markup=False)
    if os.environ.get("RUNBENCH_TOKEN"):
        note("note: RUNBENCH_TOKEN is set and goes before the kept token")


def logout(
    url: Url = None,
    *,
    everywhere: Annotated[
        bool, typer.Option("--all", help="Forget the tokens of all servers.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Forget the kept token (it stays valid until it is revoked in the portal)."""
    kept = settings.credentials()
    known = json_object(kept.get("tokens"))
    address = settings.clean_url(url) if url else settings.server_url()
    forgotten = list(known) if everywhere else [address] if address in known else []
    left = {server: token for server, token in known.items() if server not in forgotten}
    default = kept.get("default")
    settings.save_credentials(
        {"default": default if default in left else next(iter(left), None), "tokens": left}
    )
    if json:
        as_json({"forgotten": forgotten})
    elif forgotten:
        out.print(f"Forgot the token for {', '.join(forgotten)}.", markup=False)
    else:
        out.print(f"No token was kept for {address}.", markup=False)


def whoami(json: AsJson = False) -> None:  # noqa: FBT002 - typer's way
    """Say who you are to which server."""
    session = connect()
    me = session.api.get("/auth/me")
    project = _project_of(session.api, me)
    given = bool(os.environ.get("RUNBENCH_TOKEN", "").strip())
    source = "RUNBENCH_TOKEN" if given else str(settings.credentials_file())
    if json:
        as_json({"url": session.api.url, "user": me, "project": project, "token_from": source})
        return
    scope = me.get("scope")
    out.print(f"{me['name']} <{me['email']}> at {session.api.url}", markup=False)
    if scope:
        slug = project["slug"] if project else scope["project_id"]
        out.print(f"API token for project {slug}, role {scope['role']}", markup=False)
    out.print(f"token from {source}", markup=False)


def _project_of(api: Api, me: dict[str, Any]) -> dict[str, Any] | None:
    scope = json_object(me.get("scope"))
    if not scope.get("project_id"):
        return None
    try:
        return api.get(f"/api/v1/projects/{scope['project_id']}")
    except ApiError as error:
        if error.passing:
            raise
        return None


def _address(url: str | None) -> str:
    try:
        return settings.clean_url(url) if url else settings.server_url()
    except ValueError as error:
        fail(str(error), USAGE)


def _ask(address: str, *, stdin: bool) -> str:
    if stdin:
        token = sys.stdin.readline().strip()
    elif sys.stdin.isatty():
        note(f"Make a token in the portal ({address}): project, Settings, API tokens.")
        token = str(typer.prompt("API token", hide_input=True)).strip()
    else:
        fail("there is no terminal to ask at; use --token-stdin", USAGE)
    if not token:
        fail("no token was given", FAILED)
    if not token.isascii() or any(c.isspace() for c in token):
        fail("this is no token: it holds blanks or characters that no token has", FAILED)
    return token
