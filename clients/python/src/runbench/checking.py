"""Whether runs keep to rules: `runbench.check("@latest", ["max(loss) <= baseline + 2%"])`."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from runbench import settings
from runbench.api import Api
from runbench.comparing import Given, ids_of
from runbench.reading import StoredRun

# As a line of text, or as the fields that the server has for it.
Rule: TypeAlias = str | Mapping[str, Any]


class BadRules(ValueError):
    """A file of rules that cannot be read; the message says why."""


class Verdict:
    """What came of each rule; true where all are kept. `data` is the whole answer of the server."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    @property
    def passed(self) -> bool:
        """Whether every run keeps to every rule."""
        return bool(self.data["passed"])

    @property
    def results(self) -> list[dict[str, Any]]:
        """One entry a run and rule: `run_id`, `rule`, `passed`, `value`, `limit`, `baseline`,
        `unit`, and `reason` where the numbers alone do not say why.
        """
        return cast("list[dict[str, Any]]", list(self.data["results"]))

    @property
    def missing(self) -> list[dict[str, Any]]:
        """What could not be read: which part, of which run, and why."""
        return cast("list[dict[str, Any]]", list(self.data.get("missing") or []))

    @property
    def unknown(self) -> bool:
        """Whether nothing is known to be broken, but something could not be read."""
        broken = [r for r in self.results if not r["passed"] and r.get("value") is not None]
        return not self.passed and not broken and bool(self.missing)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        kept = sum(bool(result["passed"]) for result in self.results)
        return f"<runbench verdict: {kept} of {len(self.results)} rules are kept>"


def check(
    runs: Given | Iterable[Given],
    rules: Iterable[Rule],
    *,
    project: str | None = None,
    baseline: Given | None = None,
) -> Verdict:
    """Hold runs against rules such as `last(val/acc) >= 0.9` or `max(loss) <= baseline + 2%`.

    runs, baseline: as in `compare`. Without a baseline each run's is that of its experiment. What
    is missing fails its rule, with the reason. Raises ApiError (also for what is no rule),
    Unreachable, LookupError for a run that is not there.
    """
    current = settings.load()
    given = [runs] if isinstance(runs, (str, StoredRun)) else list(runs)
    api = Api(current.url, current.token)
    return check_at(api, project or current.project, given, rules, baseline=baseline)


def check_at(
    api: Api,
    project: str | None,
    runs: list[Given],
    rules: Iterable[Rule],
    *,
    baseline: Given | None = None,
) -> Verdict:
    """`check` at this server."""
    body: dict[str, Any] = {"run_ids": ids_of(api, project, runs), "rules": list(rules)}
    if baseline is not None:
        body["baseline_run_id"] = ids_of(api, project, [baseline])[0]
    return Verdict(api.post("/api/v1/comparisons/evaluate", body))


class RuleFile(NamedTuple):
    """What a file of rules says: which run is the baseline, if any, and the rules."""

    baseline: str | None
    rules: list[Rule]


def read_rules(path: Path) -> RuleFile:
    """Rules from a file: TOML, JSON, or YAML where PyYAML is installed. Raises BadRules, OSError.

    `rules` lists lines of text, or tables with the fields that the server has for a rule;
    `baseline` names a run.
    """
    try:
        found = _parsed(path.read_text(encoding="utf-8"), path.suffix.lower())
    except ValueError as error:
        raise BadRules(f"{path}: {error}") from None
    known = cast("dict[str, Any]", found) if isinstance(found, dict) else {"rules": found}
    listed = known.get("rules")
    if not isinstance(listed, list) or not listed:
        raise BadRules(f"{path} has no list named rules")
    rules = cast("list[Any]", listed)
    wrong = next((rule for rule in rules if not isinstance(rule, (str, dict))), None)
    if wrong is not None:
        raise BadRules(f"{path}: {wrong!r} is no rule")
    unknown = known.keys() - {"rules", "baseline"}
    if unknown:
        raise BadRules(f"{path}: {sorted(unknown)[0]!r} has no meaning; rules and baseline have")
    baseline = known.get("baseline")
    return RuleFile(None if baseline is None else str(baseline), rules)


def _parsed(content: str, ending: str) -> object:
    if ending == ".json":
        return json.loads(content)
    if ending in (".yaml", ".yml"):
        import importlib  # noqa: PLC0415 - YAML alone needs a package

        try:
            yaml: Any = importlib.import_module("yaml")
        except ImportError:
            raise BadRules("reading YAML needs PyYAML; TOML and JSON do not") from None
        try:
            return yaml.safe_load(content)
        except yaml.YAMLError as error:
            raise BadRules(str(error)) from None
    return tomllib.loads(content)
