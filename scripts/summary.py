"""The block that `nox -s dev` prints when all is ready, also kept in `.dev/ready.txt`."""

from pathlib import Path

from scripts import state as states
from scripts.environment import ADMIN_EMAIL, DEMO_PASSWORD, ROOT, Workspace
from scripts.page.token import link
from scripts.processes import PROCESSES


def near(path: Path) -> str:
    """A path as short as it can be written."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def block(workspace: Workspace, seconds: float, names: list[str], token: str | None) -> str:
    """At most twenty lines: where everything is and how to get in."""
    failed = [
        state
        for name in names
        if (state := states.read(workspace.states, name)) and state.status != "ready"
    ]
    well = len(names) - len(failed)
    lines = [
        f"READY in {seconds:.1f} s, {well} of {len(names)} processes answer"
        if not failed
        else f"NOT ALL READY after {seconds:.1f} s, {well} of {len(names)} processes answer"
    ]
    lines += [f"  {one.name} {one.status}: {one.note}" for one in failed]
    places = {
        "Portal": ("portal", workspace.portal_url),
        "API": ("api-gateway", f"{workspace.url('api-gateway')}  (documentation: /api/docs)"),
        "Browser API": ("auth-proxy", workspace.url("auth-proxy")),
    }
    lines += [f"{title:<13}{text}" for title, (name, text) in places.items() if name in names]
    if seeded(workspace):
        lines += [
            f"{'Sign in':<13}demo@runbench.dev / {DEMO_PASSWORD}  (owner of project Demo)",
            f"{'':<13}viewer@runbench.dev, {ADMIN_EMAIL}, same password",
        ]
    if token:
        lines += [
            f"{'Python':<13}export RUNBENCH_URL={workspace.url('api-gateway')}",
            f"{'':<13}export RUNBENCH_TOKEN={token}",
        ]
    lines += [
        f"{'Status page':<13}{link(workspace)}",
        f"{'Database':<13}nox -s psql",
        f"{'Logs':<13}nox -s logs -- -f   ({near(workspace.logs)}/<process>.log)",
        f"{'Data':<13}{near(workspace.home)}  (nox -s reset starts afresh)",
        f"{'Also':<13}nox -s status | restart -- <process> | stop     Ctrl-C ends everything",
    ]
    return "\n".join(lines)


def seeded(workspace: Workspace) -> bool:
    """Whether this workspace holds the demo people and data."""
    return (workspace.home / "seeded.json").exists()


def expected(names: list[str] | None = None) -> list[str]:
    """The processes that a start should bring up, in the order of the Procfile."""
    return [name for name in PROCESSES if not names or name in names]
