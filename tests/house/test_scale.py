"""The page about growing tells the figures that follow from what was measured."""

from benchmarks.scale import RUNS, SENSORS, table
from scripts.environment import ROOT


def test_the_tables_of_the_page_are_those_that_are_computed() -> None:
    page = (ROOT / "docs" / "operating" / "scale.md").read_text()
    for rows, what in ((SENSORS, "sensors"), (RUNS, "runs")):
        assert table(rows, what) in page
