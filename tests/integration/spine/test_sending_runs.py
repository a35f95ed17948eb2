"""Runs of sending: each kind through the pipeline to the store, pausing, hours, cancelling, trying again."""

import datetime
import os
import signal
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.positions import GpStance, Stance
from carerecords.confirmation import Confirmation, NotConfirmed
from carerecords.models import Cause, JobKind, JobState, Patient, Practice, UploadJob
from carerecords.permissions import NotPermitted, Role
from consent.codes import Preference
from spine.models import SendingRow, SendingRun, SendingRunStep, StoreCopy, UploadAttempt
from spine.runs import actions, feeding, resting
from spine.runs.actions import RunRefused
from spine.runs.codes import RunGroup, RunKind
from spine.runs.hours import SendingHours, When
from spine.tasks import feed_runs
from tests.factories import decide, make_item, make_patient, make_practice, make_user
from tests.integration.spine.running import fed, make_run, started
from tests.localstore_process import ROOT, fresh_nhs_number
from tests.policy_factories import answer

REFUSED = Preference.EXPRESS_DISSENT


def now():
    return timezone.now()


def consenting(practice, number=1, **fields):
    """Patients who consent and of whom nothing was asked for: as after an import from another system."""
    gp = make_user(Role.GP, practice)
    patients = [
        make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number(), **fields) for _ in range(number)
    ]
    for patient in patients:
        make_item(patient)
        decide(patient, by=gp)
        patient.refresh_from_db()
    forget(patients)
    return patients


def forget(patients):
    """Their decisions stay, and what these asked for does not."""
    UploadJob.objects.filter(patient__in=patients, state="WAITING").delete()


def whys(run):
    return Counter(run.rows.exclude(why="").values_list("why", flat=True))


def states(run):
    return Counter(UploadJob.objects.filter(sending_row__run=run).values_list("state", flat=True))


def sent(sending):
    return sending.all_due(windows_over=False)


def numbers(lines):
    return sorted(line["nhs_number"] for line in lines)


def test_first_upload_sends_those_whom_the_gate_lets_go_and_says_why_of_the_others(sending, practice):
    going = consenting(practice, 3)
    refused, silent, held, waiting = (
        make_patient(practice, nhs_number=fresh_nhs_number(), usual_gp=going[0].usual_gp) for _ in range(4)
    )
    for patient in (refused, held):
        decide(patient, REFUSED if patient is refused else Preference.EXPRESS_CORE)
    forget([refused, held])
    type(held).objects.filter(pk=held.pk).update(identity="UNVERIFIED")
    decide(waiting)
    elsewhere = consenting(make_practice())
    own_job = UploadJob.objects.get()

    run = started(practice)
    assert whys(run) == {"consent.refused": 1, "consent.none": 1, "job.open": 1}
    sent(sending)

    assert numbers(sending.ledger()) == sorted(one.nhs_number for one in going)
    assert states(run) == {"ACCEPTED": 3, "HELD": 1}
    own_job.refresh_from_db()
    assert own_job.cause == Cause.DECISION and own_job.state == JobState.WAITING
    assert not UploadJob.objects.filter(patient__in=[*elsewhere, silent, refused]).exists()
    # What is held goes later by itself; so nothing keeps the run.
    assert fed(run).state == "FINISHED"
    assert list(run.steps.values_list("kind", flat=True)) == ["MADE", "STARTED", "FINISHED"]


def test_a_run_never_passes_the_gate(sending, practice, manager):
    consenting(practice, 2)
    run = started(practice)
    answer(practice, Stance.HOLD, by=manager)
    sent(sending)
    assert sending.ledger() == [] and states(run) == {"HELD": 2}
    assert UploadAttempt.objects.count() == 0


def test_an_update_sends_what_changed_and_only_that(sending, practice):
    changed, same, young = consenting(practice, 3)
    started(practice)
    sent(sending)
    make_item(changed, term="Allergy to latex", code="300916003")
    StoreCopy.objects.exclude(patient=young).update(accepted_at=now() - datetime.timedelta(days=40))
    before = len(sending.ledger())

    run = started(practice, RunKind.UPDATE, older=30)
    sent(sending)

    assert run.rows.count() == 2
    assert numbers(sending.ledger()[before:]) == [changed.nhs_number]
    unchanged = UploadJob.objects.get(sending_row__run=run, patient=same)
    assert (unchanged.state, unchanged.reasons) == ("CANCELLED", ["store.same"])


