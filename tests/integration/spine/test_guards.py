"""The session that holds the fence is kept from batch to batch, and nothing of a batch is left in it."""

import threading

import pytest
from django.db import connection, transaction

from carerecords import fence
from carerecords.models.fact_clock import NATIONAL
from spine.sending.guards import Guard, kept
from tests.launcher import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
FALLS_MS = 60_000


def held(idle_ms=FALLS_MS):
    """A guard that has the fence, and the server's process behind it."""
    guard = Guard()
    with guard.cursor() as cursor:
        fence.share(cursor, [], idle_ms=idle_ms)
        cursor.execute("SELECT pg_backend_pid()")
        return guard, cursor.fetchone()[0]


def asked(text, *params):
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchone()[0]


def fences():
    return asked(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        fence.NAMESPACE,
        NATIONAL,
    )


def is_there(process):
    return bool(asked("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", process))


def test_one_batch_after_another_has_the_same_session_and_a_fence_of_its_own():
    with kept():
        first, process = held()
        assert fences() == 1
        first.release()
        assert fences() == 0, "a change waits for nobody between them"
        second, same = held()
        assert same == process and fences() == 1
        second.release()
        assert is_there(process)
    wait_until_gone(process)


def test_without_that_each_has_its_own():
    guard, process = held()
    guard.release()
    wait_until_gone(process)


def test_a_batch_that_let_go_may_begin_nothing_under_the_next_ones_fence():
    with kept():
        first, _ = held()
        assert first.stands()
        first.release()
        second, _ = held()
        assert second.stands() and not first.stands()
        first.release()
        assert fences() == 1, "and cannot let go of that one"
        second.release()


def test_a_session_that_ended_meanwhile_is_not_used_again():
    with kept():
        guard, process = held()
        guard.release()
        assert asked("SELECT pg_terminate_backend(%s, 5000)", process)
        guard, another = held()
        assert another != process and guard.stands() and fences() == 1
        guard.release()


def test_a_session_that_ended_under_its_fence_is_not_kept():
    with kept():
        guard, process = held()
        assert asked("SELECT pg_terminate_backend(%s, 5000)", process)
        assert not guard.stands()
        guard.release()
        guard, another = held()
        assert another != process and fences() == 1
        guard.release()


def test_a_session_serves_again_after_an_error_in_it():
    with kept():
        guard, process = held()
        with pytest.raises(Exception, match="division by zero"), guard.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        guard.release()
        guard, same = held()
        assert same == process and fences() == 1
        guard.release()


def test_the_time_out_is_of_each_batch():
    """The first batch's is over with it, and the second's falls though the session is an older one."""
    with kept():
        first, process = held()
        first.release()
        second, _ = held(idle_ms=200)
        wait_until_gone(process)
        assert not second.stands() and fences() == 0
        second.release()


def test_each_thread_has_its_own():
    found = []

    def beside():
        with kept():
            guard, process = held()
            guard.release()
            found.append(process)

    with kept():
        guard, process = held()
        guard.release()
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
        guard, same = held()
        assert same == process not in found
        guard.release()


def test_a_change_goes_ahead_while_a_session_is_kept():
    with kept():
        guard, _ = held()
        guard.release()
        with transaction.atomic(), fence.changing():
            assert fences() == 1


def wait_until_gone(process):
    # The server takes a moment to see that a line was closed.
    wait_for(lambda: not is_there(process), told=lambda: "the session is still there")
