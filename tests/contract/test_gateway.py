"""Every route of every service is reachable through the gateway, and no internal one is."""

from uuid import uuid4

import httpx
import pytest
from support.operations import http, read_operations

from scripts.stack import Stack

INTERNAL = {"/.well-known/revocations", "/internal/events", "/internal/recipients"}


def test_the_gateway_answers_as_the_service_does(stack: Stack) -> None:
    wrong: list[str] = []
    for operation in read_operations(stack.service_urls):
        path = operation.address({name: str(uuid4()) for name in operation.parameters})
        direct, through = (
            http.request(operation.method, base + path)
            for base in (stack.service_urls[operation.service], stack.gateway_url)
        )
        hidden = path in INTERNAL
        same = direct.status_code == through.status_code and (
            direct.is_success
            or operation.method == "HEAD"
            or direct.json()["type"] == through.json()["type"]
        )
        if hidden == same:
            wrong.append(f"{operation.name}: {direct.status_code} and {through.status_code}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/.well-known/revocations",
        "/.well-known//revocations",
        "/%2ewell-known/revocations",
        "/api/../metrics",
        "/api/v1/%2e%2e/%2e%2e/metrics",
        "/auth/%2e%2e/metrics",
        "/auth/..%2f.well-known%2frevocations",
        "/internal/events",
        "/internal//events",
        "/api/../internal/events",
        "/auth/%2e%2e/internal/events",
        "/openapi.json",
        "/debug",
        "/admin",
        "/config",
        "/api/v2/anything",
    ],
)
def test_what_is_internal_is_not_there(stack: Stack, path: str) -> None:
    with httpx.Client(base_url=stack.gateway_url) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        response = client.send(request)

    assert response.status_code in {400, 404}
    assert response.headers["Content-Type"].startswith("application/problem+json")


def test_the_merged_contract_and_its_page_are_served(stack: Stack) -> None:
    document = http.get(f"{stack.gateway_url}/api/openapi.json").json()
    page = http.get(f"{stack.gateway_url}/api/docs", follow_redirects=True)

    served = {operation.path for operation in read_operations(stack.service_urls)} - INTERNAL
    assert served <= document["paths"].keys()
    assert document["openapi"].startswith("3.1")
    assert page.status_code == 200
    assert "text/html" in page.headers["Content-Type"]
    assert "http" not in {link.split(":")[0] for link in page.text.split('src="')[1:]}, (
        "the page loads nothing from elsewhere"
    )
