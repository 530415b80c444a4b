"""What the gateway does with what comes in."""

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from gateway_harness import (
    GATEWAY,
    SERVICES,
    Gateway,
    Upstream,
    caddy,
    start_gateway,
    stop_gateway,
)
from yarl import URL

RUN = "/api/v1/runs/0199aaaa-0000-7000-8000-000000000001"
PROJECT = "/api/v1/projects/0199aaaa-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/auth/login", "auth-service"),
        ("/auth/password-reset/confirm", "auth-service"),
        ("/.well-known/jwks.json", "auth-service"),
        ("/api/v1/users", "auth-service"),
        ("/api/v1/tokens/1", "auth-service"),
        ("/api/v1/admin/users/1/deactivate", "auth-service"),
        ("/api/v1/projects", "auth-service"),
        (PROJECT, "auth-service"),
        (f"{PROJECT}/members", "auth-service"),
        (f"{PROJECT}/members/1", "auth-service"),
        (f"{PROJECT}/tokens", "auth-service"),
        (f"{PROJECT}/access", "auth-service"),
        (f"{PROJECT}/restore", "auth-service"),
        (f"{PROJECT}/audit", "auth-service"),
        (f"{PROJECT}/experiments", "experiment-service"),
        (f"{PROJECT}/runs", "experiment-service"),
        (f"{PROJECT}/runs/bulk-tag", "experiment-service"),
        (f"{PROJECT}/runs/stream", "experiment-service"),
        (f"{PROJECT}/membership", "experiment-service"),
        ("/api/v1/experiments/1", "experiment-service"),
        ("/api/v1/experiments/1/runs", "experiment-service"),
        (RUN, "experiment-service"),
        (f"{RUN}/heartbeat", "experiment-service"),
        (f"{RUN}/params", "experiment-service"),
        (f"{RUN}/metrics", "metrics-service"),
        (f"{RUN}/metrics/series", "metrics-service"),
        ("/api/v1/metrics/series", "metrics-service"),
        ("/api/v1/telemetry", "telemetry-ingest-service"),
        ("/api/v1/telemetry/series", "telemetry-ingest-service"),
        ("/api/v1/telemetry/stream", "telemetry-ingest-service"),
        ("/api/v1/capture-sessions/1/telemetry/summary", "telemetry-ingest-service"),
        ("/api/v1/capture-sessions/1", "experiment-service"),
        ("/api/v1/sensors/1/errors", "telemetry-ingest-service"),
        ("/api/v1/sensors/1/heartbeats", "telemetry-ingest-service"),
        ("/api/v1/sensors/1", "experiment-service"),
        ("/api/v1/profiles/1/publish", "experiment-service"),
        (f"{RUN}/capture-sessions", "experiment-service"),
        (f"{PROJECT}/sensors", "experiment-service"),
        (f"{RUN}/artifacts", "artifact-service"),
        (f"{RUN}/artifacts/models/best.bin", "artifact-service"),
        (f"{RUN}/artifacts/a%20b%2Fc%252e%2e/%C3%A4%00;x[1]", "artifact-service"),
        (f"{RUN}/artifact-archive?prefix=a", "artifact-service"),
        (f"{RUN}/uploads", "artifact-service"),
        (f"{RUN}/inputs", "artifact-service"),
        (f"{RUN}/inputs/7", "artifact-service"),
        ("/api/v1/artifacts/7", "artifact-service"),
        ("/api/v1/artifacts/7/content", "artifact-service"),
        ("/api/v1/uploads/7/parts/1", "artifact-service"),
        ("/api/v1/uploads/7/complete", "artifact-service"),
        ("/api/2.0/mlflow/artifacts/list", "artifact-service"),
        ("/api/v1/artifacts/lookup", "artifact-service"),
        ("/api/v1/runs/lookup", "experiment-service"),
        ("/api/v1/metrics/summaries", "metrics-service"),
        ("/api/v1/comparisons/runs", "comparison-service"),
        ("/api/v1/comparisons/1", "comparison-service"),
        (f"{PROJECT}/comparisons", "comparison-service"),
        ("/api/v1/experiments/1/baseline", "comparison-service"),
        ("/ajax-api/2.0/mlflow/artifacts/list", "artifact-service"),
        ("/api/2.0/mlflow-artifacts/artifacts", "artifact-service"),
        ("/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/a%20b", "artifact-service"),
        ("/api/2.0/mlflow-artifacts/artifacts/%2e%2e/%2e%2e/%2e%2e/v1/runs", "artifact-service"),
        ("/api/2.0/mlflow-artifacts/mpu/create/1/2/artifacts", "artifact-service"),
        ("/api/2.0/mlflow-artifacts/presigned/1/2/artifacts/a", "artifact-service"),
        ("/api/2.0/mlflow/runs/log-metric", "metrics-service"),
        ("/api/2.0/mlflow/runs/log-batch", "metrics-service"),
        ("/api/2.0/mlflow/metrics/get-history", "metrics-service"),
        ("/ajax-api/2.0/mlflow/metrics/get-history-bulk", "metrics-service"),
        ("/api/2.0/mlflow/runs/log-parameter", "experiment-service"),
        ("/api/2.0/mlflow/runs/log-inputs", "experiment-service"),
        ("/api/2.0/mlflow/experiments/get-by-name", "experiment-service"),
        ("/api/2.0/mlflow/logged-models/m-1/tags/a%20b%2Fc", "experiment-service"),
        ("/api/3.0/mlflow/server-info", "experiment-service"),
        ("/api/2.0/mlflow/registered-models/create", "experiment-service"),
        ("/version", "experiment-service"),
    ],
)
async def test_each_path_reaches_the_service_that_owns_it(
    http: aiohttp.ClientSession, path: str, service: str
) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        url = URL(f"{path}?q=a%2Fb&q=%252e", encoded=True)
        async with http.request(method, url) as response:
            seen = await response.json()
        assert (seen["service"], seen["method"]) == (service, method)
        assert seen["path"] == f"{path}?q=a%2Fb&q=%252e"


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/openapi.json",
        "/.well-known/revocations",
        "/.well-known/jwks.json/x",
        "/auth",
        "/auth/",
        "/api/v1/metrics",
        "/api/v1/projects/",
        "/api/v2/runs",
        "/API/V1/RUNS/1",
        "/internal",
        "/debug/pprof/",
        "/config/",
        "/Caddyfile",
        "/api/Caddyfile",
        "/api/docs/../../Caddyfile",
        "//auth/login",
        "/auth//login",
        "/auth/./login",
        "/auth/../metrics",
        "/api/v1/projects/../../../metrics",
        "/auth/..",
        "/auth/%2e%2e/metrics",
        "/auth/%2E%2E/.well-known/revocations",
        "/auth%2flogin",
        "/auth/%2e%2e%2f.well-known%2frevocations",
        "/auth/%252e%252e/metrics",
        "/auth/..%5cmetrics",
        "/auth/..\\metrics",
        "/%61uth/login",
        "/auth/login;x",
        "/auth/login%00",
        "/auth/login%0d%0aX: y",
        "/auth/log\u0131n",
        "/.well-known/%72evocations",
        f"{RUN}%2fmetrics",
        f"{RUN}/artifacts/../metrics",
        f"{RUN}/artifacts/a/..",
        f"{RUN}/artifacts//etc/passwd",
        f"{RUN}/artifacts/a\\b",
        f"{RUN}%2f..%2fartifacts/a",
        f"{RUN}/%61rtifacts/a",
        "/api/2.0/mlflow-artifacts/artifacts/../../../v1/runs",
        "/api/2.0/mlflow-artifacts/artifacts//etc/passwd",
        "/api/2.0/mlflow-artifacts/mpu/steal/a",
        "/api/2.0/mlflow/runs/%67et",
        "/api/2.0/mlflow/../../v1/runs",
        "/api/2.0/mlflow/",
        "/version/x",
        "http://localhost/auth/login",
    ],
)
async def test_hidden_and_oddly_written_paths_are_not_found(
    gateway: Gateway, upstreams: dict[str, Upstream], path: str
) -> None:
    before = [len(upstreams[name].seen) for name in SERVICES]
    status, body = await gateway.get(path)

    assert [len(upstreams[name].seen) for name in SERVICES] == before
    assert status in {400, 404}, body
    if status == 404 and "/mlflow" in path:
        assert json.loads(body)["error_code"] == "ENDPOINT_NOT_FOUND"
    elif status == 404:
        problem = json.loads(body)
        assert problem["type"] == "/problems/not-found"
        assert problem["status"] == 404
        assert re.fullmatch(r"[0-9a-f]{32}", problem["trace_id"])


