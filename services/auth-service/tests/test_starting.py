"""Starting the service as a process: its commands, and what stops it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

import asyncpg
from people import PASSWORD

SECRET = "3f9c1b7e5a2d8046-and-a-few-more-bytes"


async def run(command: str, **environment: str) -> tuple[int | None, str]:
    """Exit code and output of `python -m auth_service COMMAND`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auth_service",
        command,
        env={**kept, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, (out + err).decode()


async def test_the_first_administrator_can_be_made_on_an_empty_database(
    empty_database_url: str,
) -> None:
    named = {
        "DATABASE_URL": empty_database_url,
        "JWT_SECRET": SECRET,
        "BCRYPT_ROUNDS": "4",
        "RUNBENCH_ADMIN_EMAIL": "root@example.com",
        "RUNBENCH_ADMIN_PASSWORD": PASSWORD,
    }

    code, said = await run("create-admin", **named)

    assert code == 0, said
    assert PASSWORD not in said
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT is_admin FROM auth.users")
    await connection.close()


async def test_production_starts_neither_without_a_secret_nor_with_a_weak_one(
    empty_database_url: str,
) -> None:
    for secret in ("", "a-short-one"):
        code, said = await run("serve", DATABASE_URL=empty_database_url, JWT_SECRET=secret)

        assert code == 2
        assert "JWT_SECRET" in said
        assert "a-short-one" not in said


async def test_every_wrong_setting_is_named_at_once() -> None:
    code, said = await run(
        "serve",
        RUNBENCH_ENV="dev",
        DATABASE_URL="mysql://x",
        BCRYPT_ROUNDS="99",
        TRUSTED_PROXIES="everyone",
        SMTP_URL="http://x",
        ACCESS_TOKEN_TTL_SEC="soon",
    )

    assert code == 2
    for name in (
        "DATABASE_URL",
        "BCRYPT_ROUNDS",
        "TRUSTED_PROXIES",
        "SMTP_URL",
        "ACCESS_TOKEN_TTL_SEC",
    ):
        assert name in said
