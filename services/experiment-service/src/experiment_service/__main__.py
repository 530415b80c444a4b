"""Start it: `python -m experiment_service`."""

import sys
from pathlib import Path

from servicekit.run import Service, main

from experiment_service.app import NAME, SCHEMA, VERSION, create_app
from experiment_service.settings import Settings


def contract_settings() -> Settings:
    """Settings that are enough to write the contract; nothing is connected to."""
    return Settings.model_validate(
        {
            "database_url": "postgresql://localhost/experiment_db",
            "auth_service_url": "http://localhost:8001",
        }
    )


SERVICE = Service(
    name=NAME,
    version=VERSION,
    schema=SCHEMA,
    migrations=Path(__file__).parents[2] / "migrations",
    settings=Settings,
    create_app=create_app,
    contract_settings=contract_settings,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE))
