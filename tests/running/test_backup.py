"""A backup brings everything back: every row of every table, and every byte of every file."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from localpostgres import Cluster, throwaway_cluster
from psycopg import sql
from support.world import register

from scripts import backup as backups
from scripts.restore import restore
from scripts.stack import Stack


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Cluster]:
    with throwaway_cluster() as cluster:
        yield cluster


@pytest.fixture
def here(stack: Stack) -> dict[str, str]:
    return {
        "auth": stack.database_urls["auth-service"],
        "experiment": stack.database_urls["experiment-service"],
        "store": stack.workspace.variables["ARTIFACT_STORE_URL"],
    }


def there(cluster: Cluster, folder: Path, name: str) -> dict[str, str]:
    return {
        "auth": f"{cluster.address}/auth_{name}",
        "experiment": f"{cluster.address}/experiment_{name}",
        "store": str(folder),
    }


def recorded(stack: Stack) -> dict[str, bytes]:
    """A run with params, points and files (two of them with the same content); the files."""
    files = {"a.bin": bytes(range(256)) * 40_000, "b/same.bin": b"the same", "c.bin": b"the same"}
    with httpx.Client(base_url=stack.gateway_url, timeout=60) as gateway:
        person = register(gateway, "keeper")
        gateway.headers["Authorization"] = f"Bearer {person.access_token}"
        project = gateway.post("/api/v1/projects", json={"name": "Kept"}).json()
        experiment = gateway.post(
            f"/api/v1/projects/{project['id']}/experiments", json={"name": "first"}
        ).json()
        run = gateway.post(
            f"/api/v1/experiments/{experiment['id']}/runs", json={"params": {"lr": 0.1}}
        ).json()
        series = [{"key": "loss", "step": list(range(5000)), "value": [0.5] * 5000}]
        sent = gateway.post(f"/api/v1/runs/{run['id']}/metrics", json={"series": series})
        assert sent.is_success, sent.text
        for path, content in files.items():
            put = gateway.put(f"/api/v1/runs/{run['id']}/artifacts/{path}", content=content)
            assert put.is_success, put.text
    return files


def contents(address: str) -> dict[str, str]:
    """A digest of all rows of each table."""
    with psycopg.connect(address) as connection:
        return {
            f"{schema}.{name}": str(
                connection.execute(
                    sql.SQL(
                        "SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} t"
                    ).format(sql.Identifier(schema, name))
                ).fetchall()
            )
            for schema, name in backups.tables(connection)
        }


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("objects/*/*")}


def test_everything_comes_back_as_it_was(
    stack: Stack, here: dict[str, str], elsewhere: Cluster, tmp_path: Path
) -> None:
    files = recorded(stack)
    target = there(elsewhere, tmp_path / "store", "whole")

    for attempt in range(10):
        before = {name: contents(here[name]) for name in ("auth", "experiment")}
        made = backups.back_up(tmp_path / str(attempt), here)
        after = {name: contents(here[name]) for name in ("auth", "experiment")}
        # Chunks of series are merged a while after they came.
        if before["experiment"]["metrics.chunks"] == after["experiment"]["metrics.chunks"]:
            break
    restore(made, target, replace=False)

    # The services go on working meanwhile: what they did not touch has to be the same to the bit.
    compared = set[str]()
    for name in ("auth", "experiment"):
        back = contents(target[name])
        assert set(back) == set(before[name])
        still = {table for table in back if before[name][table] == after[name][table]}
        assert {table: back[table] for table in still} == {
            table: before[name][table] for table in still
        }
        compared |= still
    assert {"auth.users", "experiment.runs", "metrics.chunks", "artifact.artifacts"} <= compared
    brought = set(stored(tmp_path / "store").values())
    assert set(files.values()) <= brought
    with psycopg.connect(target["experiment"]) as connection:
        named = connection.execute("SELECT id FROM artifact.objects WHERE state = 'stored'")
        assert {str(row[0]) for row in named} == set(stored(tmp_path / "store"))


def test_a_second_backup_copies_what_is_new_and_old_ones_are_forgotten(
    stack: Stack, here: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(stack)
    first = backups.back_up(tmp_path, here)
    first = first.rename(first.with_name("2026-01-01T00-00-00Z"))
    capsys.readouterr()
    second = backups.back_up(tmp_path, here)
    assert ", 0 of them new" in capsys.readouterr().out
    stray = tmp_path / "objects" / "zz" / "unnamed"
    stray.parent.mkdir()
    stray.write_bytes(b"of a backup that is gone")

    backups.forget(tmp_path, 1)

    assert not first.exists()
    assert second.exists()
    assert not stray.exists()
    named = json.loads((second / backups.MANIFEST).read_text())["objects"]
    assert len(list(tmp_path.glob("objects/*/*"))) == len(named)


def test_a_damaged_backup_is_refused_before_anything_is_touched(
    stack: Stack, here: dict[str, str], elsewhere: Cluster, tmp_path: Path
) -> None:
    recorded(stack)
    made = backups.back_up(tmp_path / "kept", here)
    target = there(elsewhere, tmp_path / "store", "damaged")
    victim = next((tmp_path / "kept").glob("objects/*/*"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    with pytest.raises(backups.BackupFailed, match="damaged"):
        restore(made, target, replace=False)
    victim.write_bytes(whole)
    dump = made / "auth.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(backups.BackupFailed, match=r"auth\.dump is damaged"):
        restore(made, target, replace=False)

    assert not (tmp_path / "store" / "objects").exists()
    with elsewhere.connect() as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'auth_damaged'")
        assert found.fetchone() is None


def test_databases_that_hold_something_are_left_alone_unless_asked(
    stack: Stack, here: dict[str, str], elsewhere: Cluster, tmp_path: Path
) -> None:
    recorded(stack)
    made = backups.back_up(tmp_path / "kept", here)
    target = there(elsewhere, tmp_path / "store", "held")
    restore(made, target, replace=False)
    before = contents(target["auth"])

    with pytest.raises(backups.BackupFailed, match="--replace drops them"):
        restore(made, target, replace=False)
    assert contents(target["auth"]) == before
    restore(made, target, replace=True)

    assert contents(target["auth"]) == before


def test_a_missing_object_fails_the_backup_and_leaves_no_half_of_one(
    stack: Stack, here: dict[str, str], tmp_path: Path
) -> None:
    recorded(stack)
    incomplete = shutil.copytree(here["store"], tmp_path / "store")
    gone = next(Path(incomplete).glob("objects/*/*"))
    gone.unlink()

    with pytest.raises(backups.BackupFailed, match=f"no object {gone.name}"):
        backups.back_up(tmp_path / "kept", here | {"store": str(incomplete)})

    assert not list((tmp_path / "kept").glob(f"*/{backups.MANIFEST}"))
