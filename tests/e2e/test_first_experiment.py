"""The main job: a person arrives, records a real training run and watches its curve grow."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, expect

from scripts.environment import ROOT
from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"
EPOCHS = 30


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


async def test_a_person_records_a_training_run_and_watches_its_curve(
    page: Page, context: BrowserContext, stack: Stack
) -> None:
    email = f"ada-{uuid4().hex[:8]}@example.org"
    await _register(page, email)
    slug = await _create_project(page)
    token = await _create_token(page, slug)

    with _training(stack, token) as training:
        await _open_the_newest_run(page, slug, training)
        await _watch_the_curve_grow(page)
        await _wait_until_all_succeeded(stack, token, runs=4)

    await _sort_by_accuracy(page, slug)
    await _write_notes(page)
    await _sign_out_and_find_the_cookie_dead(page, context, stack)


async def _register(page: Page, email: str) -> None:
    await page.goto("/register")
    await page.get_by_label("Name").fill("Ada Lovelace")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page).to_have_url(re.compile(r"/$"))


async def _create_project(page: Page) -> str:
    await page.goto("/p")
    await (
        page.get_by_role("link", name="New project")
        .or_(page.get_by_role("button", name="New project"))
        .first.click()
    )
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("Name").fill(f"Digits {uuid4().hex[:6]}")
    await drawer.get_by_role("button", name="Create project").click()
    await expect(page).to_have_url(re.compile(r"/p/digits-[0-9a-f]{6}"))
    return page.url.rpartition("/p/")[2].partition("/")[0]


async def _create_token(page: Page, slug: str) -> str:
    await page.goto(f"/p/{slug}/tokens")
    await page.get_by_label("What for").fill("my laptop")
    await page.get_by_role("button", name="Create token").click()
    shown = page.get_by_text(re.compile(r"^\s*rb_pat_\w+\s*$"))
    await expect(shown).to_be_visible()
    return ((await shown.text_content()) or "").strip()


@contextmanager
def _training(stack: Stack, token: str) -> Iterator[subprocess.Popen[str]]:
    """examples/digits.py as a person would run it, slow enough to be watched."""
    environment = {
        **os.environ,
        "RUNBENCH_URL": stack.gateway_url,
        "RUNBENCH_TOKEN": token,
        "RUNBENCH_DIR": str(stack.workspace.home / "client"),
    }
    program = [stack.python, str(ROOT / "examples" / "digits.py")]
    with subprocess.Popen(
        [*program, "--epochs", str(EPOCHS), "--grid", "small", "--pause", "0.2"],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            yield process
            said, _ = process.communicate(timeout=180)
            assert process.returncode == 0, said
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                sys.stderr.write(process.communicate()[0])


async def _open_the_newest_run(page: Page, slug: str, training: subprocess.Popen[str]) -> None:
    await page.goto(f"/p/{slug}/runs")
    # The page notices the first run by itself; the script has scikit-learn to load before.
    newest = page.get_by_role("rowheader").get_by_role("link").first
    await expect(newest).to_be_visible(timeout=120_000)
    # The run is not to end before somebody looks at it, however slow the machine is.
    training.send_signal(signal.SIGSTOP)
    try:
        await newest.click()
        await expect(page).to_have_url(re.compile(r"/r/[0-9a-f-]{36}"))
        await page.get_by_role("tab", name="Metrics").click()
    finally:
        training.send_signal(signal.SIGCONT)


async def _watch_the_curve_grow(page: Page) -> None:
    chart = page.get_by_role("figure").filter(has_text="loss").first
    await expect(chart).to_be_visible()
    seen = [await _points(page)]
    while len(seen) < 4:
        await page.wait_for_timeout(300)
        if (now := await _points(page)) > seen[-1]:
            seen.append(now)
        assert not await page.get_by_text("Nothing logged").count()

    assert seen == sorted(seen)


async def _points(page: Page) -> int:
    """How many points the first chart says it shows."""
    chip = page.get_by_role("figure").first.get_by_text(re.compile(r"\d+ points"))
    await expect(chip).to_be_visible()
    found = re.search(r"(\d[\d,]*) points", await chip.text_content() or "")
    assert found
    return int(found[1].replace(",", ""))


async def _wait_until_all_succeeded(stack: Stack, token: str, *, runs: int) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=stack.gateway_url, headers=headers) as client:
        scope = (await client.get("/auth/me")).json()["scope"]
        async with asyncio.timeout(150):
            while True:
                answer = await client.get(f"/api/v1/projects/{scope['project_id']}/runs")
                statuses = [run["status"] for run in answer.json()["items"]]
                if len(statuses) >= runs and set(statuses) == {"succeeded"}:
                    return
                await asyncio.sleep(0.5)


async def _sort_by_accuracy(page: Page, slug: str) -> None:
    # The table alone has room for all columns.
    await page.goto(f"/p/{slug}/runs?layout=table")
    table = page.get_by_role("table", name="Runs")
    header = table.get_by_role("columnheader").filter(has_text="accuracy").first
    await header.get_by_role("button").first.click()
    await expect(page).to_have_url(re.compile(r"sort=[^&]*metrics"))
    column = await header.get_attribute("aria-colindex")
    rows = table.get_by_role("row")
    await expect(rows.nth(1)).to_be_visible()
    await page.wait_for_timeout(500)
    values = [
        float((await cell.text_content() or "").replace(",", "").strip())
        for cell in await table.locator(f"[role=cell][aria-colindex='{column}']").all()
    ]
    assert len(values) >= 4
    assert values in (sorted(values), sorted(values, reverse=True))
    assert len(set(values)) > 1


async def _write_notes(page: Page) -> None:
    await page.get_by_role("rowheader").get_by_role("link").first.click()
    await page.get_by_role("tab", name="Notes").click()
    await page.get_by_role("button", name=re.compile("Edit")).click()
    text = "**Best so far.** <img src=x onerror=document.title='stolen'> Try a smaller rate."
    await page.get_by_role("textbox", name="Notes").fill(text)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("strong", has_text="Best so far.")).to_be_visible()
    await page.reload()
    await expect(page.locator("strong", has_text="Best so far.")).to_be_visible()
    assert await page.title() != "stolen"


async def _sign_out_and_find_the_cookie_dead(
    page: Page, context: BrowserContext, stack: Stack
) -> None:
    old = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}
    assert old
    stored = await page.evaluate(
        "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage),"
        " document.cookie])"
    )
    assert not re.search(r"eyJ|rb_rt_|rb_pat_", stored), "a script could read a token"
    await page.get_by_role("button", name="Your account").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page).to_have_url(re.compile(r"/login"))
    async with httpx.AsyncClient(cookies=old, base_url=stack.portal_url) as thief:
        answer = await thief.get("/auth/me")
    assert answer.status_code == 401
    await page.go_back()
    await expect(page).to_have_url(re.compile(r"/login"))
