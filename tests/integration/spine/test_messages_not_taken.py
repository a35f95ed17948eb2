"""Messages that the store cannot take, and repeats that it must recognise, over HTTP.

What else can go wrong stands in `test_store_faults` and `test_retry_ladder`.
"""

import pytest
from django.core.management import call_command
from django.utils import timezone

from carerecords.models import JobState, SummaryItem, UploadJob
from consent.codes import Preference
from spine.models import PermissionMismatch, Receipt, StoreCopy, UploadAttempt
from spine.sending import client, recovery
from tests.contracts.calls import Calls, bundle, new_id
from tests.factories import decide, make_item, make_patient
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number


@pytest.fixture
def sending(transactional_db, settings, odd_localstore):
    yield from sending_to(odd_localstore, settings)
    call_command("store_fault", "--clear")


@pytest.fixture
def patient(practice, gp):
    return make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())


def requests(sending):
    """Kinds of what reached the store since the test began, in order."""
    return [line["kind"] for line in sending.localstore.ledger(after=sending.from_line)]


def is_over(sending, *, reason):
    """The job failed for that reason, and no time that passes makes it go again."""
    job, asked = UploadJob.objects.get(), requests(sending)
    assert (job.state, job.reasons, job.due_at) == (JobState.FAILED, [reason], None)
    sending.all_due()
    sending.resolve()
    assert requests(sending) == asked
    return True


def test_a_first_upload_asks_first_and_replaces_nothing(sending, patient):
    decide(patient)
    sending.all_due()
    [line] = sending.ledger()
    assert requests(sending) == ["find", "upload"] and line["replaced_id"] is None


def test_a_record_of_another_system_is_replaced(sending, patient):
    theirs = new_id()
    assert Calls(sending.localstore).upload(bundle(patient.nhs_number, theirs)).status == 201
    decide(patient)
    sending.all_due()
    [ours] = [line for line in sending.ledger() if line["composition_id"] != theirs]
    assert (ours["outcome"], ours["replaced_id"]) == ("accepted", theirs)


@pytest.mark.parametrize("preference", [Preference.EXPRESS_CORE, Preference.EXPRESS_DISSENT])
def test_a_403_of_who_stands_before_the_spine_says_nothing_of_the_patient(
    sending, patient, preference, monkeypatch
):
    """It is tried again, removals too: they would end as agreed on, with another system's record still there."""

    async def forbidden(*args, **kwargs):
        return 403, {}, b"<html>Forbidden</html>"

    theirs = new_id()
    assert Calls(sending.localstore).upload(bundle(patient.nhs_number, theirs)).status == 201
    decide(patient, preference)
    with monkeypatch.context() as patch:
        patch.setattr(sending.store._client, "_once", forbidden)
        sending.all_due()
    job = UploadJob.objects.get()
    assert (job.state, job.reasons) == (JobState.WAITING, ["tech.access"])
    assert not StoreCopy.objects.exists() and not PermissionMismatch.objects.exists()
    sending.all_due()
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert sending.ledger()[-1]["is_blank"] is (preference is Preference.EXPRESS_DISSENT)


def test_a_record_that_is_too_large(sending, patient):
    """Over a mebibyte by itself: the store's own limit, and nobody's fault that was ordered."""
    one = make_item(patient)
    fields = {
        field.attname: getattr(one, field.attname)
        for field in SummaryItem._meta.concrete_fields
        if not field.primary_key
    }
    SummaryItem.objects.bulk_create(SummaryItem(**fields | {"detail": "x" * 200}) for _ in range(6000))
    decide(patient)
    sending.all_due()
    [line] = sending.ledger()
    assert (line["http_status"], line["outcome"]) == (413, "refused")
    assert is_over(sending, reason="tech.too_large")


def test_a_message_that_is_not_declared_as_what_it_is(sending, patient, monkeypatch):
    monkeypatch.setattr(client, "CONTENT_TYPE", "text/plain")
    decide(patient)
    sending.all_due()
    [line] = sending.ledger()
    assert (line["http_status"], line["issue_code"]) == (415, "not-supported")
    assert Receipt.objects.get().kind == "UNSUPPORTED" and is_over(sending, reason="tech.unsupported")


def test_an_answer_lost_on_the_way_there_is_repeated_with_the_same_keys(sending, patient, monkeypatch):
    """504, and nothing stored: asked after, and sent again under the same X-Request-ID, byte for byte."""
    decide(patient)
    call_command("store_fault", "timeout_before", target="upload", times="1")
    sending.all_due()
    first = UploadAttempt.objects.get()
    monkeypatch.setattr(recovery, "_settled_by", lambda one, now: True)
    UploadJob.objects.filter(state="IN_DOUBT").update(due_at=timezone.now())
    sending.resolve()
    sending.all_due()
    second = UploadAttempt.objects.latest("pk")
    assert (first.request_id, first.composition_id) == (second.request_id, second.composition_id)
    [line] = sending.ledger()
    assert line["request_id"] == str(first.request_id) and line["outcome"] == "accepted"
    lost, asked, taken = Receipt.objects.order_by("pk")
    assert asked.kind == "NOT_THERE"
    assert lost.body_sha256 == taken.body_sha256 == line["body_sha256"]


def test_an_answer_lost_on_the_way_back_is_found_by_asking(sending, patient):
    decide(patient)
    call_command("store_fault", "timeout_after", target="upload", times="1")
    sending.all_due()
    UploadJob.objects.filter(state="IN_DOUBT").update(due_at=timezone.now())
    sending.resolve()
    assert UploadJob.objects.get().state == JobState.ACCEPTED
    assert requests(sending) == ["find", "upload", "find"] and Receipt.objects.latest("pk").kind == "FOUND"


def test_the_store_would_take_a_repeat_under_the_same_id_for_the_first(sending, patient):
    """What the store promises, tried with a message of ours: a second send stores nothing and is no error."""
    decide(patient)
    sending.all_due()
    attempt = UploadAttempt.objects.get()
    calls = Calls(sending.localstore)
    current = calls.current_id(patient.nhs_number)
    again = bundle(patient.nhs_number, current)
    refused = calls.upload(again, X_Request_ID=str(attempt.request_id))
    assert refused.status == 400 and "PSIS-30134" in refused.issue[1]
    assert len(sending.ledger(outcome="accepted")) == 1
