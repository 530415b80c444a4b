"""What running processes count: all that rules and dashboards read, and nobody's id."""

import re
from uuid import uuid4

import httpx
import pytest
from support.figures import exported, expressions, names_in
from support.world import register

from scripts.environment import DATABASES
from scripts.stack import Stack

LABELS = re.compile(r'(?<=[{,])(\w+)="')
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|rb_pat_|@example")


@pytest.fixture(scope="module")
def figures(stack: Stack) -> dict[str, str]:
    """What each process says, after somebody did something."""
    with httpx.Client(base_url=stack.gateway_url, timeout=30) as gateway:
        person = register(gateway, "figures")
        headers = {"Authorization": f"Bearer {person.access_token}"}
        made = gateway.post("/api/v1/projects", json={"name": "Figures"}, headers=headers).json()
        for path in (f"projects/{made['id']}/runs", f"runs/{uuid4()}/metrics", "metrics"):
            gateway.get(f"/api/v1/{path}?token=rb_pat_0", headers=headers)
    addresses = {name: stack.workspace.url(name) for name in (*DATABASES, "auth-proxy")}
    addresses["api-gateway"] = stack.workspace.url("gateway-metrics")
    httpx.get(f"{stack.proxy_url}/api/v1/projects/{made['id']}/runs")
    return {name: httpx.get(f"{url}/metrics").text for name, url in addresses.items()}


def test_rules_and_dashboards_read_what_processes_export(figures: dict[str, str]) -> None:
    known = {name for text in figures.values() for name in exported(text)}
    unknown = {
        (place, name)
        for place, expression in expressions()
        for name in names_in(expression)
        if name not in known
    }
    assert not unknown


def test_every_process_counts_its_requests_without_anybodys_id(figures: dict[str, str]) -> None:
    for name, text in figures.items():
        counted = "caddy_http_request_duration" if name == "api-gateway" else "http_server_request"
        assert f"{counted}" in text, name
        assert not ID.search(text), name
    for name in DATABASES:
        assert re.search(r"^database_pool_connections_max [1-9]", figures[name], re.MULTILINE), name


def test_no_label_is_one_that_prometheus_sets_itself(figures: dict[str, str]) -> None:
    # It would be renamed to `exported_…`, and rules and dashboards would read Prometheus's own.
    for name, text in figures.items():
        labels = {label for line in text.splitlines() for label in LABELS.findall(line)}
        assert not labels & {"job", "instance", "process"}, name


def test_nobody_outside_reads_them(stack: Stack) -> None:
    for address in (stack.gateway_url, stack.portal_url):
        for path in ("/metrics", "/api/metrics", "/auth/metrics"):
            assert "# TYPE" not in httpx.get(f"{address}{path}").text
