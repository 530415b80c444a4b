"""Where things are and what each process is told: the one place for ports, folders and variables.

A value comes from the caller's environment, else from `.env`, else from the default here.
Everything the workspace makes while it runs lives below one folder, `.dev` (`RUNBENCH_DEV_DIR`).
"""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from honcho import environ

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"

USUAL_PORTS = {
    "portal": 3000,
    "api-gateway": 8000,
    "auth-proxy": 8080,
    "auth-service": 8001,
    "experiment-service": 8002,
    "telemetry-ingest-service": 8003,
    "metrics-service": 8004,
    "artifact-service": 8005,
    "comparison-service": 8006,
    "gateway-metrics": 8009,
    "status-page": 8010,
    "postgres": 5432,
    "valkey": 6379,
}
PORT_OFFSETS = {
    "portal": 0,
    "api-gateway": 1,
    "auth-proxy": 2,
    "auth-service": 3,
    "experiment-service": 4,
    "metrics-service": 5,
    "artifact-service": 6,
    "telemetry-ingest-service": 7,
    "comparison-service": 8,
    "gateway-metrics": 9,
    "status-page": 10,
    "postgres": 20,
    "valkey": 21,
}
DATABASES = {
    "auth-service": "auth_db",
    "experiment-service": "experiment_db",
    "telemetry-ingest-service": "experiment_db",
    "metrics-service": "experiment_db",
    "artifact-service": "experiment_db",
    "comparison-service": "experiment_db",
}
DEMO_PASSWORD = "demo-runbench-1"  # noqa: S105 - shown to everybody on purpose
ADMIN_EMAIL = "admin@runbench.dev"

# Defaults that are plain text; addresses and secrets are worked out in `Workspace.variables`.
DEFAULTS = {
    "RUNBENCH_ENV": "dev",
    "LOG_LEVEL": "info",
    "LOG_FORMAT": "json",
    "ACCESS_TOKEN_TTL_SEC": "900",
    "REFRESH_TOKEN_TTL_SEC": "1209600",
    "BCRYPT_ROUNDS": "12",
    "RUNBENCH_REGISTRATION": "open",
    "RUNBENCH_ADMIN_EMAIL": ADMIN_EMAIL,
    "RUNBENCH_ADMIN_PASSWORD": DEMO_PASSWORD,
    "AUDIT_RETENTION_DAYS": "730",
    "TRUSTED_PROXIES": "127.0.0.1/32",
    "SMTP_URL": "",
    "RUN_HEARTBEAT_TIMEOUT_SEC": "60",
    "WEBHOOK_SECRET_KEY": "",
    "WEBHOOK_ALLOWED_NETWORKS": "",
    "TELEMETRY_BUFFER": "off",
    "TELEMETRY_BUFFER_MAX_BYTES": "134217728",
    "TELEMETRY_BUFFER_SHARDS": "2",
    "RATE_LIMIT_PER_MIN": "",
    "RATE_LIMIT_COSTLY_PER_MIN": "",
    "RATE_LIMIT_INGEST_PER_MIN": "",
    "VITE_API_URL": "",
    "RABBITMQ_URL": "",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "OTEL_BSP_EXPORT_TIMEOUT": "2000",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2048",
}

