"""The sum of all test reports, the last lines of a test run.

`python -m scripts.tally FOLDER SECONDS`
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Tally:
    """How one suite, or all of them, went."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
        )


def read(report: Path) -> Tally:
    """Count the cases of a JUnit report; one that cannot be read counts as a failure."""
    try:
        root = ElementTree.parse(report).getroot()  # noqa: S314 - our own tools have just written it
    except ElementTree.ParseError:
        return Tally(failed=1)
    cases = list(root.iter("testcase"))
    failed = sum(
        1 for case in cases if any(case.find(tag) is not None for tag in ("failure", "error"))
    )
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    seconds = sum(float(case.get("time") or 0) for case in cases)
    return Tally(len(cases) - failed - skipped, failed, skipped, seconds)


def main(arguments: list[str]) -> int:
    """Print one line a suite and the sum."""
    folder, seconds = Path(arguments[0]), float(arguments[1])
    tallies = {report.stem: read(report) for report in sorted(folder.glob("*.xml"))}
    total = sum(tallies.values(), Tally())
    lines = [
        f"{name:<18}{one.passed:>6} passed{one.failed:>5} failed{one.skipped:>5} skipped"
        f"{one.seconds:>9.1f} s"
        for name, one in tallies.items()
    ]
    # In the words of pytest, which tools that read the end of a test run know.
    counts = [f"{total.failed} failed"] if total.failed else []
    counts.append(f"{total.passed} passed")
    counts += [f"{total.skipped} skipped"] if total.skipped else []
    lines.append(f"{'=' * 10} {', '.join(counts)} in {seconds:.2f}s {'=' * 10}")
    text = "\n".join(lines)
    print(text, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.txt").write_text(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
