"""A comparison as a file."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from comparison_api import Api

EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def runs(api: Api) -> list[str]:
    experiment = await api.experiment(EVIL)
    runs = [
        await api.run(experiment, name=f"{EVIL} {n}", params={"lr": n / 10, "cmd": "=1+1", EVIL: n})
        for n in range(3)
    ]
    for n, run in enumerate(runs):
        await api.log(run, loss=[(0, 2.0), (5, 1.0 + n), (9, "NaN"), (10, 1e308 * (-1) ** n)])
    await api.file(runs[0], "a.txt", b"a")
    return runs


async def test_a_table_opens_in_a_spreadsheet_without_becoming_a_formula(
    api: Api, runs: list[str]
) -> None:
    text = await api.compare("export", format="csv", run_ids=runs)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[1][2:] == runs
    by_key = {(row[0], row[1]): row[2:] for row in rows}
    assert by_key["params", "lr"] == ["0.0", "0.1", "0.2"]
    assert by_key["params", "cmd"] == ["'=1+1"] * 3
    assert by_key["metrics.last", "loss"][0] == "1e+308"
    assert by_key["artifacts.sha256", "a.txt"][1:] == ["", ""]


async def test_json_has_everything(api: Api, runs: list[str]) -> None:
    answer = await api.compare("export", format="json", run_ids=runs, metrics=["loss"], title="T")
    answer = json.loads(answer) if isinstance(answer, str) else answer
    assert answer["title"] == "T"
    assert len(answer["comparison"]["runs"]) == 3
    assert answer["series"]["metrics"][0]["x"] == [0, 5, 9, 10]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "onload"}]


@pytest.mark.parametrize("group_by", [None, [], ["lr"]])
async def test_a_report_needs_nothing_beside_it_and_runs_nothing(
    api: Api, runs: list[str], group_by: list[str] | None
) -> None:
    text = await api.compare(
        "export",
        format="html",
        run_ids=runs,
        metrics=["loss", "gone"],
        title=EVIL,
        notes=EVIL,
        group_by=group_by,
        baseline_run_id=runs[0],
    )
    reader = Reader()
    reader.feed(text)
    assert "script" not in reader.tags
    assert reader.links == []
    assert reader.tags.count("svg") == 1
    assert "No run has a finite value." in text
    assert "nan" not in text.partition("<svg")[2].partition("</svg>")[0]
    assert "&lt;script&gt;" in text
    assert "@media print" in text
    assert text.count(" (baseline)") == 1
    assert text.partition("<h2>Metrics")[0].count('class="key"') == 3


async def test_a_report_says_what_is_missing_and_outsiders_get_none(
    api: Api, runs: list[str]
) -> None:
    await api.stack.relays["artifact"].stop()
    text = await api.compare("export", format="html", run_ids=runs)
    assert "artifact-service does not answer" in text
    await api.compare("export", as_="outsider", status=404, format="html", run_ids=runs)
    await api.compare("export", status=422, format="pdf", run_ids=runs)
