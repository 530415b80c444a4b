"""`python serve_notes.py`: the notes service as a process of its own, for the tests of starting."""

import sys
from pathlib import Path

from notes import create_app
from servicekit.debug_identity import DebugIdentity
from servicekit.run import Service, main
from servicekit.settings import ServiceSettings

SERVICE = Service(
    name="notes",
    version="1",
    schema="notes",
    migrations=Path(__file__).parent / "migrations",
    settings=ServiceSettings,
    create_app=lambda settings: create_app(str(settings.database_url), DebugIdentity(settings)),
    contract_settings=lambda: ServiceSettings(
        port=0, database_url="postgresql://localhost/x", runbench_env="dev"
    ),  # pyright: ignore
)

if __name__ == "__main__":
    sys.exit(main(SERVICE))
