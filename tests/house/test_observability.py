"""Rules, dashboards and the page about them: they can be read, and they know of each other."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support.figures import (
    DASHBOARDS,
    OBSERVABILITY,
    RULES,
    expressions,
    names_in,
    promtool_arguments,
)

from scripts.environment import DATABASES, ROOT, USUAL_PORTS

PAGE = (ROOT / "docs" / "operating" / "observability.md").read_text()
DECLARED = re.compile(
    r'(?:Counter|Gauge|Histogram)\(\s*(?:name: )?"([a-z_]+)"|name: \'([a-z_]+)\',\n\s+help:'
)


def test_prometheus_asks_every_process_on_the_port_that_it_has() -> None:
    jobs = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]
    asked: dict[str, list[str]] = {
        target["labels"]["process"]: target["targets"] for target in jobs[0]["static_configs"]
    }
    ports = {name: USUAL_PORTS[name] for name in (*DATABASES, "auth-proxy")}
    ports["api-gateway"] = USUAL_PORTS["gateway-metrics"]
    assert asked == {name: [f"{name}:{port}"] for name, port in ports.items()}
    collector = yaml.safe_load((OBSERVABILITY / "collector.yaml").read_text())
    scraped = collector["receivers"]["prometheus"]["config"]["scrape_configs"][0]
    everybody = [target for targets in asked.values() for target in targets]
    assert sorted(scraped["static_configs"][0]["targets"]) == sorted(everybody)


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["action"]
            assert f"`{rule['alert']}`" in PAGE


def test_dashboards_have_ids_of_their_own_and_panels_beside_each_other() -> None:
    documents = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({document["uid"] for document in documents}) == len(documents) == 7
    for document in documents:
        places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in document["panels"]}
        assert len(places) == len(document["panels"])


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_an_expression_is_closed_and_reads_something(place: str, expression: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing), place
    assert names_in(expression) or "up" in expression, place


def test_the_page_lists_every_metric_that_is_ours() -> None:
    sources = [
        *ROOT.glob("libs/*/src/**/*.py"),
        *ROOT.glob("services/*/src/**/*.py"),
        ROOT / "services" / "auth-proxy" / "src" / "metrics.ts",
    ]
    declared = {
        python or typescript
        for source in sources
        for python, typescript in DECLARED.findall(source.read_text())
    }
    assert len(declared) > 40
    missing = {name for name in declared if not re.search(rf"`{name}(_total)?[`{{]", PAGE)}
    assert not missing, "docs/operating/observability.md does not list them"


def test_the_files_of_prometheus_are_there_and_promtool_finds_nothing_wrong() -> None:
    for arguments in promtool_arguments(OBSERVABILITY):
        assert Path(arguments[-1]).is_file()
        if not shutil.which("promtool"):  # no wheel brings it; where it is, it has the last word
            continue
        done = subprocess.run(["promtool", *arguments], capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
