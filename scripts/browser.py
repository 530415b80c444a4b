"""Where a Chromium for the tests is: named by `CHROMIUM`, the machine's, or Playwright's."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HOW_TO_GET = "`apt-get install chromium`, or `.nox/whole/bin/playwright install chromium`"


def chromium() -> str | None:
    """Path of a browser that can be started, None when there is none."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if MAC.exists():
        return str(MAC)
    caches = (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright")
    patterns = (
        "chromium-*/chrome-linux*/chrome",
        "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/*",
    )
    for cache in caches:
        for pattern in patterns:
            if downloaded := sorted(cache.glob(pattern)):
                return str(downloaded[-1])
    return None