async def test_a_not_found_is_a_problem_document(http: aiohttp.ClientSession) -> None:
    async with http.get("/metrics") as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in response.headers


FORGED = {
    "X-User-Id": "1",
    "x-user-email": "a@b",
    "X_User_Id": "1",
    "X-User_Id": "1",
    "x_debug_user": "1",
    "X-Debug-User": "root",
    "X-DEBUG-ROLE": "owner",
    "X-Internal-Token": "1",
    "X-Project-Id": "1",
    "X-Auth-Request-User": "root",
    "X-Remote-User": "root",
    "Remote-User": "root",
    "X-Original-URL": "/metrics",
    "X-Rewrite-URL": "/metrics",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Real-IP": "10.0.0.1",
    "Forwarded": "for=10.0.0.1",
    "Proxy": "http://evil.example",
    "Cookie": "runbench=1",
}


async def test_headers_that_claim_an_identity_do_not_reach_a_service(
    http: aiohttp.ClientSession,
) -> None:
    honest = {
        "Authorization": "Bearer abc",
        "Accept": "application/json",
        "If-Match": '"3"',
        "Idempotency-Key": "k",
        "Last-Event-ID": "7",
        "User-Agent": "runbench-client/1",
    }
    async with http.get(RUN, headers={**FORGED, **honest}) as response:
        seen = {name.lower(): value for name, value in (await response.json())["headers"]}

    assert {name: seen[name.lower()] for name in honest} == honest
    assert not {name.lower() for name in FORGED} & seen.keys()
    expected = {name.lower() for name in honest} | {
        "host",
        "accept-encoding",
        "traceparent",
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "via",
    }
    assert seen.keys() <= expected


