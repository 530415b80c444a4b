"""What each process is told, from defaults, `.env` and the caller's environment."""

import re
from pathlib import Path

import pytest

from scripts import environment
from scripts.environment import ROOT, TOLD, Workspace, WrongSetting, choose_ports

OWN = {
    "RUNBENCH_PORT_BASE",
    "RUNBENCH_DEV_DIR",
    "PG_BIN",
    "CHROMIUM",
    "RUNBENCH_RELOAD",
    "RUNBENCH_DEMO_RIG",
    "RUNBENCH_TRACES",
}


def workspace(tmp_path: Path, **given: str) -> Workspace:
    return Workspace(tmp_path / "dev", given)


def test_without_a_word_the_usual_ports_and_working_values_are_used(tmp_path: Path):
    told = workspace(tmp_path).environment("auth-service")

    assert told["PORT"] == "8001"
    assert told["HOST"] == "127.0.0.1"
    assert told["RUNBENCH_ENV"] == "dev"
    assert len(told["JWT_SECRET"]) >= 32
    assert told["DATABASE_URL"].endswith("@127.0.0.1:5432/auth_db")


def test_a_port_base_moves_everything_and_every_address_follows(tmp_path: Path):
    moved = workspace(tmp_path, RUNBENCH_PORT_BASE="4000")

    assert sorted(moved.ports.values()) == [*range(4000, 4011), 4020, 4021]
    assert moved.environment("auth-proxy")["PUBLIC_ORIGIN"] == "http://localhost:4000"
    assert moved.environment("auth-proxy")["TARGET_EXPERIMENT_URL"] == "http://127.0.0.1:4001"
    assert moved.environment("portal")["AUTH_PROXY_URL"] == "http://127.0.0.1:4002"
    assert "@127.0.0.1:4020/" in moved.environment("metrics-service")["DATABASE_URL"]


@pytest.mark.parametrize("base", ["0", "80", "65001", "four", "-1", "3000.5", "٣٠٠٠"])
def test_an_impossible_port_base_is_refused_with_the_rule(base: str):
    with pytest.raises(WrongSetting, match="1024 to 65000"):
        choose_ports(base)


def test_nobody_is_told_a_secret_that_is_not_its_own(tmp_path: Path):
    given = {"JWT_SECRET": "a" * 40, "SESSION_SECRET": "b" * 40, "DATABASE_URL": "postgresql://x/y"}
    place = workspace(tmp_path, **given)

    for name in TOLD:
        told = place.environment(name)
        assert ("JWT_SECRET" in told) == (name == "auth-service")
        assert ("SESSION_SECRET" in told) == (name == "auth-proxy")
        assert ("DATABASE_URL" in told) == (name in environment.DATABASES)


def test_secrets_are_made_once_and_are_for_this_user_alone(tmp_path: Path):
    first = workspace(tmp_path).secrets
    second = workspace(tmp_path).secrets

    assert first == second
    assert (tmp_path / "dev" / "secrets.json").stat().st_mode & 0o077 == 0


def test_an_existing_server_keeps_its_user_options_and_host(tmp_path: Path):
    given = "postgresql://ann:p%40ss@db.example:6000/any?sslmode=require"

    found = workspace(tmp_path, DATABASE_URL=given).database_url("auth_db")

    assert found == "postgresql://ann:p%40ss@db.example:6000/auth_db?sslmode=require"


def test_the_environment_wins_over_dotenv_and_dotenv_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\nBCRYPT_ROUNDS=5\nRUNBENCH_DEV_DIR=there\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setenv("BCRYPT_ROUNDS", "6")
    for name in ("LOG_LEVEL", "RUNBENCH_DEV_DIR"):
        monkeypatch.delenv(name, raising=False)

    place = Workspace.load()

    assert place.home == tmp_path / "there"
    assert place.variables["LOG_LEVEL"] == "debug"
    assert place.variables["BCRYPT_ROUNDS"] == "6"
    assert place.variables["ACCESS_TOKEN_TTL_SEC"] == "900"


def test_the_example_file_names_every_variable_and_no_other():
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    used = {name for told in TOLD.values() for name in told}
    used |= {"DATABASE_URL", "RABBITMQ_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}

    assert named == used | OWN
