"""One of each thing that an address can name, for the tests that try every address with every role.

A room adds what its addresses name: a maker, and the names of the addresses in `FIRST`.
"""

from django.utils import timezone

from boycott import steps
from boycott.positions import Stance
from carerecords.models import Patient
from carerecords.permissions import Role
from consent import bulk_runs
from consent.codes import BulkKind, Preference, RowResult, Source
from consent.letters import letters_sent
from consent.models import BulkRun
from reports import conversions, refusals
from tests.factories import decide, make_item, make_patient, make_user
from tests.guidance_factories import make_guidance, publish_guidance
from tests.integration.consent.importing import csv_of, decision, staged
from tests.integration.consent.sheets import make_sheet
from tests.integration.spine.running import make_run
from tests.policy_factories import make_dispensation, submit
from tests.survey_factories import make_open

# What an address, or all of a namespace, names first, where it is not a patient.
FIRST = {
    "boycott:motion": "motion",
    "boycott:motion_edit": "motion",
    "boycott:read_notice": "notice",
    "api:v1:invalid": "event",
    "api:v1:policy_change": "change",
    "api:v1:policy_change_approve": "change",
    "api:v1:policy_change_cancel": "change",
    "api:v1:policy_change_edit": "change",
    "api:v1:policy_change_impact": "change",
    "api:v1:policy_change_reject": "change",
    "api:v1:policy_change_submit": "change",
    "api:v1:policy_motion": "motion",
    "api:v1:undo": "event",
    "api:v1:survey_results": "survey",
    "api:v1:upload": "job",
    "bulk": "run",
    "imports": "import",
    "reports:burst": "burst",
    "reports:conversion": "conversion",
    "reports:conversion_back": "conversion",
    "reports:conversion_check": "burst",
    "reports:conversion_form": "burst",
    "sheet": "sheet",
    "spine:change": "change",
    "spine:dispensation": "dispensation",
    "spine:dispensation_reopening": "dispensation",
    "spine:change_approve": "change",
    "spine:change_cancel": "change",
    "spine:change_edit": "change",
    "spine:change_practices": "change",
    "spine:change_reject": "change",
    "spine:change_reopening": "change",
    "spine:change_submit": "change",
    "spine:run": "sending_run",
    "spine:run_cancel": "sending_run",
    "spine:run_check": "sending_run",
    "spine:run_letters": "letters",
    "spine:run_step": "sending_run",
    "spine:upload": "job",
    "spine:upload_again": "job",
    "spine:upload_cancel": "job",
    "surveys": "survey",
}
# What it names second, where it is not a patient's event.
SECOND = {"consent:letter_returned": "letter", "sheet": "row"}


def named_things(patient, practice, monkeypatch):
    """{what: public id}, all of one practice."""
    done = decide(patient)
    make_item(patient)
    things = {"patient": patient, "event": done.event, "job": done.job}
    things["run"] = _run(patient, practice)
    things["sending_run"] = make_run(practice)
    things["letter"] = _letter(patient, practice)
    things["letters"] = _letters(patient, practice)
    things["import"] = _import(patient, practice)
    # A burst of one is enough to be named.
    monkeypatch.setattr(refusals, "FEWEST", 1)
    decide(make_patient(practice), Preference.EXPRESS_DISSENT)
    [things["burst"]] = refusals.bursts_of(practice, timezone.now())
    things["conversion"] = _conversion(practice, things["burst"])
    sent = submit()
    steps.tell(sent, [sent.change.made_by_id], "Told.", timezone.now())
    things["dispensation"] = make_dispensation([practice])
    things["change"], things["notice"] = sent.change, sent.change.notices.get()
    make_guidance(page=publish_guidance(make_guidance()).page)
    ids = {name: thing.public_id for name, thing in things.items()}
    return ids | {"motion": sent.content.motion.motion}


def with_sheet_of(user, things):
    """The things, with a sheet of that user: to anybody else it does not exist."""
    patient = Patient.objects.get(public_id=things["patient"])
    sheet = make_sheet(user, [patient])
    return things | {"sheet": sheet.public_id, "row": sheet.rows.get().public_id}


def with_survey_of(user, things):
    """The things, with a survey on whose roll the user stands if they are a GP: to others it is not there."""
    if user.gmc_number is None:
        make_user(Role.GP)
    return things | {"survey": make_open().public_id}


def ids_for(name, things):
    """The ids that the address of this name takes, in its order."""
    return [things[_named(name, FIRST, "patient")], things[_named(name, SECOND, "event")]]


def _named(name, table, default):
    return table.get(name) or table.get(name.rpartition(":")[0]) or default


def _run(patient, practice):
    return bulk_runs.freeze(
        practice=practice,
        kind=BulkKind.REFUSAL,
        patients=Patient.objects.filter(pk=patient.pk),
        by=make_user(Role.PRACTICE_MANAGER, practice),
        at=timezone.now(),
        preference=Preference.EXPRESS_DISSENT,
        source=Source.PHONE,
        day=timezone.localdate(),
    )


def _letter(patient, practice):
    letters_sent(
        patient_ids=[patient.pk],
        sent_on=timezone.localdate(),
        reference="",
        by=make_user(Role.STAFF, practice),
        at=timezone.now(),
    )
    return patient.letters.get()


def _letters(patient, practice):
    """A run that noted a letter to the patient."""
    run = BulkRun.objects.create(
        practice=practice,
        kind=BulkKind.LETTER,
        created_at=timezone.now(),
        created_by=make_user(Role.PRACTICE_MANAGER, practice),
    )
    run.rows.create(patient=patient, position=0, result=RowResult.CHANGED)
    return run


def _import(patient, practice):
    return staged(practice, make_user(Role.STAFF, practice), csv_of([decision(patient)]))


def _conversion(practice, burst):
    return conversions.convert(
        practice=practice,
        burst=burst,
        stance=Stance.HOLD,
        agreed_by="The partners",
        agreed_on=timezone.localdate(),
        note="No patient was asked",
        by=make_user(Role.PRACTICE_MANAGER, practice),
        at=timezone.now(),
    )
