# The types of the browser driver say too little of what devtools answer.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""`python -m benchmarks.fluid`: how fluid the portal's sensor charts are in a real Chromium.

Live: a sensor of 20 signals at 100 Hz. History: one of 50 signals with 10 million readings each,
which are written into the store. Prints figures; nothing here passes or fails.
"""

import argparse
import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import numpy as np
from playwright.async_api import CDPSession, Page, async_playwright
from seriesstore.append import Batch, append
from seriesstore.compact import compact
from seriesstore.points import Points

from scripts import browser as machine
from scripts.stack import Stack, stack

PASSWORD = "correct-horse-battery-9"  # noqa: S105 - of a throw-away database
FLAGS = ["--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
RATE_HZ, EVERY_SECONDS = 100, 0.1
LIVE_SIGNALS, LOADED_SIGNALS = 20, 50
WATCH_SECONDS = 10.0
MOVES = 20
BATCH = 250_000

# Frames as they are painted, and tasks of 50 ms or more.
WATCH = """
async (seconds) => {
  const frames = [], long = [];
  const seen = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) long.push(entry.duration);
  });
  seen.observe({ entryTypes: ["longtask"] });
  const end = performance.now() + seconds * 1000;
  let last = performance.now();
  await new Promise((done) => requestAnimationFrame(function frame(now) {
    frames.push(now - last); last = now;
    if (now < end) requestAnimationFrame(frame); else done();
  }));
  seen.disconnect();
  const sorted = frames.slice(1).sort((a, b) => a - b);
  return {
    perSecond: sorted.length / seconds,
    p95: sorted[Math.floor(sorted.length * 0.95)],
    worst: sorted.at(-1),
    over50: sorted.filter((one) => one > 50).length,
    longTasks: long.length,
  };
}
"""

COPY = """
INSERT INTO telemetry.chunks
    (series_id, owner_id, first_ordinal, last_ordinal, part, count, first_x, last_x, first_time,
     last_time, received_at, points, finite, sum_value, min_value, max_value, outline,
     coarse_count, coarse)
SELECT series.id, chunks.owner_id, first_ordinal, last_ordinal, part, chunks.count,
       chunks.first_x, chunks.last_x, chunks.first_time, chunks.last_time, received_at, points,
       finite, sum_value, chunks.min_value, chunks.max_value, outline, coarse_count, coarse
FROM telemetry.chunks
JOIN telemetry.series ON series.owner_id = chunks.owner_id AND series.id <> chunks.series_id
WHERE chunks.series_id = $1
"""


@dataclass(frozen=True)
class Bench:
    """Somebody with a project and two sensors."""

    email: str
    slug: str
    live_id: str
    live_token: str
    loaded_id: str
    loaded_token: str


def main() -> None:
    """Start everything, look, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000, help="of each loaded signal")
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    asked = parser.parse_args()
    print(f"load: {os.getloadavg()} on {os.process_cpu_count()} cores", flush=True)
    with stack(variables={"SENSOR_READINGS_PER_SEC": "1000000000"}) as running:
        asyncio.run(_look(running, asked.readings, asked.pictures))
    print(f"load: {os.getloadavg()}")


