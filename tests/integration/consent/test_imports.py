"""Imports of decisions, letters and patients: each row's verdict, and what applying and undoing leave."""

import datetime

import pytest
import time_machine

from carerecords.models import JobKind, Patient, Registration, UploadJob
from carerecords.permissions import Role
from consent import bulk_runs, bulk_work, letters, tasks
from consent.codes import BulkKind, ImportKind, ImportState, Preference, RunState
from consent.imports import actions, approval, checking
from consent.imports.actions import ImportRefused
from consent.models import BulkRun, ConsentEvent, Import, ImportRow, NoticeLetter
from tests.factories import decide, make_patient, make_practice, make_user, nhs_number
from tests.integration.consent.importing import (
    MAY,
    NOW,
    TODAY,
    applied,
    counts,
    csv_of,
    decision,
    letter,
    person,
    problems,
    staged,
    taken_back,
    work,
)

pytestmark = pytest.mark.django_db
LETTERS, PATIENTS = ImportKind.LETTERS, ImportKind.PATIENTS
DAY = datetime.date(2012, 3, 15)


@pytest.fixture
def patients(practice):
    return [make_patient(practice) for _ in range(4)]


def states():
    return list(Patient.objects.order_by("pk").values_list("consent_state", flat=True))


def everything():
    """All that an import may write."""
    tables = (ConsentEvent, NoticeLetter, UploadJob, Patient, Registration)
    return [model.objects.count() for model in tables], states()


# --- Decisions --------------------------------------------------------------------------------


def test_each_way_of_saying_a_decision(practice, staff, manager, patients):
    said = [
        ("consent", {}),
        ("9Ndn", {}),
        ("93C3", {"EVIDENCE_REF": "", "SOURCE": "phone"}),
        ("None", {"EVIDENCE_REF": "", "SOURCE": "In person"}),
    ]
    file = csv_of(
        [decision(patient, *one[:1], **one[1]) for patient, one in zip(patients, said, strict=True)]
    )
    made = applied(staged(practice, staff, file), manager)
    assert states() == ["EXPRESS_CORE", "EXPRESS_ADDITIONAL", "EXPRESS_DISSENT", "NONE"]
    event = ConsentEvent.objects.get(patient=patients[0])
    told = (event.source, event.decided_on, event.reference, event.recorded_by, event.run)
    assert told == ("FORM", DAY, "F 1", manager, made.run)
    assert sorted(UploadJob.objects.values_list("kind", flat=True)) == ["UPLOAD", "UPLOAD", "WITHDRAWAL"]


def test_nothing_is_written_before_somebody_approves(practice, staff, patients):
    before = everything()
    made = staged(practice, staff, csv_of([decision(patient) for patient in patients]))
    assert made.state == ImportState.READY and counts(made) == {"new": 4}
    assert everything() == before


def test_the_same_file_twice(practice, manager, patients):
    rows = [decision(patient, "refuse") for patient in patients]
    applied(staged(practice, manager, csv_of(rows)), manager)
    before = everything()
    again = staged(practice, manager, csv_of(rows))
    assert counts(again) == {"same": 4} and again.writes == 0
    with pytest.raises(ImportRefused):
        actions.approve(made=again, by=manager, may=MAY, at=NOW)
    assert everything() == before


def test_what_a_row_would_do_beside_what_stands(practice, gp, manager, patients):
    long_ago, lately = datetime.date(2010, 1, 1), datetime.date(2020, 1, 1)
    for patient, what, day in [
        (patients[0], Preference.EXPRESS_DISSENT, long_ago),
        (patients[1], Preference.EXPRESS_DISSENT, lately),
        (patients[2], Preference.EXPRESS_CORE, long_ago),
        (patients[3], Preference.EXPRESS_DISSENT, DAY),
    ]:
        decide(patient, what, by=gp, decided_on=day)
    made = staged(practice, manager, csv_of([decision(patient) for patient in patients]))
    assert counts(made) == {"changed": 1, "history": 2, "bad": 1} and made.ends_refusal == 1
    assert problems(made) == {5: checking.SAME_DAY}
    applied(made, manager)
    assert states() == ["EXPRESS_CORE", "EXPRESS_DISSENT", "EXPRESS_CORE", "EXPRESS_DISSENT"]


def test_decisions_that_disagree_are_settled_first(practice, gp, staff, manager, patients):
    decide(patients[0], Preference.EXPRESS_CORE, by=gp)
    decide(patients[0], Preference.EXPRESS_DISSENT, by=staff)
    made = staged(practice, manager, csv_of([decision(patients[0])]))
    assert problems(made) == {2: checking.CONFLICTING}


