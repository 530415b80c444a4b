"""`nox -s logs`: the logs of all processes, or of some, in the order of time.

`-- auth-service --level warning --trace 4bf92f35 -f --lines 200`
"""

import argparse
import heapq
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scripts import console
from scripts.control import chosen
from scripts.environment import Workspace

FOLLOW_SECONDS = 0.2


class Filter:
    """Which lines are asked for, and how they look."""

    def __init__(self, level: str, trace: str, width: int) -> None:
        self.least = console.LEVELS.index(level)
        self.trace = trace
        self.width = width

    def show(self, name: str, raw: str) -> str | None:
        """A kept line as it is printed, None when it is not asked for."""
        at, _, text = raw.partition(" ")
        line = console.parse(text)
        if console.LEVELS.index(line.level) < self.least:
            return None
        if self.trace and not line.trace.startswith(self.trace):
            return None
        return f"{at[11:23]} {name:<{self.width}} {console.render(line)}"


def last(path: Path, count: int) -> list[str]:
    """The last lines of a log, the older file included."""
    older = path.with_suffix(".log.1")
    text = "".join(file.read_text(errors="replace") for file in (older, path) if file.exists())
    return text.splitlines()[-count:]


def merged(logs: Path, names: list[str], count: int) -> Iterator[tuple[str, str]]:
    """(process, line) of the last `count` lines of each, by time: each line begins with it."""
    yield from (
        (name, line)
        for _, name, line in heapq.merge(
            *(
                [(line[:24], name, line) for line in last(logs / f"{name}.log", count)]
                for name in names
            ),
            key=lambda entry: entry[0],
        )
    )


def follow(logs: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """(process, line) as they are written, until interrupted."""
    ends = {name: size(logs / f"{name}.log") for name in names}
    rests = dict.fromkeys(names, "")
    while True:
        for name in names:
            path = logs / f"{name}.log"
            now = size(path)
            if now < ends[name]:
                ends[name] = 0  # the log began afresh
            if now > ends[name]:
                with path.open(errors="replace") as file:
                    file.seek(ends[name])
                    *whole, rests[name] = (rests[name] + file.read()).split("\n")
                    ends[name] = file.tell()
                yield from ((name, line) for line in whole)
        time.sleep(FOLLOW_SECONDS)


def size(path: Path) -> int:
    """Bytes of a file, 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def main(arguments: list[str]) -> int:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(prog="nox -s logs --", description=__doc__)
    parser.add_argument("names", nargs="*", help="processes; all without a name")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--level", choices=console.LEVELS, default="debug", help="the least level")
    parser.add_argument("--trace", default="", help="only lines of this trace id")
    parser.add_argument("--lines", type=int, default=50, help="how many of the past (50)")
    asked = parser.parse_args(arguments)
    workspace = Workspace.load()
    names = chosen(asked.names)
    wanted = Filter(asked.level, asked.trace, max(len(name) for name in names))
    # A trace is looked for in all that is kept, since its lines may be far apart.
    lines = (
        sys.maxsize if asked.trace and asked.lines == parser.get_default("lines") else asked.lines
    )
    found = merged(workspace.logs, names, lines)
    with suppress(KeyboardInterrupt, BrokenPipeError):
        for name, line in found:
            if (text := wanted.show(name, line)) is not None:
                print(text)
        if asked.follow:
            sys.stdout.flush()
            for name, line in follow(workspace.logs, names):
                if (text := wanted.show(name, line)) is not None:
                    print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