def test_migration_brings_consent_and_refusal_to_the_store(sending, practice):
    [uploaded] = consenting(practice)
    started(practice)
    sent(sending)
    # The patient refused elsewhere meanwhile, and nothing asked for a removal here.
    decide(uploaded, REFUSED, seen=uploaded.consent_event_id)
    [new] = consenting(practice)
    never = make_patient(practice, nhs_number=fresh_nhs_number(), usual_gp=new.usual_gp)
    decide(never, REFUSED)
    make_patient(practice)
    forget([uploaded, new, never])
    before = len(sending.ledger())

    run = started(practice, RunKind.MIGRATION)
    sent(sending)

    assert run.rows.count() == 3 and whys(run) == {}
    assert numbers(sending.ledger()[before:]) == sorted([uploaded.nhs_number, new.nhs_number])
    assert StoreCopy.objects.get(patient=uploaded).is_blank
    removal = UploadJob.objects.get(patient=never)
    assert (removal.kind, removal.reasons) == (JobKind.WITHDRAWAL, ["store.nothing"])
    assert fed(run).state == "FINISHED"


def test_nothing_of_a_paused_run_leaves(sending, practice, manager):
    consenting(practice, 3)
    run = started(practice, by=manager)
    actions.pause(run, by=manager, at=now())
    sent(sending)
    fed(run)
    sent(sending)

    assert sending.ledger() == [] and UploadAttempt.objects.count() == 0
    laid_aside = UploadJob.objects.values_list("state", "due_at", "reasons")
    assert list(laid_aside) == [("WAITING", None, ["job.paused"])] * 3

    actions.resume(run, by=manager, at=now())
    fed(run)
    sent(sending)
    assert states(run) == {"ACCEPTED": 3} and len(sending.ledger()) == 3
    assert fed(run).state == "FINISHED"


def test_a_decision_made_while_a_run_is_paused_goes_on(sending, practice, manager, gp):
    patient, other = consenting(practice, 2)
    run = started(practice, by=manager)
    actions.pause(run, by=manager, at=now())
    sent(sending)
    patient.refresh_from_db()
    decide(patient, Preference.EXPRESS_ADDITIONAL, seen=patient.consent_event_id, by=gp)
    sending.all_due(windows_over=False)
    UploadJob.objects.filter(patient=patient, state="WAITING").update(due_at=now())
    sent(sending)
    assert numbers(sending.ledger()) == [patient.nhs_number]
    assert UploadJob.objects.get(sending_row__run=run, patient=patient).reasons == ["job.superseded"]
    assert UploadJob.objects.get(patient=other).state == "WAITING"


def test_removals_of_a_paused_run_still_go(sending, practice, manager):
    [patient] = consenting(practice)
    started(practice)
    sent(sending)
    decide(patient, REFUSED, seen=patient.consent_event_id)
    forget([patient])
    run = started(practice, RunKind.MIGRATION, by=manager)
    actions.pause(run, by=manager, at=now())
    sent(sending)
    assert StoreCopy.objects.get(patient=patient).is_blank


def test_outside_its_hours_a_run_waits_for_the_next_opening(sending, practice, monkeypatch):
    consenting(practice, 3)
    local = timezone.localtime()
    soon = (local + datetime.timedelta(hours=2)).time().replace(microsecond=0)
    later = (local + datetime.timedelta(hours=3)).time().replace(microsecond=0)
    shut = SendingHours(When.EVERY_DAY, soon, later)
    run = started(practice, hours=shut)
    assert not run.rows.exists()
    opening = shut.next_opening(local) + datetime.timedelta(seconds=1)
    fed(run, lambda: opening)
    # Asked for while it was open, and claimed when it is shut again.
    UploadJob.objects.update(due_at=now())
    sent(sending)
    assert sending.ledger() == []
    waiting = UploadJob.objects.values_list("state", "due_at", "reasons")
    assert set(map(tuple, [(s, d, tuple(r)) for s, d, r in waiting])) == {
        ("WAITING", shut.next_opening(local), ("job.hours",))
    }


def test_cancelling_ends_what_has_not_begun(sending, practice, manager):
    consenting(practice, 3)
    run = started(practice, by=manager)
    UploadJob.objects.filter(pk=UploadJob.objects.first().pk).update(state="HELD", due_at=None)
    actions.cancel(run, by=manager, at=now())
    sent(sending)
    assert sending.ledger() == []
    assert set(map(tuple, UploadJob.objects.values_list("reasons", flat=True))) == {("job.run_cancelled",)}
    assert states(run) == {"CANCELLED": 3}


def test_what_a_worker_holds_while_a_run_is_cancelled_ends_when_it_is_put_back(sending, practice, manager):
    consenting(practice, 1)
    run = started(practice, by=manager)
    actions.cancel(run, by=manager, at=now())
    # As if it had been in a worker's hands just then, and was put back for its turn.
    UploadJob.objects.update(state="WAITING", due_at=now(), finished_at=None, reasons=[])
    sent(sending)
    assert sending.ledger() == [] and UploadJob.objects.get().reasons == ["job.run_cancelled"]


