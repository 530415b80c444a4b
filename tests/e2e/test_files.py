"""The files of a run: uploaded, looked at safely, approved, and fetched as they were."""

import hashlib
import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pytest
from playwright.async_api import Page, Request, expect
from pyarrow import parquet

from scripts.environment import ROOT
from scripts.stack import Stack

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "correct-horse-battery-9"
# What a page or a drawing would do if it could: tell the page that shows it, and call out.
CALL = "top.stolen = 1; parent.stolen = 1; fetch('/api/v1/projects?stolen'); new Image().src = "
SCRIPT = f"<script>{CALL}'/stolen.png'</script>"
PAGE = f"<h1>Report</h1>{SCRIPT}<img src='/stolen.png' onerror='top.stolen = 2'>"
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40" onload="top.stolen = 3">'
    f"{SCRIPT}<rect width='80' height='40' fill='teal'/>"
    '<image href="/stolen.png"/></svg>'
)


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=30_000)


class Bench:
    """An owner with a run, and an editor who may not vouch for what is in it."""

    def __init__(self, gateway_url: str) -> None:
        self.http = httpx.Client(base_url=gateway_url, timeout=60)
        self.email, token, _owner_id = self.person("Olga")
        self.editor, _token, editor_id = self.person("Ed")
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.project = self.post("/api/v1/projects", {"name": f"Files {uuid4().hex[:6]}"})
        path = f"/api/v1/projects/{self.project['id']}/experiments"
        experiment = self.post(path, {"name": "Digits"})
        member = f"/api/v1/projects/{self.project['id']}/members/{editor_id}"
        self.http.put(member, json={"role": "editor"}).raise_for_status()
        runs = f"/api/v1/experiments/{experiment['id']}/runs"
        self.run, self.later = (self.post(runs, {"name": name}) for name in ("owl", "finch"))
        self.page = f"/p/{self.project['slug']}/r/{self.run['id']}?tab=artifacts"

    def person(self, name: str) -> tuple[str, str, str]:
        email = f"{name.lower()}-{uuid4().hex[:8]}@example.org"
        session = self.post("/auth/register", {"email": email, "password": PASSWORD, "name": name})
        return email, session["access_token"], session["user"]["id"]

    def post(self, path: str, body: object) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


def write(folder: Path) -> dict[str, bytes]:
    """The files that are dropped, by their path in the run."""
    table = io.BytesIO()
    parquet.write_table(pa.table({"step": range(250), "loss": [n / 7 for n in range(250)]}), table)
    contents = {
        "report.html": PAGE.encode(),
        "drawing.svg": DRAWING.encode(),
        "losses.parquet": table.getvalue(),
        "notes.md": b"# Kept\n\n<img src=x onerror='window.stolen = 4'> *with care*",
        "weights.bin": bytes(range(256)) * 400,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return contents


async def sign_in(page: Page, email: str) -> None:
    await page.goto("/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: not url.endswith("/login"))


async def drop(page: Page, *files: Path) -> None:
    """Files from outside the browser, as the machine's own drag and drop hands them over."""
    box = await page.get_by_role("region", name="Files of the run").bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    session = await page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})
    await session.detach()


async def without_violations(page: Page) -> None:
    await page.evaluate(AXE.read_text())  # the page's policy allows no script from outside
    found = await page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], iframes: false})"
        ".then(({violations}) => violations"
        ".filter(({impact}) => impact === 'serious' || impact === 'critical')"
        ".map(({id, nodes}) => `${id}: ${nodes[0].html}`))"
    )
    assert found == []


