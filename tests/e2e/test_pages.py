"""Every page as it is: no serious accessibility fault, no console error, no sideways scroll."""

import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from scripts.environment import ADMIN_EMAIL, DEMO_PASSWORD, ROOT
from scripts.stack import Stack

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PUBLIC = ["/login", "/register", "/reset"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# Theme, language, screen: each value of each once.
LOOKS = [("light", "en-GB", DESKTOP), ("dark", "ru-RU", PHONE)]
# A refused sign-in is what a visitor without a session is meant to get.
EXPECTED = re.compile(r"401 \(Unauthorized\)")


@dataclass(frozen=True)
class Place:
    """A project with something on every page."""

    slug: str
    experiment_id: str
    run_id: str
    sensor_id: str
    all_runs: tuple[str, ...]

    @property
    def pages(self) -> list[str]:
        """The address of each page behind the sign-in."""
        project, run = f"/p/{self.slug}", f"/p/{self.slug}/r/{self.run_id}"
        compared = f"/compare?runs={quote(json.dumps(self.all_runs))}&baseline={self.run_id}"
        inside = [
            "",
            "/x",
            "/x?create=true",
            f"/x/{self.experiment_id}",
            "/runs",
            "/compare",
            *(f"{compared}&tab={tab}" for tab in ("metrics", "charts", "params", "environment")),
            "/members",
            "/tokens",
            "/webhooks",
            "/notifications",
            "/sensors",
            "/sensors?register=true",
            "/monitor",
            f"/sensors/{self.sensor_id}",
            *(
                f"/sensors/{self.sensor_id}?tab={tab}"
                for tab in ("history", "profiles", "token", "errors")
            ),
        ]
        return [
            "/",
            "/p",
            *(f"{project}{page}" for page in [*inside, "/settings", "/audit", "/no-such-page"]),
            run,
            *(f"{run}?tab={tab}" for tab in ("metrics", "telemetry", "notes", "environment")),
            *(f"{run}?tab=artifacts{file}" for file in ("", "&file=data%2Floss.csv")),
            "/me",
            "/admin/users",
            "/admin/audit",
            "/help/shortcuts",
            "/no/such/page",
        ]


@pytest.fixture(scope="module")
def place(stack: Stack) -> Place:
    """Made by the administrator, who sees every page."""
    with httpx.Client(base_url=stack.gateway_url, timeout=30) as client:

        def call(method: str, path: str, **body: Any) -> Any:
            answer = client.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

        session = call("POST", "/auth/login", email=ADMIN_EMAIL, password=DEMO_PASSWORD)
        client.headers["Authorization"] = f"Bearer {session['access_token']}"
        project = call("POST", "/api/v1/projects", name=f"Bench {uuid4().hex[:6]}")
        experiment = call(
            "POST",
            f"/api/v1/projects/{project['id']}/experiments",
            name="Motor A",
            description="# Why\n\nIt *hums*.",
            tags={"rig": "A1"},
        )
        runs = [
            call(
                "POST",
                f"/api/v1/experiments/{experiment['id']}/runs",
                params={"lr": 0.1 * number, "optimizer": "adam"},
                tags={"seed": str(number)},
                notes="**Loud** at 40 Hz",
            )
            for number in range(3)
        ]
        for run in runs:
            steps = list(range(200))
            call(
                "POST",
                f"/api/v1/runs/{run['id']}/metrics",
                series=[
                    {"key": "train/loss", "step": steps, "value": [0.97**n for n in steps]},
                    {"key": "accuracy", "step": steps, "value": [*[0.5] * 199, "NaN"]},
                ],
            )
        files = f"{stack.gateway_url}/api/v1/runs/{runs[0]['id']}/artifacts"
        client.put(f"{files}/data/loss.csv", content=b"step,loss\n0,1.5\n").raise_for_status()
        sensor = call(
            "POST",
            f"/api/v1/projects/{project['id']}/sensors",
            name="Inlet",
            signals=[{"name": "temperature", "input_unit": "V", "display_unit": "°C"}],
        )
        call("PUT", f"/api/v1/runs/{runs[0]['id']}/sensors/{sensor['id']}")
        now = time.time_ns() // 1000
        readings = {"signal": "temperature", "t": [now - 1_000_000, now], "v": [1.5, 1.75]}
        answer = httpx.post(
            f"{stack.gateway_url}/api/v1/telemetry",
            json={"series": [readings]},
            headers={"Authorization": f"Bearer {sensor['token']}"},
        )
        assert answer.json()["accepted"] == 2, answer.text
        call(
            "POST",
            f"/api/v1/projects/{project['id']}/comparisons",
            title="Which rate",
            notes="The *smaller* one",
            view={"runs": [run["id"] for run in runs], "tab": "params"},
        )
        ids = tuple(run["id"] for run in runs)
        return Place(project["slug"], experiment["id"], ids[0], sensor["id"], ids)


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]} {look[1]} {look[2]['width']}")
async def look(
    request: pytest.FixtureRequest, browser: Browser, stack: Stack
) -> AsyncIterator[BrowserContext]:
    theme, locale, screen = request.param
    context = await browser.new_context(
        base_url=stack.portal_url,
        color_scheme=theme,
        locale=locale,
        viewport=screen,
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    yield context
    await context.close()


async def test_every_page_is_sound_in_every_look(look: BrowserContext, place: Place) -> None:
    page = await look.new_page()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    faults: list[str] = []
    for address in PUBLIC:
        faults += await _faults(page, address)
    await _sign_in(page)
    for address in place.pages:
        faults += await _faults(page, address)

    assert not faults, "\n".join(faults)
    assert not [line for line in said if not EXPECTED.search(line)]


async def _sign_in(page: Page) -> None:
    await page.goto("/login")
    await page.locator("input[type=email], input[name=email]").first.fill(ADMIN_EMAIL)
    await page.locator("input[type=password]").fill(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).not_to_have_url(re.compile("/login"), timeout=30_000)


async def _faults(page: Page, address: str) -> list[str]:
    await page.goto(address)
    await expect(page.locator("h1").first).to_be_visible(timeout=30_000)
    await page.wait_for_load_state("load")
    await page.wait_for_timeout(300)
    await page.evaluate(AXE.read_text())
    result = await page.evaluate(
        "axe.run(document, {resultTypes: ['violations'],"
        " runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    found = [
        f"{address}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    width = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    if width[0] > width[1] + 1:
        found.append(f"{address}: {width[0]} pixels wide on a screen of {width[1]}")
    return found