async def _look(running: Stack, readings: int, pictures: Path | None) -> None:
    program = machine.chromium()
    if program is None:
        raise SystemExit(machine.HOW_TO_GET)
    bench = await _bench(running)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=flags)
        context = await chromium.new_context(
            base_url=running.portal_url, viewport={"width": 1440, "height": 900}
        )
        context.set_default_timeout(60_000)
        page = await context.new_page()
        await page.goto("/login")
        await page.get_by_label("E-mail").fill(bench.email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(lambda url: not url.endswith("/login"))
        await _live(page, running, bench, pictures)
        await _load(running, bench, readings)
        await _history(page, bench, readings, pictures)
        await chromium.close()


async def _bench(running: Stack) -> Bench:
    email = f"kim-{uuid4().hex[:8]}@example.org"
    async with httpx.AsyncClient(base_url=running.gateway_url, timeout=60) as http:
        body = {"email": email, "password": PASSWORD, "name": "Kim"}
        token = (await http.post("/auth/register", json=body)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        project = (await http.post("/api/v1/projects", json={"name": "Fluid"})).json()
        made: list[dict[str, Any]] = []
        for name, count in (("Live", LIVE_SIGNALS), ("Loaded", LOADED_SIGNALS)):
            signals = [
                {"name": f"s{n:02}", "input_unit": "V", "expected_rate_hz": RATE_HZ}
                for n in range(count)
            ]
            answer = await http.post(
                f"/api/v1/projects/{project['id']}/sensors",
                json={"name": name, "signals": signals},
            )
            made.append(answer.json())
    live, loaded = made
    return Bench(email, project["slug"], live["id"], live["token"], loaded["id"], loaded["token"])


# Live


async def _send(running: Stack, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    each = int(RATE_HZ * EVERY_SECONDS)
    async with httpx.AsyncClient(base_url=running.gateway_url, headers=headers) as http:
        began, number = time.time(), 0
        while True:
            at = began + (number * each + np.arange(each)) / RATE_HZ
            t = (at * 1e6).astype(np.int64).tolist()
            series = [
                {"signal": f"s{n:02}", "t": t, "v": np.sin(at * (1 + n / 7)).tolist()}
                for n in range(LIVE_SIGNALS)
            ]
            await http.post("/api/v1/telemetry", json={"series": series})
            number += 1
            await asyncio.sleep(max(0.0, began + number * EVERY_SECONDS - time.time()))


async def _live(page: Page, running: Stack, bench: Bench, pictures: Path | None) -> None:
    sending = asyncio.create_task(_send(running, bench.live_token))
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    for by in ("signal", "unit"):
        await page.goto(f"/p/{bench.slug}/sensors/{bench.live_id}?by={by}&window=60")
        await page.locator("figure canvas").first.wait_for()
        await asyncio.sleep(5)
        name = f"live, {LIVE_SIGNALS} signals at {RATE_HZ} Hz, a chart for each {by}"
        await _watched(page, devtools, name)
        if pictures:
            await page.screenshot(path=pictures / f"live-{by}.png")
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    if pictures:
        await page.get_by_role("application").first.focus()
        await page.keyboard.press("KeyA")
        await asyncio.sleep(1)
        await page.screenshot(path=pictures / "live-measured.png", full_page=True)


async def _watched(page: Page, devtools: CDPSession, name: str) -> None:
    before = await _main_thread(devtools)
    found = await page.evaluate(WATCH, WATCH_SECONDS)
    busy = (await _main_thread(devtools) - before) / WATCH_SECONDS
    print(
        f"{name}: {found['perSecond']:.1f} frames/s, p95 {found['p95']:.1f} ms,"
        f" worst {found['worst']:.0f} ms, {found['over50']} over 50 ms,"
        f" {found['longTasks']} long tasks, main thread {busy:.0%}",
        flush=True,
    )


async def _main_thread(devtools: CDPSession) -> float:
    metrics = await devtools.send("Performance.getMetrics")
    return next(one["value"] for one in metrics["metrics"] if one["name"] == "TaskDuration")


# History


async def _load(running: Stack, bench: Bench, readings: int) -> None:
    """One signal is written and compacted; the others get copies of its chunks."""
    began, owner = time.monotonic(), UUID(bench.loaded_id)
    end = int(time.time() * 1e6)
    step = 1_000_000 // RATE_HZ
    connection = await asyncpg.connect(
        running.database_urls["telemetry-ingest-service"],
        server_settings={"search_path": "telemetry"},
    )
    for start in range(0, readings, BATCH):
        at = np.arange(start, min(start + BATCH, readings))
        x = end - (readings - at) * step
        noise = (at * 2654435761 % 2**32) / 2**32
        points = Points.of(x, np.sin(at / 50_000) * 10 + noise, x + 20_000)
        async with connection.transaction():
            await append(connection, [Batch(owner, {"s00": points})])
    while (await compact(connection, idle_sec=0)).series:
        pass
    series_id = await connection.fetchval(
        "SELECT id FROM series WHERE owner_id = $1 AND key = 's00'", owner
    )
    await connection.execute(
        """
        INSERT INTO series (owner_id, scope_id, key, count, first_x, first_value, first_time,
                            last_x, last_value, last_time, min_value, min_x, max_value, max_x)
        SELECT owner_id, scope_id, 's' || lpad(n::text, 2, '0'), count, first_x, first_value,
               first_time, last_x, last_value, last_time, min_value, min_x, max_value, max_x
        FROM series, generate_series(1, $2) AS n
        WHERE id = $1
        """,
        series_id,
        LOADED_SIGNALS - 1,
    )
    await connection.execute(COPY, series_id, timeout=600)
    await connection.execute("ANALYZE chunks")
    await connection.close()
    async with httpx.AsyncClient(base_url=running.gateway_url) as http:
        await http.post(
            "/api/v1/telemetry",
            json={"series": [{"signal": "s00", "t": [int(time.time() * 1e6)], "v": [0.0]}]},
            headers={"Authorization": f"Bearer {bench.loaded_token}"},
        )
    print(
        f"{LOADED_SIGNALS} × {readings:,} readings in {time.monotonic() - began:.0f} s", flush=True
    )


async def _history(page: Page, bench: Bench, readings: int, pictures: Path | None) -> None:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    await page.goto(f"/p/{bench.slug}/sensors/{bench.loaded_id}?tab=history&by=signal")
    await page.locator("figure").first.wait_for()
    began = time.perf_counter()
    await page.get_by_text("1 week", exact=True).first.click()
    first = page.locator("figure").first
    await first.get_by_text("of").first.wait_for()
    await page.wait_for_load_state("networkidle")
    print(f"first pictures of the week: {time.perf_counter() - began:.2f} s", flush=True)
    chart = page.get_by_role("application").first
    await chart.focus()
    # Into where the readings are: the last day of the week.
    box = await chart.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.86, box["y"] + 80)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + 80, steps=5)
    await page.mouse.up()
    await page.wait_for_load_state("networkidle")
    took: list[float] = []
    for number in range(MOVES):
        began = time.perf_counter()
        async with page.expect_response(lambda answer: "telemetry/series" in answer.url):
            await page.keyboard.press("Equal" if number < 6 else "BracketLeft")
        await page.locator("figure[aria-busy]").first.wait_for(state="detached")
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.3)
    ordered = sorted(took)
    print(
        f"zoom and pan by key until the fine picture is painted: median"
        f" {ordered[len(ordered) // 2] * 1000:.0f} ms, p95"
        f" {ordered[int(len(ordered) * 0.95)] * 1000:.0f} ms",
        flush=True,
    )
    watching = asyncio.create_task(
        _watched(page, devtools, f"history, {LOADED_SIGNALS} × {readings:,}, panned by wheel")
    )
    end = time.monotonic() + WATCH_SECONDS
    direction = 40
    while time.monotonic() < end:
        await page.mouse.wheel(direction, 0)
        direction = -direction if np.random.default_rng().random() < 0.02 else direction
        await asyncio.sleep(0.016)
    await watching
    if pictures:
        await page.screenshot(path=pictures / "history.png")
        await chart.focus()
        await page.keyboard.press("KeyA")
        await page.keyboard.press("KeyB")
        await page.get_by_text("Both", exact=True).click()
        await page.wait_for_load_state("networkidle")
        await page.screenshot(path=pictures / "history-measured.png")
        await page.emulate_media(color_scheme="dark")
        await page.set_viewport_size({"width": 390, "height": 844})
        await asyncio.sleep(2)
        await page.screenshot(path=pictures / "history-phone-dark.png")


if __name__ == "__main__":
    main()