def test_what_was_taken_back_is_new_again(practice, manager, patients):
    rows = [decision(patients[0])]
    taken_back(applied(staged(practice, manager, csv_of(rows)), manager), manager)
    assert counts(staged(practice, manager, csv_of(rows))) == {"new": 1}


def test_rows_of_one_patient(practice, manager, patients):
    one, two, three, four = patients
    rows = [decision(one), decision(two), decision(one), decision(two, "refuse"), decision(three)]
    rows += [decision(four, NOTE=str(number)) for number in range(8)]
    made = staged(practice, manager, csv_of(rows))
    assert counts(made) == {"new": 2, "repeated": 1, "bad": 10}
    told = problems(made)
    assert told[3] == told[5] == "Rows 3 and 5 are the same patient, with different answers."
    assert told[7] == "Rows 7, 8, 9, 10, 11 and 3 more are the same patient, with different answers."


def test_who_decided_since_the_check_is_left_alone(practice, gp, manager, patients):
    made = staged(practice, manager, csv_of([decision(patient) for patient in patients]))
    decide(patients[1], Preference.EXPRESS_DISSENT, by=gp)
    applied(made, manager)
    assert states()[1] == "EXPRESS_DISSENT"
    assert (made.run.changed, made.run.skipped) == (3, 1)
    assert made.run.rows.get(patient=patients[1]).why == "DECIDED"


def test_undo_leaves_everybody_as_they_were(practice, gp, manager, patients):
    decide(patients[0], Preference.EXPRESS_DISSENT, by=gp, decided_on=datetime.date(2010, 1, 1))
    before = states()
    made = applied(staged(practice, manager, csv_of([decision(patient) for patient in patients])), manager)
    assert states() != before
    taken_back(made, manager)
    assert states() == before and made.run.state == RunState.UNDONE
    with pytest.raises(ImportRefused, match="no longer"):
        actions.undo(made=made, by=manager, at=NOW)


def test_undo_ends_after_a_day(practice, manager, patients):
    made = applied(staged(practice, manager, csv_of([decision(patients[0])])), manager)
    with pytest.raises(ImportRefused, match="This can no longer be undone"):
        actions.undo(made=made, by=manager, at=NOW + datetime.timedelta(hours=24, seconds=1))


# --- Whose patients ----------------------------------------------------------------------------


def test_number_and_birth_together(practice, manager, patients):
    wrong = decision(patients[0], DATE_OF_BIRTH="13/06/1970")
    left = make_patient(practice, left_on=datetime.date(2020, 1, 1))
    died = make_patient(practice, died_on=datetime.date(2020, 1, 1))
    made = staged(practice, manager, csv_of([wrong, decision(left), decision(died)]))
    assert problems(made) == {2: checking.WRONG_BIRTH, 3: checking.GONE, 4: checking.GONE}


def test_who_is_elsewhere_and_who_is_nowhere_get_the_same_words(practice, manager, patients):
    elsewhere, nowhere = make_patient(), Patient(nhs_number=nhs_number(), born_on=datetime.date(1970, 6, 12))
    made = staged(practice, manager, csv_of([decision(elsewhere), decision(nowhere)]))
    assert problems(made) == {2: checking.NOT_FOUND, 3: checking.NOT_FOUND}
    assert not ImportRow.objects.filter(patient__isnull=False).exists()


@pytest.mark.parametrize("own, foreign, stops", [(9, 1, False), (8, 2, True), (7, 2, False), (0, 10, True)])
def test_a_file_of_another_practice_is_stopped(practice, manager, own, foreign, stops):
    other = make_practice()
    rows = [decision(make_patient(practice)) for _ in range(own)]
    rows += [decision(make_patient(other)) for _ in range(foreign)]
    made = staged(practice, manager, csv_of(rows))
    assert made.state == (ImportState.STOPPED if stops else ImportState.READY)
    if stops:
        told = (
            f"{foreign} of 10 rows were not found in your practice list. Check you have the right practice."
        )
        assert made.problem == told
        assert not ImportRow.objects.exists(), "who they are is not this practice's to keep"
        with pytest.raises(ImportRefused):
            actions.approve(made=made, by=manager, may=MAY, at=NOW)


