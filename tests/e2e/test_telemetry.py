"""Telemetry: sensors are registered, recorded live, one delivers late, and nothing is missing."""

import asyncio
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns
from uuid import uuid4

import httpx
import pyarrow.parquet
import pytest
from playwright.async_api import Locator, Page, expect

from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"
EVERY_SEC = 0.1


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


@dataclass
class Rig:
    """A sensor of one signal at the bench: what it measures, and what it has sent of that."""

    gateway_url: str
    name: str
    token: str
    signal: str
    measured: list[tuple[int, float]] = field(default_factory=list)
    withheld: list[tuple[int, float]] = field(default_factory=list)
    dropped_out: bool = False

    async def measure(self) -> None:
        """Ten readings a second until this is cancelled; those of a dropout wait."""
        async with httpx.AsyncClient(base_url=self.gateway_url, timeout=30) as http:
            while True:
                now = time_ns() // 1000
                reading = now, round(math.sin(now / 2e6), 6)
                self.measured.append(reading)
                self.withheld.append(reading)
                if not self.dropped_out:
                    await self._send(http)
                await asyncio.sleep(EVERY_SEC)

    async def deliver(self) -> int:
        """Send what waited; how much that was."""
        count = len(self.withheld)
        async with httpx.AsyncClient(base_url=self.gateway_url, timeout=30) as http:
            await self._send(http)
        return count

    async def _send(self, http: httpx.AsyncClient) -> None:
        t, v = [t for t, _ in self.withheld], [v for _, v in self.withheld]
        answer = await http.post(
            "/api/v1/telemetry",
            json={"series": [{"signal": self.signal, "t": t, "v": v}]},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == len(t)
        self.withheld.clear()


async def test_three_sensors_are_recorded_and_what_comes_late_is_there(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    project, run_id = await _bench(page, stack)
    rigs = [
        Rig(stack.gateway_url, name, await _register(page, project, name, signal), signal)
        for name, signal in (
            ("Inlet", "temperature"),
            ("Outlet", "pressure"),
            ("Mount", "vibration"),
        )
    ]
    await _publish_a_profile(page, project)
    sending = [asyncio.create_task(rig.measure()) for rig in rigs]
    try:
        await page.goto(f"/p/{project}/r/{run_id}?tab=telemetry")
        chooser = page.get_by_role("combobox", name="Sensors of the run")
        for rig in rigs:
            await chooser.click()
            await page.get_by_role("option", name=rig.name).click()
        await page.keyboard.press("Escape")
        for rig in rigs:
            await _moves(page.get_by_role("figure", name=re.compile(rig.signal)))

        await page.get_by_role("button", name="Record").click()
        await expect(page.get_by_role("timer", name="Recording for")).to_be_visible()
        await expect(page.get_by_text(re.compile(r"3 sensors, [1-9]"))).to_be_visible()
        rigs[2].dropped_out = True
        await asyncio.sleep(2)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Record")).to_be_visible()
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    table = page.get_by_role("table", name="Capture sessions")
    await expect(table).not_to_contain_text("came late")
    assert await rigs[2].deliver() > 0
    await expect(table).to_contain_text(re.compile(r"\d+ came late"))

    await page.get_by_role("button", name=re.compile("^Export session")).click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Parquet").click()
    file = tmp_path / "session.parquet"
    await (await download.value).save_as(file)
    _check(file, rigs)


def _check(file: Path, rigs: list[Rig]) -> None:
    """Every value in the file is one that was measured, and none between its ends is missing."""
    rows = pyarrow.parquet.read_table(file).to_pylist()
    late = 0
    for rig in rigs:
        mine = [row for row in rows if row["signal"] == rig.signal]
        found = [(round(row["time"].timestamp() * 1e6), row["raw"]) for row in mine]
        begin, end = found[0][0], found[-1][0]
        assert found == [reading for reading in rig.measured if begin <= reading[0] <= end]
        assert len(found) > 5
        late += sum(row["late"] for row in mine)
        for row in mine:
            if rig.name == "Inlet":
                assert row["physical"] == pytest.approx(2.5 * row["raw"] - 1)
            else:
                assert row["physical"] is None
    assert late > 10


async def _bench(page: Page, stack: Stack) -> tuple[str, str]:
    """Somebody with a project and a running run, signed in; the project's slug and the run's id."""
    email = f"kim-{uuid4().hex[:8]}@example.org"
    async with httpx.AsyncClient(base_url=stack.gateway_url, timeout=60) as http:
        body = {"email": email, "password": PASSWORD, "name": "Kim"}
        token = (await http.post("/auth/register", json=body)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        name = {"name": f"Tunnel {uuid4().hex[:6]}"}
        project = (await http.post("/api/v1/projects", json=name)).json()
        path = f"/api/v1/projects/{project['id']}/experiments"
        experiment = (await http.post(path, json={"name": "Sweep"})).json()
        run = (await http.post(f"/api/v1/experiments/{experiment['id']}/runs", json={})).json()
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile(r"/$"))
    return project["slug"], run["id"]


async def _register(page: Page, project: str, name: str, signal: str) -> str:
    """Register a sensor in the portal; the token that it shows once."""
    await page.goto(f"/p/{project}/sensors?register=true")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Signal 1").fill(signal)
    await page.get_by_role("button", name="Register", exact=True).click()
    await expect(page.get_by_text(f"“{name}” is registered")).to_be_visible()
    shown = page.get_by_text(re.compile(r"^rb_sensor_\w+$"))
    token = (await shown.first.inner_text()).strip()
    await page.get_by_role("button", name=re.compile("I have kept it")).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    return token


async def _publish_a_profile(page: Page, project: str) -> None:
    await page.goto(f"/p/{project}/sensors")
    await page.get_by_role("link", name="Inlet").first.click()
    await page.get_by_role("tab", name="Profiles").click()
    await page.get_by_role("button", name="New profile").click()
    await page.get_by_label("Slope a").fill("2.5")
    await page.get_by_label("Offset b").fill("-1")
    await page.get_by_role("button", name="Save the draft").click()
    await page.get_by_role("button", name="Publish temperature v1").click()
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_text("is published")).to_be_visible()


async def _moves(figure: Locator) -> None:
    """A curve that is drawn again while its readings come."""
    await expect(figure).to_be_visible()
    before = await figure.screenshot()
    for _ in range(20):
        await asyncio.sleep(0.3)
        if await figure.screenshot() != before:
            return
    raise AssertionError(await figure.inner_text())
