"""`python -m artifact_service`: serve, migrate, or print the OpenAPI document."""

import sys
from pathlib import Path

from pydantic import PostgresDsn
from servicekit.run import Service, main

from artifact_service.app import NAME, SCHEMA, VERSION, create_app
from artifact_service.settings import Settings

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def _contract_settings() -> Settings:
    return Settings(
        runbench_env="dev",
        auth_service_url="http://auth-service.invalid",
        database_url=PostgresDsn("postgresql://contract.invalid/none"),
        artifact_store_url="/nowhere",
    )


SERVICE = Service(
    name=NAME,
    version=VERSION,
    schema=SCHEMA,
    migrations=MIGRATIONS,
    settings=Settings,
    create_app=create_app,
    contract_settings=_contract_settings,
    # Large files: fewer turns of the loop for the same bytes.
    read_buffer=1 << 20,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE))