def test_rows_that_cannot_be_read_do_not_stop_a_file(practice, manager):
    """Else a file that a spreadsheet has damaged would be refused without saying why."""
    rows = [decision(make_patient(practice), NHS_NUMBER="9.99E+09") for _ in range(12)]
    made = staged(practice, manager, csv_of(rows))
    assert made.state == ImportState.READY and made.bad == 12
    told = "NHS_NUMBER was changed by Excel to 9.99E+09. Format the column as text and save again."
    assert problems(made) == dict.fromkeys(range(2, 14), told)


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "consents, own, refused", [(500, True, False), (501, True, True), (501, False, False)]
)
def test_many_consents_need_two(practice, staff, manager, patients, consents, own, refused):
    made = staged(practice, manager if own else staff, csv_of([decision(patient) for patient in patients]))
    Import.objects.filter(pk=made.pk).update(consents=consents)
    if refused:
        with pytest.raises(ImportRefused, match="Somebody other than you must approve it"):
            actions.approve(made=made, by=manager, may=MAY, at=NOW)
        assert not BulkRun.objects.exists()
    else:
        applied(made, manager)
        assert ConsentEvent.objects.count() == 4


def test_many_consents_in_small_files_need_two_as_well(practice, manager, patients):
    first = staged(practice, manager, csv_of([decision(patients[0])]))
    Import.objects.filter(pk=first.pk).update(consents=400)
    applied(first, manager)
    second = staged(practice, manager, csv_of([decision(patients[1])]))
    Import.objects.filter(pk=second.pk).update(consents=101)
    with pytest.raises(ImportRefused, match="Somebody other than you"):
        actions.approve(made=second, by=manager, may=MAY, at=NOW)
    actions.approve(made=second, by=manager, may=MAY, at=NOW + datetime.timedelta(hours=25))


@pytest.mark.parametrize(
    "role, answer, why",
    [
        (Role.STAFF, "refuse", approval.ROLE_NEEDED),
        (Role.PRACTICE_MANAGER, "9Ndn", approval.GP_NEEDED),
        (Role.PRACTICE_MANAGER, "9Ndm", None),
        (Role.GP, "9Ndn", None),
    ],
)
def test_roles(practice, staff, patients, role, answer, why):
    made = staged(practice, staff, csv_of([decision(patients[0], answer)]))
    by, may = make_user(role, practice), role.rule.permissions
    if why is None:
        assert actions.approve(made=made, by=by, may=may, at=NOW).approved_by == by
        return
    with pytest.raises(ImportRefused) as refusal:
        actions.approve(made=made, by=by, may=may, at=NOW)
    assert str(refusal.value) == why and not BulkRun.objects.exists()


# --- Whole or not at all ----------------------------------------------------------------------------


def test_a_fault_in_the_middle_leaves_nothing_and_the_next_worker_goes_on(
    practice, manager, patients, monkeypatch
):
    made = staged(practice, manager, csv_of([decision(patient) for patient in patients]))
    before = everything()
    real = bulk_work.DO[BulkKind.IMPORT]

    def dies(*arguments):
        real(*arguments)
        raise RuntimeError("killed")

    monkeypatch.setitem(bulk_work.DO, BulkKind.IMPORT, dies)
    made = actions.approve(made=made, by=manager, may=MAY, at=NOW)
    with pytest.raises(RuntimeError):
        work(made)
    assert everything() == before
    assert bulk_runs.lost(NOW + datetime.timedelta(seconds=31)) == [made.run.public_id]
    monkeypatch.setitem(bulk_work.DO, BulkKind.IMPORT, real)
    work(made)
    assert ConsentEvent.objects.count() == 4 and made.run.state == RunState.DONE


def test_a_check_that_was_lost_is_taken_up_again(practice, manager, patients, monkeypatch, one_clock):
    def dies(*arguments):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(checking, "_settle", dies)
        with pytest.raises(RuntimeError):
            staged(practice, manager, csv_of([decision(patients[0])]))
    made = Import.objects.get()
    assert actions.lost(NOW + datetime.timedelta(seconds=29)) == []
    assert actions.lost(NOW + datetime.timedelta(seconds=31)) == [made]
    with time_machine.travel(NOW + datetime.timedelta(seconds=29)):
        tasks.take_up_lost_imports()
    made.refresh_from_db()
    assert made.state == ImportState.CHECKING, "not lost yet"
    with time_machine.travel(NOW + datetime.timedelta(seconds=31)):
        tasks.take_up_lost_imports()
    made.refresh_from_db()
    assert made.state == ImportState.READY and counts(made) == {"new": 1}


def test_approving_twice_applies_once(practice, manager, patients):
    made = staged(practice, manager, csv_of([decision(patients[0])]))
    applied(made, manager)
    applied(made, manager)
    assert ConsentEvent.objects.count() == BulkRun.objects.count() == 1


