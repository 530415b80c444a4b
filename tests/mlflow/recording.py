"""What an MLflow client said and was answered, made comparable between two servers."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter

IDS = {"experiment_id", "run_id", "run_uuid", "model_id", "source_run_id", "experiment_ids"}
TOKENS = {"next_page_token", "page_token"}
TIMES = {
    "creation_time",
    "last_update_time",
    "start_time",
    "end_time",
    "timestamp",
    "creation_timestamp_ms",
    "last_updated_timestamp_ms",
}
# By what the members of these lists are told apart: no server promises an order.
SORTED = {
    "tags": "key",
    "params": "key",
    "metrics": "key",
    "files": "path",
    "dataset_inputs": "dataset",
    "model_outputs": "model_id",
}
ID = re.compile(r"\b(?:m-)?[0-9a-f]{32}\b")


@dataclass
class Call:
    """One request, and its answer where that is JSON."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} {json.dumps(self.body)[:300]}"


@dataclass
class Recorder:
    """The calls of one client to one server, with the server's ids named by their order."""

    address: str
    calls: list[Call] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note every request that goes to the server, until the block ends."""
        send = HTTPAdapter.send

        def note(adapter: HTTPAdapter, request: requests.PreparedRequest, **more: Any) -> Any:
            response = send(adapter, request, **more)
            if str(request.url).startswith(self.address):
                self._note(request, response)
            return response

        with patch.object(HTTPAdapter, "send", note):
            yield

    def _note(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        parts = urlsplit(str(request.url))
        json_type = "application/json" in str(request.headers.get("Content-Type", ""))
        body = json.loads(request.body or b"{}") if json_type else {}
        answered = "json" in response.headers.get("Content-Type", "")
        self.calls.append(
            Call(
                method=str(request.method),
                path=unquote(parts.path.removeprefix(urlsplit(self.address).path.rstrip("/"))),
                body=body | _query(parts.query),
                status=response.status_code,
                answer=response.json() if answered else None,
            )
        )

    def comparable(self) -> list[Call]:
        """The calls with ids and times put aside."""
        for call in self.calls:
            self._learn(call.answer)
        return [
            Call(
                call.method,
                self._named(call.path),
                self.plain(call.body),
                call.status,
                self.plain(call.answer),
            )
            for call in self.calls
        ]

    def plain(self, value: Any, key: str = "") -> Any:
        """A value with ids named by their order, times put aside and lists in one order."""
        if key in TIMES and value is not None:
            return "a time"
        if key in TOKENS and value:
            return "a token"
        match value:
            case dict():
                return {name: self.plain(member, name) for name, member in sorted(value.items())}
            case list():
                members = [self.plain(member, key) for member in value]
                by = SORTED.get(key)
                if by and all(isinstance(member, dict) for member in members):
                    members.sort(key=lambda member: json.dumps([member.get(by), member]))
                return members
            case str():
                return self._named(value, exact=key in IDS)
            case _:
                return value

    def _learn(self, value: Any, key: str = "") -> None:
        match value:
            case dict():
                for name, member in value.items():
                    self._learn(member, name)
            case list():
                for member in value:
                    self._learn(member, key)
            case str() if key in IDS and value and value not in self.names:
                kind = "model" if "model" in key else "run" if "run" in key else "experiment"
                count = sum(name.startswith(f"<{kind}") for name in self.names.values())
                self.names[value] = f"<{kind} {count + 1}>"
            case _:
                return

    def _named(self, text: str, *, exact: bool = False) -> str:
        if exact:
            return self.names.get(text, text)
        for id_, name in self.names.items():
            if len(id_) >= 32:
                text = text.replace(id_, name)
            else:  # MLflow's own experiments are numbers
                text = re.sub(rf"(mlflow-artifacts:/|/artifacts/){id_}(?=/|$)", rf"\1{name}", text)
        return text


def _query(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
