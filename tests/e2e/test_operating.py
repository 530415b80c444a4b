"""Being told, telling others, and finding who did what: notifications, webhooks, the audit."""

import base64
import csv
import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect
from servicekit.testing.postbox import Postbox
from support.serving import QuietHandler, serving

from scripts.environment import ADMIN_EMAIL, DEMO_PASSWORD
from scripts.stack import Stack

PASSWORD = "correct-horse-battery-9"


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=15_000)


class Bench:
    """An owner with a project, an experiment and a sensor, as programs see it."""

    def __init__(self, gateway_url: str, name: str = "Olga") -> None:
        self.http = httpx.Client(base_url=gateway_url, timeout=30)
        self.email = f"{name.lower()}-{uuid4().hex[:8]}@example.org"
        session = self.post("/auth/register", email=self.email, password=PASSWORD, name=name)
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"
        self.user_id = session["user"]["id"]
        self.project = self.post("/api/v1/projects", name=f"Operated {uuid4().hex[:6]}")
        self.path = f"/api/v1/projects/{self.project['id']}"
        self.page = f"/p/{self.project['slug']}"
        self.experiment = self.post(f"{self.path}/experiments", name="Digits")["id"]

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def run(self, name: str) -> str:
        """A run that is going on; its id."""
        path = f"/api/v1/experiments/{self.experiment}/runs"
        return self.post(path, name=name, status="running")["id"]

    def end(self, run_id: str, status: str) -> None:
        self.http.patch(f"/api/v1/runs/{run_id}", json={"status": status}).raise_for_status()


@pytest.fixture
def bench(stack: Stack) -> Bench:
    return Bench(stack.gateway_url)


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: not url.endswith("/login"))


async def choose(page: Page, where: Page | Locator, label: str, option: str) -> None:
    await where.get_by_role("combobox", name=label).click()
    await page.get_by_role("option", name=option, exact=True).locator("visible=true").click()


async def test_a_person_is_told_by_mail_of_what_they_chose(
    page: Page, bench: Bench, box: Postbox
) -> None:
    signals = [{"name": "temperature", "input_unit": "V", "display_unit": "V"}]
    sensor = bench.post(f"{bench.path}/sensors", name="owl-inlet", signals=signals)
    run = bench.run("night-owl")
    await sign_in(page, bench.email)

    await page.goto(f"{bench.page}/notifications")
    await page.get_by_label("A run succeeds").check()
    await page.get_by_label("A sensor crosses a limit").check()
    await page.get_by_label("Only where the name has in it").fill("heron")
    await page.get_by_role("button", name="Tell me").click()
    rule = page.get_by_role("group", name=re.compile("A run succeeds"))
    await expect(rule).to_contain_text("Only: my own runs, names with “heron” in them")
    await rule.get_by_role("button", name="Edit").click()
    await rule.get_by_label("A metric crosses a limit").check()
    await rule.get_by_label("Only where the name has in it").fill("owl")
    await choose(page, rule, "Language of the mail", "Русский")
    await rule.get_by_role("button", name="Save").click()
    await expect(rule).to_contain_text("A metric crosses a limit")
    await expect(rule).to_contain_text("names with “owl” in them")

    limits = page.get_by_role("region", name="Limits on metrics")
    await limits.get_by_label("Metric").fill("loss")
    await limits.get_by_label("Limit", exact=True).fill("2.5")
    await limits.get_by_role("button", name="Set limit").click()
    await expect(limits.get_by_text("loss > 2.5")).to_be_visible()
    await page.goto(f"{bench.page}/sensors/{sensor['id']}")
    limits = page.get_by_role("region", name="Limits")
    await limits.get_by_label("Limit", exact=True).fill("80")
    await limits.get_by_role("button", name="Set limit").click()
    await expect(limits.get_by_text("temperature > 80")).to_be_visible()

    bench.post(
        f"/api/v1/runs/{run}/metrics", series=[{"key": "loss", "step": [0, 1], "value": [1.0, 3.0]}]
    )
    bench.end(run, "succeeded")

    await page.goto(f"{bench.page}/notifications")
    log = page.get_by_role("table", name="What you were told of")
    for event in ("A run succeeds", "A metric crosses a limit"):
        await expect(log.get_by_role("row", name=f"{event} night-owl Sent")).to_be_visible()
    crossed = log.get_by_role("row", name="A sensor crosses a limit owl-inlet Sent").first
    await _send_until(crossed, bench, sensor["token"])
    mails = [mail for mail in box.mails if mail["To"] == bench.email]
    bodies = [mail.get_body(("plain",)) for mail in mails]
    text = "\n".join(str(body.get_content()) for body in bodies if body)
    assert "Вы получили" in text
    assert f"{bench.page}/r/{run}" in text
    assert f"{bench.page}/sensors/{sensor['id']}" in text
    assert "loss" in text
    assert "95" in text

    await rule.get_by_role("button", name="Delete").click()
    await rule.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("You are told of nothing yet")).to_be_visible()
    await expect(page.get_by_text("Nothing was sent yet")).to_be_visible()


