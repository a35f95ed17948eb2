"""What becomes of each row of a bulk action: `CHANGED:`, `ALREADY:`, or `SKIPPED:` and the reason.

Each rule is one SQL expression over `patient` and `asked` (what is asked for that patient). The work
itself uses it under the patients' locks, the check page's forecast uses it over the whole list: so
the forecast is what would happen now. Within a `CASE` the first rule that applies counts.
"""

import datetime
from typing import Any

from consent.codes import ADULT, BulkKind, RowResult

_HERE = """
    WHEN patient.practice_id <> %(practice)s THEN 'SKIPPED:MOVED'
    WHEN patient.left_on <= %(today)s OR patient.died_on <= %(today)s THEN 'SKIPPED:GONE'"""
# `check_seen`: the answer was given in view of a list, and who decided since is left alone.
_DECIDED_SINCE = """
    WHEN asked.check_seen AND patient.consent_event_id IS DISTINCT FROM asked.seen_event
        THEN 'SKIPPED:DECIDED'"""

# The very same decision is on record. For one answer to many it is not enough that it was: who decided
# otherwise later on that day has to be asked of again.
_ON_RECORD = """EXISTS (SELECT 1 FROM consent_consentevent AS event
                 WHERE event.patient_id = patient.id AND event.kind = 'DECISION'
                   AND event.preference = asked.preference AND event.decided_on = asked.decided_on
                   AND NOT coalesce(%(same_is_enough)s AND event.id < patient.consent_event_id
                                    AND event.decided_on = patient.consent_decided_on, false)
                   AND NOT EXISTS (SELECT 1 FROM consent_consentevent AS back
                                   WHERE back.reverses_id = event.id))"""

DECISION = f"""CASE{_HERE}
    WHEN asked.decided_on < patient.born_on THEN 'SKIPPED:TOO_EARLY'
    WHEN %(same_is_enough)s AND patient.consent_state = asked.preference THEN 'ALREADY:'
    WHEN {_ON_RECORD} THEN 'ALREADY:'{_DECIDED_SINCE}
    WHEN patient.born_on > %(adults_born_by)s::date THEN 'SKIPPED:UNDER_16'
    ELSE 'CHANGED:' END"""

LETTER = f"""CASE{_HERE}
    WHEN EXISTS (SELECT 1 FROM consent_noticeletter AS letter
                 WHERE letter.patient_id = patient.id AND letter.kind = 'SENT'
                   AND letter.sent_on = asked.decided_on AND letter.reference = asked.reference
                   AND NOT EXISTS (SELECT 1 FROM consent_noticeletter AS answer
                                   WHERE answer.about_id = letter.id)) THEN 'ALREADY:'{_DECIDED_SINCE}
    ELSE 'CHANGED:' END"""

DEFERRAL = f"""CASE{_HERE}
    WHEN EXISTS (SELECT 1 FROM consent_deferral AS deferral
                 WHERE deferral.patient_id = patient.id AND deferral.ends_id IS NULL
                   AND deferral.until = asked.decided_on
                   AND NOT EXISTS (SELECT 1 FROM consent_deferral AS over
                                   WHERE over.ends_id = deferral.id)) THEN 'ALREADY:'{_DECIDED_SINCE}
    ELSE 'CHANGED:' END"""

CONVERSION = """CASE
    WHEN asked.seen_event IS NULL OR patient.consent_event_id IS DISTINCT FROM asked.seen_event
        THEN 'SKIPPED:DECIDED'
    ELSE 'CHANGED:' END"""

OF: dict[BulkKind, str] = {
    BulkKind.REFUSAL: DECISION,
    BulkKind.CONSENT: DECISION,
    BulkKind.IMPLIED: DECISION,
    BulkKind.LETTER: LETTER,
    BulkKind.DEFERRAL: DEFERRAL,
    BulkKind.CONVERSION: CONVERSION,
}

# Undoing: a row is taken back where what the run did is still the last that happened.
_LAST_EVENT = """COALESCE((SELECT event.run_id = %(run)s FROM consent_consentevent AS event
    WHERE event.patient_id = asked.patient_id ORDER BY event.id DESC LIMIT 1), false)"""
_LETTER_STANDS = """EXISTS (SELECT 1 FROM consent_noticeletter AS letter
    WHERE letter.run_id = %(run)s AND letter.patient_id = asked.patient_id AND letter.kind = 'SENT'
      AND NOT EXISTS (SELECT 1 FROM consent_noticeletter AS answer WHERE answer.about_id = letter.id))"""
_DEFERRAL_STANDS = """EXISTS (SELECT 1 FROM consent_deferral AS deferral
    WHERE deferral.run_id = %(run)s AND deferral.patient_id = asked.patient_id AND deferral.ends_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM consent_deferral AS over WHERE over.ends_id = deferral.id))"""
STANDS: dict[BulkKind, str] = {
    kind: {BulkKind.LETTER: _LETTER_STANDS, BulkKind.DEFERRAL: _DEFERRAL_STANDS}.get(kind, _LAST_EVENT)
    for kind in BulkKind
}

_RESULTS = {result.value: result for result in RowResult}


def read(verdict: str) -> tuple[RowResult, str]:
    """A verdict as its result and reason."""
    result, _, why = verdict.partition(":")
    return _RESULTS[result], why


def decision_params(
    practice_id: int, today: datetime.date, *, same_is_enough: bool, adults_only: bool
) -> dict[str, Any]:
    """What `DECISION` needs; the other rules need a part of it."""
    return {
        "practice": practice_id,
        "today": today,
        "same_is_enough": same_is_enough,
        "adults_born_by": years_before(today, ADULT) if adults_only else None,
    }


def years_before(day: datetime.date, years: int) -> datetime.date:
    """The last birthday of those who are so old on a day; 29 February counts as the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
