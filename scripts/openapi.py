"""One OpenAPI document for all services, merged from what each says of itself.

`python -m scripts.openapi` writes services/api-gateway/openapi.json; `--check` fails when the file
is not what the services say now. Run it with a Python that has every service.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.environment import DATABASES, ROOT

type Document = dict[str, Any]

TARGET = ROOT / "services" / "api-gateway" / "openapi.json"
HEAD: Document = {
    "openapi": "3.1.0",
    "info": {
        "title": "Runbench",
        "version": "1",
        "description": "Everything that programs can do with Runbench, at one address.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "externalDocs": {
        "description": "What Runbench tells other systems by itself (AsyncAPI)",
        "url": "/api/asyncapi.json",
    },
}
_SCHEMA = re.compile(r'"#/components/schemas/([^"]+)"')
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


class Conflict(SystemExit):
    """Two services claim the same route with different meanings."""


def of_service(name: str) -> Document:
    """What a service says of itself."""
    command = [sys.executable, "-m", name.replace("-", "_"), "openapi"]
    answer = subprocess.run(
        command, cwd=ROOT / "services" / name, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed:\n{answer.stderr}")
    return json.loads(answer.stdout)


def is_public(path: str) -> bool:
    """Whether the gateway lets programs reach a path."""
    return path == "/.well-known/jwks.json" or path.startswith(("/auth/", "/api/"))


def merge(documents: dict[str, Document]) -> Document:
    """One document of several: equal parts are shared, unequal ones of one name renamed.

    Raises Conflict where two services claim the same route.
    """
    paths: Document = {}
    components: Document = {}
    tags: list[Document] = []
    for service, document in documents.items():
        told = told_apart(service, public_part(document), components)
        for path, item in told.get("paths", {}).items():
            for method, operation in item.items():
                held = paths.setdefault(path, {})
                if method in held and held[method] != operation:
                    raise Conflict(f"{service} also claims {method.upper()} {path}")
                held[method] = operation
        for kind, parts in told.get("components", {}).items():
            components.setdefault(kind, {}).update(parts)
        tags += [tag for tag in told.get("tags", []) if tag not in tags]
    merged = {**HEAD, "tags": tags, "paths": in_order(paths), "components": in_order(components)}
    if any("security" in document for document in documents.values()):
        merged["security"] = next(
            one["security"] for one in documents.values() if "security" in one
        )
    return {key: value for key, value in merged.items() if value}


def public_part(document: Document) -> Document:
    """The document without routes that the gateway leads nobody to, and what only those use."""
    paths = {path: item for path, item in document.get("paths", {}).items() if is_public(path)}
    components = document.get("components", {})
    schemas = components.get("schemas", {})
    kept: Document = {}
    told: list[object] = [paths, {**components, "schemas": {}}]
    while told:
        for name in _SCHEMA.findall(json.dumps(told.pop())):
            if name not in kept:
                kept[name] = schemas[name]
                told.append(schemas[name])
    return {**document, "paths": paths, "components": {**components, "schemas": kept}}


def told_apart(service: str, document: Document, held: Document) -> Document:
    """The document with each part that means something else elsewhere named after its service."""
    text = json.dumps(document)
    prefix = service.removesuffix("-service").capitalize()
    renamed: list[tuple[str, str]] = []
    for kind, parts in document.get("components", {}).items():
        for name, part in parts.items():
            if held.get(kind, {}).get(name, part) != part:
                old, new = (f'"#/components/{kind}/{one}"' for one in (name, prefix + name))
                text = text.replace(old, new)
                renamed.append((kind, name))
    told = json.loads(text)
    for kind, name in renamed:
        told["components"][kind][prefix + name] = told["components"][kind].pop(name)
    return told


def in_order(parts: Document) -> Document:
    """The same with sorted names, so that a change shows as small as it is."""
    return {
        key: dict(sorted(value.items())) if isinstance(value, dict) else value
        for key, value in sorted(parts.items())
    }


def main(arguments: list[str]) -> int:
    """Write the document, or check that it is current."""
    merged = merge({name: of_service(name) for name in sorted(DATABASES)})
    operations = sum(len(METHODS & {*item}) for item in merged.get("paths", {}).values())
    return keep(TARGET, merged, f"{operations} operations", arguments)


def keep(target: Path, document: Document, size: str, arguments: list[str]) -> int:
    """Write a contract, or with `--check` fail where the file is another one."""
    name = target.relative_to(ROOT)
    if "--check" not in arguments:
        target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        print(f"wrote {name}: {size}")
        return 0
    if not target.exists() or json.loads(target.read_text()) != document:
        print(f"{name} is not what the services say: run `nox -s openapi`")
        return 1
    print(f"{name} is current")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
