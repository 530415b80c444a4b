"""The status page of a running workspace, over HTTP and in a browser."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.async_api import Browser, async_playwright, expect

from scripts import state as states
from scripts.environment import Workspace
from scripts.page import trace_pages, traces
from scripts.page.token import link, token
from tests.support.browser import chromium
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
    assert 503 in statuses
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
    await page.goto(address.replace("/?", "/traces?"))
    await page.get_by_role("link", name="GET").first.click()
    await expect(page.get_by_text("Its log lines")).to_be_visible(timeout=30_000)
    wide = max(wide, await page.evaluate("document.documentElement.scrollWidth - innerWidth"))
    await page.screenshot(path=folder / f"trace-{kind}.png", full_page=True)
    await page.close()
    assert wide <= 0, "nothing stands out of the page"
    assert problems == []


async def test_in_a_browser_it_is_live_and_fits_every_screen(running: Place, tmp_path: Path):
    program = chromium()
    address = link(running.workspace)
    parts = (
        ("a" * 16, "", 0, 40, 0),
        ("b" * 16, "a" * 16, 5, 20, 2),
        ("c" * 16, "b" * 16, 9, 4, 0),
    )
    send(running, export("auth-proxy", "e" * 32, *parts), PROTOBUF)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
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


def export(service: str, trace_id: str, *spans: tuple[str, str, int, int, int]) -> bytes:
    """An export in protobuf: (id, parent, begins at ms, takes ms, status) of each span."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    named = group.resource.attributes.add(key="service.name")
    named.value.string_value = service
    scope = group.scope_spans.add()
    for span_id, parent, at, took, status in spans:
        span = scope.spans.add(
            name=f"GET /<b>{span_id}",
            trace_id=bytes.fromhex(trace_id),
            span_id=bytes.fromhex(span_id),
            parent_span_id=bytes.fromhex(parent),
            start_time_unix_nano=1_800_000_000_000_000_000 + at * 1_000_000,
            end_time_unix_nano=1_800_000_000_000_000_000 + (at + took) * 1_000_000,
        )
        span.status.code = status
    return request.SerializeToString()


def in_json(service: str, trace_id: str) -> bytes:
    span = {
        "traceId": trace_id,
        "spanId": "d" * 16,
        "parentSpanId": "a" * 16,
        "name": "SELECT",
        "startTimeUnixNano": "1800000000010000000",
        "endTimeUnixNano": "1800000000012500000",
        "attributes": [{"key": "db.system", "value": {"stringValue": "postgresql"}}],
    }
    named = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    group = {"resource": named, "scopeSpans": [{"spans": [span]}]}
    return json.dumps({"resourceSpans": [group]}).encode()


PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


def send(running: Place, body: bytes, headers: dict[str, str]) -> httpx.Response:
    port = running.workspace.ports["status-page"]
    return httpx.post(f"http://127.0.0.1:{port}/v1/traces", content=body, headers=headers)


def test_spans_of_several_processes_become_one_waterfall(known: httpx.Client, running: Place):
    trace_id = "1" * 32
    proxy = export("auth-proxy", trace_id, ("a" * 16, "", 0, 40, 0), ("b" * 16, "a" * 16, 5, 20, 2))

    packed = send(running, gzip.compress(proxy), {**PROTOBUF, "Content-Encoding": "gzip"})
    plain = send(running, in_json("metrics-service", trace_id), JSON)

    assert packed.status_code == plain.status_code == 200
    page = known.get(f"/traces/{trace_id}")
    assert page.status_code == 200
    assert "<b>" not in page.text, "what programs send is text"
    assert page.text.index("aaaaaaaa") < page.text.index("bbbbbbbb") < page.text.index("SELECT")
    for words in ("3 spans", "40.0 ms", "2.5 ms", "postgresql", "failed", "metrics-service"):
        assert words in page.text


