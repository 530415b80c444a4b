"""Names that people give: kept as they are where that is safe, refused where it is not."""

from pathlib import Path
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient
from artifact_api import EDITOR, VIEWER, address, get, kept, listed, names, put
from yarl import URL

SAFE = [
    "plain.txt",
    "with space.txt",
    "deeply/nested/in/many/folders/x",
    "Потеря/α β.csv",
    "图/表.png",
    "emoji 🎉.txt",
    "100%.txt",
    "50%25.txt",
    "a;b",
    "a#b",
    "a?b=c&d",
    "a+b",
    "[x]{y}",
    "quote'\"x",
    "..hidden",
    "trailing..",
    "a...b",
    "~root",
    "cc:d",
    "$(rm)",
    "x" * 255,
    "/".join(["d" * 99] * 10),
]

REFUSED = [
    "..",
    "../secret",
    "a/../../secret",
    "a/..",
    ".",
    "a/./b",
    "/etc/passwd",
    "//host/share",
    "a//b",
    "a/",
    "C:/x",
    "C:\\x",
    "..\\secret",
    "a\\b",
    "file:///etc/passwd",
    "s3://bucket/key",
    "a\0b",
    "a\nb",
    "a\rb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u202eb",
    "a\uffffb",
    "\U0010ffff",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "a%2f..%2f..%2fsecret",
    "%252e%252e%252fsecret",
    "%25252e%25252e/secret",
    "a%00b",
    "a%5c..%5cb",
    "\uff0e\uff0e/secret",
    "\u2024\u2024/secret",
    "a\uff0f\uff0e\uff0e\uff0fb",
    "a\uff3cb",
    "\u2025/secret",
    "%ff",
    "x" * 256,
    "ü" * 128,
    "x/" * 500 + "x",
    " ",
    "a/ /b",
    ".. /secret",
]


@pytest.mark.parametrize("path", SAFE)
async def test_a_safe_name_comes_back_as_it_was_given(
    client: TestClient, run_id: UUID, path: str
) -> None:
    stored = await put(client, run_id, path, path.encode())

    assert stored["path"] == path
    assert await (await get(client, run_id, path)).read() == path.encode()
    folder = path.rpartition("/")[0]
    assert await names(client, run_id, folder) == [path]


@pytest.mark.parametrize("path", REFUSED)
async def test_a_name_that_could_lead_elsewhere_is_refused_everywhere(
    client: TestClient, run_id: UUID, folder: Path, path: str
) -> None:
    for method in ("PUT", "GET", "DELETE"):
        response = await client.request(method, address(run_id, path), headers=EDITOR)
        assert response.status == 422, (method, await response.text())
        problem = await response.json()
        assert "NUL" in problem.get("detail", "") or problem["errors"][0]["parameter"] == "path"
    response = await client.get(
        f"/api/v1/runs/{run_id}/artifacts", params={"prefix": path}, headers=VIEWER
    )
    assert response.status == (200 if path == "a/" else 422)
    assert kept(folder) == 0


@pytest.mark.parametrize(
    "written",
    [
        "..%2f..%2fsecret",
        "%2e%2e/secret",
        "%2E%2E%2Fsecret",
        "a/%2e%2e/%2e%2e/secret",
        "%2fetc%2fpasswd",
        "a%5cb",
        "a%00b",
        "a%0d%0ab",
        "%252e%252e%252fsecret",
        "%c0%ae%c0%ae/secret",
        "%ff%fe",
        "%ed%a0%80",
    ],
)
async def test_however_it_is_written_it_is_decoded_once_and_decided_on_once(
    client: TestClient, run_id: UUID, folder: Path, written: str
) -> None:
    url = URL(f"/api/v1/runs/{run_id}/artifacts/{written}", encoded=True)

    response = await client.put(url, data=b"x", headers=EDITOR)

    assert response.status in {400, 422}, await response.text()
    assert kept(folder) == 0


async def test_an_escaped_slash_is_a_slash(client: TestClient, run_id: UUID) -> None:
    url = URL(f"/api/v1/runs/{run_id}/artifacts/a%2Fb%252Fc", encoded=True)

    response = await client.put(url, data=b"x", headers=EDITOR)

    assert (await response.json())["path"] == "a/b%2Fc"
    assert await names(client, run_id, "a") == ["a/b%2Fc"]


async def test_two_spellings_of_one_name_are_one_file(client: TestClient, run_id: UUID) -> None:
    await put(client, run_id, "Cafe\u0301.txt", b"decomposed")
    await put(client, run_id, "Caf\u00e9.txt", b"composed")

    assert [item["path"] for item in await listed(client, run_id)] == ["Caf\u00e9.txt"]
    assert await (await get(client, run_id, "Cafe\u0301.txt")).read() == b"composed"


async def test_no_name_reaches_the_store(client: TestClient, run_id: UUID, folder: Path) -> None:
    await put(client, run_id, "secret-plan/name.txt", b"x")

    kept_under = "".join(str(path.relative_to(folder)) for path in all_below(folder))
    assert "secret" not in kept_under
    assert "name" not in kept_under


def all_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def test_a_downloads_name_is_the_last_part_and_nothing_breaks_out_of_its_header(
    client: TestClient, run_id: UUID
) -> None:
    await put(client, run_id, 'a/x"; filename="evil.html', b"x")

    response = await get(client, run_id, 'a/x"; filename="evil.html')

    assert response.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''x%22%3B%20filename%3D%22evil.html"
    )
