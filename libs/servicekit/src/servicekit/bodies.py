"""Reading a request body: bounded in size and time, strictly JSON, no NUL anywhere."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson
from aiohttp import ContentTypeError, web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from pydantic_core import from_json

from servicekit.problems import (
    Invalid,
    Malformed,
    RequestTimeout,
    TooLarge,
    UnsupportedMediaType,
)

STALL_SEC = 10.0
TOTAL_SEC = 120.0
DEFAULT_LIMIT = 1 << 20
CLOSE = {"Connection": "close"}


async def read_body(request: web.Request, *, limit: int = DEFAULT_LIMIT) -> bytes:
    """The whole body, decompressed, in at most `limit` bytes.

    Raises:
        TooLarge: it says or turns out to be larger; a declared length is refused unread.
        RequestTimeout: it stalls for 10 s, or takes 2 minutes in all.
        Malformed: its encoding is broken.
    """
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if request.content.is_eof() and not request.content.exception():
        # It came with its head, as small ones do: nothing has to be waited for.
        body = request.content.read_nowait()
        if len(body) > limit:
            raise _too_large(limit)
        return body
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(TOTAL_SEC):
            while chunk := await asyncio.wait_for(request.content.readany(), STALL_SEC):
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError as exc:
        raise RequestTimeout from exc
    except HTTPRequestEntityTooLarge as exc:
        raise _too_large(limit) from exc
    except (web.RequestPayloadError, BadHttpMessage, ContentTypeError) as exc:
        # The connection cannot be used again: nobody knows where the next request begins.
        msg = "The body does not arrive as its headers say."
        raise Malformed(msg, headers=CLOSE) from exc
    return b"".join(chunks)


async def save_body(request: web.Request, path: Path, *, limit: int) -> str:
    """Write the body to a file as it arrives, decompressed; the SHA-256 of it, in hex digits.

    Raises:
        TooLarge: it says or turns out to be larger than `limit` bytes.
        RequestTimeout: it stalls for 10 s.
        Malformed: its encoding is broken, or it ends early.
    """
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    digest = hashlib.sha256()
    size = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        try:
            while chunk := await asyncio.wait_for(request.content.readany(), STALL_SEC):
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        except TimeoutError as exc:
            raise RequestTimeout from exc
        except (web.RequestPayloadError, BadHttpMessage, ConnectionError) as exc:
            msg = "The body does not arrive as its headers say."
            raise Malformed(msg, headers=CLOSE) from exc
    return digest.hexdigest()


def check_json_type(request: web.Request) -> None:
    """Refuse a body that is not declared as JSON in UTF-8.

    Raises:
        UnsupportedMediaType: another content type or charset.
    """
    if request.content_type != "application/json":
        msg = f"Send application/json, not {request.content_type}."
        raise UnsupportedMediaType(msg)
    try:
        charset = (request.charset or "utf-8").lower()
    except ValueError:
        charset = "?"
    if charset not in {"utf-8", "utf8"}:
        msg = "Send the JSON in UTF-8."
        raise UnsupportedMediaType(msg)


def check_json(raw: bytes) -> None:
    """Refuse what is not JSON (RFC 8259: NaN, a BOM, lone surrogates are not) or holds a NUL.

    Raises:
        Malformed: not JSON, or nested too deeply.
        Invalid: a string holds the NUL character.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        msg = f"The body is not JSON: {exc}."
        raise Malformed(msg) from exc
    if b"\\u0000" in raw and (errors := list(_with_nul(value, "#"))):
        raise Invalid(errors=errors)


def holds_nul(raw: bytes) -> bool:
    """Whether a string of the JSON holds the NUL character."""
    try:
        return b"\\u0000" in raw and any(_with_nul(from_json(raw), "#"))
    except ValueError:  # not JSON at all, which is for the caller to say
        return False


def _with_nul(value: Any, pointer: str) -> Iterator[dict[str, str]]:
    match value:
        case str() if "\0" in value:
            yield {"pointer": pointer, "detail": "must not contain the NUL character"}
        case dict():
            for key, member in cast("dict[str, Any]", value).items():
                if "\0" in key:
                    yield {"pointer": pointer, "detail": "a key contains the NUL character"}
                else:
                    yield from _with_nul(member, f"{pointer}/{escape_pointer(key)}")
        case list():
            for index, member in enumerate(cast("list[Any]", value)):
                yield from _with_nul(member, f"{pointer}/{index}")
        case _:
            return


def escape_pointer(part: str) -> str:
    """One reference token of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may hold at most {limit} bytes.")