SERVICE = (
    "RUNBENCH_ENV",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "TELEMETRY_BROKER_URL",
    "SERVICE_SECRET",
    "TRUSTED_PROXIES",
    "RATE_LIMIT_PER_MIN",
    "RATE_LIMIT_COSTLY_PER_MIN",
    "RATE_LIMIT_INGEST_PER_MIN",
)
OPTIONAL = ("RABBITMQ_URL", "OTEL_EXPORTER_OTLP_ENDPOINT")
# What a process is told beside HOST, PORT and its database. Nobody gets another's secret.
TOLD = {
    "auth-service": (
        *SERVICE,
        "JWT_SECRET",
        "ACCESS_TOKEN_TTL_SEC",
        "REFRESH_TOKEN_TTL_SEC",
        "BCRYPT_ROUNDS",
        "AUDIT_RETENTION_DAYS",
        "PUBLIC_URL",
        "SMTP_URL",
        "RUNBENCH_REGISTRATION",
        "RUNBENCH_ADMIN_EMAIL",
        "RUNBENCH_ADMIN_PASSWORD",
    ),
    "experiment-service": (
        *SERVICE,
        "AUTH_SERVICE_URL",
        "RUN_HEARTBEAT_TIMEOUT_SEC",
        "WEBHOOK_SECRET_KEY",
        "WEBHOOK_ALLOWED_NETWORKS",
        "PUBLIC_URL",
        "SMTP_URL",
    ),
    "metrics-service": (*SERVICE, "AUTH_SERVICE_URL", "EXPERIMENT_SERVICE_URL"),
    "telemetry-ingest-service": (
        *SERVICE,
        "AUTH_SERVICE_URL",
        "TELEMETRY_BUFFER",
        "TELEMETRY_BUFFER_MAX_BYTES",
        "TELEMETRY_BUFFER_SHARDS",
    ),
    "artifact-service": (*SERVICE, "AUTH_SERVICE_URL", "ARTIFACT_STORE_URL"),
    "comparison-service": (
        *SERVICE,
        "AUTH_SERVICE_URL",
        "EXPERIMENT_SERVICE_URL",
        "TELEMETRY_SERVICE_URL",
        "METRICS_SERVICE_URL",
        "ARTIFACT_SERVICE_URL",
    ),
    "api-gateway": (
        "AUTH_SERVICE_URL",
        "EXPERIMENT_SERVICE_URL",
        "TELEMETRY_SERVICE_URL",
        "METRICS_SERVICE_URL",
        "ARTIFACT_SERVICE_URL",
        "COMPARISON_SERVICE_URL",
        "PUBLIC_URL",
        "METRICS_PORT",
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    ),
    "auth-proxy": (
        "RUNBENCH_ENV",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "AUTH_URL",
        "TARGET_EXPERIMENT_URL",
        "ALLOWED_HOSTS",
        "CORS_ORIGINS",
        "PUBLIC_ORIGIN",
        "SESSION_SECRET",
        "TELEMETRY_BROKER_URL",
        "TRUSTED_PROXIES",
    ),
    "portal": ("VITE_API_URL", "AUTH_PROXY_URL", "GATEWAY_URL"),
    "postgres": (),
    "valkey": (),
}


class WrongSetting(SystemExit):
    """A variable of the workspace cannot be used; the message names it and the rule."""


def choose_ports(base: str | None) -> dict[str, int]:
    """The port of each process: the usual ones, or all moved to start at `base` (1024 to 65000)."""
    if not base:
        return dict(USUAL_PORTS)
    if not base.isascii() or not base.isdigit() or not 1024 <= int(base) <= 65000:  # noqa: PLR2004
        raise WrongSetting(f"RUNBENCH_PORT_BASE must be a number from 1024 to 65000, not {base!r}")
    return {name: int(base) + offset for name, offset in PORT_OFFSETS.items()}


