"""Every command of the workspace: `nox -l` lists them, `uv run nox -s NAME` runs one.

Only the standard library and nox are used here, and no syntax newer than Python 3.11, so that any
installed nox will do. uv makes the environments from the one lock: `.venv` for the tools,
`.nox/venv-…` for each service as it runs, `.nox/test-…` for each as it is tested.
"""

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.10.20"  # -j and allow_parallel
nox.options.default_venv_backend = "none"
nox.options.sessions = ["dev"]

ROOT = Path(__file__).resolve().parent
NOX = ROOT / ".nox"
REPORTS = NOX / "reports"
SERVICES = (
    "auth-service",
    "experiment-service",
    "telemetry-ingest-service",
    "metrics-service",
    "artifact-service",
    "comparison-service",
)
NPM_PACKAGES = {"proxy": "services/auth-proxy", "portal": "portal"}
# What crosses services and mostly waits, each with a stack of its own or alone in one: beside
# what computes it takes no time. All other tests of the whole have the machine for themselves.
WAITING = (
    "tests/client/test_outage.py",
    "tests/running/test_backup.py",
    "tests/e2e/test_telemetry.py",
)
# Everything that `nox -s test` runs, the long ones first so that two at a time end together.
EVERYTHING = (
    "test-waiting",
    "lint",
    "test-portal",
    "test-auth",
    "test-workspace",
    "test-experiment",
    "test-metrics",
    "test-telemetry",
    "test-artifact",
    "test-comparison",
    "test-kit",
    "test-proxy",
    "test-sdk",
    "test-gateway",
    "test-whole",
    "test-mlflow",
)
# Ctrl-C gives a session this long to end in order; nox would kill it after half a second.
PATIENT = {"interrupt_timeout": 15.0, "terminate_timeout": 5.0}

# Set on some machines: the first doubles the start of every Python process, the second would
# make uv speak of an environment that is not ours.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.pop("VIRTUAL_ENV", None)