async def test_a_client_cannot_say_where_it_comes_from(http: aiohttp.ClientSession) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "evil.example"}
    async with http.get(RUN, headers=headers) as response:
        seen = {name.lower(): value for name, value in (await response.json())["headers"]}

    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert "evil" not in seen["x-forwarded-host"]


async def test_hop_by_hop_tricks_do_not_remove_what_the_gateway_adds(
    http: aiohttp.ClientSession,
) -> None:
    headers = {"Connection": "keep-alive, authorization, x-request-id", "Authorization": "Bearer a"}
    async with http.get(RUN, headers=headers) as response:
        seen = {name.lower() for name, _ in (await response.json())["headers"]}
    assert {"x-request-id", "traceparent"} <= seen


async def test_request_id_and_trace_go_on_or_begin(http: aiohttp.ClientSession) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"X-Request-Id": "my-request.1", "traceparent": trace}
    async with http.get(RUN, headers=headers) as response:
        seen = {name.lower(): value for name, value in (await response.json())["headers"]}
        assert response.headers.getall("X-Request-Id") == ["my-request.1"]
    assert (seen["x-request-id"], seen["traceparent"]) == ("my-request.1", trace)

    for bad in ("", "a b", "x" * 65, "a\u00e4"):
        headers = {"X-Request-Id": bad, "traceparent": f"00-{bad}-01"}
        async with http.get(RUN, headers=headers) as response:
            seen = {name.lower(): value for name, value in (await response.json())["headers"]}
            assert response.headers["X-Request-Id"] == seen["x-request-id"]
        assert re.fullmatch(r"[0-9a-f-]{36}", seen["x-request-id"])
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", seen["traceparent"])


