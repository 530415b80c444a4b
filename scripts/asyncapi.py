"""One AsyncAPI 3 document of everything that services tell other systems.

`python -m scripts.asyncapi` writes services/api-gateway/asyncapi.json from the catalogues of events
(`models/events.py` of each service); `--check` fails when the file is not what they say now. Run it
with a Python that has every service. The form: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from servicekit.events import Catalogue, Event, EventKind
from servicekit.sinks import EXCHANGE, PLATFORM

from scripts.environment import DATABASES, ROOT
from scripts.openapi import keep

type Document = dict[str, Any]

TARGET = ROOT / "services" / "api-gateway" / "asyncapi.json"
SCHEMAS = "#/components/schemas/{model}"
INFO: Document = {
    "title": "Runbench events",
    "version": "1",
    "description": (
        f"What happens in Runbench, as messages of the RabbitMQ topic exchange `{EXCHANGE}`, at"
        " least once, in order for each subject. `id` stays the same when an event comes again."
        " Webhooks of a project are sent the same JSON."
    ),
    "license": {"name": "Apache-2.0"},
}
SERVERS: Document = {
    "rabbitmq": {
        "host": "{host}",
        "protocol": "amqp",
        "description": "The broker that RABBITMQ_URL names.",
        "variables": {"host": {"default": "localhost:5672"}},
    }
}


def catalogues() -> dict[str, Catalogue]:
    """The events of each service that tells any."""
    found: dict[str, Catalogue] = {}
    for service in sorted(DATABASES):
        name = f"{service.replace('-', '_')}.models.events"
        if importlib.util.find_spec(name):
            found[service] = importlib.import_module(name).EVENTS
    return found


def document(told: Mapping[str, Catalogue]) -> Document:
    """The document of these catalogues.

    Raises:
        SystemExit: two services tell of the same kind.
    """
    schemas: Document = {}
    messages: Document = {}
    channels: Document = {}
    operations: Document = {}
    add_schema(schemas, "Event", Event.model_json_schema(**_FORM))
    for service, kinds in told.items():
        for kind in kinds:
            if kind.name in messages:
                raise SystemExit(f"{service} also tells of {kind.name}")
            title = "".join(part.capitalize() for part in kind.name.replace("_", ".").split("."))
            messages[kind.name] = message(kind, f"{title}Data")
            add_schema(schemas, f"{title}Data", kind.data.model_json_schema(**_FORM))
            channels[kind.name] = channel(kind)
            operations[f"tell {kind.name}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{kind.name}"},
                "summary": kind.about,
                "tags": [{"name": service}],
                "bindings": {
                    "amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}
                },
            }
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/json",
        "servers": SERVERS,
        "channels": dict(sorted(channels.items())),
        "operations": dict(sorted(operations.items())),
        "components": {
            "messages": dict(sorted(messages.items())),
            "schemas": dict(sorted(schemas.items())),
        },
    }


_FORM: dict[str, Any] = {"ref_template": SCHEMAS, "mode": "serialization"}


def add_schema(schemas: Document, name: str, schema: Document) -> None:
    """Add a model's schema and those that it refers to.

    Raises:
        SystemExit: one of them has the name of another.
    """
    parts = {**schema.pop("$defs", {}), name: schema}
    for key, part in parts.items():
        if schemas.setdefault(key, part) != part:
            raise SystemExit(f"{key} means two things among the events")


def message(kind: EventKind[Any], data: str) -> Document:
    """A message: the envelope of every event, with what this kind has in it."""
    return {
        "name": kind.name,
        "title": kind.name,
        "summary": kind.about,
        "contentType": "application/json",
        "bindings": {"amqp": {"messageType": kind.name, "bindingVersion": "0.3.0"}},
        "headers": {
            "type": "object",
            "required": ["version"],
            "properties": {"version": {"type": "integer", "const": kind.version}},
        },
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Event"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": kind.name},
                        "version": {"const": kind.version},
                        "subject": {
                            "type": "object",
                            "properties": {"kind": {"const": kind.subject}},
                        },
                        "data": {"$ref": f"#/components/schemas/{data}"},
                    },
                },
            ]
        },
    }


def channel(kind: EventKind[Any]) -> Document:
    """Where messages of a kind go: its routing key at the exchange."""
    return {
        "address": f"{{project_id}}.{kind.name}",
        "title": kind.name,
        "description": kind.about,
        "messages": {kind.name: {"$ref": f"#/components/messages/{kind.name}"}},
        "parameters": {
            "project_id": {"description": f"The project's id; `{PLATFORM}` where there is none."}
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": EXCHANGE,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                    "vhost": "/",
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def main(arguments: list[str]) -> int:
    """Write the document, or check that it is current."""
    now = document(catalogues())
    return keep(TARGET, now, f"{len(now['channels'])} kinds of events", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
