"""The store's rate, kept by several worker processes together; the store's own clock is the witness."""

import asyncio
import datetime
import os
import subprocess
import sys
import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from carerecords.models import JobState, UploadJob
from spine.models import Receipt, RequestPace
from spine.sending import pipeline
from spine.sending.answers import Answer, AnswerKind
from spine.sending.pipeline import BEGIN_SECONDS
from spine.sending.rate import LONGEST_PAUSE_SECONDS, LOOK_AHEAD_SECONDS, Rate
from spine.sending.store import LONGEST_LEAD, Store
from tests.factories import decide, make_patient
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number, running_store, wait_until

PER_SECOND = 20
WORKERS = 3
UPLOADS = 30


@pytest.fixture(scope="session")
def limited_localstore():
    """A store whose gateway refuses what comes too fast."""
    yield from running_store(LOCALSTORE_CONTROL="1", LOCALSTORE_REQUESTS_PER_SECOND=str(PER_SECOND))


@pytest.fixture
def sending(transactional_db, settings, limited_localstore):
    settings.SPINE_REQUESTS_PER_SECOND = PER_SECOND
    yield from sending_to(limited_localstore, settings)
    call_command("store_fault", "--clear")


@pytest.fixture
def workers(sending):
    """Worker processes at work on the test's database."""
    database = connection.settings_dict
    host = database["HOST"] or database["OPTIONS"]["host"]
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={host}",
        "SPINE_BASE_URL": sending.localstore.fhir_url,
        "SPINE_REQUESTS_PER_SECOND": str(PER_SECOND),
        "SPINE_READ_TIMEOUT_SECONDS": "5",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.sender"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    yield started
    for process in started:
        process.communicate("over\n", timeout=20)


def waiting(practice, gp, count):
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(count)]
    for patient in patients:
        decide(patient)
    UploadJob.objects.update(due_at=timezone.now())


def arrivals(sending):
    """When each request of any kind reached the store, in order."""
    lines = sending.localstore.ledger(after=sending.from_line)
    return sorted(datetime.datetime.fromisoformat(line["received_at"]).timestamp() for line in lines)


def most_over(moments, per_second):
    """The most by which any window of time has more requests than the rate and one hundredth allow."""
    return max(
        (last - first) - 1.01 * per_second * (moments[last] - moments[first])
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


def test_several_workers_together_keep_the_rate(workers, sending, practice, gp):
    waiting(practice, gp, UPLOADS)
    wait_until(lambda: UploadJob.objects.filter(state=JobState.ACCEPTED).count() == UPLOADS, 90)
    moments = arrivals(sending)
    assert len(moments) >= 2 * UPLOADS
    # One request, since a message may be a little late on its way and the next one not.
    assert most_over(moments, PER_SECOND) <= 1
    # And little of the rate is left unused.
    assert (len(moments) - 1) / (moments[-1] - moments[0]) > PER_SECOND * 0.5
    assert not Receipt.objects.filter(kind="RATE_LIMITED").exists()


def test_too_many_requests_pause_everybody(sending, practice, gp):
    waiting(practice, gp, 3)
    call_command("store_fault", "too_many", target="upload", times="1", retry_after="2", seconds="2")
    sending.all_due(windows_over=False)
    asked = time.monotonic()
    refused = Receipt.objects.get(kind="RATE_LIMITED")
    other = Store()
    assert not other.rate.is_open() and other.rate.reserve(1) is None
    other.close()
    before = sending.localstore.last_sequence()
    assert sending.all_due(windows_over=False) == [] and sending.localstore.last_sequence() == before
    wait_until(lambda: sending.all_due(windows_over=False) != [], 10)
    assert 1.5 <= time.monotonic() - asked <= 4
    states = dict(UploadJob.objects.values_list("pk", "state"))
    # The refused one climbs the ladder; the others, of whom nothing was asked, went as soon as they could.
    assert states.pop(refused.job_id) == JobState.WAITING
    assert set(states.values()) == {JobState.ACCEPTED}


def test_who_is_decided_sooner_than_foreseen_waits_for_its_slot_and_keeps_it(
    sending, practice, gp, monkeypatch
):
    monkeypatch.setattr(sending.store, "lead", LONGEST_LEAD)
    monkeypatch.setattr(sending.store, "learn_lead", lambda seconds: None)
    assert LONGEST_LEAD > BEGIN_SECONDS, "else there is nothing to show"
    waiting(practice, gp, 3)
    assert pipeline.send_batch(sending.store).sent == 3


@pytest.fixture
def rate(transactional_db):
    return Rate(10)


def begins_in(slots):
    return slots.first - time.clock_gettime(time.CLOCK_BOOTTIME)


def test_slots_follow_one_another(rate):
    first, second = rate.reserve(3), Rate(10).reserve(2)
    assert second.first - first.first == pytest.approx(0.3, abs=0.02)


def test_nobody_reserves_far_ahead(rate):
    asked = [rate.reserve(10) for _ in range(5)]
    assert None in asked and asked[-1] is None and not rate.is_open()
    taken = [slots for slots in asked if slots]
    assert begins_in(taken[-1]) <= LOOK_AHEAD_SECONDS + 0.1


def test_what_was_not_taken_is_given_back_unless_others_reserved_behind_it(rate):
    slots = rate.reserve(10)
    rate.give_back(slots)
    again = rate.reserve(1)
    assert begins_in(again) < 0.1
    behind = rate.reserve(1)
    rate.give_back(again)
    assert rate.reserve(1).first - behind.first == pytest.approx(0.1, abs=0.02)


def test_a_clock_that_was_set_back_stops_nobody(rate):
    rate.reserve(1)
    ahead = timezone.now() + datetime.timedelta(hours=26)
    RequestPace.objects.update(next_at=ahead, paused_until=ahead)
    assert rate.is_open() and begins_in(rate.reserve(1)) < 0.1


def test_a_pause_has_an_end_whatever_the_store_asks_for(rate):
    rate.heed([Answer(AnswerKind.RATE_LIMITED, 429, retry_after=16 * 3600.0)])
    until = RequestPace.objects.get().paused_until - timezone.now()
    assert until.total_seconds() == pytest.approx(LONGEST_PAUSE_SECONDS, abs=5)
    rate.heed([Answer(AnswerKind.ACCEPTED, 201)])
    assert not rate.is_open()


def test_without_a_limit_nobody_is_asked(db, django_assert_num_queries):
    free = Rate(0)
    with django_assert_num_queries(0):
        assert free.is_open() and asyncio.run(free.reserve(1000).take()) > 0
