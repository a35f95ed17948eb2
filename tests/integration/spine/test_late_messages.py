"""A message that takes longer to write than a batch has to begin: it goes all the same, and never too late."""

import datetime
import time

import pytest
from django.utils import timezone

from carerecords.models import UploadJob
from consent.codes import Preference
from spine.models import UploadAttempt
from spine.sending import contents, outgoing, pipeline
from spine.sending.slots import clock
from tests.factories import decide, make_item, make_patient
from tests.integration.spine.conftest import sending_to
from tests.localstore_process import fresh_nhs_number

build_bundle, build_blank = contents.build_bundle, contents.build_blank


def slow(monkeypatch, seconds, patients=()):
    """Writing takes that long, for those patients or for everybody; returns whose was written, in order."""
    written = []
    numbers = {patient.nhs_number for patient in patients}

    def slowly(build):
        def write(summary, **more):
            written.append(summary.patient.nhs_number)
            if not numbers or summary.patient.nhs_number in numbers:
                time.sleep(seconds)
            return build(summary, **more)

        return write

    monkeypatch.setattr(contents, "build_bundle", slowly(build_bundle))
    monkeypatch.setattr(contents, "build_blank", slowly(build_blank))
    return written


def consenting(practice, gp, number=1):
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(number)]
    for patient in patients:
        make_item(patient)
        decide(patient, at=datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1))
        patient.refresh_from_db()
    return patients


def batches(sending, most):
    """Runs at most so many batches, until there is nothing to do; returns how many it took."""
    for number in range(most):
        if not pipeline.send_batch(sending.store).claimed:
            return number
    return most


def states():
    return set(UploadJob.objects.values_list("state", flat=True))


@pytest.mark.parametrize("seconds", [0.3, 0.5])
def test_it_goes_with_the_next_batch(sending, practice, gp, monkeypatch, seconds):
    [patient] = consenting(practice, gp)
    written = slow(monkeypatch, seconds)
    assert batches(sending, 4) == 2
    assert states() == {"ACCEPTED"} and written == [patient.nhs_number]
    [line] = sending.ledger()
    late, taken = UploadJob.objects.get().receipts.order_by("pk")
    assert (late.kind, taken.kind) == ("NOT_SENT", "ACCEPTED")
    assert taken.body_sha256 == line["body_sha256"]
    first, second = UploadAttempt.objects.order_by("pk")
    assert (first.composition_id, first.authored_at) == (second.composition_id, second.authored_at)


def test_it_goes_at_the_rate_of_the_store_too(
    transactional_db, localstore, settings, practice, gp, monkeypatch
):
    """There a message has less time than the batch: its slot is over soon."""
    settings.SPINE_REQUESTS_PER_SECOND = 5
    consenting(practice, gp)
    slow(monkeypatch, 0.15)
    for sending in sending_to(localstore, settings):
        batches(sending, 8)
        assert states() == {"ACCEPTED"} and len(sending.ledger()) == 1


def test_several_and_others_between_them_all_end(sending, practice, gp, monkeypatch):
    patients = consenting(practice, gp, 8)
    slow(monkeypatch, 0.35, patients[::3])
    batches(sending, 14)
    assert states() == {"ACCEPTED"} and len(sending.ledger()) == 8


def test_who_comes_before_it_does_not_wait_for_it(sending, practice, gp, monkeypatch):
    *quick, late = consenting(practice, gp, 5)
    for _ in range(3):
        make_item(late)
    for place, patient in enumerate([*quick[:3], late, *quick[3:]]):
        due = timezone.now() - datetime.timedelta(minutes=10 - place)
        UploadJob.objects.filter(patient=patient).update(due_at=due)
    monkeypatch.setattr(outgoing, "MANY_ENTRIES", 3)
    written = slow(monkeypatch, 0.3, [late])
    report = pipeline.send_batch(sending.store)
    place = written.index(late.nhs_number)
    assert place == 3 and report.sent == place == len(sending.ledger())


def test_a_withdrawal_goes_however_long_it_takes(sending, practice, gp, monkeypatch):
    [patient] = consenting(practice, gp)
    batches(sending, 3)
    slow(monkeypatch, 0.5)
    decide(patient, Preference.EXPRESS_DISSENT, seen=patient.consent_event_id)
    batches(sending, 4)
    assert states() == {"ACCEPTED"} and sending.ledger()[-1]["is_blank"]


def test_none_begins_after_its_right_is_over(sending, practice, gp, monkeypatch):
    consenting(practice, gp, 3)
    slow(monkeypatch, 0.4)
    begun, rights = [], []
    upload, until = sending.store._client.upload, pipeline._until

    def timed(end):
        rights.append(end)
        return until(end)

    async def watched(*args, may_begin, **more):
        def asked():
            if may := may_begin():
                begun.append((clock(), rights[-1]))
            return may

        return await upload(*args, may_begin=asked, **more)

    monkeypatch.setattr(pipeline, "_until", timed)
    monkeypatch.setattr(sending.store._client, "upload", watched)
    batches(sending, 10)
    assert len(begun) == len(sending.ledger()) == 3
    assert all(moment <= right for moment, right in begun)


def test_what_is_recorded_meanwhile_is_in_it(sending, practice, gp, monkeypatch):
    [patient] = consenting(practice, gp)
    written = slow(monkeypatch, 0.4)
    pipeline.send_batch(sending.store)
    make_item(patient, term="Allergy to latex", code="300916003")
    batches(sending, 4)
    assert written == [patient.nhs_number] * 2 and states() == {"ACCEPTED"}
    first, second, _ = UploadAttempt.objects.order_by("pk")
    [line] = sending.ledger()
    assert line["composition_id"].lower() == str(second.composition_id) != str(first.composition_id)


def test_who_refuses_meanwhile_sends_nothing(sending, practice, gp, monkeypatch):
    [patient] = consenting(practice, gp)
    slow(monkeypatch, 0.4)
    pipeline.send_batch(sending.store)
    decide(patient, Preference.EXPRESS_DISSENT, seen=patient.consent_event_id)
    batches(sending, 4)
    assert sending.ledger() == []
