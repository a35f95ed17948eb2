"""The store killed, its database cut off: what was answered is there, and nothing is there twice."""

import http.client
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from tests.contracts.calls import Calls, bundle, new_id
from tests.localstore_process import ROOT, fresh_nhs_number, running_store, wait_until


@pytest.fixture
def doomed():
    yield from (Calls(process) for process in running_store())


def test_killed_while_uploading(doomed):
    """Three times: kill -9 under load. Every 201 is in the ledger; what is sent again is stored once."""
    sent: dict[str, tuple[dict, str]] = {}
    answered: set[str] = set()
    stop = threading.Event()

    def upload_until_stopped():
        while not stop.is_set():
            composition_id, request_id = new_id(), new_id()
            made = bundle(fresh_nhs_number(), composition_id)
            sent[composition_id] = (made, request_id)
            try:
                if doomed.upload(made, X_Request_ID=request_id).status == 201:
                    answered.add(composition_id)
            except (OSError, http.client.HTTPException):
                stop.wait(0.5)

    threads = [threading.Thread(target=upload_until_stopped) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        reached = len(answered) + 40
        wait_until(lambda reached=reached: len(answered) >= reached, 60)
        doomed.process.kill()
        doomed.process.start()
    stop.set()
    for thread in threads:
        thread.join()

    assert answered <= accepted_ids(doomed)
    for made, request_id in sent.values():
        assert doomed.upload(made, X_Request_ID=request_id).status == 201
    lines = doomed.process.ledger()
    accepted = [line["composition_id"] for line in lines if line["outcome"] == "accepted"]
    assert sorted(accepted) == sorted(sent)
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))


def accepted_ids(calls):
    return {line["composition_id"] for line in calls.process.ledger() if line["outcome"] == "accepted"}


def cut_off(store):
    with psycopg.connect(store.process.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'localstore%'"
        )


def test_the_database_cut_off_while_nothing_arrives(doomed):
    """Nothing was under way, so nothing is in doubt: the next arrival is served as ever."""
    assert doomed.upload(bundle(fresh_nhs_number(), new_id())).status == 201
    time.sleep(1.2)  # Nothing to wait for: what counts is that nothing happens.
    cut_off(doomed)
    assert doomed.upload(bundle(fresh_nhs_number(), new_id())).status == 201


def test_the_database_cut_off(doomed):
    """Connections ended by the server: at worst one answer of 503 or 504, then on as before."""
    number, composition_id, request_id = fresh_nhs_number(), new_id(), new_id()
    made = bundle(number, composition_id)
    cut_off(doomed)
    statuses = []

    def accepted():
        statuses.append(doomed.upload(made, X_Request_ID=request_id).status)
        return statuses[-1] == 201

    wait_until(accepted)
    assert set(statuses) <= {503, 504, 201}
    assert accepted_ids(doomed) == {composition_id}
    assert doomed.fetch(number, composition_id).status == 200


def test_a_second_store_on_the_same_database_is_refused(doomed):
    second = subprocess.run(
        [sys.executable, "-m", "spine.localstore"],
        env={
            "LOCALSTORE_DATABASE_URL": doomed.process.database_url,
            "LOCALSTORE_PORT": "0",
            "PATH": "/usr/bin:/bin",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "another local store serves this database" in second.stderr


@pytest.mark.parametrize("setting", [{}, {"LOCALSTORE_DATABASE_URL": "x", "LOCALSTORE_PORT": "high"}])
def test_settings_that_cannot_be_used(setting):
    started = subprocess.run(
        [sys.executable, "-m", "spine.localstore"],
        env=setting,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 2
    assert started.stderr.startswith("LOCALSTORE_")
