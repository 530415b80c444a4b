# The types of the browser driver say too little of what a page answers.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""`python -m benchmarks.compare_page`: how soon the portal's compare page is useful.

A real Chromium, the whole stack, 20 runs × 10 metrics. The page is useful when its table of
metrics has all rows and columns and that frame is painted, the charts when every chart that is on
the screen is drawn. Opened by its address: with an empty cache, and with the files of the portal
in the cache. Prints figures.
"""

import argparse
import asyncio
import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, StorageState, async_playwright

from benchmarks.fluid import FLAGS, PASSWORD
from scripts import browser as machine
from scripts.stack import Stack, stack

RUNS, METRICS = 20, 10
BAR_MS = 1500.0
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = {"desktop-light": ("light", DESKTOP), "phone-dark": ("dark", PHONE)}
# Milliseconds from the start of the navigation to the frame after the one in which it stands there.
PAINTED = """
const found = () => {
  const table = document.querySelector('table[aria-label="Metrics side by side"]');
  const rows = table ? [...table.tBodies[0].rows] : [];
  const charts = [...document.querySelectorAll("figure")]
    .filter((one) => one.getBoundingClientRect().top < innerHeight);
  return {
    table: rows.length === METRICS && rows.every((row) => row.cells.length === RUNS + 1),
    charts: charts.length > 1 && charts.every((one) => one.querySelector("canvas")?.width > 0),
  };
};
window.painted = {};
const look = () => {
  for (const [what, there] of Object.entries(found())) {
    if (!there || what in window.painted) continue;
    window.painted[what] = null;
    requestAnimationFrame(() => requestAnimationFrame((at) => { window.painted[what] = at; }));
  }
  requestAnimationFrame(look);
};
look();
""".replace("METRICS", str(METRICS)).replace("RUNS", str(RUNS))
WHEN = """
(what) => new Promise((done, fail) => requestAnimationFrame(function ask(now) {
  const at = window.painted[what];
  if (at) done(at);
  else if (now > 60_000) fail(new Error(`no ${what} after a minute`));
  else requestAnimationFrame(ask);
}))
"""
KILOBYTES = """
() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith(".js"))
  .reduce((sum, one) => sum + one.transferSize, 0) / 1000
"""


@dataclass(frozen=True)
class Bench:
    """Somebody with runs to compare."""

    email: str
    address: str


def main() -> None:
    """Start everything, open the page again and again, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="of each metric of each run")
    parser.add_argument("--times", type=int, default=7, help="the page is opened")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    asked = parser.parse_args()
    print(f"load: {os.getloadavg()} on {os.process_cpu_count()} cores", flush=True)
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    with stack() as running:
        asyncio.run(_look(running, asked.steps, asked.times, asked.pictures))
    print(f"load: {os.getloadavg()}")


async def _look(running: Stack, steps: int, times: int, pictures: Path | None) -> None:
    program = machine.chromium()
    if program is None:
        raise SystemExit(machine.HOW_TO_GET)
    bench = await _filled(running, steps)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=flags)
        signed_in = await _signed_in(chromium, running, bench)
        print(f"{RUNS} runs × {METRICS} metrics × {steps:,} steps, {times} times:", flush=True)
        for what, address in (("table", bench.address), ("charts", f"{bench.address}&tab=charts")):
            cold = [await _cold(chromium, running, signed_in, address, what) for _ in range(times)]
            _say(f"{what}, empty cache", cold)
            warm = await _warm(chromium, running, signed_in, address, what, times)
            _say(f"{what}, portal in the cache", warm)
        if pictures:
            for name in LOOKS:
                await _picture(chromium, running, signed_in, bench, name, pictures)
        await chromium.close()


def _say(name: str, took: list[float]) -> None:
    median, worst = statistics.median(took), max(took)
    bar = "within" if median < BAR_MS else "over"
    print(
        f"  {name}: median {median:.0f} ms, worst {worst:.0f} ms ({bar} {BAR_MS:.0f} ms)",
        flush=True,
    )


# What is compared