@dataclass(frozen=True)
class Workspace:
    """One running place of Runbench: its folders, ports and variables."""

    home: Path
    given: dict[str, str]

    @classmethod
    def load(cls) -> Self:
        """The workspace that the environment and `.env` describe."""
        dotenv = ROOT / ".env"
        written = environ.parse(dotenv.read_text()) if dotenv.is_file() else {}
        given = {**written, **os.environ}
        home = Path(given.get("RUNBENCH_DEV_DIR") or ROOT / ".dev")
        return cls(home=home if home.is_absolute() else ROOT / home, given=given)

    def make_home(self) -> None:
        """Make the folder of data and logs, for this user alone: links that sign in are in logs."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    @cached_property
    def ports(self) -> dict[str, int]:
        """The port of each process, by its name."""
        return choose_ports(self.given.get("RUNBENCH_PORT_BASE"))

    @property
    def logs(self) -> Path:
        """Folder of the raw log lines, one file a process."""
        return self.home / "logs"

    @property
    def states(self) -> Path:
        """Folder of what each process says of itself, one JSON file a process."""
        return self.home / "state"

    @property
    def database_server(self) -> str | None:
        """Address of an existing PostgreSQL that replaces the embedded one, if any."""
        return self.given.get("DATABASE_URL") or None

    @property
    def broker(self) -> str | None:
        """Address of an existing Valkey or Redis that replaces the embedded one, if any."""
        return self.given.get("TELEMETRY_BROKER_URL") or None

    def url(self, name: str) -> str:
        """Address of a process on this machine, for other processes."""
        return f"http://{LOOPBACK}:{self.ports[name]}"

    @property
    def traced(self) -> bool:
        """Whether every process sends its spans to the status page (`RUNBENCH_TRACES=1`)."""
        return self.given.get("RUNBENCH_TRACES") == "1"

    @property
    def portal_url(self) -> str:
        """Address of the portal for people; also the origin that may use the cookie."""
        return f"http://localhost:{self.ports['portal']}"

    def database_url(self, database: str) -> str:
        """Address of one database, on the embedded server or on the existing one."""
        if self.database_server:
            return urlunsplit(urlsplit(self.database_server)._replace(path=f"/{database}"))
        password = quote(self.secrets["postgres_password"], safe="")
        return f"postgresql://postgres:{password}@{LOOPBACK}:{self.ports['postgres']}/{database}"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Random secrets of this workspace, made once and kept (0600) so that sessions survive."""
        path = self.home / "secrets.json"
        if not path.exists():
            fresh = {
                name: secrets.token_urlsafe(32)
                for name in ("jwt_secret", "session_secret", "postgres_password")
            }
            publish_once(path, json.dumps(fresh))
        return json.loads(path.read_text())

    @cached_property
    def variables(self) -> dict[str, str]:
        """Every variable of ours with its value in force."""
        portal = self.portal_url
        worked_out = {
            "AUTH_SERVICE_URL": self.url("auth-service"),
            "EXPERIMENT_SERVICE_URL": self.url("experiment-service"),
            "METRICS_SERVICE_URL": self.url("metrics-service"),
            "TELEMETRY_SERVICE_URL": self.url("telemetry-ingest-service"),
            "ARTIFACT_SERVICE_URL": self.url("artifact-service"),
            "COMPARISON_SERVICE_URL": self.url("comparison-service"),
            "ARTIFACT_STORE_URL": str(self.home / "artifacts"),
            "AUTH_URL": self.url("auth-service"),
            "TARGET_EXPERIMENT_URL": self.url("api-gateway"),
            "AUTH_PROXY_URL": self.url("auth-proxy"),
            "GATEWAY_URL": self.url("api-gateway"),
            "PUBLIC_URL": portal,
            "PUBLIC_ORIGIN": portal,
            "CORS_ORIGINS": f"{portal},http://{LOOPBACK}:{self.ports['portal']}",
            "ALLOWED_HOSTS": ",".join(
                f"{host}:{self.ports['auth-proxy']}" for host in ("localhost", LOOPBACK)
            ),
            "TELEMETRY_BROKER_URL": f"redis://{LOOPBACK}:{self.ports['valkey']}/0",
            "METRICS_PORT": str(self.ports["gateway-metrics"]),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url("status-page") if self.traced else "",
            "OTEL_TRACES_EXPORTER": (
                "otlp" if self.traced or self.given.get("OTEL_EXPORTER_OTLP_ENDPOINT") else "none"
            ),
            "JWT_SECRET": self.secrets["jwt_secret"],
            "SESSION_SECRET": self.secrets["session_secret"],
            # Not drawn like the others: workspaces made before have no fourth secret.
            "SERVICE_SECRET": sha256(f"service {self.secrets['jwt_secret']}".encode()).hexdigest(),
        }
        defaults = {**DEFAULTS, **worked_out}
        return {name: self.given.get(name) or default for name, default in defaults.items()}

    def environment(self, name: str) -> dict[str, str]:
        """The whole environment of one process: the caller's, less our variables, plus its own."""
        ours = {*self.variables, "DATABASE_URL", "HOST", "PORT"}
        # Set on some machines; it would double the start of every Python process.
        ours |= {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
        mine = {key: value for key, value in self.given.items() if key not in ours}
        mine |= {key: self.variables[key] for key in TOLD[name]}
        mine |= {"HOST": LOOPBACK, "PORT": str(self.ports[name]), "PYTHONUNBUFFERED": "1"}
        if name in DATABASES:
            mine |= {key: self.variables[key] for key in OPTIONAL if self.variables[key]}
            mine["DATABASE_URL"] = self.database_url(DATABASES[name])
        return mine


def publish_once(path: Path, text: str) -> None:
    """Write a file for this user alone; of several writers at once the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def replace(path: Path, text: str) -> None:
    """Write a file in one step: a reader sees the old text or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(draft).replace(path)
