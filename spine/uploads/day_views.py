"""Why one patient's record would have gone, or not, on any day: the gate asked again about the past."""

import datetime
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords.access import record, requires
from carerecords.date_parts import DatePartsField
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent.patient_door import of_patient
from spine.gate import Outcome
from spine.uploads.explain import SCOPE_WORDS, explain_as_of, last_receipt
from spine.uploads.timeline import evidence_words

ANSWERS = {
    Outcome.SEND: "The record could have been uploaded",
    Outcome.HOLD: "The upload would have been held",
    Outcome.CANCEL: "No upload would have been made",
}


class DayForm(forms.Form):
    """The day that is asked about, and what must have been recorded by when to count."""

    def __init__(self, *args: Any, patient: Patient, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        born = patient.born_on
        self.fields["on"] = DatePartsField(
            label="Day you ask about",
            help_text="The end of that day counts. For example, 27 3 2026",
            earliest=born,
            latest=today,
        )
        self.fields["known_on"] = DatePartsField(
            label="Day until which records count",
            help_text="Leave empty for what was known then. Give a later day to count what was recorded since",
            required=False,
            earliest=born,
            latest=today,
        )


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def why_on_day(request: CareRequest, patient: Patient) -> HttpResponse:
    """The form, and with a day in it the gate's answer as of that day with every reason.

    The address holds days alone. What would have gone is said beside what did: the Spine's newest answer
    by then.
    """
    now = timezone.now()
    asked = DayForm(request.GET or None, patient=patient, today=timezone.localdate(now))
    answer = _answer(patient, asked.cleaned_data, now) if asked.is_valid() else None
    if answer:
        record(request, AccessEvent.Kind.VIEWED, patient=patient, detail="why on a day")
    context = {"patient": patient, "today": timezone.localdate(now), "form": asked, "answer": answer}
    return render(request, "spine/why_on_day.jinja", context)


def _answer(patient: Patient, asked: dict[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = _end_of(asked["on"], now)
    known_at = _end_of(asked["known_on"] or asked["on"], now)
    decision, reasons, loaded = explain_as_of(patient, at, known_at)
    return {
        "on": asked["on"],
        "known_on": asked["known_on"] if known_at != at else None,
        "heading": ANSWERS[decision.outcome],
        "scope": SCOPE_WORDS[decision.scope] if decision.scope else "",
        "reasons": [{"sentence": line.sentence, "who": line.actor} for line in reasons],
        "evidence": evidence_words(loaded.evidence),
        "receipt": last_receipt(patient, at),
    }


def _end_of(day: datetime.date, now: datetime.datetime) -> datetime.datetime:
    """The last moment of a day here, so that what was recorded on it counts; of today, now."""
    return min(timezone.make_aware(datetime.datetime.combine(day, datetime.time.max)), now)
