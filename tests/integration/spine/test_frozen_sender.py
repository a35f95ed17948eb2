"""A sender's process frozen with the fence in its hands bounds a stop, and does no harm when it thaws."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import JobState, Quieted, UploadJob
from spine.models import Receipt, UploadAttempt
from spine.policy.actions import stop_uploads
from spine.sending import pipeline
from tests.factories import decide, make_patient
from tests.localstore_process import ROOT, fresh_nhs_number

# When a frozen sender's fence falls, as deployed; and what the stop itself may take on a busy machine.
FALLS = pipeline.FENCE_TIMEOUT_MS // 1000
MARGIN = 1.5


@pytest.fixture
def due(practice, gp):
    decide(make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()))
    UploadJob.objects.update(due_at=timezone.now())


@contextmanager
def frozen(sending, point, falls):
    """A process that froze at that point of its batch; gives what thaws it and tells how many it sent."""
    address = (
        urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"]).geturl()
    )
    sender = subprocess.Popen(
        [sys.executable, "-m", "tests.frozen_sender", point, str(falls)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": address, "SPINE_BASE_URL": sending.localstore.fhir_url},
        stdout=subprocess.PIPE,
        text=True,
    )

    def thaw():
        sender.send_signal(signal.SIGCONT)
        said, _ = sender.communicate(timeout=30)
        assert sender.returncode == 0
        return int(said)

    try:
        _, status = os.waitpid(sender.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "the sender ended before it froze"
        yield thaw
    finally:
        if sender.poll() is None:
            sender.kill()
            sender.wait()
        sender.stdout.close()


def stop_and_time(by):
    began = time.monotonic()
    stop_uploads(reason="A fault was found.", by=by, at=timezone.now())
    return time.monotonic() - began


def test_a_stop_waits_for_a_frozen_sender_until_its_fence_falls(sending, due, national_admin):
    assert pipeline.HELD_SECONDS < FALLS, "Its right to send ends first"
    with frozen(sending, "before", FALLS) as thaw:
        assert 1 < stop_and_time(national_admin) < FALLS + MARGIN
        assert Quieted.objects.get().in_flight == [UploadJob.objects.get().pk], "Nobody knows what it did"
        assert thaw() == 0
    assert sending.ledger() == []
    assert [kind for (kind,) in Receipt.objects.values_list("kind")] == ["NOT_SENT"]
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.HELD
    assert sending.ledger() == []


def test_a_sender_that_thaws_long_after_its_send_overwrites_nothing(sending, due, national_admin):
    """The store has the message; who took the job over finds it there. The late answer changes no state."""
    with frozen(sending, "after", 3) as thaw:
        assert stop_and_time(national_admin) < 3 + MARGIN
        sending.resolve()
        UploadJob.objects.update(due_at=timezone.now())
        sending.resolve()
        before = UploadJob.objects.values().get()
        assert thaw() == 1
    assert UploadJob.objects.values().get() == before
    assert before["state"] == JobState.ACCEPTED
    assert len(sending.ledger(outcome="accepted")) == 1
    assert UploadAttempt.objects.count() == 1
