"""`manage.py explain <NHS number> [--on DATE [--known-on DATE]]`: goes or not, and every reason."""

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from carerecords.formats import nhs_date, nhs_datetime
from carerecords.identifiers import BadNhsNumber, format_nhs_number, parse_nhs_number
from carerecords.models import Patient
from spine.facts import Loaded
from spine.gate import Decision, Outcome
from spine.uploads.explain import SCOPE_WORDS, ReasonLine, explain, explain_as_of
from spine.uploads.timeline import evidence_words

ANSWERS = {
    Outcome.SEND: "SEND: the upload may go",
    Outcome.HOLD: "HOLD: the upload waits, and is asked again when a fact changes",
    Outcome.CANCEL: "CANCEL: no upload",
}


class Command(BaseCommand):
    help = "Says whether a patient's record may be uploaded, and every reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("nhs_number", help='10 numbers; spaces are fine inside quotes: "999 123 4567"')
        parser.add_argument("--on", help="as of the end of this day (YYYY-MM-DD), from what was known then")
        parser.add_argument(
            "--known-on", help="with --on: from what was known at the end of this later (or earlier) day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        patient = self._patient(options["nhs_number"])
        now = timezone.now()
        self.stdout.write(f"NHS number {format_nhs_number(patient.nhs_number)}, {patient.practice}")
        if options["known_on"] and not options["on"]:
            raise CommandError("--known-on needs --on: the day that is asked about.")
        if options["on"]:
            at = _end_of(options["on"], now)
            self._as_of(patient, at, _end_of(options["known_on"], now) if options["known_on"] else at)
        else:
            self._now(patient, now)

    def _patient(self, text: str) -> Patient:
        try:
            number = parse_nhs_number(text)
        except BadNhsNumber as error:
            raise CommandError(str(error)) from None
        patient = Patient.objects.filter(nhs_number=number).select_related("practice", "usual_gp").first()
        if patient is None:
            raise CommandError("No patient has this NHS number.")
        return patient

    def _now(self, patient: Patient, now: datetime.datetime) -> None:
        found = explain(patient, now)
        self._answer(found.decision, found.reasons)
        self.stdout.write(f"Now: {found.heading}")
        self.stdout.write(f"The Spine holds: {found.on_store}")
        if found.last_receipt:
            self.stdout.write(
                f"Last receipt: {found.last_receipt.text}, {nhs_datetime(found.last_receipt.at)}"
            )
        self._evidence(found.loaded)

    def _as_of(self, patient: Patient, at: datetime.datetime, known_at: datetime.datetime) -> None:
        decision, reasons, loaded = explain_as_of(patient, at, known_at)
        by = "then" if known_at == at else nhs_date(known_at)
        self.stdout.write(f"As of {nhs_date(at)}, from what was recorded by {by}:")
        self._answer(decision, reasons)
        self._evidence(loaded)

    def _answer(self, decision: Decision, reasons: list[ReasonLine]) -> None:
        self.stdout.write(ANSWERS[decision.outcome])
        if decision.scope:
            self.stdout.write(f"Scope: {SCOPE_WORDS[decision.scope]}")
        for line in reasons:
            self.stdout.write(f"- {line.code}: {line.sentence} [{line.actor}]")

    def _evidence(self, loaded: Loaded) -> None:
        self.stdout.write(f"Evidence: {evidence_words(loaded.evidence) or 'nothing was recorded'}")


def _end_of(text: str, now: datetime.datetime) -> datetime.datetime:
    """The last moment of a day, or now for today; raises `CommandError`."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise CommandError("DATE must be a real date, for example 2026-11-23.") from None
    if day > timezone.localdate(now):
        raise CommandError("DATE must be today or in the past.")
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min)
    return min(timezone.make_aware(midnight) - datetime.timedelta(microseconds=1), now)