async def test_files_are_uploaded_looked_at_approved_and_fetched_as_they_were(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    bench = Bench(stack.gateway_url)
    contents = write(tmp_path)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - a built-in takes no mark
    await sign_in(page, bench.email)
    await page.goto(bench.page)
    await expect(page.get_by_text("No files yet")).to_be_visible()

    await drop(page, *(tmp_path / name for name in contents))
    await expect(page.get_by_text("5 of 5 files are stored")).to_be_visible()
    await page.get_by_role("button", name="Clear the list").click()
    items = page.get_by_role("treeitem")
    await expect(items).to_have_count(5)

    await items.filter(has_text="report.html").click()
    await expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Report")
    await items.filter(has_text="drawing.svg").click()
    drawing = page.get_by_role("img", name="drawing.svg")
    await expect(drawing).to_be_visible()
    assert await drawing.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 80
    await items.filter(has_text="notes.md").click()
    await expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    assert await page.evaluate("window.stolen") is None
    # What the policy stops goes nowhere, but now and then the browser still tells of it.
    assert not [one.url for one in asked if "stolen" in one.url and one.failure != "csp"]

    await items.filter(has_text="losses.parquet").click()
    await expect(page.get_by_text("Rows 1 to 100 of 250.")).to_be_visible()
    await page.get_by_role("button", name="Further rows").click()
    await expect(page.get_by_role("cell", name="199", exact=True)).to_be_visible()

    # By keys alone: to the last file, and into what is said of it.
    await page.get_by_role("tree").focus()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="weights.bin")).to_be_visible()
    await page.get_by_role("button", name="Approve this content").click()
    await page.get_by_label("A note, if you like").fill("checked")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Olga approved this content")).to_be_visible()
    marked = items.filter(has_text="weights.bin").get_by_role("img", name="Approved")
    await expect(marked).to_be_visible()
    digest = hashlib.sha256(contents["weights.bin"]).hexdigest()
    await expect(page.get_by_title(digest)).to_be_visible()
    await without_violations(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download", exact=True).click()
    assert (await (await download.value).path()).read_bytes() == contents["weights.bin"]

    async with page.expect_download() as download:
        await page.get_by_role("link", name="All as zip").click()
    with zipfile.ZipFile(await (await download.value).path()) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents


async def test_an_editor_sees_an_approval_but_neither_gives_nor_withdraws_one(
    page: Page, stack: Stack
) -> None:
    bench = Bench(stack.gateway_url)
    run = f"/api/v1/runs/{bench.run['id']}/artifacts"
    for name in ("good.txt", "open.txt"):
        bench.http.put(f"{run}/{name}", content=name.encode()).raise_for_status()
    items = bench.http.get(run).json()["items"]
    good = next(one for one in items if one["path"] == "good.txt")
    approval = {"sha256": good["sha256"], "note": "by hand"}
    bench.http.put(f"/api/v1/artifacts/{good['id']}/approval", json=approval).raise_for_status()
    await sign_in(page, bench.editor)
    await page.goto(f"{bench.page}&file=good.txt")

    await expect(page.get_by_text("Olga approved this content")).to_be_visible()
    await expect(page.get_by_text("by hand")).to_be_visible()
    await expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
    await page.get_by_role("treeitem").filter(has_text="open.txt").click()
    await page.get_by_role("button", name="Describe it").click()
    await page.get_by_label("Description").fill("what Ed knows")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("what Ed knows")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve this content")).to_have_count(0)


async def test_what_a_run_used_stands_at_both_ends(page: Page, stack: Stack) -> None:
    bench = Bench(stack.gateway_url)
    run = f"/api/v1/runs/{bench.run['id']}/artifacts"
    bench.http.put(f"{run}/data/train.csv", content=b"a,b\n1,2\n").raise_for_status()
    kept = bench.http.get(run, params={"prefix": "data"}).json()["items"][0]
    used = f"/api/v1/runs/{bench.later['id']}/inputs/{kept['id']}"
    bench.http.put(used, json={"role": "training"}).raise_for_status()
    await sign_in(page, bench.email)
    await page.goto(f"{bench.page}&file=data%2Ftrain.csv")

    await page.get_by_role("link", name="finch").click()
    await page.get_by_role("tab", name="Artifacts").click()

    inputs = page.get_by_role("table", name="Inputs")
    await expect(inputs.get_by_text("data/train.csv")).to_be_visible()
    await expect(inputs.get_by_text("training")).to_be_visible()
    await inputs.get_by_role("link", name="owl").click()
    await expect(page.get_by_role("heading", name="owl")).to_be_visible()


async def test_a_large_file_goes_in_parts_and_arrives_whole_over_a_connection_that_breaks(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    bench = Bench(stack.gateway_url)
    content = bytes(range(256)) * (280 << 10)  # 70 MiB
    (tmp_path / "large.bin").write_bytes(content)
    asked: Counter[str] = Counter()
    page.on("request", lambda one: asked.update([f"{one.method} {one.url.rsplit('/', 1)[1]}"]))
    await page.route("**/parts/2", lambda route: route.abort("connectionreset"), times=1)
    await sign_in(page, bench.email)
    await page.goto(bench.page)

    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Upload files").click()
    await (await chooser.value).set_files([tmp_path / "large.bin"])
    await expect(page.get_by_text("1 of 1 files are stored")).to_be_visible(timeout=120_000)

    assert asked["POST uploads"] == 1
    assert asked["PUT 1"]
    assert asked["PUT 2"] > 1  # the part whose connection broke
    answer = bench.http.get(f"/api/v1/runs/{bench.run['id']}/artifacts", params={"prefix": ""})
    (entry,) = answer.json()["items"]
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
