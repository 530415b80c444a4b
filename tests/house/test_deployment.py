"""What is deployed: images alike and without rights, settings that exist, no secret by default."""

import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from check_jsonschema.cli import main as check_jsonschema

from scripts.environment import DATABASES, ROOT, USUAL_PORTS
from scripts.images import FOLDERS
from scripts.processes import PROCESSES, STORES

DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
SECRET = re.compile(r"SECRET|PASSWORD|DATABASE_URL|SMTP_URL")
# Read by programs that are not ours: PostgreSQL's image, the edge's Caddyfile, clients of clouds,
# Grafana, the collector's configuration.
OTHERS = re.compile(
    r"^(POSTGRES_PASSWORD_FILE|PGDATA|RUNBENCH_DOMAIN|RUNBENCH_TLS|AWS_[A-Z_]+|GF_[A-Z_]+"
    r"|(TRACES|METRICS)_BACKEND)$"
)
# What start-nginx.sh reads, and the gateway's folders, which its image sets.
BESIDE = {"portal": {"AUTH_PROXY_URL", "GATEWAY_URL", "PORT"}, "api-gateway": {"HOST", "PORT"}}


def dockerfile(name: str) -> str:
    return (ROOT / FOLDERS[name] / "Dockerfile").read_text()


def settings_of(name: str) -> set[str]:
    """The variables that a process reads, by its `.env.example`."""
    example = ROOT / FOLDERS[name] / ".env.example"
    text = example.read_text() if example.exists() else ""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)) | BESIDE.get(name, set())


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(folder.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            for document in yaml.safe_load_all(file.read_text()):
                yield file.name, document


def test_every_process_has_an_image() -> None:
    assert set(FOLDERS) == set(PROCESSES) - STORES
    for name in FOLDERS:
        assert dockerfile(name)


def test_images_of_python_services_differ_in_name_and_port_alone() -> None:
    def neutral(name: str) -> str:
        module = name.replace("-", "_")
        text = dockerfile(name).replace(name, "NAME").replace(module, "NAME")
        return text.replace(str(USUAL_PORTS[name]), "PORT")

    assert len({neutral(name) for name in DATABASES}) == 1


@pytest.mark.parametrize("name", FOLDERS)
def test_an_image_has_a_user_without_rights_a_check_labels_and_a_list_of_its_parts(
    name: str,
) -> None:
    last = dockerfile(name).rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    for word in ("HEALTHCHECK", "org.opencontainers.image.licenses", "sbom.cdx.json", "STOPSIGNAL"):
        assert word in last
    assert not SECRET.search(last)
    assert re.match(r"(#.*\n)+ARG [A-Z]+_IMAGE=docker\.io/library/", dockerfile(name))


def test_the_compose_file_is_valid() -> None:
    arguments = ["--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    with pytest.raises(SystemExit) as end:
        check_jsonschema(arguments)
    assert end.value.code == 0


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_compose_runs_every_process_hardened(compose: dict[str, Any]) -> None:
    ours = {
        name: service
        for name, service in compose["services"].items()
        if service["image"].startswith("runbench/") and service.get("user") != "0:0"
    }
    assert set(FOLDERS) <= set(ours)
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "ports" not in service


def test_compose_sets_what_exists_and_no_secret(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        name = re.sub(r"^runbench/([a-z-]+):.*", r"\1", service["image"])
        known = settings_of(name) if name in FOLDERS else set[str]()
        for variable in service.get("environment", {}):
            assert variable in known or OTHERS.match(variable), f"{name} does not read {variable}"
            assert not SECRET.search(variable) or variable.endswith("_FILE")
        for kept in service.get("secrets", []):
            target = kept["target"] if isinstance(kept, Mapping) else kept
            if name in FOLDERS:
                assert target.upper() in known, f"{name} does not read {target}"


def test_compose_migrates_before_a_service_starts(compose: dict[str, Any]) -> None:
    for name in DATABASES:
        step = f"migrate-{name.removesuffix('-service').removesuffix('-ingest')}"
        wait = compose["services"][name]["depends_on"][step]
        assert wait == {"condition": "service_completed_successfully"}
        assert compose["services"][step]["image"].startswith(f"runbench/{name}:")
        assert compose["services"][step]["command"] == ["migrate"]


def test_secrets_are_made_once_at_random_and_are_those_that_compose_names(
    tmp_path: Path, compose: dict[str, Any]
) -> None:
    program = shutil.copy(DEPLOY / "make-secrets", tmp_path)
    subprocess.run([program], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    made = {file.name: file.read_text().strip() for file in folder.iterdir()}
    assert set(made) == set(compose["secrets"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    random = [text for name, text in made.items() if not name.endswith("_url")]
    assert all(len(text) >= 40 for text in random)
    assert len(set(random)) == len(random)
    assert made["auth_database_password"] in made["auth_database_url"]
    subprocess.run([program], check=True, capture_output=True)
    assert made == {file.name: file.read_text().strip() for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("file", "document"),
    [
        pytest.param(file, document, id=f"{file}-{document['kind']}")
        for file, document in documents(BASE)
        if not file.startswith("hardening")
    ],
)
def test_what_kubernetes_is_given_is_valid(file: str, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.34", strict=True)


def test_kubernetes_runs_every_process_with_probes_bounds_and_a_budget() -> None:
    found = {
        (document["kind"], document["metadata"]["name"]): document
        for _, document in documents(BASE)
    }
    for name in FOLDERS:
        container = found["Deployment", name]["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == f"runbench/{name}"
        assert {"readinessProbe", "livenessProbe", "startupProbe"} <= set(container)
        assert container["resources"]["limits"]["memory"]
        port = container["ports"][0]["containerPort"]
        assert found["Service", name]["spec"]["ports"][0]["port"] == port
        assert ("PodDisruptionBudget", name) in found
        assert ("HorizontalPodAutoscaler", name) in found
    for name in DATABASES:
        assert ("Job", f"migrate-{name}") in found


def test_kubernetes_sets_what_exists_and_no_secret() -> None:
    maps = {
        document["metadata"]["name"]: document["data"]
        for _, document in documents(BASE)
        if document["kind"] == "ConfigMap"
    }
    of_all = set[str]().union(*(settings_of(name) for name in DATABASES))
    for name, data in maps.items():
        known = settings_of(name) if name in FOLDERS else of_all
        assert set(data) <= known, f"{name} does not read {set(data) - known}"
        assert not any(SECRET.search(variable) for variable in data)


def test_whoever_needs_valkey_waits_for_it_in_compose(compose: dict[str, Any]) -> None:
    def waited_for(name: str) -> set[str]:
        first = set(compose["services"][name].get("depends_on", {}))
        return first.union(*(waited_for(one) for one in first))

    needing = {
        name
        for name, service in compose["services"].items()
        if "TELEMETRY_BROKER_URL" in service.get("environment", {})
    }
    assert needing == {*DATABASES, "auth-proxy"}
    assert {name for name in needing if "valkey" not in waited_for(name)} == set()


def test_kubernetes_lets_everybody_who_needs_valkey_reach_it() -> None:
    found = {
        (document["kind"], document["metadata"]["name"]): document
        for _, document in documents(BASE)
    }
    pods = found["NetworkPolicy", "services-and-sessions-to-valkey"]["spec"]["ingress"][0]["from"]
    let_in = set(pods[0]["podSelector"]["matchExpressions"][0]["values"])

    def needs_valkey(name: str) -> bool:
        container = found["Deployment", name]["spec"]["template"]["spec"]["containers"][0]
        maps = [
            one["configMapRef"]["name"] for one in container["envFrom"] if "configMapRef" in one
        ]
        return any("TELEMETRY_BROKER_URL" in found["ConfigMap", one]["data"] for one in maps)

    assert {name for name in FOLDERS if needs_valkey(name)} == let_in == {*DATABASES, "auth-proxy"}


def test_services_count_strangers_by_the_address_that_the_gateway_believes(
    compose: dict[str, Any],
) -> None:
    """Where the proxies in front were not trusted, all strangers would share one limit."""
    believed = {
        compose["services"][name]["environment"].get("TRUSTED_PROXIES")
        for name in (*DATABASES, "api-gateway", "auth-proxy")
    }
    assert len(believed) == 1
    assert None not in believed
    maps = {
        document["metadata"]["name"]: document["data"]
        for _, document in documents(BASE)
        if document["kind"] == "ConfigMap"
    }
    assert (
        len(
            {
                maps[name]["TRUSTED_PROXIES"]
                for name in ("runbench-service", "api-gateway", "auth-proxy")
            }
        )
        == 1
    )


def test_kubernetes_hardens_every_pod() -> None:
    whole = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    patched = {patch["target"]["kind"]: patch["path"] for patch in whole["patches"]}
    assert set(patched) == {"Deployment", "Job"}
    assert set(whole["resources"]) | set(patched.values()) == {
        file.name for file in BASE.glob("*.yaml") if file.name != "kustomization.yaml"
    }
    assert {image["name"] for image in whole["images"]} == {f"runbench/{name}" for name in FOLDERS}
    for file in patched.values():
        pod = yaml.safe_load((BASE / file).read_text())["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        context = pod["containers"][0]["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
