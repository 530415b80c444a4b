"""The portal as users get it, built once for each state of its sources."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from scripts.environment import LOOPBACK, ROOT
from scripts.processes import VITE, node

SOURCES = ("src", "public", "index.html", "package.json", "vite.config.ts", "tsconfig.json")
STAMP = ".sources"


class BuildFailed(Exception):
    """The portal does not build; the message is what Vite said."""


def digest(portal: Path) -> str:
    """One hash over all that the built portal is made of."""
    found = hashlib.sha256((ROOT / "package-lock.json").read_bytes())
    for name in SOURCES:
        top = portal / name
        files = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
        for file in files:
            if file.exists():
                found.update(str(file.relative_to(portal)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def built_portal() -> Path:
    """Folder of the built portal; builds it when its sources have changed since the last time."""
    target = ROOT / ".nox" / "portal"
    target.parent.mkdir(exist_ok=True)
    # Two that start at the same time build it once.
    with (target.parent / "portal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build(ROOT / "portal", target)
    return target


def _build(portal: Path, target: Path) -> None:
    wanted = digest(portal)
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(target, ignore_errors=True)
    answer = subprocess.run(
        [node(), str(VITE), "build", "--outDir", str(target), "--emptyOutDir"],
        cwd=portal,
        env={**os.environ, "AUTH_PROXY_URL": f"http://{LOOPBACK}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise BuildFailed(answer.stdout + answer.stderr)
    stamp.write_text(wanted)