def interrupt(_signum: int, _frame: types.FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C: nox has no handler and would leave its children behind."""
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, interrupt)


# Environments


@functools.cache
def uv() -> str:
    """A uv that runs here: a shim on PATH may refuse to because of `.python-version`."""
    candidates = [os.environ.get("UV")]
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - not where nox is installed elsewhere

        candidates.append(find_uv_bin())
    except (ImportError, FileNotFoundError):
        pass
    candidates += [str(Path(folder) / "uv") for folder in os.get_exec_path()]
    candidates.append(str(tools_folder() / "bin" / "uv"))
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            tried = subprocess.run(
                [candidate, "--version"], capture_output=True, cwd=ROOT, check=False
            )
            if tried.returncode == 0:
                return candidate
    raise SystemExit("no uv found that runs here: `python3 -m pip install uv`")


def tools_folder() -> Path:
    """The environment of the tools: the one that `uv run` uses too."""
    return ROOT / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")


def sync(session: nox.Session, folder: Path, *what: str) -> str:
    """Make an environment exactly as the lock says (0.1 s when it is already); its Python."""
    # On a terminal the first time shows its progress; elsewhere it would be lines nobody reads.
    quiet = ["--quiet"] if folder.exists() or not sys.stderr.isatty() else []
    session.run(
        uv(),
        "sync",
        "--locked",
        *quiet,
        *what,
        external=True,
        log=not quiet,
        env={"UV_PROJECT_ENVIRONMENT": str(folder)},
        **PATIENT,
    )
    return str(folder / "bin" / "python")


def tools(session: nox.Session) -> str:
    """The Python of the tools; what somebody added there by hand stays."""
    return sync(session, tools_folder(), "--inexact")


def whole(session: nox.Session) -> str:
    """The Python of an environment with every package, for what looks at all of them."""
    return sync(session, NOX / "whole", "--all-packages", "--all-groups", "--no-group", "mlflow")


def beside_mlflow(session: nox.Session) -> str:
    """The Python of an environment that has the real MLflow too, which is larger than all of us."""
    return sync(session, NOX / "mlflow", "--all-packages", "--all-groups")


def script(session: nox.Session, name: str, *arguments: str) -> None:
    """Run a module of scripts/ to its end."""
    python = tools(session)
    command = [python, "-m", f"scripts.{name}", *arguments]
    session.run(*command, external=True, log=False, **PATIENT)


def become(session: nox.Session, name: str, *arguments: str) -> None:
    """Replace nox by a module of scripts/: Ctrl-C and signals then reach it and nothing else."""
    python = tools(session)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(ROOT)
    os.execv(python, [python, "-m", f"scripts.{name}", *arguments])


def node(session: nox.Session) -> dict[str, str]:
    """Node and its packages, installed again when the lock changed; the variables to use them."""
    folder = NOX / "node"
    session.run(tools(session), "-m", "scripts.node", str(folder), external=True, log=False)
    env = {"PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])}
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = ROOT / "node_modules" / ".runbench-lock"
    if not stamp.exists() or stamp.read_text() != wanted:
        npm = str(folder / "bin" / "npm")
        session.run(npm, "ci", "--prefer-offline", external=True, env=env, **PATIENT)
        stamp.write_text(wanted)
    return env


def short(service: str) -> str:
    """auth-service → auth."""
    return service.removesuffix("-service").removesuffix("-ingest")


def venv_session(service: str) -> None:
    """Define the session that makes the environment in which a service runs."""

    def make(session: nox.Session) -> None:
        sync(session, NOX / f"venv-{short(service)}", "--package", service, "--no-dev")

    make.__doc__ = f"Make the environment in which {service} runs."
    nox.session(make, name=f"venv-{short(service)}", default=False)


for name in SERVICES:
    venv_session(name)


@nox.session(name="npm", default=False)
def npm_packages(session: nox.Session) -> None:
    """Make Node and the packages of auth-proxy and portal ready."""
    node(session)


ENVIRONMENT_SESSIONS = [*(f"venv-{short(service)}" for service in SERVICES), "npm"]


# Running


@nox.session(requires=ENVIRONMENT_SESSIONS)
def dev(session: nox.Session) -> None:
    """Start everything and reload what is saved (-- --only, --no-seed, --port-base N, --detach)."""
    become(session, "up", *session.posargs)


@nox.session(default=False, requires=ENVIRONMENT_SESSIONS)
def setup(session: nox.Session) -> None:
    """Make every environment without starting anything; afterwards `honcho start` works too."""
    python = tools(session)
    command = [python, "-m", "scripts.doctor", "--brief"]
    session.run(*command, external=True, log=False, success_codes=[0, 1])
    session.log("all environments are made: `nox -s dev` or `.venv/bin/honcho start` starts all")


@nox.session(default=False)
def doctor(session: nox.Session) -> None:
    """Say what is missing or in the way on this machine, and what to do about it (-- --json)."""
    become(session, "doctor", *session.posargs)


@nox.session(default=False)
def status(session: nox.Session) -> None:
    """Show every process with its state, address, memory and restarts (-- -o env | -o json)."""
    become(session, "status", *session.posargs)


@nox.session(default=False)
def logs(session: nox.Session) -> None:
    """Show the logs, merged (-- NAME … -f --level warning --trace ID --lines 100)."""
    become(session, "logs", *session.posargs)


@nox.session(default=False)
def restart(session: nox.Session) -> None:
    """Start processes again (-- NAME …; all without a name)."""
    become(session, "control", "restart", *session.posargs)


@nox.session(default=False)
def stop(session: nox.Session) -> None:
    """Stop everything, also what a killed session left (-- NAME … for some processes)."""
    become(session, "control", "stop", *session.posargs)


@nox.session(default=False)
def seed(session: nox.Session) -> None:
    """Make the demo people, project and runs in the running stack; what is there stays."""
    become(session, "seed", *session.posargs)


@nox.session(default=False)
def reset(session: nox.Session) -> None:
    """Delete the data and make them afresh at the next start (asks; -- --yes, -- --all)."""
    become(session, "reset", *session.posargs)


@nox.session(default=False)
def backup(session: nox.Session) -> None:
    """Copy both databases and the files of runs to a folder (-- FOLDER --keep 7)."""
    become(session, "backup", *session.posargs)


@nox.session(default=False)
def restore(session: nox.Session) -> None:
    """Bring a backup back, with the services stopped (-- FOLDER/TIME --replace)."""
    become(session, "restore", *session.posargs)


@nox.session(default=False)
def psql(session: nox.Session) -> None:
    """Open psql on the running database (-- auth_db or experiment_db, then psql's options)."""
    become(session, "psql", *session.posargs)


@nox.session(default=False)
def shell(session: nox.Session) -> None:
    """Open a shell with the tools, Node and the addresses of this workspace set."""
    become(session, "shell", *session.posargs)


# Testing


def pytest(session: nox.Session, python: str, report: str, *arguments: str) -> None:
    """Run pytest and keep a report for the sum of all."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    session.run(
        python,
        "-m",
        "pytest",
        f"--junitxml={REPORTS / f'{report}.xml'}",
        *arguments,
        *session.posargs,
        external=True,
        **PATIENT,
    )


def test_service_session(service: str) -> None:
    """Define the session that tests one service."""
    name = f"test-{short(service)}"

    def test_it(session: nox.Session) -> None:
        python = sync(session, NOX / name, "--package", service)
        pytest(session, python, name, f"services/{service}")

    test_it.__doc__ = f"Test {service} against a throw-away PostgreSQL of its own."
    nox.session(test_it, name=name, default=False, allow_parallel=True)


for name in SERVICES:
    test_service_session(name)


@nox.session(name="test-kit", default=False, allow_parallel=True)
def test_kit(session: nox.Session) -> None:
    """Test the libraries that the services share."""
    python = whole(session)
    for folder in sorted(ROOT.glob("libs/*/tests")):  # each has session fixtures of its own
        library = folder.parent.name
        pytest(session, python, f"test-{library}", f"libs/{library}")


@nox.session(name="test-sdk", default=False, allow_parallel=True)
def test_sdk(session: nox.Session) -> None:
    """Test the Python client and its command line."""
    groups = ["--group", "examples", "--group", "integrations"]
    python = sync(session, NOX / "test-sdk", "--package", "runbench", *groups)
    pytest(session, python, "test-sdk", "clients/python")


@nox.session(name="test-gateway", default=False, allow_parallel=True)
def test_gateway(session: nox.Session) -> None:
    """Test the gateway's routing, limits and answers in a real Caddy."""
    python = whole(session)
    pytest(session, python, "test-gateway", "services/api-gateway")


@nox.session(name="test-workspace", default=False, allow_parallel=True)
def test_workspace(session: nox.Session) -> None:
    """Test the workspace itself: starting, restarting, crashing, stopping, seeding."""
    python = whole(session)
    pytest(session, python, "test-workspace", "tests/workspace")


@nox.session(name="test-proxy", default=False, allow_parallel=True)
def test_proxy(session: nox.Session) -> None:
    """Test auth-proxy."""
    report = REPORTS / "test-proxy.xml"
    reporters = {"spec": "stdout", "junit": report}
    options = [
        f"--test-reporter={name} --test-reporter-destination={target}"
        for name, target in reporters.items()
    ]
    ask = "from scripts.valkey import binary; print(binary())"
    valkey = session.run(tools(session), "-c", ask, external=True, silent=True, log=False)
    variables = {"NODE_OPTIONS": " ".join(options), "VALKEY_SERVER": str(valkey).strip()}
    npm_test(session, "proxy", **variables)


@nox.session(name="test-portal", default=False, allow_parallel=True)
def test_portal(session: nox.Session) -> None:
    """Test the portal's components and logic."""
    report = REPORTS / "test-portal.xml"
    reporters = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
    npm_test(session, "portal", *reporters)


def npm_test(session: nox.Session, package: str, *arguments: str, **variables: str) -> None:
    """Run the tests of an npm package; they keep a report for the sum of all."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    env = {**node(session), **variables}
    npm = str(NOX / "node" / "bin" / "npm")
    command = [npm, "test", "--workspace", NPM_PACKAGES[package], "--", *arguments]
    session.run(*command, *session.posargs, external=True, env=env, **PATIENT)


@nox.session(name="test-whole", default=False)
def test_whole(session: nox.Session) -> None:
    """Test what crosses services, in one running stack, with the journeys in a real Chromium."""
    python = whole(session)
    pytest(
        session,
        python,
        "test-whole",
        "tests",
        "--ignore=tests/workspace",
        "--ignore=tests/mlflow",
        *(f"--ignore={path}" for path in WAITING),
        "--timeout=300",
        "--durations=10",
    )


@nox.session(name="test-waiting", default=False, allow_parallel=True)
def test_waiting(session: nox.Session) -> None:
    """Test what crosses services and mostly waits: outages, backups, sensors for a while."""
    python = whole(session)
    pytest(session, python, "test-waiting", *WAITING, "--timeout=300", "--durations=5")


@nox.session(name="test-mlflow", default=False)
def test_mlflow(session: nox.Session) -> None:
    """Test the real MLflow client against a running stack, beside MLflow's own server."""
    python = beside_mlflow(session)
    pytest(session, python, "test-mlflow", "tests/mlflow", "--timeout=300", "--durations=5")


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Walk the journeys in a real Chromium against a running stack of its own."""
    python = whole(session)
    pytest(session, python, "e2e", "tests/e2e", "--timeout=300")


@nox.session(default=False, requires=[*ENVIRONMENT_SESSIONS])
def test(session: nox.Session) -> None:
    """Test everything, two sessions side by side; the sum of all stands at the end."""
    chosen = session.posargs or EVERYTHING
    shutil.rmtree(REPORTS, ignore_errors=True)
    python = tools(session)
    whole(session)
    command = [sys.executable, "-m", "nox", "--noxfile", str(ROOT / "noxfile.py")]
    command += ["--parallel", "2", "--no-error-on-missing-interpreters", "--session", *chosen]
    began = time.monotonic()
    failed = None
    try:
        session.run(*command, external=True, **PATIENT)
    except CommandFailed as error:
        failed = error
    took = f"{time.monotonic() - began:.2f}"
    session.run(python, "-m", "scripts.tally", str(REPORTS), took, external=True, log=False)
    if failed:
        raise failed


# Measuring


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure Runbench, beside its peers too (-- store, telemetry, --quick, …)."""
    python = beside_mlflow(session)
    session.run(python, "-m", "benchmarks", *session.posargs, external=True, **PATIENT)


# Looking after the code


@nox.session(default=False, allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Check format, style, layers, types, migrations, contracts and locks, in both languages."""
    python = whole(session)
    tool = str(Path(python).parent)
    migrations = [str(path) for path in sorted(ROOT.glob("services/*/migrations/*.sql"))]
    steps = {
        "format": [f"{tool}/ruff", "format", "--check", "."],
        "style": [f"{tool}/ruff", "check", "."],
        "layers": [f"{tool}/lint-imports"],
        "types": [f"{tool}/basedpyright", "--pythonpath", python],
        "migrations": [f"{tool}/squawk", *migrations],
        "contract": [python, "-m", "scripts.openapi", "--check"],
        "events": [python, "-m", "scripts.asyncapi", "--check"],
        "locks": [python, "-m", "scripts.locks"],
    }
    env = node(session)
    npm = str(NOX / "node" / "bin" / "npm")
    for package, folder in NPM_PACKAGES.items():
        steps[f"{package}: style"] = [npm, "run", "--silent", "lint", "--workspace", folder]
        steps[f"{package}: types"] = [npm, "run", "--silent", "types", "--workspace", folder]
    for title, check in {"contract": "api:check", "languages": "i18n:check"}.items():
        steps[f"portal: {title}"] = [npm, "run", "--silent", check, "--workspace", "portal"]
    failed = []
    for title, command in steps.items():
        if session.posargs and title not in session.posargs:
            continue
        session.log(title)
        try:
            session.run(*command, external=True, log=False, env=env, **PATIENT)
        except CommandFailed:
            failed.append(title)
    if failed:
        session.error(f"to mend: {', '.join(failed)}")


@nox.session(name="format", default=False)
def format_code(session: nox.Session) -> None:
    """Rewrite the code as `lint` wants it, as far as tools can."""
    tool = str(Path(whole(session)).parent)
    session.run(f"{tool}/ruff", "check", "--fix-only", ".", external=True)
    session.run(f"{tool}/ruff", "format", ".", external=True)


@nox.session(default=False)
def openapi(session: nox.Session) -> None:
    """Write the OpenAPI and AsyncAPI documents from what the services say of themselves."""
    python = whole(session)
    for document in ("openapi", "asyncapi"):
        session.run(python, "-m", f"scripts.{document}", *session.posargs, external=True)


@nox.session(name="build-images", default=False)
def build_images(session: nox.Session) -> None:
    """Build an image of each process with docker, podman or buildah, and try them (-- --only)."""
    script(session, "images", *session.posargs)


@nox.session(default=False)
def clean(session: nox.Session) -> None:
    """Remove what the workspace made: environments, packages, caches (-- --data: the data too)."""
    script(session, "control", "stop")
    if "--data" in session.posargs:
        script(session, "reset", "--all", "--yes")
    for folder in (NOX, ROOT / "node_modules", *ROOT.glob("portal/dist")):
        shutil.rmtree(folder, ignore_errors=True)
    names = ("__pycache__", ".pytest_cache", ".ruff_cache", ".import_linter_cache")
    for folder in [found for name in names for found in ROOT.rglob(name)]:
        shutil.rmtree(folder, ignore_errors=True)
    session.log(f"removed; {tools_folder().name} stays, it holds the tools: delete it by hand")