async def _filled(running: Stack, steps: int) -> Bench:
    email = f"kim-{uuid4().hex[:8]}@example.org"
    noise = np.random.default_rng(5)
    async with httpx.AsyncClient(base_url=running.gateway_url, timeout=120) as http:

        async def post(path: str, body: object) -> dict[str, str]:
            answer = await http.post(path, json=body)
            answer.raise_for_status()
            return answer.json()

        person = {"email": email, "password": PASSWORD, "name": "Kim"}
        token = (await post("/auth/register", person))["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        project = await post("/api/v1/projects", {"name": "Side by side"})
        experiment = await post(
            f"/api/v1/projects/{project['id']}/experiments", {"name": "Sweep of rates"}
        )
        run_ids: list[str] = []
        for number in range(RUNS):
            params = {
                "optimizer": ("adam", "sgd")[number % 2],
                "lr": round(0.1 / (1 + number), 5),
                "seed": number,
                **{f"param_{which}": which for which in range(20)},
            }
            path = f"/api/v1/experiments/{experiment['id']}/runs"
            run = await post(path, {"name": f"sweep {number:02}", "params": params})
            run_ids.append(run["id"])
            await _log(http, run["id"], number, steps, noise)
    runs = quote(json.dumps(run_ids))
    return Bench(email, f"/p/{project['slug']}/compare?runs={runs}&baseline={run_ids[0]}")


async def _log(
    http: httpx.AsyncClient, run_id: str, number: int, steps: int, noise: np.random.Generator
) -> None:
    each = 10_000  # the most that a request may bring
    for metric in range(METRICS):
        key = ("loss", "accuracy")[metric] if metric < 2 else f"train/metric_{metric}"
        for start in range(0, steps, each):
            at = np.arange(start, min(start + each, steps))
            value = np.exp(-at * (1 + number) / steps / 3) + noise.normal(0, 0.02, len(at))
            body = {"series": [{"key": key, "step": at.tolist(), "value": value.tolist()}]}
            answer = await http.post(f"/api/v1/runs/{run_id}/metrics", json=body)
            answer.raise_for_status()


# The page


async def _signed_in(chromium: Browser, running: Stack, bench: Bench) -> StorageState:
    context = await chromium.new_context(base_url=running.portal_url, locale="en-GB")
    page = await context.new_page()
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(bench.email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: not url.endswith("/login"))
    state = await context.storage_state()
    await context.close()
    return state


async def _context(
    chromium: Browser, running: Stack, signed_in: StorageState, look: str = "desktop-light"
) -> BrowserContext:
    scheme, screen = LOOKS[look]
    context = await chromium.new_context(
        base_url=running.portal_url,
        storage_state=signed_in,
        locale="en-GB",
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": screen["width"], "height": screen["height"]},
    )
    context.set_default_timeout(60_000)
    await context.add_init_script(PAINTED)
    return context


async def _painted(page: Page, address: str, what: str) -> float:
    await page.goto(address, wait_until="commit")
    return float(await page.evaluate(WHEN, what))


async def _cold(
    chromium: Browser, running: Stack, signed_in: StorageState, address: str, what: str
) -> float:
    context = await _context(chromium, running, signed_in)
    took = await _painted(await context.new_page(), address, what)
    await context.close()
    return took


async def _warm(
    chromium: Browser,
    running: Stack,
    signed_in: StorageState,
    address: str,
    what: str,
    times: int,
) -> list[float]:
    context = await _context(chromium, running, signed_in)
    page = await context.new_page()
    await _painted(page, address, what)
    print(f"  JavaScript of {what}: {await page.evaluate(KILOBYTES):.0f} kB", flush=True)
    took: list[float] = []
    for _ in range(times):
        await page.goto("about:blank")
        took.append(await _painted(page, address, what))
    await context.close()
    return took


async def _picture(
    chromium: Browser,
    running: Stack,
    signed_in: StorageState,
    bench: Bench,
    look: str,
    pictures: Path,
) -> None:
    context = await _context(chromium, running, signed_in, look)
    page = await context.new_page()
    await page.goto(bench.address)
    await page.get_by_role("tab").first.wait_for()
    for place in range(await page.get_by_role("tab").count()):
        tab = page.get_by_role("tab").nth(place)
        name = (await tab.inner_text()).lower().replace(" ", "-")
        await tab.click()
        await page.wait_for_load_state("networkidle")
        await asyncio.sleep(1)
        await page.screenshot(path=pictures / f"{look}-{name}.png", full_page=True)
    await context.close()


if __name__ == "__main__":
    main()
