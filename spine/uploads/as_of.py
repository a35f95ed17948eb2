"""What the gate would have been told about one patient at a moment of the past.

Two times are asked with: the moment that is asked about, and until when records count. The rule is that
of the gate; only the facts are put together here from what was recorded, and not from how it stands now.
"""

import datetime
from typing import Any

from django.db.models import Q

from boycott.models import StanceRevision
from boycott.positions import UNANSWERED
from carerecords.models import Patient, Practice, Registration
from consent.codes import LetterEvent
from consent.models import NoticeLetter
from consent.queries import events_of
from consent.rules import state_from
from spine.fact_columns import EVIDENCE_FIELDS, FACT_FIELDS, annotate
from spine.facts import Loaded, Nation, load_nation, loaded
from spine.gate import Kind, Letter


def load_as_of(patient: Patient, at: datetime.datetime, known_at: datetime.datetime | None = None) -> Loaded:
    """Facts of one patient as of a moment, from what was recorded by then, or by `known_at`.

    With `known_at` later than `at`, it says what we know since of that moment: a decision told late counts,
    which nobody could know then. A stance and a stop hold from when they are made, so a later one
    never counts. Consent, letters, registration, stances, positions, consent model and stop come from
    their events; identity and sensitivity have no history and count as they are now, and so does what a
    patient's usual GP is, at the practice where they are registered now. Seven queries.
    """
    known_at = known_at or at
    nation = load_nation(at, known_at=known_at)
    # A stance holds from when it is made, whatever was known later.
    rows = annotate(Patient.objects.filter(pk=patient.pk), nation, made_by=min(at, known_at))
    row: dict[str, Any] = dict(rows.values("pk", *FACT_FIELDS, *EVIDENCE_FIELDS).get())
    derived = state_from(events_of(patient), nation.today, known_at=known_at)
    row["consent_state"] = derived.state
    row["consent_event_id"] = derived.event.sequence if derived.event else None
    row["consent_changes_on"] = derived.changes_on
    row["fact_consent_current"] = True
    row["fact_permission"] = ""
    row |= _letter(patient, nation, known_at)
    where = _practice_on(patient, nation.today)
    if where is not None and where.pk != patient.practice_id:
        row |= _at_practice(where, nation, known_at)
    return loaded(row, nation, Kind.UPLOAD, False)


def _letter(patient: Patient, nation: Nation, known_at: datetime.datetime) -> dict[str, Any]:
    """The last letter sent by that day of those noted by `known_at` and not known to have failed."""
    noted = NoticeLetter.objects.filter(patient=patient, recorded_at__lte=known_at)
    failed = noted.exclude(kind=LetterEvent.SENT).values("about")
    sent = noted.filter(kind=LetterEvent.SENT, sent_on__lte=nation.today).exclude(pk__in=failed)
    day = sent.order_by("-sent_on").values_list("sent_on", flat=True).first()
    return {"letter_sent_on": day, "fact_letter": _letter_fact(day, nation).value}


def _letter_fact(sent_on: datetime.date | None, nation: Nation) -> Letter:
    if sent_on is None:
        return Letter.NOT_SENT
    ends = sent_on + datetime.timedelta(weeks=nation.letter_weeks)
    return Letter.WINDOW_PASSED if ends <= nation.today else Letter.WINDOW_OPEN


def _practice_on(patient: Patient, day: datetime.date) -> Practice | None:
    """Where the patient was registered on a day; None where no stay is known."""
    stays = Registration.objects.filter(Q(left_on__isnull=True) | Q(left_on__gt=day), patient=patient)
    stay = stays.filter(registered_on__lte=day).select_related("practice").order_by("-registered_on").first()
    return stay.practice if stay else None


def _at_practice(practice: Practice, nation: Nation, known_at: datetime.datetime) -> dict[str, Any]:
    """The facts of another practice than today's. Who the usual GP was there is not kept."""
    by = min(nation.at, known_at)
    stance = StanceRevision.objects.filter(practice=practice, made_at__lte=by).order_by("-pk").first()
    return {
        "practice__ods_code": practice.ods_code,
        "practice__region_code": practice.region_code,
        "practice__icb_code": practice.icb_code,
        "practice__goes_live_on": practice.goes_live_on,
        "fact_rollout_open": practice.goes_live_on is not None and practice.goes_live_on <= nation.today,
        "fact_stance": stance.stance if stance else UNANSWERED.value,
        "fact_stance_id": stance.pk if stance else None,
        "fact_gp_holds": False,
        "fact_gp_stance_id": None,
    }
