"""Uploads that went wrong: found by cause, tried again together and one by one, cancelled, and looked after
by the programme where a practice cannot mend it."""

import pytest
from django.utils import timezone

from carerecords.models import JobState, UploadJob
from spine.models import SendingRow, SendingRun, StoreCopy, UploadStep
from tests.browser import look
from tests.factories import decide, make_patient, make_practice

pytestmark = pytest.mark.django_db(transaction=True)


def went_wrong(practice, code, number=1, state=JobState.FAILED):
    jobs = [decide(make_patient(practice)).job for _ in range(number)]
    over = timezone.now() if state == JobState.FAILED else None
    UploadJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=state, reasons=[code], headline="", due_at=None, finished_at=over
    )
    return jobs


def test_what_went_wrong_is_tried_again(screen, live_server, practice, manager, national_admin):
    went_wrong(practice, "tech.failed", 3)
    [large] = went_wrong(practice, "tech.too_large")
    [differs] = went_wrong(practice, "consent.differs", state=JobState.HELD)
    StoreCopy.objects.create(patient=differs.patient, permission="No", read_at=timezone.now())
    went_wrong(make_practice(), "tech.failed", 2)
    [stopped] = went_wrong(practice, "tech.refused")
    run = SendingRun.objects.create(
        practice=practice, kind="INITIAL", state="CANCELLED", made_at=timezone.now(), made_by=manager
    )
    SendingRow.objects.create(run=run, patient=stopped.patient, job=stopped)

    # By cause, with the keyboard: the button says what it does and to how many.
    screen.as_(manager)
    screen.goto(f"{live_server.url}/uploads/problems/")
    look(screen, "problems")
    rows = screen.get_by_role("table").get_by_role("row")
    assert "A GP or the privacy officer" in rows.filter(has_text="holds a different decision").inner_text()
    screen.get_by_role("button", name="Try all 3 again").press("Enter")
    assert (
        "3 are tried again. Each is checked again before it is sent." in screen.locator("main").inner_text()
    )
    assert UploadStep.objects.filter(made_by=manager).count() == 3
    assert not screen.get_by_role("button", name="Try all 3 again").count()

    # One of them, from the list behind its cause: tried again, and the story tells it.
    screen.get_by_role("link", name="Message too large").click()
    assert "1 upload." in screen.locator("main").inner_text()
    screen.locator("table a").click()
    look(screen, "problem-upload")
    screen.get_by_role("button", name="Try again").click()
    assert "It was: Failed. Message too large." in screen.locator("main").inner_text()
    screen.get_by_text("Cancel this upload", exact=True).first.click()
    screen.get_by_role("button", name="Cancel this upload").click()
    assert "The upload is cancelled." in screen.locator("main").inner_text()
    large.refresh_from_db()
    assert large.state == JobState.CANCELLED

    # One whose run was cancelled offers no button, and says what asks for a new upload.
    screen.goto(f"{live_server.url}/uploads/problems/")
    row = screen.get_by_role("table").get_by_role("row").filter(has_text="The Spine refused it")
    assert "cannot be tried again" in row.inner_text() and not row.get_by_role("button").count()
    screen.get_by_role("link", name="The Spine refused it").click()
    screen.locator("table a").click()
    look(screen, "problem-upload-of-cancelled-run")
    main = screen.locator("main")
    assert "Another run asks for a new upload" in main.inner_text()
    assert not main.get_by_role("button", name="Try again").count()
    screen.get_by_text("Cancel this upload", exact=True).first.click()
    screen.get_by_role("button", name="Cancel this upload").click()
    assert "The upload is cancelled." in screen.locator("main").inner_text()

    # What differs leads to where both sides stand.
    screen.goto(f"{live_server.url}/uploads/problems/")
    screen.get_by_role("link", name="See what differs").click()
    assert screen.url.endswith("/uploads/differences/")

    # The programme: counts, the same button, nobody's name.
    screen.as_(national_admin)
    screen.goto(live_server.url)
    screen.get_by_role("link", name="Uploads that failed").click()
    assert "PATIENT" not in screen.locator("main").inner_text()
    look(screen, "problems-england")
    screen.get_by_role("button", name="Try all 2 again").click()
    assert "2 are tried again." in screen.locator("main").inner_text()
    assert not UploadJob.objects.filter(state=JobState.FAILED).exists()
