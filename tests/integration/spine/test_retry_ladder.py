"""The service's own ladder, walked with a clock that is moved: when each try comes, and when none does."""

import datetime

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from carerecords.models import JobState, UploadJob
from spine.models import Receipt
from tests.factories import decide, make_patient
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number

# Minutes between a try that failed and the next (the API definition's "Exponential backoff").
LADDER_MINUTES = (1, 30, 60, 120, 240, 480, 960)
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def sending(transactional_db, settings, odd_localstore, one_clock):
    yield from sending_to(odd_localstore, settings)
    call_command("store_fault", "--clear")


def test_each_try_comes_in_its_time_and_the_eighth_is_the_last(sending, practice, gp):
    decide(make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()))
    call_command("store_fault", "html_503", target="upload")
    sending.all_due()
    for tries, minutes in enumerate(LADDER_MINUTES, start=1):
        job = UploadJob.objects.get()
        assert (job.state, job.failures, job.reasons) == (JobState.WAITING, tries, ["tech.retry"])
        failed_at = Receipt.objects.latest("pk").at
        assert job.due_at - failed_at == datetime.timedelta(minutes=minutes)
        with time_machine.travel(job.due_at - SECOND, tick=False):
            assert sending.all_due(windows_over=False) == [], f"too early after try {tries}"
        with time_machine.travel(job.due_at + SECOND, tick=False):
            assert timezone.now() > job.due_at
            sending.all_due(windows_over=False)
    job = UploadJob.objects.get()
    assert (job.state, job.reasons, job.due_at) == (JobState.FAILED, ["tech.failed"], None)
    assert Receipt.objects.filter(kind="TRANSIENT").count() == len(LADDER_MINUTES) + 1
    assert sending.ledger() == []
