"""The pooler of F13 gives a session for a transaction and resets nothing: it is as hard on its clients as PgBouncer."""

import contextlib
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from faults.transaction_pool import PORT, Messages
from tests.launcher import wait_for

SESSIONS = 2


@pytest.fixture(scope="module")
def address(django_db_setup):
    """Connection parameters of a pooler with two sessions."""
    servers, name = connection.settings_dict["OPTIONS"]["host"], connection.settings_dict["NAME"]
    with tempfile.TemporaryDirectory(prefix="care-b-") as folder:
        command = [sys.executable, "-m", "faults.transaction_pool", folder, servers, name, str(SESSIONS)]
        with subprocess.Popen(command) as pooler:
            wait_for((Path(folder) / f".s.PGSQL.{PORT}").exists)
            yield f"host={folder} port={PORT} user=care dbname={name}"
            pooler.kill()


@pytest.fixture
def connect(address):
    """Opens clients, all closed at the end."""
    with contextlib.ExitStack() as ends:

        def opened(**more):
            made = psycopg.connect(address, autocommit=True, cursor_factory=psycopg.ClientCursor, **more)
            return ends.enter_context(contextlib.closing(made))

        # All sessions are there from here on.
        first, second = opened(), opened()
        with first.transaction(), second.transaction():
            assert session_of(first) != session_of(second)
        yield opened


def session_of(client):
    return client.execute("SELECT pg_backend_pid()").fetchone()[0]


def test_many_clients_share_few_sessions_and_each_transaction_gets_another(connect):
    clients = [connect() for _ in range(3 * SESSIONS)]
    seen = [session_of(client) for _ in range(3) for client in clients]
    assert len(set(seen)) <= SESSIONS
    assert any(session_of(clients[0]) != session_of(clients[0]) for _ in range(3))


def test_a_transaction_keeps_its_session_and_others_wait_for_one(connect):
    first, second, third = connect(), connect(), connect()
    waiting = threading.Thread(target=third.execute, args=["SELECT 1"])
    with first.transaction(), second.transaction():
        ours = {session_of(first), session_of(second)}
        assert ours == {session_of(first), session_of(second)} and len(ours) == 2
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive(), "both sessions are borrowed"
    waiting.join(5)
    assert not waiting.is_alive()


def test_what_a_client_leaves_in_a_session_the_next_one_finds_there(connect):
    first, second = connect(), connect()
    with first.transaction():
        first.execute("SET statement_timeout = '77s'")
        first.execute("SELECT pg_advisory_lock(7, 7)")
        left_in = session_of(first)
    first.close()
    found = set()
    for _ in range(SESSIONS):
        with second.transaction():
            found.add((session_of(second), second.execute("SHOW statement_timeout").fetchone()[0]))
    assert (left_in, "77s") in found
    held = second.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7").fetchall()
    assert held == [(left_in,)], "closing a connection let nothing go"
    second.execute("SELECT pg_terminate_backend(%s) WHERE pg_backend_pid() <> %s", [left_in, left_in])


def test_a_cursor_of_the_server_does_not_outlive_its_transaction(connect):
    client = connect()
    client.execute("DECLARE kept CURSOR WITH HOLD FOR SELECT 1")
    with pytest.raises(psycopg.errors.InvalidCursorName):
        for _ in range(SESSIONS):
            client.execute("FETCH 1 FROM kept")


def test_long_answers_and_copy_pass_whole(connect):
    client = connect()
    rows = client.execute("SELECT n, repeat('x', n % 300) FROM generate_series(1, 20000) n").fetchall()
    assert [n for n, _ in rows] == list(range(1, 20001))
    with client.transaction(), client.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (n int, text text) ON COMMIT DROP")
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.execute("SELECT count(*), sum(length(text)) FROM copied").fetchone() == (
            20_000,
            sum(len(text) for _, text in rows),
        )
    with client.cursor() as cursor, cursor.copy("COPY (SELECT generate_series(1, 20000)) TO STDOUT") as copy:
        assert sum(1 for _ in copy.rows()) == 20_000


def test_statements_with_parameters_of_the_server_and_pipelines_pass(address):
    with psycopg.connect(address, autocommit=True, prepare_threshold=None) as client:
        assert client.execute("SELECT %s::int + %s::int", [1, 2]).fetchone() == (3,)
        with client.pipeline():
            cursors = [client.execute("SELECT %s::int", [n]) for n in range(50)]
        assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(50)]
        assert client.execute("SELECT 4").fetchone() == (4,)


def test_a_client_that_is_gone_in_a_transaction_is_rolled_back_and_its_session_replaced(connect):
    first, second = connect(), connect()
    first.execute("BEGIN")
    first.execute("SELECT pg_advisory_xact_lock(8, 8)")
    first.close()
    wait_for(lambda: second.execute("SELECT pg_try_advisory_xact_lock(8, 8)").fetchone()[0])
    assert len({session_of(second) for _ in range(4)}) <= SESSIONS


def test_a_statement_can_be_cancelled(connect):
    client = connect()
    threading.Timer(0.2, client.cancel_safe).start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        client.execute("SELECT pg_sleep(20)")
    assert session_of(client)


def test_options_are_refused(connect):
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
        connect(options="-c statement_timeout=1")


@pytest.mark.parametrize("piece", [1, 2, 5, 6, 7, 1000])
def test_messages_are_followed_in_whatever_pieces_they_come(piece):
    stream = b"Q\0\0\0\x0cSELECT 1S\0\0\0\x04Z\0\0\0\x05ID\0\0\0\x08SZQZZ\0\0\0\x05T"
    messages = Messages()
    heads = [
        head
        for begin in range(0, len(stream), piece)
        for head in messages.heads(stream[begin : begin + piece])
    ]
    assert [kind for kind, _ in heads] == [b"Q", b"S", b"Z", b"D", b"Z"]
    assert [first for kind, first in heads if kind == b"Z"] == [b"I", b"T"]
    assert messages.is_between
