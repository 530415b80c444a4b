"""The status page of a running workspace, over HTTP and in a browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, async_playwright, expect

from scripts import browser as browsers
from scripts import state as states
from scripts.page.token import link, token
from tests.workspace.conftest import PATIENCE_SECONDS, eventually
from tests.workspace.place import STORES, Place, ended_at_last


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ended_at_last(Place(tmp_path_factory.mktemp("page") / "dev")) as made:
        made.start()
        made.until_ready()
        eventually(lambda: "READY in" in made.text, lambda: made.text)
        yield made


@pytest.fixture
def known(running: Place) -> Iterator[httpx.Client]:
    """Somebody who came with the link."""
    base = f"http://localhost:{running.workspace.ports['status-page']}"
    with httpx.Client(base_url=base, timeout=PATIENCE_SECONDS, follow_redirects=True) as client:
        client.get(link(running.workspace))
        yield client


def first_rows(client: httpx.Client) -> dict[str, dict[str, object]]:
    with client.stream("GET", "/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                return {row["name"]: row for row in json.loads(line.removeprefix("data: "))}
    raise AssertionError("no event came")


def test_the_summary_and_status_show_the_link_that_opens_the_page(running: Place):
    address = link(running.workspace)

    assert address in running.text
    assert address in running.script("scripts.status").stdout
    assert (running.home / "page-token").stat().st_mode & 0o077 == 0
    opened = httpx.get(address, follow_redirects=False)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/"
    assert "HttpOnly; SameSite=Strict" in opened.headers["set-cookie"]


def test_the_page_tells_of_each_process(known: httpx.Client, running: Place):
    page = known.get("/")
    rows = first_rows(known)

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert set(rows) == set(STORES.split(","))
    valkey = rows["valkey"]
    assert valkey["status"] == "ready"
    assert valkey["port"] == running.workspace.ports["valkey"]
    assert isinstance(valkey["memory"], float)
    assert valkey["memory"] > 1


def test_a_restart_from_the_page_starts_the_process_again(known: httpx.Client, running: Place):
    before = states.read(running.workspace.states, "valkey")
    assert before is not None

    origin = str(known.base_url).rstrip("/")
    answer = known.post("/restart", json={"name": "valkey"}, headers={"Origin": origin})

    assert answer.status_code == 202

    def again() -> bool:
        after = states.read(running.workspace.states, "valkey")
        return bool(after and after.status == "ready" and after.restarts == before.restarts + 1)

    eventually(again, lambda: running.text)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"name": "portal"}, 409),
        ({"name": "init"}, 400),
        ({}, 400),
        ([], 400),
        ({"name": "valkey", "more": "x" * 2000}, 413),
    ],
)
def test_a_wrong_order_is_refused_with_the_reason(known: httpx.Client, order: object, status: int):
    origin = str(known.base_url).rstrip("/")

    answer = known.post("/restart", json=order, headers={"Origin": origin})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/events", "/log?name=valkey", "/?token=guessed"])
def test_whoever_comes_without_the_link_sees_nothing(running: Place, path: str):
    port = running.workspace.ports["status-page"]

    answer = httpx.get(f"http://localhost:{port}{path}")

    assert answer.status_code == 403
    assert "nox -s status" in answer.json()["detail"]


def test_a_foreign_page_neither_reads_nor_restarts(known: httpx.Client, running: Place):
    port = running.workspace.ports["status-page"]
    rebound = known.get("/", headers={"Host": f"evil.example:{port}"})
    with_the_secret = known.get(
        f"/?token={token(running.workspace)}", headers={"Host": f"evil.example:{port}"}
    )
    orders = [
        known.post("/restart", json={"name": "valkey"}, headers=headers)
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"})
    ]

    assert rebound.status_code == with_the_secret.status_code == 421
    assert [order.status_code for order in orders] == [403, 403, 403]


def test_the_log_is_filtered_by_word_and_level(known: httpx.Client):
    lines = known.get("/log", params={"name": "postgres", "word": "postgresql"}).json()
    errors = known.get("/log", params={"name": "postgres", "level": "critical"}).json()
    unknown = known.get("/log", params={"name": "../secrets"})

    assert lines
    assert all("postgresql" in line["text"].casefold() for line in lines)
    assert errors == []
    assert unknown.status_code == 400


def test_more_viewers_than_there_is_room_for_are_told_so(known: httpx.Client):
    answers = [known.send(known.build_request("GET", "/events"), stream=True) for _ in range(17)]
    statuses = [answer.status_code for answer in answers]
    for answer in answers:
        answer.close()

    assert statuses.count(200) <= 16
    assert statuses[-1] == 503
    # The room is free again once those that left are noticed.
    eventually(lambda: first_or_none(known), "a free place")


def first_or_none(client: httpx.Client) -> bool:
    with client.stream("GET", "/events") as answer:
        return answer.status_code == 200


async def look(browser: Browser, address: str, folder: Path, *, phone: bool, dark: bool) -> None:
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
    page = await browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
    problems: list[str] = []
    page.on("console", lambda one: problems.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(address)
    await expect(page.get_by_role("row", name="postgres")).to_contain_text("ready", timeout=30_000)
    await page.get_by_label("Process").select_option("postgres")
    await page.get_by_label("With the word").fill("PostgreSQL")
    await expect(page.get_by_role("region")).to_contain_text("PostgreSQL", timeout=30_000)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    kind = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
    await page.screenshot(path=folder / f"status-{kind}.png", full_page=True)
    await page.close()
    assert wide <= 0, "nothing stands out of the page"
    assert problems == []


async def test_in_a_browser_it_is_live_and_fits_every_screen(running: Place, tmp_path: Path):
    chromium = browsers.chromium()
    if chromium is None:
        pytest.skip(f"no Chromium: {browsers.HOW_TO_GET}")
    address = link(running.workspace)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for phone, dark in ((False, False), (True, True)):
            await look(browser, address, tmp_path, phone=phone, dark=dark)
        page = await browser.new_page()
        await page.goto(address)
        row = page.get_by_role("row", name="valkey")
        await expect(row).to_contain_text("ready", timeout=30_000)
        before = states.read(running.workspace.states, "valkey")
        assert before is not None
        await page.get_by_role("button", name="Restart valkey").click()
        await expect(row.locator("[data-label=Restarts]")).to_have_text(
            str(before.restarts + 1), timeout=30_000
        )
        await browser.close()
