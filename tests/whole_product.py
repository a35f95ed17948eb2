"""A broker, a worker and a clock as real processes, on the test's own database and local store.

With `live_server` for the pages, all that `make run` starts is there, and nothing is called by hand:
what reaches the store got there by itself.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection

from carerecords import doorbell
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker
from config.embedded.processes import own_account, server_account, spawn, stop

ROOT = Path(__file__).resolve().parent.parent
UNDO_SECONDS = 3


@pytest.fixture(scope="session")
def broker():
    """One Valkey for the whole run of tests."""
    folder = Path(tempfile.mkdtemp(prefix="care-broker-"))
    account = server_account()
    account.own(folder)
    server = Broker(find_broker(), folder / "data", folder / "s", account, log=folder / "broker.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bell(broker, monkeypatch):
    """The pages ring at the real broker."""
    monkeypatch.setenv("CELERY_BROKER_URL", broker.url)
    _forget_connections()
    yield broker
    _forget_connections()


def _forget_connections():
    # As Celery does after a fork: the next message asks for the address again.
    doorbell._silent_until = 0.0
    current_app._pool = current_app.amqp._producer_pool = None


@pytest.fixture
def whole_product(transactional_db, settings, localstore, bell, tmp_path):
    """Worker and clock at work; yields the local store."""
    settings.SPINE_BASE_URL = localstore.fhir_url
    settings.UNDO_WINDOW_SECONDS = UNDO_SECONDS
    database = connection.settings_dict
    host = database["HOST"] or database["OPTIONS"]["host"]
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={host}",
        "CELERY_BROKER_URL": bell.url,
        "SPINE_BASE_URL": localstore.fhir_url,
        "SPINE_READ_TIMEOUT_SECONDS": "5",
        "UNDO_WINDOW_SECONDS": str(UNDO_SECONDS),
    }
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    commands = [
        [
            *celery,
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "INFO",
            "--without-gossip",
            "--without-mingle",
        ],
        [*celery, "beat", "--schedule", str(tmp_path / "schedule"), "--pidfile="],
    ]
    with (tmp_path / "celery.log").open("ab") as log:
        started = [
            spawn(command, account=own_account(), log=log, environment=environment, folder=ROOT)
            for command in commands
        ]
    yield localstore
    for process in reversed(started):
        stop(process, signal.SIGTERM, 15)
