"""Container images: one a process, by whichever of docker, podman or buildah is there.

`python -m scripts.images [--only NAME,NAME] [--builder NAME] [--no-smoke]`

`PYTHON_IMAGE`, `NODE_IMAGE`, `NGINX_IMAGE` and `CADDY_IMAGE` name other bases, `PIP_INDEX_URL`,
`UV_DEFAULT_INDEX` and `NPM_CONFIG_REGISTRY` other sources of packages.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.environment import DATABASES, ROOT

FOLDERS = {
    **{name: f"services/{name}" for name in (*DATABASES, "auth-proxy", "api-gateway")},
    "portal": "portal",
}
PASSED_ON = (
    "PYTHON_IMAGE",
    "NODE_IMAGE",
    "NGINX_IMAGE",
    "CADDY_IMAGE",
    "PIP_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "NPM_CONFIG_REGISTRY",
)
LOGS = ROOT / ".nox" / "images"
SHOWN_LINES = 30
AT_ONCE = 2
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Builder:
    """A program that builds images: how it is called, and whether it can run them as well."""

    name: str
    build: tuple[str, ...]
    environment: dict[str, str]
    runs: bool


def answers(*command: str) -> bool:
    """Whether a command ends well within a few seconds."""
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def docker() -> Builder | None:
    """A docker with BuildKit: one before 23 has it built in, a later one needs buildx beside it."""
    on_path = shutil.which("docker")
    for program in dict.fromkeys(filter(None, (on_path, "/usr/bin/docker"))):
        if not Path(program).exists() or not answers(program, "info"):
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        major = said.stdout.removeprefix("Docker version ").partition(".")[0]
        if answers(program, "buildx", "version") or (major.isdigit() and int(major) < 23):  # noqa: PLR2004
            build = (program, "build", "--network", "host")
            return Builder(program, build, {"DOCKER_BUILDKIT": "1"}, runs=True)
    return None


def podman() -> Builder | None:
    """A podman that works for this user."""
    if not answers("podman", "info"):
        return None
    build = ("podman", "build", "--network", "host", "--format", "docker", "--layers")
    return Builder("podman", build, {}, runs=True)


def buildah() -> Builder | None:
    """buildah without a container runtime: it builds, and nothing here runs what it built."""
    if not shutil.which("buildah"):
        return None
    build = ("buildah", "build", "--isolation", "chroot", "--network", "host", "--format", "docker")
    return Builder("buildah", (*build, "--layers"), {}, runs=False)


BUILDERS = {"docker": docker, "podman": podman, "buildah": buildah}


def builder(name: str | None) -> Builder:
    """The builder of that name, else the first that works here."""
    for known in [name] if name else list(BUILDERS):
        if found := BUILDERS[known]():
            return found
    raise SystemExit(
        f"{name} does not build images here"
        if name
        else "no image builder works here: install docker (with buildx), podman or buildah"
    )


def version() -> str:
    """The version of the workspace, which all images carry."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def revision() -> str:
    """The commit that is built, with a mark where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def tag(name: str) -> str:
    """The name of an image with its version."""
    return f"runbench/{name}:{version()}"


def build(name: str, by: Builder, commit: str) -> tuple[str, float, bool]:
    """Build one image, its words in a log; its name, the seconds, and whether it went well."""
    began = time.monotonic()
    arguments = {"VERSION": version(), "REVISION": commit}
    arguments |= {key: os.environ[key] for key in PASSED_ON if os.environ.get(key)}
    text = (ROOT / FOLDERS[name] / "Dockerfile").read_text()
    wanted = {key: value for key, value in arguments.items() if f"ARG {key}=" in text}
    command = [*by.build, "-t", tag(name), "-f", f"{FOLDERS[name]}/Dockerfile"]
    command += [word for key, value in wanted.items() for word in ("--build-arg", f"{key}={value}")]
    with (LOGS / f"{name}.log").open("wb") as log:
        done = subprocess.run(
            [*command, "."],
            cwd=ROOT,
            env=os.environ | by.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return name, time.monotonic() - began, done.returncode == 0


def unpacked(by: Builder, name: str) -> str:
    """The size of an image on disk."""
    if not by.runs:
        return ""
    said = subprocess.run(
        [by.name, "image", "inspect", tag(name)], capture_output=True, text=True, check=True
    )
    return f"{json.loads(said.stdout)[0]['Size'] / MEBIBYTE:.0f} MiB unpacked"


def main() -> int:
    """Build, then try what was built; the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s build-images --")
    parser.add_argument("--only", default="", help="names with commas between; all if left out")
    parser.add_argument(
        "--builder", choices=list(BUILDERS), help="the first that works if left out"
    )
    parser.add_argument("--no-smoke", action="store_true", help="build without trying them")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(FOLDERS)
    if unknown := set(names) - set(FOLDERS):
        parser.error(f"no image {', '.join(sorted(unknown))}: there are {', '.join(FOLDERS)}")
    by = builder(given.builder)
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"building {len(names)} images of version {version()} with {by.name}", flush=True)
    commit = revision()
    failed: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name, seconds, well in pool.map(lambda name: build(name, by, commit), names):
            if well:
                print(f"  {tag(name):<48} {seconds:5.0f} s  {unpacked(by, name)}", flush=True)
            else:
                failed.append(name)
                print(f"  {name} failed after {seconds:.0f} s", flush=True)
    for name in failed:
        lines = (LOGS / f"{name}.log").read_text(errors="replace").splitlines()
        print(f"\n{name}:", *lines[-SHOWN_LINES:], sep="\n  ")
    if failed:
        return 1
    if given.no_smoke:
        return 0
    if not by.runs:
        print(f"{by.name} runs no images: they are built and not tried")
        return 0
    from scripts.image_smoke import smoke  # noqa: PLC0415 - a stack, which building does not need

    return smoke(by.name, names)


if __name__ == "__main__":
    sys.exit(main())
