"""Charts of many runs: two runs in one panel, axis, smoothing, zoom, live growth, export."""

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Locator, Page, Request, expect

from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"
LONG = 5_000
SHORT = 40


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


class Recorder:
    """Somebody who records runs with the API."""

    def __init__(self, gateway_url: str) -> None:
        self.email = f"eve-{uuid4().hex[:8]}@example.org"
        self._http = httpx.Client(base_url=gateway_url, timeout=60)
        body = {"email": self.email, "password": PASSWORD, "name": "Eve"}
        token = self._post("/auth/register", body)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.project = self._post("/api/v1/projects", {"name": f"Charts {uuid4().hex[:6]}"})
        self._experiment = self._post(
            f"/api/v1/projects/{self.project['id']}/experiments", {"name": "Digits"}
        )

    def run(self, name: str) -> str:
        """A new running run; its id."""
        return self._post(f"/api/v1/experiments/{self._experiment['id']}/runs", {"name": name})[
            "id"
        ]

    def log(self, run_id: str, key: str, values: list[float], *, begin: int = 0) -> None:
        """Log values at steps that follow each other, a second apart."""
        steps = list(range(begin, begin + len(values)))
        times = [1_790_000_000_000_000 + step * 1_000_000 for step in steps]
        series = [{"key": key, "step": steps, "value": values, "time": times}]
        self._post(f"/api/v1/runs/{run_id}/metrics", {"series": series})

    def finish(self, run_id: str) -> None:
        """Mark the run as succeeded."""
        answer = self._http.patch(f"/api/v1/runs/{run_id}", json={"status": "succeeded"})
        assert answer.status_code == 200, answer.text

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, str]:
        answer = self._http.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


async def test_two_runs_are_looked_at_together_zoomed_followed_and_exported(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    recorder = Recorder(stack.gateway_url)
    done, going, other = (recorder.run(name) for name in ("done", "going", "other"))
    accuracy = [index / 3 for index in range(SHORT)]
    for factor, run_id in enumerate((done, going, other), start=1):
        recorder.log(run_id, "loss", [factor / (step + 1) for step in range(LONG)])
        recorder.log(run_id, "accuracy", [factor * value for value in accuracy])
    recorder.finish(done)
    recorder.finish(other)

    await _sign_in(page, recorder.email)
    await page.goto(f"/p/{recorder.project['slug']}/runs")
    for name in ("done", "going"):
        row = page.get_by_role("row").filter(has_text=name)
        await row.get_by_role("checkbox").check()
    charts = page.get_by_role("region", name="Charts")
    await expect(charts.get_by_text("2 runs drawn")).to_be_visible()
    loss, short = _panel(charts, "loss"), _panel(charts, "accuracy")
    await expect(short).to_contain_text(f"{2 * SHORT} points")
    await expect(loss).to_contain_text(re.compile(r"of 10k points"))

    await _choose_the_axis(page, charts)
    await _smooth(page, loss)
    await _zoom_asks_for_detail(page, loss)

    recorder.log(going, "accuracy", [100.0, 101.0], begin=SHORT)
    await expect(short).to_contain_text(f"{2 * SHORT + 2} points")

    rows = await _export(page, short, tmp_path)
    logged = [
        *(("going", going, step, 2 * value) for step, value in enumerate(accuracy)),
        ("going", going, SHORT, 100.0),
        ("going", going, SHORT + 1, 101.0),
        *(("done", done, step, value) for step, value in enumerate(accuracy)),
    ]
    assert sorted(rows) == sorted(logged)


async def _sign_in(page: Page, email: str) -> None:
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile(r"/$"))


def _panel(charts: Locator, metric: str) -> Locator:
    return charts.get_by_role("figure", name=re.compile(f"^{metric}"))


def _of_series(name: str, value: str | None = None) -> Callable[[Request], bool]:
    def fits(request: Request) -> bool:
        address = urlsplit(request.url)
        found = parse_qs(address.query).get(name)
        wanted = found is not None and (value is None or value in found)
        return address.path == "/api/v1/metrics/series" and wanted

    return fits


async def _choose_the_axis(page: Page, charts: Locator) -> None:
    async with page.expect_request(_of_series("x", "time")):
        await charts.get_by_text("Time", exact=True).click()
    await expect(_panel(charts, "accuracy")).to_contain_text("2026")
    await charts.get_by_text("Step", exact=True).click()
    await expect(_panel(charts, "accuracy")).to_contain_text("steps 0 to 39")


async def _smooth(page: Page, panel: Locator) -> None:
    await panel.get_by_role("application").focus()
    await page.keyboard.press("s")
    await expect(page).to_have_url(re.compile("smooth"))


async def _zoom_asks_for_detail(page: Page, panel: Locator) -> None:
    surface = panel.get_by_role("application")
    await surface.focus()
    async with page.expect_request(_of_series("from_step")) as asked:
        await page.keyboard.press("+")
        await page.keyboard.press("+")
    query = parse_qs(urlsplit((await asked.value).url).query)
    assert len(query["run_id"]) == 2, "both runs in one request"
    await expect(panel).to_contain_text(re.compile(r"^(?!.*of 10k)", re.DOTALL))
    await expect(page).to_have_url(re.compile("zoom"))
    await page.keyboard.press("0")
    await expect(page).not_to_have_url(re.compile("zoom"))


async def _export(page: Page, panel: Locator, folder: Path) -> list[tuple[str, str, int, float]]:
    await panel.get_by_role("button", name="menu").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Download as CSV").click()
    path = folder / "shown.csv"
    await (await download.value).save_as(path)
    lines = path.read_text().splitlines()
    assert lines[0] == f"# all {2 * SHORT + 2} points"
    return [
        (row["run"], row["run_id"], int(row["step"]), float(row["value"]))
        for row in csv.DictReader(lines[1:])
    ]