async def _send_until(told: Locator, bench: Bench, token: str) -> None:
    """Readings that cross the limit, some times: one counts from the first look at it on."""
    for _ in range(4):
        now = time.time_ns() // 1000
        readings = {"signal": "temperature", "t": [now - 1000, now], "v": [60.0, 95.0]}
        bench.http.post(
            "/api/v1/telemetry",
            json={"series": [readings]},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        try:
            return await expect(told).to_be_visible(timeout=8_000)
        except AssertionError:
            continue
    raise AssertionError("nobody was told that the limit was crossed")


class Receiver:
    """Whoever listens behind a webhook, and how they answer."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        self.calls: list[tuple[dict[str, str], bytes]] = []

    def signed(self, call: int, secret: str) -> bool:
        """Whether a signature of that call is by this secret."""
        headers, body = self.calls[call]
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
        return f"v1,{wanted}" in headers["webhook-signature"].split()


@contextmanager
def receiver() -> Generator[Receiver]:
    """Listen on a free port until the block ends."""
    made = Receiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - by the name that http.server looks for
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.calls.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(made.status)
            self.end_headers()

    with serving(Handler) as url:
        made.url = f"{url}/hook"
        yield made


async def kept_secret(page: Page) -> str:
    """The secret that is shown this once; afterwards nothing shows it."""
    shown = page.get_by_text(re.compile(r"^\s*whsec_\S+\s*$"))
    await expect(shown).to_be_visible()
    secret = ((await shown.text_content()) or "").strip()
    await page.get_by_role("button", name="Done, I have kept it").click()
    await page.reload()
    await expect(page.get_by_role("region", name="CI")).to_be_visible()
    assert "whsec_" not in await page.content()
    return secret


async def test_a_webhook_is_made_tried_watched_and_given_another_secret(
    page: Page, bench: Bench
) -> None:
    with receiver() as ci:
        await sign_in(page, bench.email)
        await page.goto(f"{bench.page}/webhooks")
        await page.get_by_label("Name").fill("CI")
        await page.get_by_label("Address").fill(ci.url)
        await page.get_by_role("button", name="Add webhook").click()
        first = await kept_secret(page)
        hook = page.get_by_role("region", name="CI")

        ci.status = 503
        await hook.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_text("The test was not delivered to “CI”")).to_be_visible()
        assert ci.signed(0, first)
        await hook.get_by_role("button", name="Show deliveries").click()
        log = hook.get_by_role("table", name="Deliveries of CI")
        await expect(log.get_by_role("row", name=re.compile("Answered 503"))).to_be_visible()
        ci.status = 204
        await log.get_by_role("button", name="Details").click()
        await hook.get_by_role("button", name="Send again").click()
        await expect(
            log.get_by_role("row", name=re.compile("Delivered Answered 204"))
        ).to_be_visible()
        assert ci.calls[1][0]["webhook-id"] == ci.calls[0][0]["webhook-id"]
        assert ci.calls[1][1] == ci.calls[0][1]

        await hook.get_by_role("button", name="New secret").click()
        await choose(page, hook, "The old one goes on signing", "no more: it is known to others")
        await hook.get_by_role("button", name="New secret").click()
        second = await kept_secret(page)
        await hook.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_text("The test was delivered to “CI”")).to_be_visible()
        assert ci.signed(2, second)
        assert not ci.signed(2, first)

        await hook.get_by_role("button", name="Pause").click()
        await expect(hook.get_by_text("Paused")).to_be_visible()
        bench.end(bench.run("owl"), "failed")
        await hook.get_by_role("button", name="Show deliveries").click()
        await expect(
            log.get_by_role("row", name=re.compile("run.failed On its way"))
        ).to_be_visible()
        assert len(ci.calls) == 3  # the tests alone
        await hook.get_by_role("button", name="Go on").click()
        await expect(
            log.get_by_role("row", name=re.compile("run.failed Delivered"))
        ).to_be_visible()
        assert json.loads(ci.calls[3][1])["subject"]["name"] == "owl"

        await hook.get_by_role("button", name="Delete").click()
        await hook.get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("No webhook yet")).to_be_visible()


async def taken(page: Page, kind: str) -> str:
    """What the export of this kind holds."""
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name=kind).click()
    return _read(await (await download.value).path())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


async def shown(page: Page) -> list[str]:
    """The codes of the actions in the table, from top to bottom."""
    cells = page.get_by_role("table", name="Audit").locator("tbody span[title]")
    return [await cell.get_attribute("title") or "" for cell in await cells.all()]


async def compare_files(page: Page) -> None:
    """Both files hold what the table shows; that the first was taken stands in the second."""
    lines = (await taken(page, "JSON Lines, for programs")).splitlines()
    listed = [json.loads(line) for line in lines]
    rows = list(csv.DictReader(io.StringIO(await taken(page, "CSV, for spreadsheets"))))
    actions = [action for action in await shown(page) if action != "audit.export"]
    assert actions
    assert [row["action"] for row in listed if row["action"] != "audit.export"] == actions
    assert [row["at"] for row in listed] == [row["at"] for row in rows[1:]]
    assert [row["action"] for row in rows] == ["audit.export", *(row["action"] for row in listed)]


async def test_what_was_done_is_found_opened_and_taken_along(
    page: Page, context: BrowserContext, bench: Bench
) -> None:
    editor = Bench(str(bench.http.base_url), "Ed")
    path = f"{bench.path}/members/{editor.user_id}"
    bench.http.put(path, json={"role": "editor"}).raise_for_status()
    name = f"owl-{uuid4().hex[:6]}"
    run, theirs = bench.run(name), bench.run("heron")
    editor.http.patch(f"/api/v1/runs/{theirs}", json={"status": "failed"}).raise_for_status()
    bench.end(run, "failed")

    await sign_in(page, bench.email)
    await page.goto(f"{bench.page}/audit")
    table = page.get_by_role("table", name="Audit")
    await choose(page, page, "Which actions", "Run failed")
    await expect(table.get_by_role("row")).to_have_count(3)
    row = table.get_by_role("row").filter(has_text=name)
    await expect(row).to_contain_text("Run failed")
    await row.locator("summary").click()
    await expect(row.get_by_text("trace_id")).to_be_visible()
    await expect(table.get_by_text("run heron")).to_be_visible()
    await row.get_by_role("button", name="All by this actor").click()
    await expect(page.get_by_text("By Olga")).to_be_visible()
    await expect(table.get_by_text("run heron")).to_have_count(0)
    await page.get_by_label("Show all actions").click()
    await expect(table.get_by_text("Member added or role changed")).to_be_visible()
    assert "run.started" in await shown(page)
    await compare_files(page)

    await page.get_by_label("From").fill("2999-01-01")
    await expect(page.get_by_text("Nothing fits the filters")).to_be_visible()
    await page.get_by_role("button", name="Show everything").click()
    await row.first.locator("summary").click()
    await row.first.get_by_role("link", name="Open this run").click()
    await expect(page).to_have_url(re.compile(f"{bench.page}/r/{run}"))

    await context.clear_cookies()
    await sign_in(page, ADMIN_EMAIL, DEMO_PASSWORD)
    await page.goto("/admin/audit")
    await page.get_by_label("Text in the audit").fill(name)
    await page.keyboard.press("Enter")
    await expect(table.get_by_role("row")).to_have_count(3)
    assert set(await shown(page)) == {"run.started", "run.failed"}
    await compare_files(page)
    # An administrator is no member there, and is not led to where they are not let in.
    await row.first.locator("summary").click()
    await expect(row.first.get_by_role("button", name="All about this run")).to_be_visible()
    await expect(row.first.get_by_role("link", name="Open this run")).to_have_count(0)
