"""The house keeps its order: the same rooms everywhere, locks without strangers, docs that hold."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent for path in ROOT.glob("services/*-service/pyproject.toml"))
ROOMS = ("app.py", "settings.py", "errors.py", "__main__.py", "models", "routes", "operations")
BESIDE = ("README.md", ".env.example", "migrations", "schema.sql", "src", "tests")


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_has_the_same_rooms(service: Path) -> None:
    inside = service / "src" / service.name.replace("-", "_")

    missing = [name for name in BESIDE if not (service / name).exists()]
    missing += [name for name in (*ROOMS, "queries") if not (inside / name).exists()]
    assert not missing


def test_the_locks_name_public_registries_alone() -> None:
    uv_lock = (ROOT / "uv.lock").read_text()
    hosts = set(re.findall(r'(?:registry|url) = "https?://([^/"]+)', uv_lock))
    npm_lock = (ROOT / "package-lock.json").read_text()
    npm_hosts = set(re.findall(r'"resolved": "https?://([^/"]+)', npm_lock))

    assert hosts <= {"pypi.org", "files.pythonhosted.org"}
    assert npm_hosts <= {"registry.npmjs.org"}


# Below these, the parts that face the network have published weaknesses.
FLOORS = {
    "aiohttp": (3, 13, 4),
    "pyjwt": (2, 12, 0),
    "fastify": (5, 12, 6),
    "@fastify/http-proxy": (11, 6, 0),
    "@fastify/reply-from": (12, 6, 2),
}


@pytest.mark.parametrize("name", FLOORS)
def test_no_lock_falls_below_a_known_weakness(name: str) -> None:
    uv_lock = (ROOT / "uv.lock").read_text()
    npm_lock = (ROOT / "package-lock.json").read_text()
    versions = re.findall(rf'name = "{name}"\nversion = "([\d.]+)"', uv_lock)
    versions += re.findall(rf'"node_modules/{name}": {{\s+"version": "([\d.]+)"', npm_lock)

    for version in versions:
        assert tuple(map(int, version.split("."))) >= FLOORS[name]


def test_links_in_the_documentation_lead_somewhere() -> None:
    broken = []
    for page in _tracked("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            local = not target.startswith(("http://", "https://", "mailto:"))
            if local and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")

    assert not broken


def test_the_readme_names_commands_that_exist() -> None:
    noxfile = (ROOT / "noxfile.py").read_text()
    for name in set(re.findall(r"nox -s ([\w-]+)", (ROOT / "README.md").read_text())):
        known = f"def {name}(" in noxfile or f'name="{name}"' in noxfile or name in noxfile
        assert known, name


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "uv run nox -s test" in (ROOT / "README.md").read_text()
    assert "nox -s test" in (ROOT / ".ci" / "run").read_text()


def test_no_token_of_ours_is_in_the_repository() -> None:
    token = re.compile(r"rb_(?:pat|sensor)_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")
    found = [
        str(path.relative_to(ROOT))
        for path in _tracked()
        if path.is_file() and token.search(path.read_bytes().decode(errors="replace"))
    ]

    assert not found