def test_cancelling_deletes_the_rows(practice, manager, patients):
    made = staged(practice, manager, csv_of([decision(patients[0])]))
    actions.cancel(made=made, by=manager, at=NOW)
    made.refresh_from_db()
    assert made.state == ImportState.CANCELLED and not ImportRow.objects.exists()
    with pytest.raises(ImportRefused):
        actions.approve(made=made, by=manager, may=MAY, at=NOW)


def test_what_is_applied_cannot_be_cancelled(practice, manager, patients):
    made = applied(staged(practice, manager, csv_of([decision(patients[0])])), manager)
    with pytest.raises(ImportRefused, match="can no longer be cancelled"):
        actions.cancel(made=made, by=manager, at=NOW)
    assert ImportRow.objects.exists()


def test_a_month_later_the_rows_are_gone(practice, manager, patients):
    waits = staged(practice, manager, csv_of([decision(patients[0])]))
    done = applied(staged(practice, manager, csv_of([decision(patients[1])])), manager)
    assert actions.forget(NOW + datetime.timedelta(days=29)) == 0
    assert actions.forget(NOW + datetime.timedelta(days=31)) == 2
    waits.refresh_from_db()
    assert (waits.state, waits.problem) == (ImportState.STOPPED, actions.NOT_APPROVED)
    done.refresh_from_db()
    assert done.run.state == RunState.DONE and ConsentEvent.objects.count() == 1


# --- Letters -----------------------------------------------------------------------------------------


def letter_days():
    return list(Patient.objects.order_by("pk").values_list("letter_sent_on", flat=True))


def test_letters_sent_and_returned(practice, manager, patients):
    rows = [letter(patients[0]), letter(patients[1], RETURNED="yes"), letter(patients[2], SENT_ON="20130401")]
    made = applied(staged(practice, manager, csv_of(rows, LETTERS), LETTERS), manager)
    assert letter_days() == [DAY, None, datetime.date(2013, 4, 1), None]
    assert made.run.changed == 3
    assert counts(staged(practice, manager, csv_of(rows, LETTERS), LETTERS)) == {"same": 3}


def test_a_letter_that_was_noted_before_comes_back(practice, manager, patients):
    letters.letters_sent(patient_ids=[patients[0].pk], sent_on=DAY, reference="Notice 1", by=manager, at=NOW)
    made = staged(practice, manager, csv_of([letter(patients[0], RETURNED="Y")], LETTERS), LETTERS)
    assert counts(made) == {"changed": 1}
    applied(made, manager)
    assert letter_days()[0] is None and NoticeLetter.objects.count() == 2


def test_undoing_letters(practice, manager, patients):
    rows = [letter(patients[0]), letter(patients[1], RETURNED="yes")]
    made = taken_back(applied(staged(practice, manager, csv_of(rows, LETTERS), LETTERS), manager), manager)
    assert letter_days() == [None] * 4 and (made.run.taken_back, made.run.kept) == (1, 1)
    assert bulk_work.forecast_of_undo(made.run) == (0, 0)


# --- Patients ----------------------------------------------------------------------------------------


def test_new_patients_are_registered(practice, gp, manager):
    number = nhs_number()
    rows = [person(number, USUAL_GP_GMC=gp.gmc_number, TITLE="Ms", ADDRESS="1 Mill Lane")]
    made = applied(staged(practice, manager, csv_of(rows, PATIENTS), PATIENTS), manager)
    patient = Patient.objects.get(nhs_number=number)
    told = (patient.family_name, patient.postcode, patient.usual_gp, patient.practice, patient.consent_state)
    assert told == ("Adeyemi", "DT1 2BB", gp, practice, "NONE")
    stay = patient.registrations.get()
    assert (stay.practice, stay.registered_on, stay.left_on) == (practice, datetime.date(2020, 10, 1), None)
    assert (made.state, made.registered, made.skipped) == (ImportState.DONE, 1, 0)
    assert counts(staged(practice, manager, csv_of(rows, PATIENTS), PATIENTS)) == {"same": 1}


