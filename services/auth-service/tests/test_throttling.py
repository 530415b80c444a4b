"""Guessing is slowed down; knowing is not."""

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from auth_service.addresses import origin_of
from auth_service.jobs.sweep import sweep
from auth_service.settings import Settings
from multidict import CIMultiDict
from people import Client, Person, Start, actions, expect, log_in, problem
from servicekit.database import DATABASE, Connection

WRONG = "certainly not this one"


async def guess(client: Client, email: str, times: int, **headers: str) -> list[int]:
    return [(await log_in(client, email, WRONG, **headers)).status for _ in range(times)]


async def let_time_pass(connection: Connection, seconds: float) -> None:
    await connection.execute(
        "UPDATE auth.throttles SET not_before = not_before - make_interval(secs => $1),"
        " last_at = last_at - make_interval(secs => $1)",
        seconds,
    )


async def hold(connection: Connection) -> None:
    """Make every delay that has begun a long one, so that a slow machine does not outlast it."""
    await connection.execute(
        "UPDATE auth.throttles SET not_before = now() + interval '1 hour'"
        " WHERE not_before > last_at"
    )


@pytest.fixture
async def behind(start: Start) -> Client:
    """The service behind a proxy that it trusts, so that tests come from where they like."""
    loopback = Settings.model_validate(
        {
            "runbench_env": "dev",
            "database_url": "postgresql://x/x",
            "trusted_proxies": "127.0.0.0/8",
        }
    ).trusted_proxies
    return await start(trusted_proxies=loopback)


async def test_ten_guesses_are_free_and_then_each_costs_twice_the_time(
    client: Client, person: Person, connection: Connection
) -> None:
    waits: list[float] = []
    for _ in range(17):
        assert await guess(client, person.email, 1) == [401]
        wait = await connection.fetchval(
            "SELECT max(extract(epoch FROM not_before - last_at))::float8 FROM auth.throttles"
        )
        waits.append(round(wait))
        await let_time_pass(connection, wait)

    assert waits == [0] * 9 + [1, 2, 4, 8, 16, 32, 60, 60]


async def test_the_right_password_works_after_the_delay_and_clears_it(
    client: Client, person: Person, connection: Connection
) -> None:
    await guess(client, person.email, 10)
    await hold(connection)
    refused = await log_in(client, person.email)
    await problem(refused, 429, "too-many-attempts")

    await let_time_pass(connection, int(refused.headers["Retry-After"]))

    await expect(200, await log_in(client, person.email))
    assert await guess(client, person.email, 5) == [401] * 5


async def test_refused_attempts_do_not_prolong_the_delay(
    client: Client, person: Person, connection: Connection
) -> None:
    await guess(client, person.email, 10)
    await hold(connection)
    wait = int((await log_in(client, person.email)).headers["Retry-After"])

    assert await guess(client, person.email, 20) == [429] * 20
    await let_time_pass(connection, wait)

    await expect(200, await log_in(client, person.email))


async def test_a_hundred_guesses_at_once_count_as_a_hundred(client: Client, person: Person) -> None:
    responses = await asyncio.gather(*(log_in(client, person.email, WRONG) for _ in range(100)))

    statuses = [response.status for response in responses]
    # The machine may be so slow that the first delay of a second ends meanwhile.
    assert 10 <= statuses.count(401) <= 13
    assert statuses.count(401) + statuses.count(429) == 100
    assert all("Retry-After" in r.headers for r in responses if r.status == 429)


async def test_headers_of_a_client_open_no_fresh_count(
    client: Client, person: Person, connection: Connection
) -> None:
    statuses: list[int] = []
    for number in range(30):
        response = await log_in(
            client,
            person.email,
            WRONG,
            X_Forwarded_For=f"203.0.{number}.7",
            X_Real_IP=f"203.0.{number}.7",
            Forwarded=f"for=203.0.{number}.7",
            User_Agent=f"Browser {number}",
            Cookie=f"device={number}",
        )
        statuses.append(response.status)
        await hold(connection)

    assert statuses == [401] * 10 + [429] * 20


async def test_spelling_the_address_otherwise_opens_no_fresh_count(
    client: Client, person: Person, connection: Connection
) -> None:
    spellings = [person.email, person.email.upper(), f" {person.email}", person.email.title()]
    statuses: list[int] = []
    for number in range(20):
        statuses += await guess(client, spellings[number % 4], 1)
        await hold(connection)

    assert statuses == [401] * 10 + [429] * 10


async def test_an_address_that_nobody_has_is_slowed_down_alike(
    client: Client, connection: Connection
) -> None:
    assert await guess(client, "nobody@example.com", 10) == [401] * 10
    await hold(connection)
    assert await guess(client, "nobody@example.com", 2) == [429] * 2


