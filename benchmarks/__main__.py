"""`python -m benchmarks [PART …] [--quick] [--json F]`; the parts are those of `PARTS`."""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks import artifacts, comparison, metrics, search, store, telemetry, viewers
from benchmarks.database import database_server, describe
from benchmarks.machine import conditions
from benchmarks.report import Report
from scripts.environment import ROOT

HOME = ROOT / ".nox" / "benchmarks"
PARTS = ("store", "search", "metrics", "telemetry", "viewers", "comparison", "artifacts")


def main() -> None:
    """Run the parts that were asked for, all by default."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer runs and points, in 3 minutes")
    parser.add_argument("--json", type=Path, default=HOME / "latest.json", help="where figures go")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # would double every start
    uvloop.install()
    began = time.monotonic()
    HOME.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=HOME, ignore_cleanup_errors=True) as home,
        database_server(Path(home) / "postgres") as cluster,
    ):
        report = Report(conditions(*describe(cluster)))
        for name, value in report.conditions.items():
            print(f"{name}: {value}")
        tables: list[str] = []
        if not asked.part or "store" in asked.part:
            store.run(cluster, store.QUICK if asked.quick else store.Sizes(), report)
            tables += [report.table(store.SYSTEMS, store.STORE), report.bars(store.BARS)]
        if not asked.part or "search" in asked.part:
            searched = search.QUICK if asked.quick else search.Sizes()
            search.run(cluster, searched, report)
            tables += [report.table(search.SYSTEMS, search.RUNBENCH)]
            tables += [report.bars(search.bars(searched))]
        if not asked.part or "metrics" in asked.part:
            sizes = metrics.QUICK if asked.quick else metrics.Sizes()
            metrics.run(cluster, Path(home), sizes, report)
            tables += [report.table(metrics.SYSTEMS, metrics.RUNBENCH)]
            tables += [report.bars(metrics.bars(sizes))]
        if not asked.part or "telemetry" in asked.part:
            sizes = telemetry.QUICK if asked.quick else telemetry.Sizes()
            telemetry.run(cluster, Path(home), sizes, report)
            tables += [report.table(telemetry.SYSTEMS, telemetry.RUNBENCH)]
            tables += [report.bars(telemetry.BARS)]
        if not asked.part or "viewers" in asked.part:
            viewers.run(cluster, viewers.QUICK if asked.quick else viewers.Sizes(), report)
            tables += [report.table(viewers.SYSTEMS, viewers.RUNBENCH)]
            tables += [report.bars(viewers.BARS)]
        if not asked.part or "comparison" in asked.part:
            compared = comparison.QUICK if asked.quick else comparison.Sizes()
            comparison.run(cluster, compared, report)
            tables += [report.table(comparison.SYSTEMS, comparison.RUNBENCH)]
            tables += [report.bars(comparison.bars(compared))]
        if not asked.part or "artifacts" in asked.part:
            sizes = artifacts.QUICK if asked.quick else artifacts.Sizes()
            artifacts.run(cluster, Path(home), sizes, report)
            tables += [report.table(artifacts.SYSTEMS, artifacts.RUNBENCH)]
            tables += [report.bars(artifacts.BARS)]
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(report.as_json(), indent=2))
    print("\n", "\n\n".join(tables), sep="")
    print(f"\n{time.monotonic() - began:.0f} s; all figures: {asked.json}")


if __name__ == "__main__":
    main()
