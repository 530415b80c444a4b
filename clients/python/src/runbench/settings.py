"""Where to record and how: from the environment, then from what `runbench login` kept."""

import json
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from runbench.values import json_object

DEFAULT_URL = "http://localhost:3000"

Mode: TypeAlias = Literal["online", "offline", "disabled"]


class Settings(NamedTuple):
    """What the environment and the last login say.

    url is an origin with an optional path, without a slash at its end. token is None when none is
    known *for this url*. spool_limit is in bytes per run, finish_timeout in seconds. system_seconds
    is the time between two measurements of the machine, 0 for none.
    """

    url: str
    token: str | None
    project: str | None
    mode: Mode
    quiet: bool
    strict: bool
    spool: Path
    spool_limit: int
    queue_limit: int
    finish_timeout: float
    portal_url: str | None
    system_seconds: float


class BadSetting(ValueError):
    """A RUNBENCH_… variable holds something that it cannot mean."""


def load() -> Settings:
    """The settings as they are now. Raises BadSetting naming the variable."""
    mode = os.environ.get("RUNBENCH_MODE", "").strip().lower() or "online"
    if mode not in ("online", "offline", "disabled"):
        raise BadSetting(f"RUNBENCH_MODE is {mode!r}; use online, offline or disabled")
    url = server_url()
    portal = os.environ.get("RUNBENCH_PORTAL_URL", "").strip()
    return Settings(
        url=url,
        token=token_for(url),
        project=os.environ.get("RUNBENCH_PROJECT", "").strip() or None,
        mode=mode,
        quiet=flag("RUNBENCH_QUIET"),
        strict=flag("RUNBENCH_STRICT"),
        spool=spool_root(),
        spool_limit=_megabytes("RUNBENCH_SPOOL_MB", 2048),
        queue_limit=_megabytes("RUNBENCH_QUEUE_MB", 64),
        finish_timeout=_seconds("RUNBENCH_FINISH_TIMEOUT", 30.0),
        portal_url=clean_url(portal) if portal else None,
        system_seconds=_seconds("RUNBENCH_SYSTEM_SECONDS", 10.0),
    )


def server_url() -> str:
    """RUNBENCH_URL, else the server of the last login, else http://localhost:3000."""
    given = os.environ.get("RUNBENCH_URL", "").strip()
    if given:
        try:
            return clean_url(given)
        except ValueError as error:
            raise BadSetting(f"RUNBENCH_URL: {error}") from None
    return credentials().get("default") or DEFAULT_URL


def token_for(url: str) -> str | None:
    """The token that belongs to this server and to no other: RUNBENCH_TOKEN for the server that
    the environment (or the last login) names, else what `runbench login` kept for it.
    """
    given = os.environ.get("RUNBENCH_TOKEN", "").strip()
    if given and url == server_url():
        return given
    known = json_object(credentials().get("tokens")).get(url)
    return known if isinstance(known, str) else None


def sensor_token() -> str | None:
    """RUNBENCH_SENSOR_TOKEN: the token of the sensor that this process sends for."""
    return os.environ.get("RUNBENCH_SENSOR_TOKEN", "").strip() or None


def clean_url(given: str) -> str:
    """A server's address in its one form. Raises ValueError with the reason."""
    text = given.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{text!r} is no http(s) address")
    if parts.username or parts.password:
        raise ValueError("an address with a password in it is not accepted; use a token")
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))


def home() -> Path:
    """The folder of everything that this machine keeps for runs: RUNBENCH_DIR, else the nearest
    `.runbench` folder of this user at or above the working directory, else `~/.runbench`.
    """
    given = os.environ.get("RUNBENCH_DIR", "").strip()
    if given:
        return Path(given).expanduser().absolute()
    try:
        here = Path.cwd()
        for folder in (here, *here.parents):
            if _is_own_folder(folder / ".runbench"):
                return folder / ".runbench"
        return Path.home() / ".runbench"
    except (OSError, RuntimeError):
        import tempfile  # noqa: PLC0415 - only where there is no home

        return Path(tempfile.gettempdir()) / "runbench"


def _is_own_folder(path: Path) -> bool:
    """Whether this is a folder that nobody else has put there."""
    return path.is_dir() and (os.name == "nt" or path.stat().st_uid == os.getuid())


def spool_root() -> Path:
    """Where spools stand."""
    return home() / "spool"


def credentials_file() -> Path:
    """Where `runbench login` keeps tokens: RUNBENCH_CONFIG_DIR, else the user's config folder."""
    given = os.environ.get("RUNBENCH_CONFIG_DIR", "").strip()
    if given:
        return Path(given).expanduser() / "credentials.json"
    import platformdirs  # noqa: PLC0415 - init() without a login does not need it

    return Path(platformdirs.user_config_dir("runbench", appauthor=False)) / "credentials.json"


def credentials() -> dict[str, Any]:
    """What `runbench login` kept: {"default": url, "tokens": {url: token}}; {} when nothing or
    nothing readable is there.
    """
    try:
        return json_object(json.loads(credentials_file().read_bytes()))
    except (OSError, ValueError, RuntimeError):
        return {}


def save_credentials(kept: dict[str, Any]) -> Path:
    """Keep credentials so that their owner alone can read them; answers where. Raises OSError."""
    path = credentials_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)
    draft.chmod(0o600)
    draft.replace(path)
    return path


def flag(name: str) -> bool:
    """Whether a variable is switched on."""
    return os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")


def _seconds(name: str, default: float) -> float:
    given = os.environ.get(name, "").strip()
    try:
        value = float(given) if given else default
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadSetting(f"{name} is {given!r}; give a number that is not negative")
    return value


def _megabytes(name: str, default: float) -> int:
    return int(_seconds(name, default) * 1024 * 1024)
