"""The workspace of runs: completion, order, groups, a saved view that others open as it was."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


class Bench:
    """Two people of one project, and runs to look at."""

    def __init__(self, gateway_url: str) -> None:
        self._http = httpx.Client(base_url=gateway_url, timeout=60)
        self.owner, token, _owner_id = self._person("Olga")
        self.editor, _other, editor_id = self._person("Ed")
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.project = self._post("/api/v1/projects", {"name": f"Shelf {uuid4().hex[:6]}"})
        path = f"/api/v1/projects/{self.project['id']}"
        self._http.put(f"{path}/members/{editor_id}", json={"role": "editor"}).raise_for_status()
        experiment = self._post(f"{path}/experiments", {"name": "Digits"})
        for number in range(12):
            optimizer = "adam" if number % 3 else "sgd"
            body = {
                "name": f"run {number:02}",
                "params": {"optimizer": optimizer, "seed": number},
                "tags": {"rig": f"R{number % 2}"},
            }
            run = self._post(f"/api/v1/experiments/{experiment['id']}/runs", body)
            series = [{"key": "loss", "step": [0, 1], "value": [9.0, number / 10]}]
            self._post(f"/api/v1/runs/{run['id']}/metrics", {"series": series})

    def _person(self, name: str) -> tuple[str, str, str]:
        email = f"{name.lower()}-{uuid4().hex[:8]}@example.org"
        body = {"email": email, "password": PASSWORD, "name": name}
        session = self._post("/auth/register", body)
        return email, session["access_token"], session["user"]["id"]

    def _post(self, path: str, body: object) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


async def test_runs_are_filtered_grouped_and_shared_as_a_view(
    page: Page, browser: Browser, stack: Stack
) -> None:
    bench = Bench(stack.gateway_url)
    await _sign_in(page, bench.owner)
    await page.goto(f"/p/{bench.project['slug']}/runs?layout=table")
    rows = page.get_by_role("row").filter(has_text="run ")
    await expect(rows).to_have_count(12)

    await _filter(page)
    await expect(rows).to_have_count(8)
    await page.get_by_role("button", name="Group").click()
    await page.get_by_role("checkbox", name="tags.rig").check()
    await page.keyboard.press("Escape")
    groups = page.get_by_role("row").filter(has_text=re.compile(r"R[01]"))
    await expect(groups.first).to_be_visible()

    await page.get_by_role("button", name="Views").click()
    await page.get_by_role("button", name=re.compile("^Save")).first.click()
    await page.get_by_label("Name of the view").fill("Adam by rig")
    await page.get_by_text("The whole project").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page).to_have_url(re.compile(r"view=[0-9a-f-]{36}"))

    context = await browser.new_context(base_url=stack.portal_url, locale="en-GB")
    try:
        other = await context.new_page()
        await _sign_in(other, bench.editor)
        await other.goto(page.url)
        box = other.get_by_label("Filter runs by an expression")
        await expect(box).to_have_value('params.optimizer = "adam"')
        shown = other.get_by_role("row").filter(has_text=re.compile(r"R[01]"))
        await expect(shown.first).to_be_visible()
    finally:
        await context.close()


async def test_a_mistake_in_a_filter_is_shown_where_it_is(page: Page, stack: Stack) -> None:
    bench = Bench(stack.gateway_url)
    await _sign_in(page, bench.owner)
    await page.goto(f"/p/{bench.project['slug']}/runs?layout=table")
    rows = page.get_by_role("row").filter(has_text="run ")
    await expect(rows).to_have_count(12)

    box = page.get_by_label("Filter runs by an expression")
    await box.fill("params.seed < 'x'")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("compare sizes with a number")).to_be_visible()
    await expect(rows).to_have_count(12)


async def _filter(page: Page) -> None:
    """Type a part of the names, and let the box complete field and value."""
    box = page.get_by_label("Filter runs by an expression")
    await box.click()
    await page.keyboard.type("opti")
    await expect(page.get_by_role("option", name=re.compile(r"params\.optimizer"))).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("= ")
    await page.get_by_role("option", name=re.compile("adam")).click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("filter="))


async def _sign_in(page: Page, email: str) -> None:
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile(r"/$"))
