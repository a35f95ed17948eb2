"""Sentences about decisions: what was recorded, undone, or changed meanwhile. No database."""

import datetime

from carerecords.formats import Named, nhs_date, nhs_datetime, nhs_time, nhs_time_seen_from
from carerecords.models import JobKind, JobState, Patient, UploadJob
from carerecords.models.upload_job import NEEDLESS_REASON
from consent.actions import Recorded
from consent.codes import ConsentState, EventKind, Preference, Source
from consent.listed import ListedJob
from consent.models import ConsentEvent, Deferral

# The tag's words, to be followed by "recorded for …".
SHORT = {
    Preference.EXPRESS_CORE: "Consent given",
    Preference.EXPRESS_ADDITIONAL: "Consent given, with additional information,",
    Preference.EXPRESS_DISSENT: "Consent refused",
    Preference.IMPLIED_CORE: "Implied consent",
    Preference.NONE: "No decision",
    Preference.WITHDRAWN: "Consent withdrawn",
}
STATES = {
    ConsentState.NONE: "No decision",
    ConsentState.IMPLIED_CORE: "Implied consent",
    ConsentState.EXPRESS_CORE: "Consent given",
    ConsentState.EXPRESS_ADDITIONAL: "Consent given",
    ConsentState.EXPRESS_DISSENT: "Consent refused",
    ConsentState.WITHDRAWN: "Consent withdrawn",
    ConsentState.CONFLICT: "Conflicting",
    ConsentState.LATER: "Starts later",
}
SENDING_PAUSED = "The decision is saved. Sending is paused until the connection is back."


def name_of(patient: Named) -> str:
    """`ADEYEMI, Grace`: a name within a sentence."""
    return f"{patient.family_name.upper()}, {patient.given_name}"


def recorded(done: Recorded, patient: Patient) -> str:
    """After saving: what is recorded, and what becomes of uploads."""
    what = SHORT[Preference(done.event.preference)]
    return f"{what} recorded for {name_of(patient)}. {_uploads(done)}"


def undone(done: Recorded, patient: Patient) -> str:
    """After undoing: what holds again, and whether anything had been sent."""
    removal = done.job and done.job.kind == JobKind.WITHDRAWAL
    if removal and done.state in {ConsentState.NONE, ConsentState.WITHDRAWN}:
        after = f"It had been sent, so {_removal(done)}"
    elif removal:
        after = f"The refusal before it holds again: {_removal(done)}"
    else:
        after = _uploads(done)
    return f"Decision undone for {name_of(patient)}. {after}"


def _removal(done: Recorded) -> str:
    return f"removal from the Spine was asked for at {nhs_time(done.job.requested_at if done.job else None)}."


def _uploads(done: Recorded) -> str:
    if done.state is ConsentState.CONFLICT:
        return "Two decisions disagree. Uploads are held until one is confirmed."
    if done.event.preference and done.event.preference != done.state and done.state != ConsentState.LATER:
        return f"A later decision still holds: {STATES[done.state]}."
    if done.job and done.job.kind == JobKind.UPLOAD and done.job.due_at and done.job.is_open:
        return f"Uploads wait until {nhs_time(done.job.due_at)}."
    if done.state is ConsentState.EXPRESS_DISSENT:
        return "Nothing is uploaded, and anything on the Spine is removed."
    if done.job and done.job.kind == JobKind.WITHDRAWAL:
        return f"It had been sent, so {_removal(done)}"
    return "Nothing is uploaded until the patient decides."


def happened(event: ConsentEvent, today: datetime.date) -> str:
    """`Dr A Khan recorded Consent refused at 2:31pm.`: what came in between."""
    moment = event.recorded_at
    when = f"at {nhs_time(moment)}" if nhs_date(moment) == nhs_date(today) else f"on {nhs_datetime(moment)}"
    if event.kind == EventKind.REVERSAL:
        return f"{event.recorded_by.short_name} undid a decision {when}."
    if event.kind == EventKind.INVALID:
        return f"{event.recorded_by.short_name} marked a decision as recorded in error {when}."
    what = SHORT[Preference(event.preference)].strip(",")
    return f"{event.recorded_by.short_name} recorded {what} {when}."


def told(source: str, decided_on: datetime.date | None) -> str:
    """`By letter, 3 March 2008`."""
    parts = [Source(source).label if source else "", nhs_date(decided_on)]
    return ", ".join(part for part in parts if part)


def upload_line(job: UploadJob | ListedJob | None, at: datetime.datetime) -> str:
    """What stands under the upload tag of a list."""
    if job is None:
        return ""
    if job.state == JobState.WAITING and job.due_at:
        soon = "Removal" if job.kind == JobKind.WITHDRAWAL else "Sent"
        if job.due_at <= at:
            return f"{soon} in the next minutes"
        until = f"Until {nhs_time_seen_from(job.due_at, at)}"
        return f"{until}. {job.headline}" if job.headline else until
    if job.state == JobState.ACCEPTED:
        return nhs_date(job.finished_at)
    if job.state == JobState.CANCELLED and (job.first_reason or "").startswith(NEEDLESS_REASON):
        return f"{nhs_date(job.finished_at)}. {job.headline}"
    return job.headline


def saved_at(event: ConsentEvent) -> str:
    """`At 2:31pm`, beside the tag in a row of a sheet."""
    return f"At {nhs_time(event.recorded_at)}"


def noted(preference: Preference, patient: Patient) -> str:
    """`Consent recorded for ADEYEMI, Grace.`: as short as what is read out row by row must be."""
    what = "Refusal" if preference is Preference.EXPRESS_DISSENT else "Consent"
    return f"{what} recorded for {name_of(patient)}."


def changed(event: ConsentEvent | None, patient: Patient) -> str:
    """`Decision for ADEYEMI, Grace was changed by Dr A Khan at 2:31pm`."""
    if event is None:
        return f"Decision for {name_of(patient)} was undone by somebody else"
    who, when = event.recorded_by.short_name, nhs_time(event.recorded_at)
    return f"Decision for {name_of(patient)} was changed by {who} at {when}"


def deferred(deferral: Deferral) -> str:
    """`Until 1 April 2008. The patient asked for more time`."""
    return f"Until {nhs_date(deferral.until)}. {deferral.reason}"
