"""Telemetry: sensors are registered, recorded live, one delivers late, and nothing is missing."""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pyarrow.parquet
import pytest
from playwright.async_api import Locator, Page, expect
from runbench.simulation import RIGS, expected

from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"
# Readings a second of each signal, and how long the simulator sends.
RATE = 10
SECONDS = 90
SENSORS = {
    "tunnel-temperature": ("inlet", "outlet"),
    "pump-flow": ("flow",),
    "pump-bearing": ("rms", "temperature"),
}
PUMP = {"pump-flow", "pump-bearing"}


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Simulated:
    """A rig of the simulator that sends for a while, as a process of its own."""

    rig: str
    scenario: str
    seed: int

    async def send(self, stack: Stack, tokens: dict[str, str]) -> dict[str, Any]:
        """Send as these sensors until the time is over; what the simulator says of it."""
        given = [word for name, token in tokens.items() for word in ("--token", f"{name}={token}")]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "runbench", "simulate", self.rig,
            "--scenario", self.scenario, "--seed", str(self.seed),
            "--seconds", str(SECONDS), "--rate", str(RATE), *given, "--json",
            env=os.environ | {"RUNBENCH_URL": stack.gateway_url},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            told, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        return json.loads(told)

    def measured(self, start: int) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """Every reading that was sent from then on, by sensor and signal, worked out again."""
        found = expected(
            RIGS[self.rig],
            self.scenario,
            seed=self.seed,
            start=start,
            seconds=SECONDS,
            rate=RATE,
        )
        return {key: list(zip(t, v, strict=True)) for key, (t, v) in found.items()}


async def test_three_sensors_are_recorded_and_what_comes_late_is_there(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    project, run_id = await _bench(page, stack)
    tokens = {
        name: await _register(page, project, name, signals) for name, signals in SENSORS.items()
    }
    await _publish_a_profile(page, project)
    steady = Simulated("wind-tunnel", "steady", 7)
    # Its last sensor, the bearing, is silent in the middle third and delivers that at the end.
    dropout = Simulated("pump", "dropout", 8)
    began = monotonic()
    sending = [
        asyncio.create_task(simulated.send(stack, {name: tokens[name] for name in names}))
        for simulated, names in ((steady, SENSORS.keys() - PUMP), (dropout, PUMP))
    ]
    try:
        await page.goto(f"/p/{project}/r/{run_id}?tab=telemetry")
        chooser = page.get_by_role("combobox", name="Sensors of the run")
        for name in SENSORS:
            await chooser.click()
            await page.get_by_role("option", name=name).click()
        await page.keyboard.press("Escape")
        for signal in ("inlet", "flow", "rms"):
            await _moves(page.get_by_role("figure", name=re.compile(f"^{signal}|· {signal}")))

        await page.get_by_role("button", name="Record").click()
        await expect(page.get_by_role("timer", name="Recording for")).to_be_visible()
        await expect(page.get_by_text(re.compile(r"3 sensors, [1-9]"))).to_be_visible()
        # The middle of the silence, some seconds given to the simulator for its start.
        await asyncio.sleep(max(0, began + SECONDS / 2 - monotonic()))
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Record")).to_be_visible()
        table = page.get_by_role("table", name="Capture sessions")
        before = await _late(table)
        assert monotonic() < began + SECONDS - 5, "the machine was too slow"
        told = await asyncio.gather(*sending)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    assert all(each["arrived"] and each["refused"] == 0 for each in told)
    await expect(table).to_contain_text(re.compile(r"\d+ came late"))
    for _ in range(60):
        if await _late(table) >= before + 2 * RATE:  # what the bearing kept back
            break
        await asyncio.sleep(0.5)
    await page.get_by_role("button", name=re.compile("^Export session")).click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Parquet").click()
    file = tmp_path / "session.parquet"
    await (await download.value).save_as(file)
    starts = [each["start"] for each in told]
    _check(file, steady.measured(starts[0]) | dropout.measured(starts[1]))


def _check(file: Path, measured: dict[tuple[str, str], list[tuple[int, float]]]) -> None:
    """Every value in the file is one that was sent, and none between its ends is missing."""
    rows = pyarrow.parquet.read_table(file).to_pylist()
    late: dict[str, int] = {}
    for sensor, signals in SENSORS.items():
        for signal in signals:
            mine = [row for row in rows if row["signal"] == signal]
            found = [(round(row["time"].timestamp() * 1e6), row["raw"]) for row in mine]
            begin, end = found[0][0], found[-1][0]
            sent = measured[sensor, signal]
            assert found == [reading for reading in sent if begin <= reading[0] <= end]
            assert len(found) > RATE
            late[sensor] = late.get(sensor, 0) + sum(row["late"] for row in mine)
            for row in mine:
                if signal == "inlet":
                    assert row["physical"] == pytest.approx(2.5 * row["raw"] - 1)
                else:
                    assert row["physical"] is None
    assert late["pump-bearing"] > RATE
    # What was on its way when the session was stopped counts as late as well.
    assert late["pump-bearing"] > 2 * max(late["pump-flow"], late["tunnel-temperature"])


async def _late(table: Locator) -> int:
    """How many readings the newest session shows as late."""
    found = re.search(r"(\d+) came late", await table.inner_text())
    return int(found[1]) if found else 0


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


async def _register(page: Page, project: str, name: str, signals: tuple[str, ...]) -> str:
    """Register a sensor in the portal; the token that it shows once."""
    await page.goto(f"/p/{project}/sensors?register=true")
    await page.get_by_label("Name", exact=True).fill(name)
    for number, signal in enumerate(signals, 1):
        if number > 1:
            await page.get_by_role("button", name="Another signal").click()
        await page.get_by_role("textbox", name=f"Signal {number}").fill(signal)
    await page.get_by_role("button", name="Register", exact=True).click()
    await expect(page.get_by_text(f"“{name}” is registered")).to_be_visible()
    shown = page.get_by_text(re.compile(r"^rb_sensor_\w+$"))
    token = (await shown.first.inner_text()).strip()
    await page.get_by_role("button", name=re.compile("I have kept it")).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    return token


async def _publish_a_profile(page: Page, project: str) -> None:
    await page.goto(f"/p/{project}/sensors")
    await page.get_by_role("link", name="tunnel-temperature").first.click()
    await page.get_by_role("tab", name="Profiles").click()
    await page.get_by_role("button", name="New profile").click()
    await page.get_by_label("Slope a").fill("2.5")
    await page.get_by_label("Offset b").fill("-1")
    await page.get_by_role("button", name="Save the draft").click()
    await page.get_by_role("button", name="Publish inlet v1").click()
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
