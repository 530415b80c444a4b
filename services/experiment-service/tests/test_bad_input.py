"""Whatever comes in, what goes out is an answer or a problem, and nothing half-written."""

import asyncio
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servicekit.application import ENDPOINTS

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=30)
    | st.sampled_from(["", "draft", "archived", "a\0b", "x" * 300, "metrics.x", "-name", 2**64])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


async def test_no_body_and_no_query_crashes_the_service(api, everything) -> None:
    loop = asyncio.get_running_loop()
    endpoints = [e for e in api.client.app[ENDPOINTS] if not e.streams]

    async def send(endpoint: Any, path: str, body: Any, query: dict[str, str]) -> tuple[int, str]:
        more = {} if endpoint.method == "GET" else {"json": body}
        address = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        response = await api.client.request(
            endpoint.method, f"{path}?{address}" if query else path, **more
        )
        return response.status, await response.text()

    @given(st.data())
    @settings(
        max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def try_one(data: st.DataObject) -> None:
        endpoint = data.draw(st.sampled_from(endpoints))
        fields = _names(endpoint.body)
        body = data.draw(st.dictionaries(fields, JSON, max_size=4) | JSON)
        query = {}
        if endpoint.query:
            text = st.text(st.characters(codec="utf-8"), max_size=40)
            query = data.draw(st.dictionaries(_names(endpoint.query), text, max_size=3))
        path = endpoint.path.format(**everything)
        status, answer = asyncio.run_coroutine_threadsafe(
            send(endpoint, path, body, query), loop
        ).result(60)
        assert status < 500, (endpoint.method, path, body, query, answer)

    await asyncio.to_thread(try_one)

    # Whatever was accepted can be read again.
    for what in ("runs", "experiments"):
        await api.get(f"{api.project}/{what}", params={"archived": "all", "limit": "1000"})


def _names(adapter: Any) -> st.SearchStrategy[str]:
    if adapter is None:
        return st.just("x")
    return st.sampled_from([*adapter.json_schema()["properties"], "unknown"])