def test_nothing_sleeps_for_ever_when_a_paused_run_is_cancelled(sending, practice, manager, monkeypatch):
    """A worker sees the pause, and the run is cancelled before it has laid anything aside."""
    consenting(practice, 2)
    run = started(practice, by=manager)
    actions.pause(run, by=manager, at=now())
    apart, looks = resting.apart, []

    def cancelled_after_the_first_look(*given):
        found = apart(*given)
        if not looks:
            actions.cancel(run, by=manager, at=now())
        looks.append(found)
        return found

    monkeypatch.setattr(resting, "apart", cancelled_after_the_first_look)
    sent(sending)
    assert looks and sending.ledger() == []
    assert states(run) == {"CANCELLED": 2} and not UploadJob.objects.filter(state="WAITING").exists()


@pytest.mark.parametrize("kind", [RunKind.INITIAL, RunKind.MIGRATION])
def test_who_moved_to_another_practice_is_no_more_of_the_run(practice, manager, settings, kind):
    settings.SPINE_REQUESTS_PER_SECOND = 0.5  # fewer than there are, so that some are still to come
    consenting(practice, feeding.FEWEST_WAITING + 2)
    run = started(practice, kind, by=manager)
    moved, stays = run.rows.filter(job=None).values_list("patient_id", flat=True)
    Patient.objects.filter(pk=moved).update(practice=make_practice(), usual_gp=None)
    UploadJob.objects.update(state="CANCELLED", due_at=None, finished_at=now())
    fed(run)
    assert not UploadJob.objects.filter(patient=moved).exists()
    assert run.rows.get(patient=moved).why == "patient.left"
    assert UploadJob.objects.get(patient=stays).state == "WAITING"


def finished_with_one_held(sending, practice, manager, hours=None):
    """A run that has finished, of which a GP holds an upload."""
    [patient] = consenting(practice)
    set_gp_stance(gp=patient.usual_gp, practice=practice, stance=GpStance.HOLD, at=now())
    run = started(practice, by=manager, hours=hours)
    sent(sending)
    assert fed(run).state == "FINISHED" and states(run) == {"HELD": 1}
    return run, patient


def test_what_was_held_keeps_the_hours_of_a_run_that_has_finished(sending, practice, manager):
    run, patient = finished_with_one_held(sending, practice, manager)
    local = timezone.localtime()
    opens, closes = ((local + datetime.timedelta(hours=hours)).time() for hours in (2, 3))
    SendingRun.objects.filter(pk=run.pk).update(hours=When.EVERY_DAY, opens=opens, closes=closes)
    set_gp_stance(gp=patient.usual_gp, practice=practice, stance=GpStance.USE_PRACTICE, at=now())
    sent(sending)
    job = UploadJob.objects.get()
    run.refresh_from_db()
    assert sending.ledger() == [] and (job.state, job.reasons) == ("WAITING", ["job.hours"])
    assert job.due_at == run.sending_hours.next_opening(local)


def test_what_was_held_is_cancelled_with_a_run_that_has_finished(sending, practice, manager):
    run, patient = finished_with_one_held(sending, practice, manager)
    actions.cancel(run, by=manager, at=now())
    set_gp_stance(gp=patient.usual_gp, practice=practice, stance=GpStance.USE_PRACTICE, at=now())
    sent(sending)
    assert sending.ledger() == [] and UploadJob.objects.get().reasons == ["job.run_cancelled"]

    over = started(practice, by=manager)
    sent(sending)
    assert fed(over).state == "FINISHED" and len(sending.ledger()) == 1
    with pytest.raises(RunRefused, match="Nothing of this run"):
        actions.cancel(over, by=manager, at=now())
    over.refresh_from_db()
    assert over.state == "FINISHED" and over.steps.order_by("-pk").first().kind == "FINISHED"


def test_failed_uploads_are_asked_for_again_once(sending, practice, manager):
    one, two, three = consenting(practice, 3)
    run = started(practice, by=manager)
    UploadJob.objects.filter(patient__in=[one, two]).update(
        state="FAILED", reasons=["tech.failed"], finished_at=now(), due_at=None
    )
    sent(sending)
    assert fed(run).state == "FINISHED" and numbers(sending.ledger()) == [three.nhs_number]
    decide(two, seen=two.consent_event_id, preference=Preference.EXPRESS_ADDITIONAL)

    assert actions.rerun_failed(run, by=manager, at=now()) == 1
    fed(run)
    sent(sending)
    assert numbers(sending.ledger()) == sorted([one.nhs_number, three.nhs_number])
    assert fed(run).state == "FINISHED"
    with pytest.raises(RunRefused, match="failed"):
        actions.rerun_failed(run, by=manager, at=now())
    run.refresh_from_db()
    assert run.state == "FINISHED"


