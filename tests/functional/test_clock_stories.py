"""The clocks of the sending: when a queue is done, and what follows."""

import datetime

import pytest
from django.utils import timezone

from boycott.positions import Stance
from carerecords.models import JobState, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.models import Receipt, StoreCopy
from spine.policy.actions import stop_uploads
from tests.browser import look
from tests.factories import decide, make_item, make_list, make_patient, make_practice, make_user
from tests.policy_factories import REASON, answer

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def busy(practice, settings):
    """Twelve uploads due here and forty next door, at a store that took some in each of ten minutes."""
    settings.SPINE_REQUESTS_PER_SECOND = 5
    now = timezone.now()
    jobs = []
    for where, number in ((practice, 12), (make_practice(), 40)):
        jobs += [decide(make_patient(where)).job for _ in range(number)]
    UploadJob.objects.filter(pk__in=[job.pk for job in jobs]).update(due_at=now - 12 * MINUTE, reasons=[])
    UploadJob.objects.filter(pk=jobs[0].pk).update(state=JobState.HELD, due_at=None, reasons=["policy.bma"])
    for ago, number in enumerate((9, 4, 6, 7, 8, 3, 5, 9, 8, 7, 4, 6)):
        Receipt.objects.bulk_create(
            Receipt(job=jobs[1], attempt=1, at=now - (ago + 0.5) * MINUTE, kind="ACCEPTED")
            for _ in range(number)
        )


def test_when_it_is_done(screen, live_server, busy, manager, national_admin):
    """A practice is told of its own part by turns; the nation of the whole, with a picture and its table."""
    screen.as_(manager)
    screen.goto(f"{live_server.url}/uploads/")
    told = screen.locator(".nhsuk-inset-text", has_text="due now")
    assert "11 messages are due now." in told.inner_text() and "minutes" in told.inner_text()
    assert "22 messages leave until the last of these" in told.inner_text()
    look(screen, "uploads-outlook")
    screen.as_(national_admin)
    screen.goto(f"{live_server.url}/reports/")
    screen.get_by_role("link", name="The sending").click()
    assert "51 messages may go now." in screen.locator("main").inner_text()
    screen.get_by_text("The same as a table").click()
    assert screen.get_by_role("table", name="Messages done").get_by_role("row").count() == 7
    look(screen, "sending")


def test_what_a_reopening_sends(screen, live_server, national_admin, settings):
    """From the stop's own page to the plan of its end, and back, before anybody resumes anything."""
    settings.SPINE_REQUESTS_PER_SECOND = 0.2
    for region, name, number in (("South West", "Mill Lane Surgery", 60), ("London", "River Surgery", 9)):
        where = make_practice(region_name=region, name=name)
        jobs = [decide(make_patient(where)).job.pk for _ in range(number)]
        UploadJob.objects.filter(pk__in=jobs).update(state=JobState.HELD, due_at=None, attempt=1)
    stop_uploads(reason=REASON, by=make_user(Role.NATIONAL_ADMIN), at=timezone.now())
    patient = UploadJob.objects.first().patient
    decide(patient, Preference.EXPRESS_DISSENT, seen=patient.consent_event_id)
    keeper = make_practice(region_name="London")
    answer(keeper, Stance.HOLD)
    decide(make_patient(keeper))
    screen.as_(national_admin)
    screen.goto(f"{live_server.url}/policy/stop/")
    screen.get_by_role("link", name="What would be sent then").click()
    text = screen.locator("main").inner_text()
    assert "68 held uploads would go." in text and "1 consent no more" in text
    screen.get_by_text("The same as a table").click()
    assert screen.get_by_role("table", name="The queue as it empties").get_by_role("row").count() == 12
    look(screen, "reopening")
    screen.get_by_role("link", name="Back", exact=True).click()
    assert screen.url.endswith("/policy/stop/")


def test_how_old_the_copies_are(screen, live_server, gp, auditor, practice):
    """A practice sees why its copies are out of date and opens the list behind it; the country, no few."""
    places = [practice, *(make_practice(region_name=name) for name in ("London", "North West", "London"))]
    for where, copies in zip(places, (16, 40, 12, 9), strict=True):
        for place, patient in enumerate(make_list(where, copies)):
            months = (0, 2, 4, 8, 14)[place % 5]
            sent = timezone.now() - datetime.timedelta(days=30 * months + 3)
            StoreCopy.objects.create(patient=patient, scope="CORE", accepted_at=sent)
            make_item(patient, recorded_on=sent.date() - datetime.timedelta(days=60))
            if place % 3 == 0:
                job = decide(patient).job
                UploadJob.objects.filter(pk=job.pk).update(
                    state=JobState.HELD, due_at=None, reasons=["policy.bma"]
                )
            elif place % 7 == 0:
                make_item(patient, kind="REPEAT_MEDICATION", recorded_on=timezone.localdate())
    screen.as_(gp)
    screen.goto(f"{live_server.url}/reports/")
    screen.get_by_role("link", name="How old the copies on the Spine are").click()
    assert "of 16 copies are out of date" in screen.locator("main").inner_text()
    look(screen, "staleness-practice")
    screen.get_by_role("link", name="BMA boycott in force").click()
    assert screen.url.endswith("/uploads/?state=HELD&reason=policy.bma")
    assert "6 uploads." in screen.locator("main").inner_text()
    screen.as_(auditor)
    screen.goto(f"{live_server.url}/reports/staleness/")
    assert "of 77 copies are out of date" in screen.locator("main").inner_text()
    look(screen, "staleness-england")
