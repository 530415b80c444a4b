"""The real gateway in front of three small services that tell what reached them."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_harness import SERVICES, Gateway, Upstream, start_gateway, stop_gateway


@pytest.fixture(scope="session")
async def upstreams() -> AsyncIterator[dict[str, Upstream]]:
    services = {name: Upstream(name) for name in SERVICES}
    runners = [await service.start() for service in services.values()]
    yield services
    for runner in runners:
        await runner.cleanup()


@pytest.fixture(scope="session")
async def gateway(
    upstreams: dict[str, Upstream], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    urls = {name: service.url for name, service in upstreams.items()}
    gateway = await start_gateway(urls, tmp_path_factory.mktemp("caddy"))
    yield gateway
    await stop_gateway(gateway)


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(gateway.url, timeout=timeout) as session:
        yield session