async def test_a_person_signs_in_while_somebody_elsewhere_hammers_their_account(
    behind: Client, person: Person, connection: Connection
) -> None:
    await guess(behind, person.email, 10, X_Forwarded_For="198.51.100.9")
    await hold(connection)
    hammering = await guess(behind, person.email, 30, X_Forwarded_For="198.51.100.9")
    assert hammering == [429] * 30

    await expect(200, await log_in(behind, person.email, X_Forwarded_For="203.0.113.5"))
    assert await guess(behind, person.email, 3, X_Forwarded_For="198.51.100.77") == [429] * 3


async def test_a_known_device_signs_in_while_its_neighbour_hammers(
    behind: Client, person: Person, connection: Connection
) -> None:
    here = "203.0.113.5"
    await expect(200, await log_in(behind, person.email, X_Forwarded_For=here, User_Agent="Desk"))

    await guess(behind, person.email, 10, X_Forwarded_For=here, User_Agent="Eve")
    await hold(connection)
    hammering = await guess(behind, person.email, 20, X_Forwarded_For=here, User_Agent="Eve")
    assert hammering == [429] * 20

    await expect(200, await log_in(behind, person.email, X_Forwarded_For=here, User_Agent="Desk"))


async def test_many_accounts_from_one_network_are_slowed_down(
    behind: Client, connection: Connection
) -> None:
    statuses: list[int] = []
    for number in range(110):
        statuses += await guess(
            behind, f"p{number}@example.com", 1, X_Forwarded_For=f"198.51.100.{number % 100}"
        )
        await hold(connection)

    assert statuses == [401] * 100 + [429] * 10
    assert await guess(behind, "x@example.com", 1, X_Forwarded_For="198.51.101.1") == [401]


async def test_the_slowed_network_does_not_shut_out_who_is_known_there(
    behind: Client, person: Person, connection: Connection
) -> None:
    here = "198.51.100.7"
    await expect(200, await log_in(behind, person.email, X_Forwarded_For=here))
    for number in range(100):
        await guess(behind, f"p{number}@example.com", 1, X_Forwarded_For=here)
    await hold(connection)
    assert await guess(behind, "p@example.com", 1, X_Forwarded_For=here) == [429]

    await expect(200, await log_in(behind, person.email, X_Forwarded_For=here))


async def test_signing_in_often_is_not_guessing(client: Client, person: Person) -> None:
    for _ in range(30):
        await expect(200, await log_in(client, person.email))


async def test_an_account_under_attack_from_everywhere_lets_strangers_wait_once(
    behind: Client, person: Person, connection: Connection
) -> None:
    for number in range(60):
        await guess(behind, person.email, 1, X_Forwarded_For=f"100.64.{number}.1")

    stranger = "203.0.113.5"
    refused = await log_in(behind, person.email, X_Forwarded_For=stranger)
    await problem(refused, 429, "too-many-attempts")
    assert int(refused.headers["Retry-After"]) <= 31
    await let_time_pass(connection, 31)
    await guess(behind, person.email, 1, X_Forwarded_For="100.64.99.1")

    await expect(200, await log_in(behind, person.email, X_Forwarded_For=stranger))


async def test_each_delay_is_noted_once(
    client: Client, person: Person, connection: Connection
) -> None:
    await guess(client, person.email, 10)
    await hold(connection)
    await guess(client, person.email, 20)

    (event,) = await actions(connection, "login.throttled")
    assert (event["result"], str(event["address"])) == ("denied", "127.0.0.1")
    assert str(event["target_id"]) == person.id
    assert len(await actions(connection, "login")) == 10


async def test_naming_the_current_password_is_slowed_down_too(
    person: Person, connection: Connection
) -> None:
    body = {"current_password": WRONG, "new_password": "another quiet river"}

    statuses: list[int] = []
    for _ in range(12):
        statuses.append((await person.ask("POST", "/auth/change-password", body)).status)
        await hold(connection)

    assert statuses == [403] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("198.51.100.1", ["203.0.113.5"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["203.0.113.5, garbage"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
    ],
)
def test_the_address_is_the_last_one_that_a_trusted_proxy_vouches_for(
    remote: str, forwarded: list[str], address: str
) -> None:
    headers: Any = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    trusted = Settings.model_validate(
        {"runbench_env": "dev", "database_url": "postgresql://x/x", "trusted_proxies": "10.0.0.0/8"}
    ).trusted_proxies

    assert str(origin_of(request, trusted).address) == address


async def test_what_has_no_effect_any_more_is_swept_away(
    client: Client, person: Person, connection: Connection
) -> None:
    await guess(client, person.email, 3)
    await sweep(client.app[DATABASE])
    assert await connection.fetchval("SELECT count(*) FROM auth.throttles") > 0

    await let_time_pass(connection, 3700)
    await connection.execute(
        "UPDATE auth.sessions SET absolute_expires_at = now() - interval '91 days'"
    )
    await sweep(client.app[DATABASE])

    assert await connection.fetchval("SELECT count(*) FROM auth.throttles") == 0
    assert await connection.fetchval("SELECT count(*) FROM auth.sessions") == 0
    assert await connection.fetchval("SELECT count(*) FROM auth.refresh_tokens") == 0
