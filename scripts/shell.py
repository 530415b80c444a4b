"""`nox -s shell`: a shell in which the tools, Node and the addresses of this workspace are set."""

import os
import sys
from pathlib import Path

from scripts import node
from scripts.environment import ROOT
from scripts.status import addresses, running_workspace


def main(arguments: list[str]) -> None:
    """Become the user's shell, or the given command."""
    workspace = running_workspace()
    node.lay_out(ROOT / ".nox" / "node")
    folders = [str(Path(sys.executable).parent), str(ROOT / ".nox" / "node" / "bin")]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])
    os.environ |= addresses(workspace)
    command = arguments or [os.environ.get("SHELL", "/bin/sh")]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
