"""Bulk runs: the frozen list and nothing else, whole chunks or none, and an undo that spares later work."""

import datetime

import pytest
from django.utils import timezone

from carerecords.models import Patient, UploadJob
from consent import bulk_runs, bulk_work
from consent.codes import BulkKind, Preference, RowResult, RunState, Source
from consent.models import BulkRun, ConsentEvent, Deferral, NoticeLetter
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate(NOW)
ANSWERS = {
    BulkKind.REFUSAL: {
        "preference": Preference.EXPRESS_DISSENT,
        "source": Source.LETTER,
        "reference": "B1",
        "day": TODAY,
    },
    BulkKind.CONSENT: {
        "preference": Preference.EXPRESS_CORE,
        "source": Source.FORM,
        "reference": "B1",
        "day": TODAY,
    },
    BulkKind.LETTER: {"day": TODAY, "reference": "Notice 1"},
    BulkKind.DEFERRAL: {"day": TODAY + datetime.timedelta(days=30), "note": "Asked again in a month"},
}
KINDS = list(ANSWERS)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(bulk_runs, "CHUNK", 2)


@pytest.fixture
def patients(practice):
    return [make_patient(practice) for _ in range(5)]


def frozen(practice, by, kind=BulkKind.REFUSAL, chosen=None):
    chosen = Patient.objects.all() if chosen is None else chosen
    return bulk_runs.freeze(practice=practice, kind=kind, patients=chosen, by=by, at=NOW, **ANSWERS[kind])


def run_through(run, at=NOW):
    bulk_runs.start(run=run, at=at)
    bulk_runs.work(run.public_id, lambda: at)
    run.refresh_from_db()
    return run


def taken_back(run, by, at=NOW):
    bulk_runs.undo(run=run, by=by, at=at)
    bulk_runs.work(run.public_id, lambda: at)
    run.refresh_from_db()
    return run


def written():
    return ConsentEvent.objects.count(), NoticeLetter.objects.count(), Deferral.objects.count()


