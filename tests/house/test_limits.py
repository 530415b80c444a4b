"""Every service has limits, and every route costs what routes of its kind cost."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from servicekit.application import ENDPOINTS
from servicekit.limits import request_limits
from servicekit.routing import Endpoint

from scripts.environment import DATABASES, ROOT

# What services ask each other with the caller's own token: it was counted as that caller came in.
READING = ROOT / "services/comparison-service/src/comparison_service/operations/reading.py"


def application_of(service: str) -> Any:
    main = importlib.import_module(f"{service.replace('-', '_')}.__main__")
    return main.SERVICE.create_app(main.SERVICE.contract_settings())


def endpoints() -> Iterator[tuple[str, Endpoint]]:
    for service in sorted(DATABASES):
        for endpoint in application_of(service)[ENDPOINTS]:
            yield service, endpoint


def differing(expected: str, chosen: Any) -> list[str]:
    return [
        f"{service}: {endpoint.method} {endpoint.path} costs {endpoint.limit}"
        for service, endpoint in endpoints()
        if chosen(endpoint) and endpoint.limit != expected
    ]


@pytest.mark.parametrize("service", sorted(DATABASES))
def test_every_service_counts_requests(service: str) -> None:
    """Where the count is not among what starts with the service, nothing is ever refused."""
    started = [context.__qualname__ for context in application_of(service).cleanup_ctx]
    assert started.count(f"{request_limits.__qualname__}.<locals>.context") == 1


def test_searches_comparisons_and_exports_cost_more() -> None:
    costly = re.compile(
        r"/(search|groups|export|artifact-archive|bulk-[a-z]+)$|^/api/v1/comparisons/[a-z]"
    )
    assert not differing("costly", lambda one: costly.search(one.path))


def test_what_is_recorded_takes_nothing_from_looking_nor_the_other_way_round() -> None:
    recorded = re.compile(
        r"/(metrics|params|heartbeat|imports)$|^/api/v1/telemetry$|/uploads$|/parts/"
    )

    def is_recorded(one: Endpoint) -> bool:
        return one.policy.kind == "sensor" or (
            one.method in {"POST", "PUT"} and bool(recorded.search(one.path))
        )

    assert not differing("ingest", is_recorded)


def test_what_services_ask_each_other_is_counted_once() -> None:
    paths = {
        re.sub(r"{[^}]+}", "{}", path)
        for path in re.findall(r'f?"(/api/v1/[^"]+)"', READING.read_text())
    }
    assert len(paths) > 6
    found = [one.path for _, one in endpoints() if re.sub(r"{[^}]+}", "{}", one.path) in paths]
    assert len(found) >= len(paths)

    def asked(one: Endpoint) -> bool:
        read = one.method == "GET" or not one.path.endswith("/events")
        return read and re.sub(r"{[^}]+}", "{}", one.path) in paths

    assert not differing("inside", asked)


def test_what_the_gateway_hides_costs_nothing() -> None:
    def hidden(one: Endpoint) -> bool:
        return not one.path.startswith(("/api/", "/auth/", "/.well-known/jwks"))

    assert not [
        f"{service}: {one.path}"
        for service, one in endpoints()
        if hidden(one) and one.limit not in {"inside", "none"}
    ]
