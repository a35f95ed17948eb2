"""What a cancelled run says of itself: what went, what cancelling stopped, what did not go all the same."""

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from boycott.positions import Stance
from carerecords.confirmation import Confirmation
from carerecords.models import JobState, Practice, UploadJob
from spine.models import SendingRow
from spine.reasons import Reason
from spine.runs import actions
from spine.runs.codes import RunGroup, RunKind
from spine.runs.hours import SendingHours
from spine.runs.progress import by_practice, progress_of
from spine.uploads.endings import Ending, ending_of, jobs_ended
from tests.factories import decide, make_list, make_patient
from tests.integration.spine.running import fed, make_run, started
from tests.policy_factories import answer

pytestmark = pytest.mark.django_db
# How the jobs of a run ended or stand when it is cancelled, and how many of each.
STANDING = (
    (3, "ACCEPTED", []),
    (2, "CANCELLED", ["store.same"]),
    (1, "CANCELLED", ["store.nothing"]),
    (1, "CANCELLED", ["job.superseded"]),
    (1, "CANCELLED", []),
    (2, "FAILED", ["tech.refused"]),
    (1, "SENDING", []),
    (4, "HELD", ["gp.holds"]),
    (5, "WAITING", []),
)


def stand(jobs):
    """The jobs of a run as `STANDING` has them."""
    jobs = iter(jobs)
    for number, state, reasons in STANDING:
        for _ in range(number):
            over = state in {"ACCEPTED", "CANCELLED", "FAILED"}
            UploadJob.objects.filter(pk=next(jobs).pk).update(
                state=state,
                reasons=reasons,
                finished_at=timezone.now() if over else None,
                due_at=timezone.now() if state == "WAITING" else None,
                lease_until=timezone.now() if state == "SENDING" else None,
            )
    assert next(jobs, None) is None


@pytest.fixture
def cancelled(practice, manager):
    """A run of 23 that was cancelled: 20 were asked for, one was left out, two had still to be asked for."""
    make_list(practice, 20, consent_state="EXPRESS_CORE")
    run = started(practice, by=manager)
    stand(UploadJob.objects.filter(sending_row__run=run))
    SendingRow.objects.create(run=run, patient=make_patient(practice), why="consent.none")
    for _ in range(2):
        SendingRow.objects.create(run=run, patient=make_patient(practice))
    actions.cancel(run, by=manager, at=timezone.now())
    run.refresh_from_db()
    return run


def page_of(client, run):
    return " ".join(client.get(reverse("spine:run", args=[run.public_id])).content.decode().split())


def test_in_a_sentence(cancelled, manager, client):
    client.force_login(manager)
    page = page_of(client, cancelled)
    told = (
        "Cancelled: 3 of 23 went to the Spine, 11 stopped by cancelling it, "
        "8 not sent for other reasons, 1 still on the way."
    )
    assert told in page and "Still to come" not in page


def test_nothing_is_still_to_do(cancelled):
    """What had not been asked for never is."""
    progress = progress_of(cancelled)
    assert (progress.to_go, progress.number("unasked"), progress.number("to_come")) == (1, 2, 0)
    assert [one.to_go for one in by_practice(cancelled, 20)] == [1]


def test_each_part_leads_to_its_own_list(cancelled, manager, client):
    client.force_login(manager)
    rows = re.findall(
        r'<a href="(/uploads/\?run=[^"]*)">([^<]*)</a></th> <td[^>]*>(\d+)</td>', page_of(client, cancelled)
    )
    numbers = {}
    for address, label, number in rows:
        listed = client.get(html.unescape(address)).content.decode()
        [total] = re.findall(r"(\d+) uploads?\. Newest first", listed)
        numbers[label] = set(re.findall(r'href="/uploads/([0-9a-f-]{36})/"', listed))
        assert total == number and len(numbers[label]) == int(number), label
    assert len(numbers) == len(rows) == 6 and len(set().union(*numbers.values())) == 20
    assert len(numbers["Nothing to send"]) == 3 and len(numbers["Cancelled"]) == 2


def test_the_list_names_how_they_ended(cancelled, manager, client):
    client.force_login(manager)
    asked = {"run": str(cancelled.public_id), "state": "CANCELLED", "ended": "WITH_RUN"}
    page = client.get(reverse("spine:uploads"), asked).content.decode()
    assert "How it ended: stopped by cancelling the run" in page and "9 uploads. Newest first." in page
    # Nothing else ends in one of these ways.
    for odd in ({"state": "HELD"}, {"ended": "SOMEHOW"}):
        assert "How it ended" not in client.get(reverse("spine:uploads"), asked | odd).content.decode()