def results(run):
    return list(run.rows.order_by("position").values_list("result", flat=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_list_does_nothing_before_it_is_confirmed(practice, manager, patients, kind):
    run = frozen(practice, manager, kind)
    bulk_runs.work(run.public_id, lambda: NOW)
    assert written() == (0, 0, 0) and set(results(run)) == {RowResult.PENDING}


@pytest.mark.parametrize("kind", KINDS)
def test_a_confirmed_run_does_its_list_and_says_so_row_by_row(practice, manager, patients, kind):
    run = run_through(frozen(practice, manager, kind))
    assert (run.state, run.total, run.changed, run.done) == (RunState.DONE, 5, 5, 5)
    assert set(results(run)) == {RowResult.CHANGED} and sum(written()) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_undoing_leaves_everybody_as_they_were(practice, manager, patients, kind):
    before = list(
        Patient.objects.order_by("pk").values("consent_state", "letter_sent_on", "consent_event_id")
    )
    run = taken_back(run_through(frozen(practice, manager, kind)), manager)
    assert (run.state, run.taken_back, run.kept) == (RunState.UNDONE, 5, 0)
    assert before == list(
        Patient.objects.order_by("pk").values("consent_state", "letter_sent_on", "consent_event_id")
    )
    assert not UploadJob.objects.filter(kind="UPLOAD", state__in=["WAITING", "HELD"]).exists()


def test_exactly_the_frozen_list_is_worked_on(practice, manager, patients):
    run = frozen(practice, manager, chosen=Patient.objects.filter(consent_state="NONE"))
    late = make_patient(practice)
    run_through(run)
    late.refresh_from_db()
    assert late.consent_state == "NONE" and run.total == 5


def test_who_decided_since_the_check_page_is_left_alone_and_named(practice, manager, gp, patients):
    run = frozen(practice, manager)
    decide(patients[1], Preference.EXPRESS_CORE, by=gp)
    run_through(run)
    row = run.rows.get(patient=patients[1])
    assert (row.result, row.why) == ("SKIPPED", "DECIDED")
    assert (run.changed, run.skipped) == (4, 1)
    patients[1].refresh_from_db()
    assert patients[1].consent_state == "EXPRESS_CORE"


def test_undo_spares_who_was_changed_later(practice, manager, gp, patients):
    run = run_through(frozen(practice, manager))
    patients[2].refresh_from_db()
    decide(patients[2], Preference.EXPRESS_CORE, by=gp, seen=patients[2].consent_event_id)
    taken_back(run, manager)
    row = run.rows.get(patient=patients[2])
    assert (row.result, row.why, run.taken_back, run.kept) == ("KEPT", "LATER", 4, 1)
    patients[2].refresh_from_db()
    assert patients[2].consent_state == "EXPRESS_CORE"


def test_a_run_of_yesterday_can_no_longer_be_undone(practice, manager, patients):
    run = run_through(frozen(practice, manager))
    with pytest.raises(bulk_runs.RunRefused, match="no longer be undone"):
        bulk_runs.undo(run=run, by=manager, at=NOW + bulk_runs.UNDO_FOR + datetime.timedelta(seconds=1))
    assert Patient.objects.filter(consent_state="EXPRESS_DISSENT").count() == 5


def test_consent_is_for_fifty_at_most(practice, manager):
    for _ in range(bulk_runs.CONSENT_CAP + 1):
        make_patient(practice)
    with pytest.raises(bulk_runs.RunRefused, match="up to 50 selected patients"):
        frozen(practice, manager, BulkKind.CONSENT)
    assert not BulkRun.objects.exists()
    assert frozen(practice, manager, BulkKind.REFUSAL).total == 51


def test_nobody_selected(practice, manager):
    with pytest.raises(bulk_runs.RunRefused, match="Select at least one patient"):
        frozen(practice, manager)
    assert not BulkRun.objects.exists()


def test_other_practices_patients_are_never_in_the_list(practice, manager, patients):
    make_patient()
    assert frozen(practice, manager).total == 5


def test_confirming_twice_does_it_once(practice, manager, patients):
    run = run_through(frozen(practice, manager))
    run_through(run)
    assert ConsentEvent.objects.count() == 5


def test_a_cancelled_list_cannot_be_confirmed(practice, manager, patients):
    run = frozen(practice, manager)
    bulk_runs.drop(run=run)
    with pytest.raises(bulk_runs.RunRefused, match="was cancelled"):
        bulk_runs.start(run=run, at=NOW)
    assert written() == (0, 0, 0)


def test_a_worker_that_dies_leaves_whole_chunks_and_the_next_goes_on(
    practice, manager, patients, monkeypatch
):
    run = frozen(practice, manager)
    bulk_runs.start(run=run, at=NOW)
    real, calls = bulk_work.DO[BulkKind.REFUSAL], []

    def dies_in_the_second(*arguments):
        calls.append(1)
        made = real(*arguments)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return made

    monkeypatch.setitem(bulk_work.DO, BulkKind.REFUSAL, dies_in_the_second)
    with pytest.raises(RuntimeError):
        bulk_runs.work(run.public_id, lambda: NOW)
    run.refresh_from_db()
    assert (ConsentEvent.objects.count(), run.changed, run.state) == (2, 2, RunState.RUNNING)
    assert bulk_runs.lost(NOW + datetime.timedelta(seconds=29)) == []
    assert bulk_runs.lost(NOW + datetime.timedelta(seconds=31)) == [run.public_id]
    bulk_runs.work(run.public_id, lambda: NOW)
    assert ConsentEvent.objects.count() == 5


def test_a_refusal_of_a_conversion_is_marked_as_error_and_can_come_back(practice, manager, gp, patients):
    decide(
        patients[0],
        Preference.EXPRESS_CORE,
        by=gp,
        at=NOW - datetime.timedelta(days=9),
        decided_on=TODAY - datetime.timedelta(days=9),
    )
    for patient in patients:
        patient.refresh_from_db()
        decide(patient, Preference.EXPRESS_DISSENT, by=gp, at=NOW, seen=patient.consent_event_id)
    run = bulk_runs.freeze(
        practice=practice,
        kind=BulkKind.CONVERSION,
        patients=Patient.objects.order_by("pk"),
        by=manager,
        at=NOW,
        note="The union's policy, not the patients' decision",
    )
    run_through(run)
    states = list(Patient.objects.order_by("pk").values_list("consent_state", flat=True))
    assert states == ["EXPRESS_CORE", "NONE", "NONE", "NONE", "NONE"], "what was before holds again"
    taken_back(run, manager)
    assert set(Patient.objects.values_list("consent_state", flat=True)) == {"EXPRESS_DISSENT"}
