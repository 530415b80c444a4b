"""What deploy/observability asks of processes, and what a process says it has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from scripts.environment import ROOT

OBSERVABILITY = ROOT / "deploy" / "observability"
DASHBOARDS = sorted((OBSERVABILITY / "grafana" / "dashboards").glob("*.json"))
RULES = OBSERVABILITY / "rules.yml"
# Made by Prometheus itself for everything that it asks.
BUILT_IN = {"up"}
_CLAUSES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)")
_WORDS = re.compile(r"\b[a-z_0-9]+\s*\(|\b(?:and|or|unless|bool)\b")
_NAME = re.compile(r"\b[a-z_:][a-z0-9_:]*\b")
_FAMILY = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)


def names_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression reads."""
    bare = _WORDS.sub(" ", _CLAUSES.sub(" ", expression))
    return set(_NAME.findall(bare)) - BUILT_IN


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of the rules and dashboards, with where it stands."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield f"rule {rule['alert']}", rule["expr"]
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.name}: {panel['title']}", target["expr"]


def exported(text: str) -> set[str]:
    """The names of series that a process may have, by what its `/metrics` declares."""
    found: set[str] = set()
    for family, kind in _FAMILY.findall(text):
        match kind:
            case "histogram":
                found |= {f"{family}_bucket", f"{family}_sum", f"{family}_count"}
            case "summary":
                found |= {family, f"{family}_sum", f"{family}_count"}
            case _:
                found.add(family)
    return found


def promtool_arguments(folder: Path) -> list[list[str]]:
    """What promtool is asked, where a machine has it."""
    return [
        ["check", "rules", str(folder / "rules.yml")],
        ["check", "config", str(folder / "prometheus.yml")],
    ]
