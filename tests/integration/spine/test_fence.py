"""No send begins after a change commits or comes into force, with sixteen senders at work."""

import datetime
import math
import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from boycott.actions import set_stance
from boycott.positions import Stance
from carerecords import fence
from carerecords.models import JobState, UploadJob
from consent.actions import undo_decision
from spine.sending import pipeline
from spine.sending.store import Store
from tests.factories import decide, make_patient
from tests.localstore_process import fresh_nhs_number
from tests.policy_factories import approve, submit

SENDERS = 16
PATIENTS = 192
# Between decision and first byte: without the fence, changes would fall into it.
GAP = 0.03


@pytest.fixture
def due(sending, practice, gp):
    """Uploads that are due; returns their decisions."""
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(PATIENTS)]
    decided = [decide(patient, by=gp) for patient in patients]
    UploadJob.objects.update(due_at=timezone.now())
    return decided


class Senders:
    """Threads that each send small batches until nothing is due, as so many worker processes would."""

    def __init__(self, count, limit=2, rest=0.0):
        self.begun, self.errors, self.limit, self.rest = [], [], limit, rest
        self.threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()

    def _run(self):
        store = self._slow(Store())
        try:
            while pipeline.send_batch(store, limit=self.limit).claimed:
                time.sleep(self.rest)
        except Exception as error:  # noqa: BLE001 - told by the test
            self.errors.append(error)
        finally:
            store.close()
            connection.close()

    def _slow(self, store):
        """The store, with a pause before its sends, and a note of when each begins."""

        send = store.send

        def slow(going, *, may_begin, **more):
            time.sleep(GAP)

            def noting():
                allowed = may_begin()
                if allowed:
                    self.begun.append(time.time())
                return allowed

            return send(going, may_begin=noting, **more)

        store.send = slow
        return store

    def wait_for(self, count):
        end = time.monotonic() + 30
        while len(self.begun) < count and time.monotonic() < end:
            time.sleep(0.005)
        assert len(self.begun) >= count, self.errors


def test_no_send_begins_after_a_position_change_commits(sending, due, policy_admin):
    sent = submit(policy_admin)
    with Senders(SENDERS) as senders:
        senders.wait_for(SENDERS)
        approve(sent)
        committed = time.time()
    assert senders.errors == []
    assert [begun for begun in senders.begun if begun > committed] == []
    assert _received_after(sending, committed) == []
    states = list(UploadJob.objects.values_list("state", flat=True))
    accepted, held = states.count(JobState.ACCEPTED), states.count(JobState.HELD)
    assert accepted and held and accepted + held == PATIENTS
    assert accepted == len(sending.ledger(outcome="accepted"))


def test_the_same_trial_finds_late_sends_without_the_fence(sending, due, policy_admin, monkeypatch):
    """Else the trial above would prove nothing."""
    monkeypatch.setattr(fence, "share", lambda cursor, practices, *, idle_ms: None)
    monkeypatch.setattr(fence, "keep_patients", lambda cursor, patients: None)
    # One job a batch, and a long gap: else all were sent before the change commits.
    monkeypatch.setattr("tests.integration.spine.test_fence.GAP", 0.2)
    sent = submit(policy_admin)
    with Senders(SENDERS, limit=1) as senders:
        senders.wait_for(SENDERS)
        approve(sent)
        committed = time.time()
    assert [begun for begun in senders.begun if begun > committed]


def scheduled_trial(policy_admin):
    """A boycott comes into force by the calendar amid sends that take longer; returns them and when."""
    starts = timezone.now() + datetime.timedelta(seconds=2.5)
    approve(submit(policy_admin, starts_at=starts))
    with Senders(SENDERS, limit=1, rest=0.25) as senders:
        pass
    assert senders.errors == []
    return [moment - starts.timestamp() for moment in senders.begun]


def test_no_send_begins_after_a_scheduled_change_takes_effect(sending, due, policy_admin):
    begun = scheduled_trial(policy_admin)
    assert begun and max(begun) < 0
    states = list(UploadJob.objects.values_list("state", flat=True))
    accepted, held = states.count(JobState.ACCEPTED), states.count(JobState.HELD)
    assert accepted and held and accepted + held == PATIENTS
    assert accepted == len(sending.ledger(outcome="accepted"))


def test_the_same_trial_finds_late_sends_without_the_turn(sending, due, policy_admin, monkeypatch):
    """Else the trial above would prove nothing."""
    monkeypatch.setattr(pipeline, "_turn_of_the_calendar", lambda going, at: math.inf)
    # Nearly as long as a batch may begin sends: somebody is always between decision and first byte.
    monkeypatch.setattr("tests.integration.spine.test_fence.GAP", 0.2)
    assert max(scheduled_trial(policy_admin)) > 0


def test_no_send_begins_after_a_practice_holds(sending, due, practice, manager):
    now = timezone.now()
    with Senders(SENDERS) as senders:
        senders.wait_for(SENDERS)
        set_stance(
            practice=practice,
            stance=Stance.HOLD,
            agreed_by="Partners",
            agreed_on=now.date(),
            by=manager,
            at=now,
        )
        committed = time.time()
    assert senders.errors == []
    assert [begun for begun in senders.begun if begun > committed] == []
    assert _received_after(sending, committed) == []


def test_no_send_begins_after_a_consent_is_taken_back(sending, due, gp):
    """Each taken back while the senders are at work: it waits for its own batch at most."""
    taken = {}
    with Senders(SENDERS) as senders:
        senders.wait_for(SENDERS)
        for decided in reversed(due[PATIENTS // 2 :]):
            undo_decision(event=decided.event, by=gp, at=timezone.now())
            taken[decided.event.patient.nhs_number] = time.time()
    assert senders.errors == []
    late = [
        line
        for line in sending.ledger(is_blank=False)
        if _epoch(line["received_at"]) > taken.get(line["nhs_number"], float("inf"))
    ]
    assert late == []


def _received_after(sending, moment):
    return [line for line in sending.ledger() if _epoch(line["received_at"]) > moment]


def _epoch(text):
    return timezone.datetime.fromisoformat(text).timestamp()
