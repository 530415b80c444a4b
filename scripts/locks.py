"""Whether the lock files hold for everybody: the public registries alone, every platform's parts.

A lock that was written behind a mirror may carry its address; npm leaves other platforms' binaries
out when it starts from installed packages. Both break an installation elsewhere.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from scripts.environment import ROOT

PUBLIC = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"}
SOURCE = re.compile(r'(?:url|registry|resolved"?)\s*[=:]\s*"(https?://[^"]+)"')


def foreign_hosts(lock: Path) -> list[str]:
    """Hosts from which the lock would install and that are not the public registries."""
    hosts = {urlsplit(url).hostname or "" for url in SOURCE.findall(lock.read_text())}
    return sorted(hosts - PUBLIC)


def missing_platforms(lock: Path) -> list[str]:
    """Optional packages that another needs and that the npm lock does not hold."""
    packages: dict[str, dict[str, dict[str, str]]] = json.loads(lock.read_text())["packages"]
    held = {path.rpartition("node_modules/")[2] for path in packages}
    wanted = {
        name for package in packages.values() for name in package.get("optionalDependencies", {})
    }
    return sorted(wanted - held)


def main() -> int:
    """Name what is wrong; 1 when anything is."""
    wrong = [
        f"{name} would install from {host}"
        for name in ("uv.lock", "package-lock.json")
        for host in foreign_hosts(ROOT / name)
    ]
    if missing := missing_platforms(ROOT / "package-lock.json"):
        wrong.append(
            f"package-lock.json lacks {', '.join(missing)}: write it anew in a folder without "
            "node_modules (`npm install --package-lock-only`)"
        )
    print("\n".join(wrong) or "the locks hold for everybody")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
