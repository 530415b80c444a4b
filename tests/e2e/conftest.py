"""A real Chromium for the journeys. Tests here are `async def`: they share pytest's event loop."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from servicekit.testing.postbox import Postbox, postbox

from scripts.environment import ROOT
from scripts.stack import Stack
from scripts.stack import stack as running_stack
from tests.support.browser import chromium

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PICTURES = ROOT / "test-results"


@pytest.fixture(scope="session")
async def box() -> AsyncIterator[Postbox]:
    """Where mails of the stack go, everybody's."""
    async with postbox() as made:
        yield made


@pytest.fixture(scope="session")
def stack(box: Postbox) -> Iterator[Stack]:
    """All of Runbench, with a mail server, and webhooks that may call this machine."""
    told = {"SMTP_URL": box.url, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with running_stack(told) as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; a missing one is an error where CI is set, else a skip."""
    program = chromium()
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=flags)
        yield started
        await started.close()


@pytest.fixture
async def context(browser: Browser, stack: Stack) -> AsyncIterator[BrowserContext]:
    """A fresh profile, in English, on a desktop screen; relative addresses are the portal's."""
    made = await browser.new_context(
        base_url=stack.portal_url,
        locale="en-GB",
        timezone_id="UTC",
        viewport={"width": 1440, "height": 900},
    )
    made.set_default_timeout(30_000)
    yield made
    await made.close()


@pytest.fixture
async def page(context: BrowserContext, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """One tab; a picture of it is kept in test-results/ when the test fails."""
    tab = await context.new_page()
    yield tab
    if request.session.testsfailed:
        PICTURES.mkdir(exist_ok=True)
        name = "".join(one if one.isalnum() else "-" for one in request.node.name)
        await tab.screenshot(path=PICTURES / f"{name}.png", full_page=True)
