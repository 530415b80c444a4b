"""What a request meets at the front door."""

import asyncio
import gzip
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import TestClient
from servicekit.testing.identity import KnownPeople

EDITOR = {"Authorization": "Bearer editor"}


@pytest.fixture
def notes(project_id: UUID) -> str:
    return f"/api/v1/projects/{project_id}/notes"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"title": ', 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"title": "\xff"}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b"", 400),
        (b'{"title": "a", "weight": NaN}', 400),
        (b'{"title": "a", "weight": 1e999}', 400),
        (b'{"title": "a", "weight": ' + b"1" * 3000 + b"}", 400),
        (b'{"title": "a", "extra": {"x": ' + b"[" * 900 + b"]" * 900 + b"}}", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"title": "a", "weight": "1"}', 422),
        (b'{"title": "a", "weight": true}', 422),
        (b'{"title": 5}', 422),
        (b'{"title": "a", "colour": "red"}', 422),
        (b'{"title": "a\\u0000b"}', 422),
        (b'{"title": "a", "extra": {"deep": ["\\u0000"]}}', 422),
        (b'{"title": "a\\nb"}', 422),
        (b'{"title": "   "}', 422),
        (b'{"title": "' + b"x" * 201 + b'"}', 422),
    ],
)
async def test_a_bad_body_is_explained_and_never_a_crash(
    client: TestClient, notes: str, body: bytes, status: int
) -> None:
    response = await client.post(
        notes, data=body, headers={**EDITOR, "Content-Type": "application/json"}
    )

    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    problem = await response.json()
    assert problem["status"] == status
    assert len(problem["trace_id"]) == 32


async def test_every_mistake_is_named_at_once(client: TestClient, notes: str) -> None:
    response = await client.post(notes, json={"weight": "x", "colour": 1}, headers=EDITOR)

    pointers = {error["pointer"] for error in (await response.json())["errors"]}
    assert pointers == {"#/title", "#/weight", "#/colour"}


async def test_a_body_that_is_not_json_is_refused_by_its_type(
    client: TestClient, notes: str
) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=x"):
        response = await client.post(
            notes, data=b'{"title": "a"}', headers={**EDITOR, "Content-Type": kind}
        )
        assert response.status == 415


async def test_a_body_over_the_limit_is_refused_however_it_comes(
    client: TestClient, notes: str
) -> None:
    big = b'{"title": "a", "text": "' + b"x" * 5000 + b'"}'

    async def in_pieces():
        yield big

    headers = {**EDITOR, "Content-Type": "application/json"}
    declared = await client.post(notes, data=big, headers=headers)
    chunked = await client.post(notes, data=in_pieces(), headers=headers)
    packed = await client.post(
        notes, data=gzip.compress(b"0" * 4_000_000), headers={**headers, "Content-Encoding": "gzip"}
    )

    assert [declared.status, chunked.status, packed.status] == [413, 413, 413]


async def test_after_a_broken_body_the_connection_is_said_to_end(
    client: TestClient, notes: str
) -> None:
    for _ in range(5):
        response = await client.post(
            notes,
            data=b"not gzip at all",
            headers={**EDITOR, "Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
        assert response.status == 400
        assert response.headers["Connection"] == "close"


async def test_a_name_is_stored_in_one_unicode_form(client: TestClient, notes: str) -> None:
    response = await client.post(notes, json={"title": " Cafe\u0301 "}, headers=EDITOR)

    assert (await response.json())["title"] == "Caf\u00e9"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?limit=0", 422),
        ("?limit=-1", 422),
        ("?limit=1000000000", 422),
        ("?limit=5&limit=6", 422),
        ("?colour=red", 422),
        ("?tag=a%00b", 422),
        ("?cursor=%25%25", 400),
        ("?cursor=bm90aGluZw", 400),
    ],
)
async def test_a_bad_query_names_its_parameter(
    client: TestClient, notes: str, query: str, status: int
) -> None:
    response = await client.get(notes + query, headers=EDITOR)

    assert response.status == status, await response.text()


@pytest.mark.parametrize("text", ["x", "{}", "%00", "%ff", "..%2f..%2fetc", "1" * 500])
async def test_an_address_with_a_bad_id_is_no_crash(client: TestClient, text: str) -> None:
    response = await client.get(f"/api/v1/projects/{text}/notes", headers=EDITOR)

    assert response.status in {400, 404, 422}


async def test_pages_follow_each_other_without_gaps(client: TestClient, notes: str) -> None:
    for title in "abcde":
        await client.post(notes, json={"title": title}, headers=EDITOR)

    titles, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = await (await client.get(f"{notes}?limit=2{more}", headers=EDITOR)).json()
        titles += [note["title"] for note in page["items"]]
        cursor = page["next_cursor"]

    assert titles == list("abcde")


async def test_the_etag_of_an_answer_guards_the_next_change(client: TestClient, notes: str) -> None:
    created = await client.post(notes, json={"title": "a"}, headers=EDITOR)
    etag, path = created.headers["ETag"], f"/api/v1/notes/{(await created.json())['id']}"

    first = await client.patch(path, json={"title": "b"}, headers={**EDITOR, "If-Match": etag})
    second = await client.patch(path, json={"title": "c"}, headers={**EDITOR, "If-Match": etag})
    odd = await client.patch(path, json={"title": "c"}, headers={**EDITOR, "If-Match": "x"})

    assert [first.status, second.status, odd.status] == [200, 412, 400]


