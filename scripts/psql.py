"""`nox -s psql`: psql on a database of the running workspace, with the password filled in."""

import os
import sys
from urllib.parse import unquote, urlsplit

from localpostgres.binaries import binaries

from scripts import state as states
from scripts.environment import DATABASES
from scripts.status import running_workspace


def main(arguments: list[str]) -> None:
    """Become psql; the first word may name the database."""
    names = sorted({*DATABASES.values()})
    database = arguments.pop(0) if arguments and arguments[0] in names else "experiment_db"
    workspace = running_workspace()
    if not workspace.database_server and not states.is_ready(workspace.states, "postgres"):
        raise SystemExit("PostgreSQL does not run here: `nox -s dev` starts it")
    address = urlsplit(workspace.database_url(database))
    # By the environment and not the command line, where every user of the machine could read it.
    os.environ |= {
        "PGHOST": address.hostname or "",
        "PGPORT": str(address.port or 5432),
        "PGUSER": unquote(address.username or ""),
        "PGPASSWORD": unquote(address.password or ""),
        "PGDATABASE": database,
    }
    program = str(binaries() / "psql")
    print(f"{database} ({', '.join(names)})", file=sys.stderr, flush=True)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
