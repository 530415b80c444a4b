"""Every operation that the services have, read from the documents that they serve themselves."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

PYTHON_SERVICES = (
    "auth-service",
    "experiment-service",
    "telemetry-ingest-service",
    "metrics-service",
    "artifact-service",
    "comparison-service",
)


@dataclass(frozen=True)
class Operation:
    """One method on one path of one service."""

    service: str
    method: str
    path: str
    policy: str
    document: dict[str, Any]
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def body_schema(self) -> dict[str, Any] | None:
        """The schema of a JSON body, with its references resolved one level deep."""
        media = self.spec.get("requestBody", {}).get("content", {}).get("application/json")
        return self.resolve(media["schema"]) if media else None

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method in {"GET", "HEAD"}

    @property
    def streams(self) -> bool:
        """Whether the answer is an event stream."""
        answers = self.spec["responses"].values()
        return any("text/event-stream" in answer.get("content", {}) for answer in answers)

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a `$ref` refers to."""
        while reference := schema.get("$ref"):
            schema = self.document["components"]["schemas"][reference.rpartition("/")[2]]
        return schema

    def address(self, ids: dict[str, str]) -> str:
        """The path with its parameters filled in; an unknown one must be taught to this folder."""
        return self.path.format(**{name: ids[name] for name in self.parameters})


# One client for all: a new one for each request costs more than the request.
http = httpx.Client(timeout=30, verify=False)  # noqa: S501 - loopback without TLS


def read_operations(service_urls: dict[str, str]) -> list[Operation]:
    """All of them, service by service."""
    return [
        Operation(service, method.upper(), path, spec["x-policy"], document, spec)
        for service in PYTHON_SERVICES
        for document in [http.get(f"{service_urls[service]}/openapi.json").json()]
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]
