"""Requests to a Runbench server: JSON both ways, a bearer token, errors that tell what to do."""

import base64
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self, cast
from urllib.parse import quote, urlsplit

import httpx

import runbench
from runbench import direct
from runbench.values import json_object

LOOPBACK = ("localhost", "127.0.0.1", "::1")
READING_TIMEOUT = 120.0
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


class ApiError(Exception):
    """The server answered, and the answer is no.

    status is the HTTP status, code the last part of the problem's type, detail which rule was
    broken, fields what is wrong where, retry_after the seconds that the server asks to wait.
    """

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        title: str = "",
        detail: str = "",
        fields: list[str] | None = None,
        trace_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.fields = fields or []
        self.trace_id = trace_id
        self.retry_after = retry_after
        said = ": ".join(part.rstrip(".") for part in (title, detail) if part)
        said = said or "the server refused"
        super().__init__(f"{status} {said}" + "".join(f"; {field}" for field in self.fields))

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (408, 421, 425, 429) or self.status >= 500


class Unreachable(Exception):
    """The server did not answer, or not like a Runbench server; the same request may succeed later.

    Whether the request took effect is not known.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer(NamedTuple):
    """A good answer: its JSON ({} for none), its ETag and its Date header."""

    body: Any
    etag: str | None
    date: str | None


class Api:
    """One server and one token. Redirects are refused: a token goes to no other address."""

    def __init__(self, url: str, token: str | None, *, read_timeout: float = READ_TIMEOUT) -> None:
        self.url = url
        self.token = token
        headers = {
            "Accept": "application/json",
            "User-Agent": f"runbench-python/{runbench.__version__}",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._headers = headers
        self._read_timeout = read_timeout
        loopback = (urlsplit(url).hostname or "") in LOOPBACK
        self._is_direct = loopback or not direct.proxied(url)
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=not loopback,
        )

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET; None is left out of the query. Raises ApiError, Unreachable."""
        return self.request("GET", path, query=query).body

    def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The JSON of a POST, with an Idempotency-Key when given, waited for so many seconds
        (default: as of every request). Raises ApiError, Unreachable.
        """
        return self.request("POST", path, body=body, key=key, timeout=timeout).body

    def put(self, path: str, body: object) -> Any:
        """The JSON of a PUT. Raises ApiError, Unreachable."""
        return self.request("PUT", path, body=body).body

    def patch(self, path: str, body: object, *, if_match: str | None = None) -> Any:
        """The JSON of a PATCH (merge patch). Raises ApiError, Unreachable."""
        return self.request("PATCH", path, body=body, if_match=if_match).body

    def items(self, path: str, *, limit: int | None = None, **query: Any) -> Iterator[Any]:
        """The items of a list, page by page, at most limit of them."""
        page_size, cursor, left = 1000 if limit is None else min(limit, 1000), None, limit
        while left is None or left > 0:
            page = self.get(path, **query, limit=page_size, cursor=cursor)
            found = json_object(page).get("items")
            if not isinstance(found, list):
                raise Unreachable(f"{self.url} does not answer like a Runbench server")
            yield from cast("list[Any]", found)[:left]
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(cast("list[Any]", found))
            if not cursor:
                return

    def stream(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The content of a GET in pieces. Raises ApiError, Unreachable; also when it breaks off."""
        params = {name: value for name, value in query.items() if value is not None}
        try:
            with self._client.stream("GET", self.url + path, params=params) as response:
                if response.status_code != 200:
                    response.read()
                    self._answer(response)
                    raise Unreachable(f"{self.url} does not answer like a Runbench server")
                yield from response.iter_bytes()
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{self.url} broke off ({_named(error)})") from None

    def head(self, path: str) -> Mapping[str, str] | None:
        """The headers of a HEAD; None when nothing is there. Raises ApiError, Unreachable."""
        try:
            response = self._client.head(self.url + path)
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{self.url} does not answer ({_named(error)})") from None
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise _refusal(response, {})
        return response.headers

    def put_content(
        self, path: str, pieces: Iterable[bytes], size: int, *, sha256: bytes | None = None
    ) -> Any:
        """The JSON of a PUT of so many bytes, which the server compares with their digest. Raises
        ApiError, Unreachable, and what reading the pieces raises.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        if sha256 is not None:
            headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(sha256).decode()}:"
        if size >= direct.DIRECT_BYTES and self._is_direct:
            return self._answer(self._put_directly(path, pieces, headers)).body
        try:
            response = self._client.put(self.url + path, content=pieces, headers=headers)
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unreachable(f"{self.url} does not answer ({_named(error)})") from None
        return self._answer(response).body

    def post_content(self, path: str, pieces: Iterable[bytes], size: int, **query: Any) -> Any:
        """The JSON of a POST of a file of so many bytes, which the server may take time to read.
        Raises ApiError, Unreachable, and what reading the pieces raises.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        params = {name: value for name, value in query.items() if value is not None}
        patience = httpx.Timeout(READING_TIMEOUT, connect=CONNECT_TIMEOUT)
        try:
            response = self._client.post(
                self.url + path, content=pieces, headers=headers, params=params, timeout=patience
            )
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unreachable(f"{self.url} does not answer ({_named(error)})") from None
        return self._answer(response).body

    def _put_directly(
        self, path: str, pieces: Iterable[bytes], headers: Mapping[str, str]
    ) -> httpx.Response:
        try:
            reply = direct.send(
                self.url + path,
                {**self._headers, **headers},
                pieces,
                connect_timeout=CONNECT_TIMEOUT,
                timeout=self._read_timeout,
            )
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer ({_named(error)})") from None
        return httpx.Response(reply.status, headers=reply.headers, content=reply.content)

    def delete(self, path: str) -> None:
        """A DELETE. Raises ApiError, Unreachable."""
        self.request("DELETE", path)

    def part(
        self, path: str, start: int, end: int, *, etag: str | None = None
    ) -> Iterator[bytes | memoryview]:
        """The bytes of a file from start to end (exclusive) in pieces, each good until the next
        one; with an etag, those of that content alone. Raises ApiError, Unreachable; also when it
        breaks off or brings others.
        """
        headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        if etag is not None:
            headers["If-Range"] = etag
        left = end - start
        large = left >= direct.DIRECT_BYTES and self._is_direct
        source = self._part_directly if large else self._part
        for piece in source(path, headers, f"bytes {start}-{end - 1}"):
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise Unreachable(f"{self.url} broke off")

    def _part(
        self, path: str, headers: Mapping[str, str], content_range: str
    ) -> Iterator[bytes | memoryview]:
        try:
            with self._client.stream("GET", self.url + path, headers=headers) as response:
                given = response.headers.get("content-range", "").partition("/")[0]
                if response.status_code != 206 or given != content_range:
                    if response.status_code < 300:
                        raise Unreachable(f"the file at {self.url} is another one by now")
                    response.read()
                    self._answer(response)
                yield from response.iter_raw(1 << 20)
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{self.url} broke off ({_named(error)})") from None

    def _part_directly(
        self, path: str, headers: Mapping[str, str], content_range: str
    ) -> Iterator[bytes | memoryview]:
        try:
            yield from direct.receive(
                self.url + path,
                {**self._headers, **headers},
                content_range=content_range,
                connect_timeout=CONNECT_TIMEOUT,
                timeout=self._read_timeout,
            )
        except direct.Refused as refused:
            reply = refused.reply
            if reply.status >= 300:
                answer = httpx.Response(reply.status, headers=reply.headers, content=reply.content)
                self._answer(answer)
            raise Unreachable(f"the file at {self.url} is another one by now") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url} broke off ({_named(error)})") from None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        key: str | None = None,
        if_match: str | None = None,
        media_type: str = "application/json",
        timeout: float | None = None,
    ) -> Answer:
        """One request. Raises ApiError for a refusal, Unreachable for no proper answer."""
        headers: dict[str, str] = {}
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else _encode(body)
            headers["Content-Type"] = media_type
        if key is not None:
            headers["Idempotency-Key"] = key
        if if_match is not None:
            headers["If-Match"] = if_match
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._client.request(
                method,
                self.url + path,
                params=params,
                content=content,
                headers=headers,
                timeout=self._client.timeout if timeout is None else timeout,
            )
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self.url} did not answer in time ({_named(error)})") from None
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{self.url} does not answer ({_named(error)})") from None
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ApiError(0, title="This request cannot be sent", detail=str(error)) from None
        return self._answer(response)

    def _answer(self, response: httpx.Response) -> Answer:
        status = response.status_code
        try:
            body: object = response.json() if response.content else {}
        except ValueError:
            body = None
        if 200 <= status < 300:
            if not isinstance(body, dict):
                raise Unreachable(f"{self.url} does not answer like a Runbench server")
            return Answer(
                json_object(cast("object", body)),
                response.headers.get("etag"),
                response.headers.get("date"),
            )
        if 300 <= status < 400:
            raise ApiError(
                status,
                title="The server redirects",
                detail=f"to {response.headers.get('location', '?')}; set RUNBENCH_URL to the "
                "address itself (a token is not sent to another one)",
            )
        raise _refusal(response, json_object(body))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def file_path(run_id: str, name: str) -> str:
    """The address of a run's file below the server's."""
    return f"/api/v1/runs/{run_id}/artifacts/{quote(name)}"


def _encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__


def _refusal(response: httpx.Response, problem: dict[str, Any]) -> ApiError:
    fields: list[str] = []
    errors = problem.get("errors")
    for entry in cast("list[object]", errors) if isinstance(errors, list) else []:
        named = json_object(entry)
        place = named.get("pointer") or named.get("parameter") or ""
        fields.append(f"{place} {named.get('detail', '')}".strip())
    return ApiError(
        response.status_code,
        code=str(problem.get("type") or "").rsplit("/", 1)[-1],
        title=str(problem.get("title") or response.reason_phrase),
        detail=str(problem.get("detail") or ""),
        fields=fields,
        trace_id=str(problem.get("trace_id") or ""),
        retry_after=_retry_after(response),
    )


def _retry_after(response: httpx.Response) -> float | None:
    given = response.headers.get("retry-after")
    if not given:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    import email.utils  # noqa: PLC0415 - only the date form of the header needs it
    import time  # noqa: PLC0415

    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return None