async def test_a_problem_of_the_gateway_names_the_callers_trace(
    http: aiohttp.ClientSession,
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"X-Request-Id": "abc", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with http.get("/nowhere", headers=headers) as response:
        assert (await response.json(content_type=None))["trace_id"] == trace
        assert response.headers["X-Request-Id"] == "abc"


@pytest.mark.parametrize(
    ("path", "limit", "service"),
    [
        ("/auth/login", 1 << 20, "auth-service"),
        (f"{PROJECT}/experiments", 1 << 20, "experiment-service"),
        (f"{RUN}/metrics", 16 << 20, "metrics-service"),
        (f"{RUN}/metrics/series", 1 << 20, "metrics-service"),
        ("/api/2.0/mlflow/runs/log-batch", 8 << 20, "metrics-service"),
        ("/api/2.0/mlflow/runs/log-inputs", 20 << 20, "experiment-service"),
        ("/api/2.0/mlflow/runs/set-tag", 1 << 20, "experiment-service"),
    ],
)
async def test_a_body_may_be_as_long_as_its_route_says(
    http: aiohttp.ClientSession,
    upstreams: dict[str, Upstream],
    path: str,
    limit: int,
    service: str,
) -> None:
    async with http.post(path, data=bytes(limit)) as response:
        assert response.status == 200
        assert (await response.json())["body"] == limit

    async with http.post(path, data=bytes(limit + 1)) as response:
        assert response.status == 413
        answer = await response.json(content_type=None)
        if "/mlflow/" in path:
            assert answer["error_code"] == "BAD_REQUEST"
        else:
            assert response.content_type == "application/problem+json"
            assert answer["type"] == "/problems/too-large"


async def test_a_declared_length_over_the_limit_is_refused_unread(gateway: Gateway) -> None:
    for length in ("1048577", "99999999999999999", "00001048577"):
        request = (
            f"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
            "Connection: close\r\n\r\n"
        )
        answer = await gateway.raw(request.encode(), within=10)
        assert b" 413 " in answer.splitlines()[0], answer


async def test_an_undeclared_body_over_the_limit_is_refused(gateway: Gateway) -> None:
    chunk = b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16))
    request = (
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n" + chunk * 17 + b"0\r\n\r\n"
    )
    answer = await gateway.raw(request)
    assert b" 413 " in answer.splitlines()[0], answer[:300]
    assert b"/problems/too-large" in answer


async def test_two_lengths_or_length_and_chunks_are_never_passed_on(
    gateway: Gateway, upstreams: dict[str, Upstream]
) -> None:
    before = len(upstreams["auth-service"].seen)
    for framing in (
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: 5x",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
    ):
        request = (
            f"POST /auth/login HTTP/1.1\r\nHost: a\r\n{framing}\r\nConnection: close\r\n\r\n12345"
        )
        answer = await gateway.raw(request.encode(), within=10)
        assert answer.split()[1] in {b"400", b"501"}, answer
    assert len(upstreams["auth-service"].seen) == before


async def test_two_host_headers_are_refused(gateway: Gateway) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"
    assert (await gateway.raw(request)).split()[1] == b"400"


