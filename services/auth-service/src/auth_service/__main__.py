"""`python -m auth_service [serve|migrate|openapi|create-admin|verify-audit]`."""

import asyncio
import sys
from getpass import getpass
from pathlib import Path

from servicekit.database import open_database
from servicekit.run import Service, main

import auth_service
from auth_service.app import NAME, ROLE, SCHEMA, VERSION, create_app
from auth_service.operations.audit_chain import Broken, verify
from auth_service.operations.start import NoAdmin, make_admin
from auth_service.passwords import Hasher
from auth_service.settings import Settings


async def create_admin(settings: Settings) -> int:
    """Make an administrator, from RUNBENCH_ADMIN_EMAIL and _PASSWORD or asked for here."""
    email, password = settings.runbench_admin_email, settings.runbench_admin_password
    email = email or await asyncio.to_thread(input, "E-mail address: ")
    password = password or await asyncio.to_thread(getpass, "Password: ")
    async with open_database(
        str(settings.database_url), schema=SCHEMA, size=1, role=ROLE
    ) as database:
        try:
            await make_admin(
                database,
                Hasher(rounds=settings.bcrypt_rounds),
                settings,
                email=email,
                password=password,
            )
        except NoAdmin as exc:
            sys.stderr.write(f"No administrator was made: {exc}.\n")
            return 1
    return 0


async def verify_audit(settings: Settings) -> int:
    """Say whether the audit is as it was written; 1 where it is not, with the first row."""
    async with open_database(
        str(settings.database_url), schema=SCHEMA, size=1, role=ROLE
    ) as database:
        try:
            found = await verify(database)
        except Broken as exc:
            sys.stderr.write(f"The audit is broken: {exc}.\n")
            return 1
    sys.stdout.write(f"The audit is whole: {found.events} events in {found.chains} chains.\n")
    return 0


SERVICE = Service(
    name=NAME,
    version=VERSION,
    schema=SCHEMA,
    migrations=Path(auth_service.__file__).parents[2] / "migrations",
    settings=Settings,
    create_app=create_app,
    contract_settings=lambda: Settings(
        runbench_env="dev",
        database_url="postgresql://localhost/auth_db",  # pyright: ignore[reportArgumentType]
    ),
    commands={"create-admin": create_admin, "verify-audit": verify_audit},
)

if __name__ == "__main__":
    sys.exit(main(SERVICE))
