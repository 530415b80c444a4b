"""Trying the images: all of them together as one Runbench, hardened as they are deployed.

PostgreSQL and Valkey are those of the workspace; everything else runs in containers that have a
read-only file system, no capabilities, and no user of the host.
"""

import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.environment import DATABASES, Workspace
from scripts.images import tag
from scripts.stack import stack

READY_SECONDS = 90.0
HARDENED = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--network=host",
)
# Those that need others come after them.
ORDER = (*DATABASES, "api-gateway", "auth-proxy", "portal")
PATHS = dict.fromkeys(DATABASES, "/ready") | {
    "api-gateway": "/health",
    "auth-proxy": "/health",
    "portal": "/health",
}


class SmokeFailed(Exception):
    """An image does not do what it is for; the message says what was seen."""


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body of a GET; status 0 where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            headers = {key.lower(): value for key, value in answer.headers.items()}
            return answer.status, headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()
    except OSError:
        return 0, {}, b""


def variables(workspace: Workspace, name: str) -> dict[str, str]:
    """What the process is told in production, on the ports of the stack."""
    host = dict(workspace.given)
    mine = {
        key: value
        for key, value in workspace.environment(name).items()
        if key not in host or host[key] != value
    }
    mine |= {"RUNBENCH_ENV": "production", "RUNBENCH_ADMIN_EMAIL": "", "HOST": "127.0.0.1"}
    if name == "artifact-service":
        mine["ARTIFACT_STORE_URL"] = "/tmp/artifacts"  # noqa: S108 - a tmpfs of the container
    return mine


@contextmanager
def container(program: str, name: str, told: dict[str, str]) -> Generator[str]:
    """A running container; removed at the end."""
    with tempfile.NamedTemporaryFile("w", prefix="runbench-", suffix=".env") as file:
        file.writelines(f"{key}={value}\n" for key, value in told.items())
        file.flush()
        command = [program, "run", "--detach", *HARDENED, "--env-file", file.name, tag(name)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SmokeFailed(f"{name} does not start: {ran.stderr.strip()}")
    identity = ran.stdout.strip()
    try:
        yield identity
    finally:
        subprocess.run([program, "rm", "--force", identity], capture_output=True, check=False)


def logs(program: str, identity: str) -> str:
    """The last lines that a container wrote."""
    command = [program, "logs", "--tail", "15", identity]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout + said.stderr


def wait_until_ready(program: str, name: str, identity: str, url: str) -> float:
    """Seconds until the address answers 200."""
    began = time.monotonic()
    while time.monotonic() - began < READY_SECONDS:
        if fetch(url)[0] == 200:  # noqa: PLR2004
            return time.monotonic() - began
        time.sleep(0.2)
    raise SmokeFailed(f"{name} is not ready: {fetch(url)}\n{logs(program, identity)}")


def check_contents(program: str, name: str, identity: str) -> None:
    """A user of its own, a health check, labels, and a list of what it is made of."""
    said = subprocess.run(
        [program, "inspect", identity], capture_output=True, text=True, check=True
    )
    config = json.loads(said.stdout)[0]["Config"]
    if not config["User"].startswith("10001"):
        raise SmokeFailed(f"{name} runs as {config['User'] or 'root'}")
    if not config.get("Healthcheck"):
        raise SmokeFailed(f"{name} has no health check")
    if config["Labels"].get("org.opencontainers.image.title") != name:
        raise SmokeFailed(f"{name} is labelled {config['Labels']}")
    with tempfile.TemporaryDirectory() as folder:
        copied = [program, "cp", f"{identity}:/app/sbom.cdx.json", folder]
        subprocess.run(copied, capture_output=True, check=True)
        parts = json.loads((Path(folder) / "sbom.cdx.json").read_text())["components"]
    if not parts:
        raise SmokeFailed(f"{name} says nothing of what it is made of")


def check_page(workspace: Workspace) -> None:
    """The portal's page, its rules, and the way from it to a service."""
    status, headers, page = fetch(f"{workspace.portal_url}/p/anything")
    policy = headers.get("content-security-policy", "")
    if status != 200 or b'id="root"' not in page or "nonce-" not in policy:  # noqa: PLR2004
        raise SmokeFailed(f"the portal answers {status} with {headers}")
    if "unsafe-inline" in policy or b"RUNBENCH_CSP_NONCE" in page:
        raise SmokeFailed("the portal's page carries no number of its own for inline styles")
    status, _, body = fetch(f"{workspace.portal_url}/api/v1/projects")
    if status != 401:  # noqa: PLR2004 - nobody is signed in, says the service behind both proxies
        raise SmokeFailed(f"/api through the portal answers {status}: {body[:300]!r}")
    status, _, _ = fetch(f"{workspace.portal_url}/version")
    if status not in {200, 401}:
        raise SmokeFailed(f"MLflow's address through the portal answers {status}")


def smoke(program: str, names: Sequence[str]) -> int:
    """Run the images and look at them; the exit code."""
    with stack(names=["postgres", "valkey"]) as running, ExitStack() as containers:
        workspace = running.workspace
        try:
            for name in [one for one in ORDER if one in names]:
                told = variables(workspace, name)
                identity = containers.enter_context(container(program, name, told))
                url = f"http://127.0.0.1:{workspace.ports[name]}{PATHS[name]}"
                seconds = wait_until_ready(program, name, identity, url)
                check_contents(program, name, identity)
                print(f"  {name:<26} ready after {seconds:4.1f} s", flush=True)
            if set(names) == set(ORDER):
                check_page(workspace)
                print("  the portal's page, its policy and the way to a service are right")
        except SmokeFailed as problem:
            print(f"\n{problem}")
            return 1
    return 0