def test_consent_follows_the_patient(practice, manager):
    former = make_practice()
    patient = make_patient(former)
    decide(patient, Preference.EXPRESS_CORE)
    Patient.objects.filter(pk=patient.pk).update(left_on="2020-09-30")
    rows = [person(patient.nhs_number)]
    made = staged(practice, manager, csv_of(rows, PATIENTS), PATIENTS)
    assert counts(made) == {"changed": 1}
    applied(made, manager)
    patient.refresh_from_db()
    assert (patient.practice, patient.left_on, patient.consent_state) == (practice, None, "EXPRESS_CORE")
    stays = list(patient.registrations.order_by("pk").values_list("practice", "left_on"))
    assert stays == [(former.pk, datetime.date(2020, 9, 30)), (practice.pk, None)]
    job = UploadJob.objects.get(patient=patient, state="WAITING")
    assert job.practice == practice and ConsentEvent.objects.count() == 1


@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("state", ["WAITING", "HELD"])
def test_what_the_former_practice_asked_for_ends(practice, manager, kind, state):
    """But a removal: what the patient refused has to go, whoever asked."""
    former = make_practice()
    patient = make_patient(former, left_on=datetime.date(2020, 9, 30))
    job = UploadJob.objects.create(
        patient=patient, practice=former, kind=kind, state=state, cause="RUN", requested_at=NOW, due_at=NOW
    )
    applied(staged(practice, manager, csv_of([person(patient.nhs_number)], PATIENTS), PATIENTS), manager)
    patient.refresh_from_db()
    job.refresh_from_db()
    ended = ("CANCELLED", ["patient.left"], None)
    stays = kind == JobKind.WITHDRAWAL
    assert patient.practice == practice
    assert (job.state, job.reasons, job.due_at) == ((state, [], NOW) if stays else ended)


def test_a_refusal_follows_and_asks_for_nothing(practice, manager):
    patient = make_patient()
    decide(patient, Preference.EXPRESS_DISSENT)
    Patient.objects.filter(pk=patient.pk).update(left_on="2020-09-30")
    jobs = UploadJob.objects.count()
    applied(staged(practice, manager, csv_of([person(patient.nhs_number)], PATIENTS), PATIENTS), manager)
    patient.refresh_from_db()
    assert patient.consent_state == "EXPRESS_DISSENT" and UploadJob.objects.count() == jobs


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"left_on": TODAY + datetime.timedelta(days=9)},
        {"left_on": datetime.date(2021, 1, 1)},
        {"left_on": datetime.date(2020, 1, 1), "died_on": datetime.date(2020, 1, 1)},
        {"left_on": datetime.date(2020, 1, 1), "born_on": datetime.date(1971, 1, 1)},
    ],
)
def test_who_is_elsewhere_cannot_be_taken_over(practice, manager, fields):
    patient = make_patient(**fields)
    made = staged(practice, manager, csv_of([person(patient.nhs_number)], PATIENTS), PATIENTS)
    assert problems(made) == {2: checking.NOT_TO_REGISTER}
    with pytest.raises(ImportRefused):
        actions.approve(made=made, by=manager, may=MAY, at=NOW)


def test_who_was_registered_elsewhere_meanwhile_stays_there(practice, manager):
    patient, number = make_patient(left_on=datetime.date(2020, 1, 1)), nhs_number()
    made = staged(practice, manager, csv_of([person(patient.nhs_number), person(number)], PATIENTS), PATIENTS)
    Patient.objects.filter(pk=patient.pk).update(left_on=None)
    make_patient(nhs_number=number)
    applied(made, manager)
    assert (made.registered, made.skipped) == (0, 2) and not practice.patients.exists()


def test_a_gp_of_another_practice(practice, manager, stranger):
    rows = [person(nhs_number(), USUAL_GP_GMC=stranger.gmc_number)]
    assert problems(staged(practice, manager, csv_of(rows, PATIENTS), PATIENTS)) == {2: checking.NO_GP}


def test_a_list_half_registered_is_not_registered(practice, manager, monkeypatch):
    made = staged(practice, manager, csv_of([person(nhs_number())], PATIENTS), PATIENTS)
    made = actions.approve(made=made, by=manager, may=MAY, at=NOW)

    def dies(*arguments, **more):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("consent.many.ask_many", dies)
        with pytest.raises(RuntimeError):
            work(made)
    assert not Patient.objects.exists() and not Registration.objects.exists()
    assert actions.lost(NOW + datetime.timedelta(seconds=31)) == [made]
    work(made)
    assert made.registered == 1


def test_a_patient_list_cannot_be_undone(practice, manager):
    made = applied(staged(practice, manager, csv_of([person(nhs_number())], PATIENTS), PATIENTS), manager)
    with pytest.raises(ImportRefused, match="cannot be undone"):
        actions.undo(made=made, by=manager, at=NOW)
    assert Patient.objects.exists()
