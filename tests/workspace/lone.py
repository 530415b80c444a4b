"""One wrapper around a small program, as the Procfile would start it: `lone.py SPECIFICATION`."""

import asyncio
import json
import os
import sys
from pathlib import Path

from scripts.environment import Workspace
from scripts.processes import Process
from scripts.run import Wrapper


def main() -> None:
    specification = json.loads(Path(sys.argv[1]).read_text())
    workspace = Workspace(Path(specification["home"]), {**os.environ, **specification["given"]})
    process = Process(
        # The wrapper asks the workspace for the port and variables of a name that it knows.
        "portal",
        command=lambda _: specification["command"],
        needs=tuple(specification["needs"]),
        folder=Path(specification["folder"]),
        watched=(Path(specification["folder"]),),
        suffixes=(".py",),
        ready_path=specification["ready_path"],
    )
    asyncio.run(Wrapper(process, workspace).keep())


if __name__ == "__main__":
    main()
