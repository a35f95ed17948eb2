"""Two batches of one process overlap, and are as careful as two processes."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import UploadJob
from spine.models import Receipt, UploadAttempt
from spine.sending import claims, overlap, pipeline
from tests.factories import decide, make_patient
from tests.launcher import wait_for
from tests.localstore_process import fresh_nhs_number

PATIENTS = 40


def uploads_due(practice, gp, number):
    for _ in range(number):
        decide(make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()), by=gp)
    UploadJob.objects.update(due_at=timezone.now())


@pytest.fixture
def many_due(sending, practice, gp):
    """Forty uploads that may go, and batches of ten."""
    uploads_due(practice, gp, PATIENTS)
    sending.store.size.jobs = sending.store.size.messages = 10


@pytest.fixture
def small(monkeypatch):
    """Batches stay small, so that there are several."""
    monkeypatch.setattr("spine.sending.batch_size.BatchSize.learn", lambda self, **_: None)


@pytest.fixture
def slow(sending, monkeypatch):
    """The store is taken for a slow one, for which two batches at once are meant."""
    monkeypatch.setattr(sending.store.quickness, "learn", lambda: None)


@pytest.fixture
def batches(monkeypatch):
    """The threads that ran a batch, one for each."""
    threads, batch = [], pipeline.send_batch
    monkeypatch.setattr(
        pipeline, "send_batch", lambda store: threads.append(threading.get_ident()) or batch(store)
    )
    return threads


def test_all_is_sent_once_by_two_threads(sending, many_due, small, slow):
    reports, threads = [], set()

    def goes_on(report):
        reports.append(report)
        threads.add(threading.get_ident())
        return True

    overlap.drain(sending.store, goes_on)
    assert sum(report.sent for report in reports) == PATIENTS
    assert len(sending.ledger()) == PATIENTS == UploadAttempt.objects.count() == Receipt.objects.count()
    assert set(UploadJob.objects.values_list("state", flat=True)) == {"ACCEPTED"}
    assert len(threads) == 2, "the second thread had its share"


def test_one_batch_is_sent_while_the_next_is_decided(sending, many_due, small, slow, monkeypatch):
    """Each waits for the other inside its fence: with one at a time, neither would come."""
    meeting = threading.Barrier(2, timeout=20)
    send, met = sending.store.send, []

    def waiting(going, **more):
        if going and len(met) < 2 and UploadAttempt.objects.count() > 20:
            met.append(meeting.wait())
        return send(going, **more)

    monkeypatch.setattr(sending.store, "send", waiting)
    overlap.drain(sending.store, lambda _: True)
    assert len(met) == 2


def test_one_patient_is_no_reason_for_a_second_thread(sending, practice, gp, slow, batches):
    uploads_due(practice, gp, 1)
    overlap.drain(sending.store, lambda _: True)
    assert len(sending.ledger()) == 1 and set(batches) == {threading.get_ident()}


def test_at_a_quick_store_one_thread_does_it_all(sending, many_due, small, batches, monkeypatch):
    monkeypatch.setattr(sending.store.quickness, "_quick_seconds", 60)
    overlap.drain(sending.store, lambda _: True)
    assert len(sending.ledger()) == PATIENTS and set(batches) == {threading.get_ident()}


def test_under_a_limit_of_the_rate_there_are_two_however_quick_the_store(sending):
    sending.store.quickness.is_quick = True
    assert not sending.store.gains_by_two
    sending.store.rate.per_second = 5
    assert sending.store.gains_by_two


def test_an_answer_that_does_not_come_holds_up_no_other_batch(sending, many_due, small, batches, monkeypatch):
    """A quick store, and in the first thread's third batch one answer that does not come until all else is done."""
    monkeypatch.setattr(sending.store.quickness, "_quick_seconds", 60)
    monkeypatch.setattr(overlap, "LATE_SECONDS", 0.1)
    send, main, done = sending.store.send, threading.get_ident(), threading.Event()

    def hanging(going, **more):
        if threading.get_ident() == main and batches.count(main) == 3:
            assert done.wait(30), "nobody sent the rest"
        return send(going, **more)

    def goes_on(_):
        if UploadJob.objects.filter(state="ACCEPTED").count() == PATIENTS - 10:
            done.set()
        return True

    monkeypatch.setattr(sending.store, "send", hanging)
    overlap.drain(sending.store, goes_on)
    assert done.is_set() and len(sending.ledger()) == PATIENTS


def test_the_second_ends_and_begins_as_the_store_turns_out_to_be(
    sending, practice, gp, many_due, small, slow, batches, monkeypatch
):
    """Slow until both have sent, then quick for three batches of the first thread, then slow again."""
    uploads_due(practice, gp, PATIENTS)
    sending.store.size.jobs = sending.store.size.messages = 4
    main, turns, alone = threading.get_ident(), [], threading.Lock()

    def goes_on(_):
        with alone:
            return told()

    def told():
        if len(set(batches)) == 2 and not turns:
            sending.store.quickness.is_quick = True
            turns.append(len(batches))
        elif len(turns) == 1 and batches[turns[0] :].count(main) == 3:
            sending.store.quickness.is_quick = False
            turns.append(len(batches))
        return True

    overlap.drain(sending.store, goes_on)
    assert len(sending.ledger()) == 2 * PATIENTS
    quick, slow_again = batches[turns[0] : turns[1]], batches[turns[1] :]
    assert sum(one != main for one in quick) <= 1, "but what had begun"
    assert any(one != main for one in slow_again)


def test_it_ends_when_told_to(sending, many_due, small):
    heard = []
    overlap.drain(sending.store, lambda report: heard.append(report) or len(heard) < 2)
    assert len(heard) == 2 and UploadJob.objects.filter(state="WAITING").count() == PATIENTS - 20


def test_what_goes_wrong_beside_is_raised_after_both_ended(sending, many_due, small, slow, monkeypatch):
    batch, main = pipeline.send_batch, threading.get_ident()

    def failing(store):
        if threading.get_ident() != main:
            raise RuntimeError("beside")
        return batch(store)

    monkeypatch.setattr(pipeline, "send_batch", failing)
    with pytest.raises(RuntimeError, match="beside"):
        overlap.drain(sending.store, lambda _: True)
    assert len(sending.ledger()) == PATIENTS, "the other went on"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_no_connection_is_left_behind(sending, many_due, small, slow):
    overlap.drain(sending.store, lambda _: True)
    # The server takes a moment to see that a line was closed.
    wait_for(lambda: connections_open() == 1, told=lambda: f"{connections_open()} are open")


def connections_open():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return cursor.fetchone()[0]


def test_held_uploads_are_looked_for_at_the_end_and_not_after_each_batch(
    sending, many_due, small, slow, monkeypatch
):
    monkeypatch.setattr(claims, "ASK_AGAIN_SECONDS", 60)
    batches, looks, look = [], [], pipeline.claim_held
    monkeypatch.setattr(pipeline, "claim_held", lambda **how: looks.append(len(batches)) or look(**how))
    overlap.drain(sending.store, lambda report: batches.append(report) or True)
    assert len(batches) == 4
    first, *at_the_end = looks
    assert first == 0 and 1 <= len(at_the_end) <= 2, "by each thread that finds nothing more to send"


def test_where_some_were_held_the_next_batch_looks_for_more():
    queue = claims.Queue()
    assert queue.asks_again(), "a process begins with it"
    queue.asked_again(0)
    assert not queue.asks_again()
    queue.asked_again(500)
    assert queue.asks_again()
