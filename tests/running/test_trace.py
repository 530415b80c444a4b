"""One trace from the browser to SQL: every process sends its part, and the parts join."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from support.collector import Collector, Span, collector

from scripts.processes import PROCESSES
from scripts.stack import Stack, stack

PASSWORD = "correct-horse-battery-9"
SECRET = "hush-hush-3141592"
BROWSER = "00f067aa0ba902b7"
COMPARE = "POST /api/v1/comparisons/runs"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}")


@pytest.fixture(scope="module")
def sent() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture(scope="module")
def traced(sent: Collector) -> Iterator[Stack]:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": sent.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with stack(variables, names=[name for name in PROCESSES if name != "portal"]) as running:
        yield running


@pytest.fixture(scope="module")
def browser(traced: Stack) -> Iterator[httpx.Client]:
    """Somebody's browser with a session, on the portal's page."""
    headers = {"Origin": traced.portal_url}
    with httpx.Client(base_url=traced.proxy_url, headers=headers, timeout=30) as client:
        answer = client.post(
            "/auth/register",
            json={"email": f"t-{uuid4().hex[:8]}@example.org", "password": PASSWORD, "name": "T"},
        )
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield client


def test_a_request_is_one_trace_from_the_browser_through_every_process_to_sql(
    browser: httpx.Client, sent: Collector, traced: Stack
) -> None:
    project = browser.post("/api/v1/projects", json={"name": "Traced"}).json()["id"]
    made = browser.post(f"/api/v1/projects/{project}/experiments", json={"name": "first"}).json()
    runs = [
        browser.post(f"/api/v1/experiments/{made['id']}/runs", json={}).json()["id"]
        for _ in range(2)
    ]
    trace_id = uuid4().hex

    answer = browser.post(
        f"/api/v1/comparisons/runs?token={SECRET}",
        json={"run_ids": runs},
        headers={"traceparent": f"00-{trace_id}-{BROWSER}-01", "X-Request-Id": "trace-test"},
    )

    assert answer.status_code in {200, 422}, answer.text
    spans = sent.trace(
        trace_id, "auth-proxy", "api-gateway", "comparison-service", "experiment-service"
    )
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if span.parent_id == BROWSER]
    assert [(span.service, span.name) for span in roots] == [("auth-proxy", "POST /api/*")]
    way = way_to(by_id, next(s for s in spans if s.name == COMPARE))
    assert way == [
        ("auth-proxy", "POST /api/*"),
        ("api-gateway", "POST comparison-service"),
        ("comparison-service", COMPARE),
    ]
    asked = [s for s in spans if s.service == "experiment-service" and s.name == "SELECT"]
    assert asked, "the service that is asked by a service reads its database"
    assert way_to(by_id, asked[0])[:3] == way
    assert all(span.parent_id in by_id for span in spans if span.parent_id != BROWSER)
    for service in {span.service for span in spans}:
        log = traced.log_dir / f"{service}.log"
        assert ids_in(log, trace_id) == {(trace_id, "trace-test")}, service


def test_spans_are_named_by_templates_and_keep_secrets_and_arguments_to_themselves(
    browser: httpx.Client, sent: Collector
) -> None:
    trace_id = uuid4().hex
    browser.get(
        f"/api/v1/projects/{uuid4()}/runs?token={SECRET}",
        headers={"traceparent": f"00-{trace_id}-{BROWSER}-01"},
    )
    browser.post(
        "/auth/register", json={"email": "t@example.org", "password": PASSWORD, "name": SECRET}
    )

    sent.trace(trace_id, "auth-proxy", "api-gateway", "experiment-service")

    everything = b"".join(sent.raw)
    for secret in (SECRET, PASSWORD, browser.headers["X-CSRF-Token"], *browser.cookies.values()):
        assert secret.encode() not in everything
    for span in sent.spans:
        assert not ID.search(span.name), span
        assert not span.name.endswith(("/health", "/ready", "/metrics")), span
        if span.service not in {"api-gateway", "auth-proxy"}:
            assert not any(ID.search(value) for value in span.attributes.values()), span


def ids_in(log: Path, trace_id: str) -> set[tuple[str, str]]:
    """Trace and request ids of the lines of a trace, once there is one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = [line for line in log.read_text().splitlines() if trace_id in line]
        if lines:
            told = [json.loads(line[line.index("{") :]) for line in lines]
            return {(line["trace_id"], line["request_id"]) for line in told}
        time.sleep(0.1)
    return set()


def way_to(by_id: dict[str, Span], span: Span) -> list[tuple[str, str]]:
    """The spans from the first of a trace to this one, by service and name."""
    way: list[tuple[str, str]] = []
    at: Span | None = span
    while at:
        way.append((at.service, at.name))
        at = by_id.get(at.parent_id)
    return way[::-1]