def test_a_run_whose_worker_is_killed_goes_on_and_asks_for_nobody_twice(sending, practice):
    consenting(practice, 7)
    run = make_run(practice)
    actions.start(run, by=run.made_by, at=now())
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"])
    worker = subprocess.run(
        [sys.executable, "-m", "tests.killed_feeder", str(run.public_id), "3"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": address.geturl()},
        timeout=60,
        check=False,
    )
    assert worker.returncode == -signal.SIGKILL
    assert UploadJob.objects.count() == 3 == SendingRow.objects.filter(job__isnull=False).count()
    # What the clock rings for, whoever takes it up.
    feed_runs()
    assert UploadJob.objects.count() == 7 == SendingRow.objects.filter(job__isnull=False).count()
    sent(sending)
    feed_runs()
    run.refresh_from_db()
    assert len(sending.ledger()) == 7 and run.state == "FINISHED"


def test_no_more_waits_than_leaves_in_a_minute(practice, settings):
    settings.SPINE_REQUESTS_PER_SECOND = 1
    consenting(practice, 32)
    run = started(practice)
    assert states(run) == {"WAITING": 30}
    fed(run)
    assert states(run) == {"WAITING": 30}
    UploadJob.objects.filter(pk__in=UploadJob.objects.values("pk")[:10]).update(state="HELD", due_at=None)
    fed(run)
    assert states(run) == {"WAITING": 22, "HELD": 10}


def test_a_chunk_costs_the_same_however_many_are_in_it(practice):
    counts = []
    for number in (2, 12):
        SendingRow.objects.all().delete()
        UploadJob.objects.all().delete()
        consenting(practice, number)
        run = make_run(practice)
        actions.start(run, by=run.made_by, at=now())
        with CaptureQueriesContext(
            connection,
        ) as captured:
            fed(run)
        assert UploadJob.objects.filter(sending_row__run=run).count() >= number
        counts.append(len(captured))
        actions.cancel(run, by=run.made_by, at=now())
    # The list, the chunk, a look that finds nothing more to do, and the test's own reading of the run.
    assert counts[0] == counts[1] <= 9 + 16 + 7 + 1


def test_who_may(practice, gp, national_admin, stranger):
    other = make_user(Role.PRACTICE_MANAGER, stranger.assignments.get().practice)
    for user in (gp, national_admin, other):
        with pytest.raises(NotPermitted):
            make_run(practice, by=user)
    assert not SendingRun.objects.exists()
    run = make_run(practice)
    for user in (gp, national_admin, other):
        for verb in (actions.start, actions.cancel):
            with pytest.raises(NotPermitted):
                verb(run, by=user, at=now())
    assert SendingRunStep.objects.count() == 1


def test_the_programme_runs_many_practices(sending, practice, national_admin):
    first, second = practice, make_practice()
    patients = [*consenting(first, 2), *consenting(second)]
    run = actions.make(
        practice=None,
        practices=Practice.objects.filter(pk__in=[first.pk, second.pk]),
        kind=RunKind.INITIAL,
        group=RunGroup.EXPRESS,
        older_than_days=None,
        hours=SendingHours(),
        by=national_admin,
        at=now(),
    )
    stale = Confirmation(national_admin.pk, now() - datetime.timedelta(minutes=6))
    for unproved in (None, stale):
        with pytest.raises(NotConfirmed):
            actions.start(run, by=national_admin, at=now(), confirmed=unproved)
    proof = Confirmation(national_admin.pk, now())
    actions.start(run, by=national_admin, at=now(), confirmed=proof)
    fed(run)
    sent(sending)
    assert numbers(sending.ledger()) == sorted(one.nhs_number for one in patients)
    assert fed(run).state == "FINISHED"


def test_one_run_of_a_kind_at_a_time(practice, manager):
    first, second = make_run(practice, by=manager), make_run(practice, by=manager)
    actions.start(first, by=manager, at=now())
    with pytest.raises(RunRefused, match="under way"):
        actions.start(second, by=manager, at=now())
    second.refresh_from_db()
    assert second.state == "DRAFT"
    with pytest.raises(RunRefused, match="Not started"):
        actions.pause(second, by=manager, at=now())
    actions.start(make_run(practice, RunKind.UPDATE, by=manager), by=manager, at=now())