def test_the_list_is_filtered_and_an_id_leads_to_its_trace(known: httpx.Client, running: Place):
    slow, failed = "2" * 32, "3" * 32
    send(running, export("experiment-service", slow, ("a" * 16, "", 0, 900, 0)), PROTOBUF)
    send(running, export("artifact-service", failed, ("a" * 16, "", 0, 3, 2)), PROTOBUF)

    def listed(**asked: str) -> set[str]:
        page = known.get("/traces", params=asked).text
        return {one for one in (slow, failed) if f'href="/traces/{one}"' in page}

    assert listed() == {slow, failed}
    assert listed(least="500") == {slow}
    assert listed(failed="1") == {failed}
    assert listed(service="artifact-service") == {failed}
    assert "3.0 ms" in known.get("/traces", params={"id": failed.upper()}).text
    assert known.get("/traces", params={"least": "long"}).status_code == 400
    assert known.get(f"/traces/{'9' * 32}").status_code == 404


def test_a_request_is_called_by_what_it_was_behind_the_doors():
    def span(number: int, name: str) -> traces.Span:
        parent = f"{number - 1:016x}" if number else ""
        return traces.Span(
            service="api",
            name=name,
            trace_id="4" * 32,
            span_id=f"{number:016x}",
            parent_id=parent,
            began=number,
            took=1.0,
            failed=False,
            attributes=(),
        )

    def called(*names: str) -> str:
        spans = [span(number, name) for number, name in enumerate(names)]
        return trace_pages.root(traces.Trace("4" * 32, {one.span_id: one for one in spans}))

    assert (
        called("GET /api/*", "GET runs", "GET /api/v1/runs", "GET /api/v1/x") == "GET /api/v1/runs"
    )
    assert called("GET /api/*", "GET runs") == "GET /api/*"
    assert called("GET /auth/me", "GET /auth/me/all") == "GET /auth/me"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff", PROTOBUF, 400),
        (b"{", JSON, 400),
        (b'{"resourceSpans": [1]}', JSON, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b"x", {**PROTOBUF, "Content-Encoding": "gzip"}, 400),
        (gzip.compress(bytes(5_000_000)), {**PROTOBUF, "Content-Encoding": "gzip"}, 413),
        (bytes(4_200_000), PROTOBUF, 413),
        (b"{}", {**JSON, "Origin": "http://evil.example"}, 403),
        (b"{}", {**JSON, "Host": "evil.example"}, 421),
    ],
)
def test_what_is_no_export_is_refused(
    running: Place, body: bytes, headers: dict[str, str], status: int
):
    assert send(running, body, headers).status_code == status


def test_memory_is_bounded_whatever_is_sent():
    kept = traces.Traces()
    spans = [(f"{number:016x}", "", 0, 1, 0) for number in range(1, traces.MOST_SPANS + 51)]
    kept.take(export("auth-service", "f" * 32, *spans), "application/x-protobuf")

    big = kept.get("f" * 32)
    assert big is not None
    assert (len(big.spans), big.left_out) == (traces.MOST_SPANS, 50)
    for number in range(traces.MOST_TRACES):
        body = export("auth-service", f"{number:032x}", ("a" * 16, "", 0, 1, 0))
        kept.take(body, "application/x-protobuf")
    assert kept.get("f" * 32) is None
    assert len(kept.latest("", 0, failed=False)) == traces.MOST_TRACES


def test_traces_are_sent_to_the_page_only_where_they_are_wanted(running: Place):
    given = running.workspace.given
    page = running.workspace.url("status-page")
    wanted = Workspace(running.home, {**given, "RUNBENCH_TRACES": "1"})
    own = Workspace(running.home, {**wanted.given, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://mine"})

    for name in ("metrics-service", "auth-proxy", "api-gateway"):
        told = running.workspace.environment(name)
        assert not told.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        assert wanted.environment(name)["OTEL_EXPORTER_OTLP_ENDPOINT"] == page
        assert own.environment(name)["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://mine"
