"""The part of the test's server that keeps files, and how it refuses."""

import base64
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

PART_BYTES = 100_000


class Refusal(Exception):
    def __init__(self, status: int, code: str, detail: str = "", errors: list[Any] | None = None):
        self.status = status
        self.problem = {
            "type": f"/problems/{code}",
            "title": code.replace("-", " ").capitalize(),
            "status": status,
            "detail": detail,
            "errors": errors or [],
        }


@dataclass
class Reply:
    content: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Files(dict[str, bytes]):
    """Contents by "run id/path"; uploads in parts; which run used what."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, str] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.inputs: list[tuple[str, str, Any]] = []
        self.history: list[tuple[str, bytes]] = []
        self.lies: dict[str, Any] = {}

    def of_run(
        self, method: str, run: Any, rest: list[str], query: Any, body: Any, headers: Any
    ) -> Any:
        if run["status"] == "archived" and method != "GET":
            raise Refusal(409, "run-archived")
        path = unquote("/".join(rest[1:]))
        key = f"{run['id']}/{path}"
        match method, rest[0]:
            case "GET", "artifacts" if not path:
                return page(self.listed(run["id"], query.get("prefix", "")), query)
            case "PUT", "artifacts":
                return self.store(run["id"], path, body, said(headers))
            case "GET" | "HEAD", "artifacts":
                return self.sent(self[key], headers) if key in self else missing()
            case "DELETE", "artifacts":
                return {} if self.pop(key, None) is not None else missing()
            case "POST", "uploads":
                made = {
                    "id": str(uuid.uuid4()),
                    "run_id": run["id"],
                    "path": body["path"],
                    "size": body["size"],
                    "part_size": PART_BYTES,
                    "contents": {},
                }
                self.uploads[made["id"]] = made
                return shown(made)
            case "PUT", "inputs":
                if path not in self.ids.values():
                    missing()
                self.inputs.append((run["id"], path, body))
                return {"artifact_id": path}
        return missing()

    def answer(self, method: str, rest: list[str], body: Any, headers: Any) -> Any:
        match method, rest:
            case "GET", ["artifacts", artifact_id]:
                for key, known in self.ids.items():
                    if known == artifact_id and key in self:
                        return {**self.entry(key), "run_id": key.partition("/")[0]}
            case _, ["uploads", upload_id, *what] if upload_id in self.uploads:
                return self.of_upload(method, self.uploads[upload_id], what, body, headers)
        return missing()

    def of_upload(self, method: str, upload: Any, what: list[str], body: Any, headers: Any) -> Any:
        count = -(-upload["size"] // PART_BYTES)
        match method, what:
            case "GET", []:
                return shown(upload)
            case "PUT", ["parts", _] if upload.get("closed"):
                raise Refusal(409, "upload-closed")
            case "POST", ["complete"] if upload.get("closed"):
                return upload["closed"]
            case "PUT", ["parts", number]:
                checked(body, said(headers))
                last = upload["size"] - (count - 1) * PART_BYTES
                assert len(body) == (last if int(number) == count else PART_BYTES)
                upload["contents"][int(number)] = body
                return {"number": int(number), "size": len(body)}
            case "POST", ["complete"]:
                missing_parts = [n for n in range(1, count + 1) if n not in upload["contents"]]
                if missing_parts:
                    raise Refusal(409, "parts-missing", f"{missing_parts}")
                content = b"".join(upload["contents"][n] for n in range(1, count + 1))
                made = self.store(upload["run_id"], upload["path"], content, body.get("sha256"))
                upload |= {"closed": made, "contents": {}}
                return made
        return missing()

    def store(self, run_id: str, path: str, content: bytes, sha256: str | None) -> Any:
        if "forbidden" in path:
            raise Refusal(422, "wrong-path", "nobody may")
        checked(content, sha256)
        key = f"{run_id}/{path}"
        self[key] = content
        self.ids.setdefault(key, str(uuid.uuid4()))
        self.history.append((path, content))
        return self.entry(key)

    def entry(self, key: str) -> Any:
        return {
            "kind": "file",
            "id": self.ids[key],
            "path": key.partition("/")[2],
            "size": len(self[key]),
            "sha256": hashlib.sha256(self[key]).hexdigest(),
            "media_type": "application/octet-stream",
            "approved": False,
            "created_at": "2026-01-02T03:04:05.000000Z",
            **self.lies,
        }

    def listed(self, run_id: str, prefix: str) -> list[Any]:
        found: dict[str, Any] = {}
        start = f"{run_id}/{prefix}/" if prefix else f"{run_id}/"
        for key in sorted(self):
            if key.startswith(start):
                name, slash, _ = key[len(start) :].partition("/")
                path = f"{prefix}/{name}" if prefix else name
                folder = {"kind": "folder", "path": path, "size": None}
                found.setdefault(name, folder if slash else self.entry(key))
        return list(found.values())

    def sent(self, content: bytes, headers: Any) -> Reply:
        known = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("Range", ""))
        if part is None or headers.get("If-Range") not in (None, known["ETag"]):
            return Reply(content, headers=known)
        start, end = int(part[1]), min(len(content), int(part[2]) + 1)
        known["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        return Reply(content[start:end], 206, known)


def shown(upload: Any) -> Any:
    parts = [
        {"number": n, "size": len(c), "sha256": hashlib.sha256(c).hexdigest()}
        for n, c in upload["contents"].items()
    ]
    return {**{k: v for k, v in upload.items() if k != "contents"}, "parts": parts}


def said(headers: Any) -> str:
    digest = re.fullmatch(r"sha-256=:(.*):", headers["Repr-Digest"])
    assert digest is not None
    return base64.b64decode(digest[1]).hex()


def checked(content: bytes, sha256: str | None) -> None:
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise Refusal(422, "wrong-content")


def missing() -> Any:
    raise Refusal(404, "not-found", "there is nothing here that you may see")


def page(found: list[Any], query: dict[str, str]) -> Any:
    start, limit = int(query.get("cursor", 0)), int(query.get("limit", 50))
    end = start + limit
    return {"items": found[start:end], "next_cursor": str(end) if end < len(found) else None}
