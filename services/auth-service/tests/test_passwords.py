"""Changing a password, and choosing a new one by a mailed link."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from people import PASSWORD, Client, Person, Register, Start, actions, expect, log_in, problem
from servicekit.database import Connection
from servicekit.testing.postbox import Postbox, postbox

NEW = "another quiet river"
LINK = re.compile(r"https?://\S+/reset#token=(rb_reset_\w+)")


async def mailed_token(box: Postbox, number: int = 1) -> str:
    match = LINK.search((await box.mail(number)).get_content())
    assert match
    return match[1]


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    async with postbox() as box:
        yield box


@pytest.fixture
async def client(start: Start, box: Postbox) -> Client:
    return await start(smtp_url=box.url)


async def ask(client: Client, email: str) -> None:
    answer = await expect(202, await client.post("/auth/password-reset", json={"email": email}))
    assert answer == {}


async def confirm(client: Client, token: str, password: str = NEW):
    return await client.post(
        "/auth/password-reset/confirm", json={"token": token, "new_password": password}
    )


async def change(person: Person, current: str, new: str):
    body = {"current_password": current, "new_password": new}
    return await person.ask("POST", "/auth/change-password", body)


async def test_a_new_password_needs_the_current_one_and_ends_the_other_sessions(
    client: Client, person: Person, connection: Connection
) -> None:
    other = Person(client, await expect(200, await log_in(client, person.email)))
    token = other.session["refresh_token"]

    await problem(await change(person, "not the current one", NEW), 403, "wrong-password")
    assert await other.is_signed_in()
    await expect(204, await change(person, PASSWORD, NEW))

    assert await person.is_signed_in()
    assert not await other.is_signed_in()
    dead = await client.post("/auth/refresh", json={"refresh_token": token})
    await problem(dead, 401, "refresh-token-invalid")
    await problem(await log_in(client, person.email, PASSWORD), 401, "wrong-credentials")
    await expect(200, await log_in(client, person.email, NEW))
    events = await actions(connection, "password.change")
    assert [event["result"] for event in events] == ["failure", "success"]


async def test_a_new_password_keeps_to_the_rules(person: Person) -> None:
    for new in ("short", "password1234", person.email, PASSWORD, "x" * 257):
        document = await problem(await change(person, PASSWORD, new), 422, "invalid")
        assert document["errors"][0]["pointer"] == "#/new_password"
    for body in ({}, {"new_password": NEW}, {"current_password": PASSWORD, "new_password": None}):
        await problem(await person.ask("POST", "/auth/change-password", body), 422, "invalid")
    assert (await log_in(person.client, person.email)).status == 200


async def test_of_two_changes_at_once_one_wins(client: Client, person: Person) -> None:
    candidates = ["the first candidate", "the second candidate"]
    responses = await asyncio.gather(*(change(person, PASSWORD, new) for new in candidates))

    assert sorted(response.status for response in responses) == [204, 403]
    works = [(await log_in(client, person.email, new)).status for new in candidates]
    assert sorted(works) == [200, 401]


async def test_a_session_begun_with_the_old_password_does_not_survive_the_change(
    client: Client, person: Person
) -> None:
    responses = await asyncio.gather(
        change(person, PASSWORD, NEW), *(log_in(client, person.email) for _ in range(8))
    )

    assert responses[0].status == 204
    for response in responses[1:]:
        if response.status == 200:
            assert not await Person(client, await response.json()).is_signed_in()


async def test_a_link_sets_a_new_password_once_and_ends_every_session(
    client: Client, person: Person, box: Postbox, connection: Connection
) -> None:
    await ask(client, person.email.upper())
    mail = await box.mail()
    assert mail["To"] == person.email
    assert PASSWORD not in mail.get_content()
    token = await mailed_token(box)

    await expect(204, await confirm(client, token))

    assert not await person.is_signed_in()
    await expect(200, await log_in(client, person.email, NEW))
    await problem(await confirm(client, token, "one more quiet river"), 410, "reset-token-invalid")
    (asked,) = await actions(connection, "password.reset-request")
    (done,) = await actions(connection, "password.reset")
    assert asked["actor_id"] is None
    assert str(asked["target_id"]) == str(done["actor_id"]) == person.id
    assert token not in str([asked, done])


async def test_the_answer_says_nothing_of_who_is_registered(
    client: Client, person: Person, register: Register, box: Postbox, connection: Connection
) -> None:
    # Answers come before the work is done, so who is deactivated here stays so.
    gone = await register(email="gone@example.com")
    await connection.execute(
        "UPDATE auth.users SET deactivated_at = now() WHERE email = $1", gone.email
    )
    for address in ("nobody@example.com", "no address", "\u200b", gone.email):
        await ask(client, address)

    await ask(client, person.email)

    assert (await box.mail())["To"] == person.email
    assert len(box.mails) == 1


async def test_the_mail_goes_to_the_address_that_is_stored(
    client: Client, register: Register, box: Postbox
) -> None:
    await register(email="ada@example.com")

    await ask(client, "ada@exаmple.com")  # the look-alike that Eve owns

    assert (await box.mail())["To"] == "ada@example.com"


async def test_the_mail_reaches_an_international_domain(
    client: Client, register: Register, box: Postbox
) -> None:
    person = await register("Zoë\u200b Bücher", email="zoe@bücher.example")

    await ask(client, person.email)

    mail = await box.mail()
    assert mail["To"] == "zoe@xn--bcher-kva.example"
    assert "Hello Zoë" in mail.get_content()


async def test_a_link_is_good_for_half_an_hour(
    client: Client, person: Person, box: Postbox, connection: Connection
) -> None:
    await ask(client, person.email)
    token = await mailed_token(box)
    await connection.execute(
        "UPDATE auth.password_resets SET expires_at = expires_at - interval '29 minutes'"
    )
    await problem(await confirm(client, token, "short"), 422, "invalid")
    await connection.execute(
        "UPDATE auth.password_resets SET expires_at = expires_at - interval '1 minute'"
    )

    await problem(await confirm(client, token), 410, "reset-token-invalid")


async def test_a_password_that_will_not_do_leaves_the_link_good(
    client: Client, person: Person, box: Postbox
) -> None:
    await ask(client, person.email)
    token = await mailed_token(box)

    await problem(await confirm(client, token, "password1234"), 422, "invalid")

    await expect(204, await confirm(client, token))


async def test_a_link_is_void_after_the_password_was_changed_otherwise(
    client: Client, person: Person, box: Postbox
) -> None:
    await ask(client, person.email)
    token = await mailed_token(box)
    await expect(204, await change(person, PASSWORD, NEW))

    await problem(await confirm(client, token, "third river"), 410, "reset-token-invalid")


async def test_of_many_that_use_a_link_at_once_one_does(
    client: Client, person: Person, box: Postbox
) -> None:
    await ask(client, person.email)
    token = await mailed_token(box)

    responses = await asyncio.gather(
        *(confirm(client, token, f"candidate number {n}") for n in range(10))
    )

    assert sorted(response.status for response in responses) == [204] + [410] * 9


async def test_what_is_no_link_is_refused(client: Client) -> None:
    for token in ("x", "rb_reset_" + "A" * 43, "rb_reset_" + "A" * 42, "rb_rt_" + "A" * 43):
        await problem(await confirm(client, token), 410, "reset-token-invalid")


async def test_nobodys_postbox_is_flooded(
    client: Client, person: Person, box: Postbox, connection: Connection
) -> None:
    for _ in range(10):
        await ask(client, person.email)
    await box.mail(3)
    await asyncio.sleep(0.3)

    assert len(box.mails) == 3


async def test_an_administrator_sends_a_link(
    client: Client, person: Person, admin: Person, box: Postbox, connection: Connection
) -> None:
    await expect(204, await admin.ask("POST", f"/api/v1/admin/users/{person.id}/reset-password"))

    await expect(204, await confirm(client, await mailed_token(box)))
    await expect(200, await log_in(client, person.email, NEW))
    (event,) = await actions(connection, "password.reset-request")
    assert (str(event["actor_id"]), str(event["target_id"])) == (admin.id, person.id)


async def test_without_a_mail_server_development_shows_the_mail(
    start: Start, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await start(smtp_url="")
    await ask(client, person.email)
    printed = ""
    async with asyncio.timeout(30):
        while "end of mail" not in printed:
            await asyncio.sleep(0.02)
            printed += capsys.readouterr().out

    assert "development mail" in printed
    match = LINK.search(printed)
    assert match
    await expect(204, await confirm(client, match[1]))


async def test_without_a_mail_server_production_shows_nothing(
    start: Start, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await start(smtp_url="", runbench_env="production", jwt_secret="0123456789abcdef" * 4)
    await ask(client, person.email)
    printed = ""
    async with asyncio.timeout(30):
        while "mail.off" not in printed:
            await asyncio.sleep(0.02)
            printed += capsys.readouterr().out

    assert "rb_reset_" not in printed


async def test_a_mail_server_that_refuses_harms_nobody(start: Start, person: Person) -> None:
    client = await start(smtp_url="smtp://127.0.0.1:9")

    await ask(client, person.email)

    await expect(200, await log_in(client, person.email))