async def test_who_stalls_is_cut_off_and_who_only_waits_is_not(
    gateway: Gateway, http: aiohttp.ClientSession, upstreams: dict[str, Upstream]
) -> None:
    async def header_never_ends() -> None:
        answer = await gateway.raw(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ", within=40)
        assert not answer or answer.split()[1] in {b"400", b"408"}

    async def body_stalls() -> None:
        request = b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
        answer = await gateway.raw(request, within=60)
        assert not answer or int(answer.split()[1]) >= 400

    async def reads_nothing() -> None:
        experiment = upstreams["experiment-service"]
        experiment.left.clear()
        _reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
        writer.write(b"GET /api/v1/runs/endless HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(60):
            await experiment.left.wait()
        writer.close()

    async def quiet_stream_goes_on() -> None:
        metrics = upstreams["metrics-service"]
        async with http.get(f"{RUN}/metrics/stream") as response:
            await response.content.readuntil(b"\n\n")
            await asyncio.sleep(23)
            metrics.next_event.set()
            async with asyncio.timeout(10):
                assert (await response.content.readuntil(b"\n\n")).startswith(b"id: 1\n")
            response.close()

    async def others_are_served() -> None:
        for _ in range(20):
            assert (await gateway.get("/health"))[0] == 200
            await asyncio.sleep(0.5)

    async with asyncio.TaskGroup() as together:
        together.create_task(header_never_ends())
        for _ in range(50):
            together.create_task(body_stalls())
        together.create_task(reads_nothing())
        together.create_task(quiet_stream_goes_on())
        together.create_task(others_are_served())


async def test_a_file_may_take_longer_than_any_other_body_but_must_not_stall(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    piece, pieces = bytes(200_000), 25

    async def slow_pieces() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield piece
            await asyncio.sleep(1)

    async def arrives_slowly(path: str) -> None:
        async with http.put(path, data=slow_pieces()) as response:
            assert response.status == 200
            assert (await response.json())["body"] == len(piece) * pieces

    async def stalls(path: str) -> None:
        request = f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n"
        await gateway.raw(request.encode() + bytes(700_000), within=40)

    async with asyncio.TaskGroup() as together:
        for path in (
            f"{RUN}/artifacts/big",
            "/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/big",
        ):
            together.create_task(arrives_slowly(path))
            together.create_task(stalls(path))


async def test_files_are_passed_on_as_they_are(
    gateway: Gateway, upstreams: dict[str, Upstream]
) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        headers = {"Accept-Encoding": "gzip, zstd"}
        async with http.get(f"{gateway.url}{RUN}/artifacts/large.json", headers=headers) as answer:
            assert "Content-Encoding" not in answer.headers
            assert answer.headers["ETag"] == '"3"'
            assert len(await answer.read()) > 1024


async def test_events_pass_at_once_and_uncompressed(
    http: aiohttp.ClientSession, upstreams: dict[str, Upstream]
) -> None:
    metrics = upstreams["metrics-service"]
    metrics.left.clear()
    headers = {"Accept-Encoding": "gzip, zstd", "Accept": "text/event-stream"}
    async with http.get(f"{RUN}/metrics/stream", headers=headers) as response:
        assert "Content-Encoding" not in response.headers
        for number in range(5):
            async with asyncio.timeout(5):
                event = [await response.content.readline() for _ in range(4)]
            assert event[0] == f"id: {number}\n".encode()
            metrics.next_event.set()
        response.close()
    metrics.next_event.set()
    async with asyncio.timeout(10):
        while metrics.viewers:
            metrics.next_event.set()
            await asyncio.sleep(0.05)


async def test_long_answers_are_compressed_and_their_etag_still_fits(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/api/v1/runs/large", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        etag = response.headers["ETag"]
        assert (await response.json())["text"].startswith("runbench")

    async with http.patch(RUN, headers={"If-Match": etag}) as response:
        seen = {name.lower(): value for name, value in (await response.json())["headers"]}
    assert seen["if-match"] == '"3"'


async def test_who_a_service_is_stays_unsaid(http: aiohttp.ClientSession) -> None:
    async with http.get(RUN) as response:
        assert "Server" not in response.headers
        assert "Via" not in response.headers
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_health_and_readiness(
    http: aiohttp.ClientSession, upstreams: dict[str, Upstream]
) -> None:
    async with http.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with http.get("/ready") as response:
        assert response.status == 200
        assert (await response.json())["dependencies"] == dict.fromkeys(SERVICES, "ok")

    upstreams["experiment-service"].ready = False
    try:
        async with http.get("/ready") as response:
            assert response.status == 503
            assert await response.json() == {
                "status": "not ready",
                "dependencies": {"experiment-service": "unreachable"},
            }
    finally:
        upstreams["experiment-service"].ready = True


async def test_a_service_that_is_away_is_a_problem_to_try_again(
    upstreams: dict[str, Upstream], tmp_path
) -> None:
    urls = {name: service.url for name, service in upstreams.items()}
    urls["auth-service"] = "http://127.0.0.1:1"
    gateway = await start_gateway(urls, tmp_path)
    try:
        async with aiohttp.ClientSession(gateway.url) as http:
            async with http.post("/auth/login", data=b"{}") as response:
                assert response.status == 502
                assert response.content_type == "application/problem+json"
                assert response.headers["Retry-After"]
                problem = await response.json(content_type=None)
                assert problem["type"] == "/problems/bad-gateway"
                assert problem["status"] == 502
            async with http.get("/ready") as response:
                assert response.status == 503
                assert (await response.json())["dependencies"] == {"auth-service": "unreachable"}
            async with http.get("/health") as response:
                assert response.status == 200
            async with http.get(RUN) as response:
                assert response.status == 200
    finally:
        await stop_gateway(gateway)


async def test_one_of_two_that_is_about_to_stop_gets_nothing_new(tmp_path: Path) -> None:
    leaving, staying = Upstream("leaving"), Upstream("staying")
    runners = [await leaving.start(), await staying.start()]
    urls = dict.fromkeys(SERVICES, f"{leaving.url} {staying.url}")
    gateway = await start_gateway(urls, tmp_path, HEALTH_CHECKS="on")
    try:
        async with aiohttp.ClientSession(gateway.url) as http:

            async def who_answers() -> str:
                async with http.get(RUN) as response:
                    return (await response.json())["service"]

            assert {await who_answers() for _ in range(50)} == {"leaving", "staying"}
            leaving.healthy = False
            async with asyncio.timeout(30):
                while {await who_answers() for _ in range(50)} != {"staying"}:
                    pass
            leaving.healthy = True
            async with asyncio.timeout(30):
                while "leaving" not in {await who_answers() for _ in range(50)}:
                    pass
    finally:
        await stop_gateway(gateway)
        for runner in runners:
            await runner.cleanup()


async def test_a_gateway_that_is_about_to_stop_says_so_and_goes_on_serving(tmp_path: Path) -> None:
    service = Upstream("behind")
    runner = await service.start()
    gateway = await start_gateway(
        dict.fromkeys(SERVICES, service.url), tmp_path, DRAIN_SEC="2", STOP_WITHIN_SEC="5"
    )
    try:
        async with aiohttp.ClientSession(gateway.url) as http:
            async with http.get("/health") as response:
                assert response.status == 200
            gateway.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(2):
                status = 200
                while status == 200:
                    async with http.get("/health") as response:
                        status = response.status
                        said = await response.json()
            assert (status, said) == (503, {"status": "draining"})
            async with http.get("/ready") as response:
                assert response.status == 503
            for path in (RUN, "/nowhere"):
                async with http.get(path) as response:
                    assert response.headers["Connection"] == "close"
        assert await asyncio.wait_for(gateway.process.wait(), 10) == 0
    finally:
        await stop_gateway(gateway)
        await runner.cleanup()


async def test_the_access_log_keeps_secrets_out(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": "Bearer log-secret-1", "Cookie": "a=log-secret-2"}
    async with http.get(f"{RUN}?token=log-secret-3", headers=headers) as response:
        request_id = response.headers["X-Request-Id"]
    lines = await gateway.lines_of(request_id)
    # Also where somebody takes a token for an id.
    async with http.get("/api/v1/sensors/rb_sensor_logsecret4_x/tokens") as response:
        (astray, *_) = await gateway.lines_of(response.headers["X-Request-Id"])
    assert "log-secret" not in json.dumps(gateway.log)
    assert "logsecret" not in json.dumps(gateway.log)
    assert astray["request"]["uri"] == "/api/v1/sensors//tokens"
    assert lines[0]["request"]["uri"] == RUN
    assert lines[0]["status"] == 200
    assert re.fullmatch(r"[0-9a-f]{32}", lines[0]["trace_id"])


async def test_what_it_counts_is_on_a_port_of_its_own_and_names_no_address(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{RUN}?token=metrics-secret"):
        pass
    async with http.get(f"http://127.0.0.1:{gateway.metrics_port}/metrics") as response:
        text = await response.text()
    assert 'caddy_http_request_duration_seconds_count{code="200"' in text
    assert RUN not in text
    assert "metrics-secret" not in text
    async with http.get("/metrics") as response:
        assert response.status == 404


async def test_the_admin_interface_is_off() -> None:
    process = await asyncio.create_subprocess_exec(
        caddy(),
        "adapt",
        "--config",
        "Caddyfile",
        cwd=GATEWAY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    assert json.loads(output)["admin"]["disabled"] is True


async def test_the_contract_and_its_page_come_from_here_alone(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/api/openapi.json") as response:
        assert response.content_type == "application/json"
        contract = await response.json()
    assert contract["openapi"].startswith("3.1")
    assert "/api/v1/runs/{run_id}/metrics" in contract["paths"]

    async with http.get("/api/asyncapi.json") as response:
        assert response.content_type == "application/json"
        assert "run.failed" in (await response.json())["channels"]

    async with http.get("/api/docs") as response:
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(linked) >= 5
    for address in linked:
        assert address.startswith("/api/")
        async with http.get(address) as response:
            assert response.status == 200, address
    async with http.post("/api/docs", data=b"") as response:
        assert response.status == 404


async def test_every_documented_path_is_routed(
    http: aiohttp.ClientSession, gateway: Gateway
) -> None:
    async with http.get("/api/openapi.json") as response:
        paths = (await response.json())["paths"]
    for path in paths:
        if path.endswith(("/stream", "/socket")):  # have tests of their own
            continue
        status, body = await gateway.get(re.sub(r"{\w+}", "0199aaaa", path))
        assert status == 200, (path, body)


@pytest.mark.parametrize("path", ["/", "/p/bench", "/p/bench/r/0199aaaa?tab=metrics"])
async def test_pages_are_found_at_the_portal(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path, allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Location"] == f"http://localhost:3000{path}"


@pytest.mark.parametrize("path", ["/p//evil.example/", "/p/%2f%2fevil.example", "/p", "//p/x"])
async def test_nobody_is_sent_elsewhere(gateway: Gateway, path: str) -> None:
    status, _ = await gateway.get(path)

    assert status in {400, 404}


async def test_a_stop_is_quick_even_with_open_streams(
    upstreams: dict[str, Upstream], tmp_path
) -> None:
    urls = {name: service.url for name, service in upstreams.items()}
    gateway = await start_gateway(urls, tmp_path)
    async with (
        aiohttp.ClientSession(gateway.url) as http,
        http.get(f"{RUN}/metrics/stream") as response,
    ):
        await response.content.readline()
        async with asyncio.timeout(8):
            await stop_gateway(gateway)
    assert gateway.process.returncode == 0
    upstreams["metrics-service"].next_event.set()


async def test_a_stop_is_quick_with_a_collector_that_never_answers(
    upstreams: dict[str, Upstream], tmp_path: Path
) -> None:
    image = (GATEWAY / "Dockerfile").read_text()
    told = dict(re.findall(r"\b(OTEL_BSP_\w+)=(\d+)", image))
    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:
        own = await start_gateway(
            {name: service.url for name, service in upstreams.items()},
            tmp_path,
            OTEL_TRACES_EXPORTER="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            **told,
        )
        async with aiohttp.ClientSession(own.url) as session:
            for _ in range(20):
                async with session.get(RUN) as response:
                    assert response.status == 200
        await stop_gateway(own)


async def test_a_sensor_s_socket_passes_frames_larger_than_a_body(
    http: aiohttp.ClientSession,
) -> None:
    async with http.ws_connect("/api/v1/telemetry/socket", max_msg_size=16 << 20) as socket:
        for size in (1, 4 << 20):
            await socket.send_bytes(bytes(size))
            assert len(await socket.receive_bytes(timeout=10)) == size


async def test_a_sensor_s_socket_stays_open_while_nothing_is_sent(
    http: aiohttp.ClientSession,
) -> None:
    """Longer than the gateway waits between two reads or writes of anything else."""
    async with http.ws_connect("/api/v1/telemetry/socket") as socket:
        echo = asyncio.create_task(socket.receive_bytes())  # who reads answers the pings
        await asyncio.sleep(22)
        assert not echo.done()
        await socket.send_bytes(b"here")
        async with asyncio.timeout(10):
            assert await echo == b"here"