def test_one_that_had_not_begun(practice, manager, client):
    run = make_run(practice, by=manager)
    actions.cancel(run, by=manager, at=timezone.now())
    client.force_login(manager)
    assert "Cancelled. Nothing was asked for." in page_of(client, run)


def test_rows_and_lists_go_by_the_same_words(practice):
    codes = [None, "store.same", "store.others", "job.run_cancelled", "job.cancelled", "patient.left"]
    jobs = {}
    for code in codes:
        job = decide(make_patient(practice)).job
        jobs[job.pk] = ending_of(code)
        UploadJob.objects.filter(pk=job.pk).update(
            state="CANCELLED", reasons=[code] if code else [], due_at=None, finished_at=timezone.now()
        )
    # The same reason on one that is not over.
    decide(make_patient(practice))
    for ending in Ending:
        found = set(UploadJob.objects.filter(jobs_ended(ending)).values_list("pk", flat=True))
        assert found == {pk for pk, one in jobs.items() if one is ending} != set()


def test_the_programme_is_told_no_sum_of_what_it_may_not_read(practice, national_admin, client):
    make_list(practice, 20, consent_state="EXPRESS_CORE")
    run = actions.make(
        practice=None,
        practices=Practice.objects.filter(pk=practice.pk),
        kind=RunKind.INITIAL,
        group=RunGroup.ALL,
        older_than_days=None,
        hours=SendingHours(),
        by=national_admin,
        at=timezone.now(),
    )
    proof = Confirmation(national_admin.pk, timezone.now())
    actions.start(run, by=national_admin, at=timezone.now(), confirmed=proof)
    fed(run)
    jobs = UploadJob.objects.filter(sending_row__run=run)
    some = jobs.values("pk")[:10]
    jobs.filter(pk__in=some).update(state="ACCEPTED", due_at=None, finished_at=timezone.now())
    actions.cancel(run, by=national_admin, at=timezone.now())
    client.force_login(national_admin)
    assert "Cancelled: 10 of 20 went to the Spine, 10 stopped by cancelling it." in page_of(client, run)
    jobs.filter(pk=jobs.filter(state=JobState.ACCEPTED).first().pk).update(
        state="FAILED", reasons=["tech.refused"]
    )
    assert "Cancelled: 20 patients." in page_of(client, run)


def tags_of(page):
    return re.findall(r'<strong class="nhsuk-tag[^>]*>([^<]*)</strong>', page)


def test_every_page_tags_what_needed_no_sending_alike(practice, manager, gp, client):
    """During a boycott, too: that held nothing up which had nothing to send."""
    patient = make_patient(practice, family_name="Same")
    job = decide(patient, by=gp).job
    same = Reason.STORE_SAME
    UploadJob.objects.filter(pk=job.pk).update(
        state="CANCELLED",
        reasons=[same.code],
        headline=same.sentence,
        due_at=None,
        finished_at=timezone.now(),
    )
    answer(practice, Stance.HOLD, by=manager)
    client.force_login(gp)
    addresses = {
        "patient": reverse("consent:patient", args=[patient.public_id]),
        "patients": reverse("consent:list"),
        "upload": reverse("spine:upload", args=[job.public_id]),
        "uploads": reverse("spine:uploads"),
    }
    pages = {name: client.get(address).content.decode() for name, address in addresses.items()}
    for name, page in pages.items():
        assert "Nothing to send" in tags_of(page) and "Cancelled" not in tags_of(page), name
    page = pages["patient"]
    why = page.index(Reason.POLICY_PRACTICE.sentence)
    assert why < page.index("Last asked for") < page.index(">Nothing to send</strong>")
    listed = client.get(addresses["patients"], {"upload": "CANCELLED"}).content.decode()
    assert "SAME" not in listed
    found = client.get(addresses["patients"], {"upload": "NEEDLESS"}).content.decode()
    assert "SAME" in found and "Upload: Nothing to send." in found


def test_the_filter_by_state_says_what_it_includes(cancelled, manager, client):
    client.force_login(manager)
    page = client.get(reverse("spine:uploads"), {"state": "CANCELLED"}).content.decode()
    assert "State: Cancelled or nothing to send" in page and "14 uploads. Newest first." in page
