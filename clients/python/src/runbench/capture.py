"""What surrounds a run: the code's commit, the machine, Python and its packages.

Collected in the background and best effort: what cannot be found out is left out.
"""

import json
import os
import platform
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

GIT_SECONDS = 5.0
MAX_PACKAGES = 1000
MAX_ARGUMENTS = 60
MAX_BYTES = 60_000
MAX_ARGUMENT = 500

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?|secret|token|api[-_]?key|credential", re.IGNORECASE
)
_SECRET_TEXT = re.compile(r"\brb_[a-z]+_[A-Za-z0-9_]+|(?<=://)[^/\s@]+@")


class Commit(NamedTuple):
    """The state of a working copy; dirty is about tracked files."""

    sha: str
    branch: str | None
    dirty: bool


def git_commit(folder: str) -> Commit | None:
    """The commit checked out at this folder; None outside of git or where git is slow."""
    out = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if out is None:
        return None
    sha = branch = None
    dirty = False
    for line in out.splitlines():
        if line.startswith("# branch.oid "):
            sha = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif line and not line.startswith("#"):
            dirty = True
    if not sha or sha == "(initial)":
        return None
    return Commit(sha, None if branch == "(detached)" else branch, dirty)


def git_remote(folder: str) -> str | None:
    """The address of `origin`, without a password in it."""
    out = _git(folder, "config", "--get", "remote.origin.url")
    if not out or not out.strip():
        return None
    address = out.strip()
    if "://" not in address:
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _git(folder: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", folder, *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
            timeout=GIT_SECONDS,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def source() -> str | None:
    """What was started: the script, `-m module`, or None at a prompt."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and spec.name:
        return f"-m {spec.name.removesuffix('.__main__')}"
    script = sys.argv[0] if sys.argv else ""
    return Path(script).name if script and script not in ("-c", "-") else None


def host() -> str | None:
    """The name of this machine."""
    return socket.gethostname() or None


def environment(folder: str, argv: list[str]) -> dict[str, Any]:
    """Python, the machine, the command with secrets blanked, and the installed packages; without
    the packages where that is more than a server keeps.
    """
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "working_directory": folder,
        "argv": [argument[:MAX_ARGUMENT] for argument in without_secrets(argv)[:MAX_ARGUMENTS]],
        "packages": packages(),
    }
    if len(json.dumps(found)) > MAX_BYTES:
        del found["packages"]
    return found


def packages() -> dict[str, str]:
    """The installed distributions and their versions, by name."""
    from importlib import metadata  # noqa: PLC0415 - slow, and only the background needs it

    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except (OSError, KeyError, ValueError):
            continue
        if name and version:
            found[str(name)] = str(version)
    return dict(sorted(found.items(), key=lambda item: item[0].lower())[:MAX_PACKAGES])


def without_secrets(arguments: list[str]) -> list[str]:
    """A command line in which values of options that sound like secrets are `***`."""
    shown: list[str] = []
    hide_next = False
    for argument in arguments:
        if hide_next and not argument.startswith("-"):
            shown.append("***")
            hide_next = False
            continue
        hide_next = False
        name, equals, _ = argument.partition("=")
        if _SECRET_NAME.search(name) and (equals or argument.startswith("-")):
            hide_next = not equals
            shown.append(f"{name}=***" if equals else argument)
        else:
            shown.append(scrub(argument))
    return shown


def scrub(text: str) -> str:
    """Text without Runbench tokens and without passwords in addresses."""
    return _SECRET_TEXT.sub("***", text)
