"""The likely fix of a process that will not stay up, from its last lines."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from scripts import ports


class Symptom(NamedTuple):
    """Words that betray a cause, and what to do about it."""

    words: re.Pattern[str]
    fix: str


def symptom(words: str, fix: str) -> Symptom:
    """A symptom whose words are matched in any case."""
    return Symptom(re.compile(words, re.IGNORECASE), fix)


ADDRESS_IN_USE = re.compile(
    r"address already in use|EADDRINUSE|port \d+ is (already )?in use", re.I
)
# The first that fits is said, so the particular stand before the general.
SYMPTOMS = (
    symptom(
        r"migration.*(changed|checksum|edited|differs|modified)|checksum.*migration",
        "a migration was edited after it had been applied: undo the edit and put the change into "
        "a new migration, or start afresh with `nox -s reset`",
    ),
    symptom(
        r"ModuleNotFoundError|ImportError|No module named",
        "a Python dependency is missing: name it in the service's pyproject.toml, then `uv lock` "
        "and `nox -s setup`",
    ),
    symptom(
        r"ERR_MODULE_NOT_FOUND|Cannot find (module|package)",
        "a Node dependency is missing: `npm install` it into the package, or `nox -s setup`",
    ),
    symptom(
        r"No such file or directory: '[^']*\.nox/|no (Node|Caddy|Valkey|PostgreSQL) found",
        "the environment is not made yet: `nox -s setup`",
    ),
    symptom(
        r"ValidationError.*Settings|JWT_SECRET|SESSION_SECRET|Input should be|environment variable",
        "a variable is missing or wrong: compare `.env` with `.env.example`",
    ),
    symptom(
        r"password authentication failed|InvalidPassword|no pg_hba",
        "the database refuses the password: was .dev/secrets.json replaced? `nox -s reset`",
    ),
    symptom(
        r"too many clients|TooManyConnections|remaining connection slots",
        "PostgreSQL has no connection left: raise max_connections, or stop another stack",
    ),
    symptom(
        r"Permission denied|EACCES|could not open (file|directory)",
        "a file belongs to another user (was it started as root once?): `nox -s doctor`",
    ),
    symptom(r"No space left|ENOSPC", "the disk is full: free some space, then `nox -s doctor`"),
    symptom(
        r"SyntaxError|IndentationError|ERR_INVALID_TYPESCRIPT_SYNTAX",
        "the code does not parse: correct it and save, it starts again by itself",
    ),
    symptom(
        r"connection refused|ECONNREFUSED|CannotConnectNow|could not connect",
        "something that it needs does not answer: `nox -s status` says what",
    ),
)
KILLED = -9


def likely_fix(name: str, lines: Sequence[str], code: int, port: int | None = None) -> str:
    """One sentence on what to do about a process that ended with `code` after these lines."""
    text = "\n".join(lines)
    if port and ADDRESS_IN_USE.search(text):
        return ports.in_the_way(name, port)
    for one in SYMPTOMS:
        if one.words.search(text):
            return one.fix
    if code == KILLED:
        return "it was killed from outside, often for want of memory: close something, or `dmesg`"
    return f"read the lines above; all of them are in `nox -s logs -- {name}`"


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
