"""Runs side by side: chosen, grouped, related, laid over each other, saved and exported."""

import json
import re
import time
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from scripts.environment import ROOT
from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUNS = 6


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


class Bench:
    """An owner, runs of two optimizers, and a recording in two of them."""

    def __init__(self, gateway_url: str) -> None:
        self.http = httpx.Client(base_url=gateway_url, timeout=60)
        self.email = f"olga-{uuid4().hex[:8]}@example.org"
        body = {"email": self.email, "password": PASSWORD, "name": "Olga"}
        token = self.post("/auth/register", body)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.project = self.post("/api/v1/projects", {"name": f"Compare {uuid4().hex[:6]}"})
        self.path = f"/api/v1/projects/{self.project['id']}"
        experiment = self.post(f"{self.path}/experiments", {"name": "Sweep"})
        self.runs = [self.run(experiment["id"], number) for number in range(RUNS)]
        self.record()

    def post(self, path: str, body: object) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def run(self, experiment_id: str, number: int) -> Any:
        params = {"optimizer": ("adam", "sgd")[number % 2], "lr": 0.1 / (number + 1), "batch": 32}
        body = {"name": f"sweep {number}", "params": params}
        run = self.post(f"/api/v1/experiments/{experiment_id}/runs", body)
        steps = list(range(50))
        loss = [(number + 1) / (step + 1) for step in steps]
        series = [
            {"key": "loss", "step": steps, "value": loss},
            {"key": "accuracy", "step": steps, "value": [1 - value / 10 for value in loss]},
        ]
        self.post(f"/api/v1/runs/{run['id']}/metrics", {"series": series})
        return run

    def record(self) -> None:
        signals = [{"name": "thrust", "input_unit": "N"}]
        sensor = self.post(f"{self.path}/sensors", {"name": "Load cell", "signals": signals})
        headers = {"Authorization": f"Bearer {sensor['token']}"}
        for run in self.runs[:2]:
            of_run = f"/api/v1/runs/{run['id']}"
            self.http.put(f"{of_run}/sensors/{sensor['id']}").raise_for_status()
            session = self.post(f"{of_run}/capture-sessions", {})
            now = time.time_ns() // 1000
            column = {"signal": "thrust", "t": [now, now + 1000, now + 2000], "v": [1.0, 2.0, 3.0]}
            sent = self.http.post("/api/v1/telemetry", json={"series": [column]}, headers=headers)
            sent.raise_for_status()
            self.post(f"/api/v1/capture-sessions/{session['id']}/stop", {})


async def sign_in(page: Page, email: str) -> None:
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: not url.endswith("/login"))


async def without_violations(page: Page) -> None:
    await page.evaluate(AXE.read_text())  # the page's policy allows no script from outside
    found = await page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations"
        ".filter(({impact}) => impact === 'serious' || impact === 'critical')"
        ".map(({id, nodes}) => `${id}: ${nodes[0].html}`))"
    )
    assert found == []


async def test_runs_are_chosen_compared_saved_and_exported(page: Page, stack: Stack) -> None:
    bench = Bench(stack.gateway_url)
    slug = bench.project["slug"]
    await sign_in(page, bench.email)
    await page.goto(f"/p/{slug}/runs?layout=table")
    await expect(page.get_by_role("row").filter(has_text="sweep ")).to_have_count(RUNS)
    for number in range(4):
        await page.get_by_role("checkbox", name=re.compile(f"sweep {number}")).check()
    await page.get_by_role("button", name="Compare", exact=True).click()

    table = page.get_by_role("table", name="Metrics side by side")
    await expect(table.get_by_role("columnheader")).to_have_count(5)
    best = table.get_by_role("row", name=re.compile("^loss")).get_by_role("cell").nth(0)
    await expect(best.get_by_role("img", name="the best")).to_be_visible()
    await page.get_by_role("combobox", name="Baseline").click()
    await page.get_by_role("option", name="sweep 1").click()
    await expect(table.get_by_text("Baseline")).to_be_visible()
    await expect(table.get_by_text(re.compile(r"-0\.02 \(-50%\)")).first).to_be_visible()

    await page.get_by_role("tab", name="Groups").click()
    await page.get_by_role("combobox", name="Group by").click()
    await page.get_by_role("option", name="optimizer").click()
    await page.keyboard.press("Escape")
    chart = page.get_by_role("figure", name=re.compile("^loss"))
    await expect(chart.get_by_text("optimizer=adam (2)").first).to_be_visible()

    await page.get_by_role("button", name="Save…").click()
    await page.get_by_label("Title").fill("Adam against SGD")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("“Adam against SGD” is saved")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
        await page.get_by_role("menuitem", name="Report (HTML)").click()
    report = (await (await download.value).path()).read_text()
    assert "sweep 3" in report
    assert "<script" not in report

    await page.goto(f"/p/{slug}/compare")
    await page.get_by_role("link", name="Adam against SGD").click()
    await expect(chart.get_by_text("optimizer=adam (2)").first).to_be_visible()
    await expect(page.get_by_role("combobox", name="Baseline")).to_have_value("sweep 1")
    await without_violations(page)


async def test_relations_and_recordings_are_shown_and_picked(page: Page, stack: Stack) -> None:
    bench = Bench(stack.gateway_url)
    ids = quote(json.dumps([run["id"] for run in bench.runs]))
    address = f"/p/{bench.project['slug']}/compare?runs={ids}"
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await sign_in(page, bench.email)
    await page.goto(f"{address}&tab=relations&metric=loss")

    table = page.get_by_role("table", name="Correlations of params with loss")
    await expect(table.get_by_role("row", name=re.compile("^lr"))).to_contain_text("-1.000")
    values = page.get_by_role("table", name="Values of the runs")
    await expect(values.get_by_role("row")).to_have_count(RUNS + 1)
    await without_violations(page)
    # Along the axis of the metric, which is the last: the lower half of it.
    picture = page.get_by_role("img", name="Parallel coordinates of the runs")
    await expect(picture.locator("canvas")).to_be_visible()
    box = await picture.bounding_box()
    assert box is not None
    axis = box["x"] + box["width"] - 60
    bottom, middle = box["y"] + box["height"] - 26, box["y"] + box["height"] / 2
    await page.mouse.move(axis, bottom)
    await page.mouse.down()
    await page.mouse.move(axis, middle, steps=8)
    await page.mouse.up()
    await expect(page.get_by_text(re.compile("^Runs picked: [1-5]$"))).to_be_visible()
    await page.get_by_role("button", name="Compare only these").click()
    await expect(values.get_by_role("row")).not_to_have_count(RUNS + 1)

    await page.goto(f"{address}&tab=telemetry")
    chart = page.get_by_role("figure", name=re.compile("^Load cell · thrust, N"))
    await expect(chart.get_by_text("sweep 0").first).to_be_visible()
    await expect(chart.get_by_text("sweep 1").first).to_be_visible()
    assert errors == []
