"""`schema.sql`: a service's schema as its migrations make it, for readers.

`python -m servicekit.testing.schema FOLDER SCHEMA` writes it into a service's folder.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from localpostgres import throwaway_cluster
from localpostgres.binaries import binaries

from servicekit.migrations import migrate

_HEAD = "-- The schema as it is now, generated from the migrations.\n"
_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\\w+ .*)$\n", re.MULTILINE)


def schema_text(address: str, schema: str) -> str:
    """What `pg_dump` says of a schema, without what depends on the server or the day."""
    dump = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [
            str(binaries() / "pg_dump"),
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            f"--schema={schema}",
            address,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    body = re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dump)).strip()
    return f"{_HEAD}\n{body}\n"


def main(folder: str, schema: str) -> None:
    """Migrate a throw-away database and write down what came of it."""
    with throwaway_cluster() as cluster:
        address = f"{cluster.address}/postgres"
        asyncio.run(migrate(address, Path(folder) / "migrations", schema=schema))
        (Path(folder) / "schema.sql").write_text(schema_text(address, schema))


if __name__ == "__main__":
    main(*sys.argv[1:])