async def test_an_unforeseen_failure_says_nothing_of_our_insides(client: TestClient) -> None:
    response = await client.get("/api/v1/crash")

    assert response.status == 500
    assert "secret internals" not in await response.text()
    assert (await client.get("/health")).status == 200


async def test_unknown_addresses_and_methods_are_problems_too(
    client: TestClient, notes: str
) -> None:
    missing = await client.get("/nowhere", headers=EDITOR)
    wrong = await client.delete(notes, headers=EDITOR)

    assert (missing.status, wrong.status) == (404, 405)
    assert {missing.content_type, wrong.content_type} == {"application/problem+json"}
    assert "GET" in wrong.headers["Allow"]


async def test_a_trace_is_continued_and_a_request_id_returned(client: TestClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    response = await client.get(
        "/api/v1/crash",
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-Id": "abc"},
    )
    garbage = await client.get(
        "/api/v1/crash", headers={"traceparent": "00-zz-01", "X-Request-Id": "a b\tc"}
    )

    assert (await response.json())["trace_id"] == trace
    assert response.headers["X-Request-Id"] == "abc"
    assert garbage.headers["X-Request-Id"] == (await garbage.json())["trace_id"]


async def test_a_repeated_key_gets_the_first_answer_again(client: TestClient, notes: str) -> None:
    headers = {**EDITOR, "Idempotency-Key": "k1"}
    first = await client.post(notes, json={"title": "a"}, headers=headers)
    again = await client.post(notes, json={"title": "a"}, headers=headers)
    other_body = await client.post(notes, json={"title": "b"}, headers=headers)

    assert (first.status, again.status, other_body.status) == (201, 201, 422)
    assert await first.json() == await again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_key_that_failed_may_be_tried_again(client: TestClient, notes: str) -> None:
    await client.post(notes, json={"title": "a"}, headers=EDITOR)
    headers = {**EDITOR, "Idempotency-Key": "k2"}
    taken = await client.post(notes, json={"title": "a"}, headers=headers)
    again = await client.post(notes, json={"title": "a"}, headers=headers)

    assert (taken.status, again.status) == (409, 409)
    assert (await taken.json())["type"] == "/problems/title-taken"


async def test_many_at_once_with_one_key_make_one_note(client: TestClient, notes: str) -> None:
    headers = {**EDITOR, "Idempotency-Key": "k3"}
    responses = await asyncio.gather(
        *(client.post(notes, json={"title": "once"}, headers=headers) for _ in range(8))
    )

    assert {response.status for response in responses} <= {201, 409}
    ids = {(await r.json()).get("id") for r in responses if r.status == 201}
    assert len(ids) == 1
    listed = await (await client.get(notes, headers=EDITOR)).json()
    assert len(listed["items"]) == 1


async def test_a_key_belongs_to_whoever_sent_it(client: TestClient, notes: str) -> None:
    mine = await client.post(
        notes, json={"title": "a"}, headers={**EDITOR, "Idempotency-Key": "k4"}
    )
    theirs = await client.post(
        notes,
        json={"title": "a"},
        headers={"Authorization": "Bearer owner", "Idempotency-Key": "k4"},
    )

    assert (mine.status, theirs.status) == (201, 409)


async def test_roles_decide_and_outsiders_see_nothing(
    client: TestClient, notes: str, people: KnownPeople, project_id: UUID
) -> None:
    async def status(method: str, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"title": f"by {token}"} if method == "POST" else None
        return (await client.request(method, notes, json=body, headers=headers)).status

    assert await status("GET", None) == 401
    assert await status("GET", "nonsense") == 401
    assert [await status("GET", who) for who in ("outsider", "viewer", "owner")] == [404, 200, 200]
    assert [await status("POST", who) for who in ("outsider", "viewer", "editor", "owner")] == [
        404,
        403,
        201,
        201,
    ]
    people.archived.add(project_id)
    assert [await status("GET", "owner"), await status("POST", "owner")] == [200, 409]


async def test_a_foreign_row_and_a_missing_row_look_the_same(
    client: TestClient, notes: str
) -> None:
    created = await client.post(notes, json={"title": "a"}, headers=EDITOR)
    outsider = {"Authorization": "Bearer outsider"}
    foreign = await client.patch(
        f"/api/v1/notes/{(await created.json())['id']}", json={"title": "b"}, headers=outsider
    )
    missing = await client.patch(f"/api/v1/notes/{uuid4()}", json={"title": "b"}, headers=outsider)

    assert foreign.status == missing.status == 404
    a, b = await foreign.json(), await missing.json()
    assert {**a, "trace_id": ""} == {**b, "trace_id": ""}


async def test_who_may_not_enter_is_told_before_the_body_is_read(
    client: TestClient, notes: str
) -> None:
    response = await client.post(
        notes, data=b"not json", headers={"Authorization": "Bearer viewer"}
    )

    assert response.status == 403
