"""How old the copies at the store are, and which are out of date: of one practice or of the whole country.

A copy is out of date where an upload that would replace it waits, is held or failed, or where the record
has an entry that began or ended on a later day than the copy was sent. Blank ones, and those of patients
who left or died, do not count. What a copy carries is read from the record as it was on that day.

One statement, a pass over the copies and the entries of their patients; so it grows with both. For a
practice of 12,000 that is some tens of milliseconds; for the country see docs/performance.md.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.db import connection
from django.utils import timezone

from carerecords.models import Practice
from carerecords.summary_codes import EntryKind
from spine.reasons import Actor, Reason
from spine.sending.outgoing import NOTICE_HASH
from spine.uploads.copy_age import BANDS, months_before

ALLERGIES = (EntryKind.ALLERGY, EntryKind.ADVERSE_REACTION)

_STALE = """
WITH copies AS MATERIALIZED (
    SELECT patient.id, patient.practice_id, copy.accepted_at,
        (copy.accepted_at AT TIME ZONE 'Europe/London')::date AS sent_on,
        copy.content_hash LIKE %(notice)s AS noted
    FROM spine_storecopy AS copy JOIN carerecords_patient AS patient ON patient.id = copy.patient_id
    WHERE copy.accepted_at IS NOT NULL AND NOT copy.is_blank {of_practice}
    AND (patient.left_on IS NULL OR patient.left_on > %(today)s)
    AND (patient.died_on IS NULL OR patient.died_on > %(today)s)),
entries AS (
    SELECT copies.id,
        bool_or(began OR ended) AS newer,
        bool_or(NOT began AND stood AND kind = ANY(%(allergies)s)) AS allergies,
        bool_or(NOT began AND stood AND kind = %(repeat)s) AS repeats,
        bool_or((began OR ended) AND (kind = ANY(%(allergies)s) OR kind = %(repeat)s)) AS missing
    FROM copies JOIN carerecords_summaryitem AS item ON item.patient_id = copies.id AND NOT item.is_sensitive
    CROSS JOIN LATERAL (SELECT item.recorded_on > copies.sent_on AS began,
        coalesce(item.ended_on > copies.sent_on AND item.ended_on <= %(today)s, false) AS ended,
        coalesce(item.ended_on > copies.sent_on, true) AS stood) AS seen
    GROUP BY copies.id),
failed AS (
    SELECT DISTINCT ON (patient_id) patient_id, finished_at, reasons FROM carerecords_uploadjob
    WHERE state = 'FAILED' AND kind = 'UPLOAD' {of_practice_jobs} ORDER BY patient_id, id DESC),
told AS (
    SELECT copies.practice_id,
        CASE {bands} END AS band,
        CASE WHEN job.state = 'WAITING' THEN 'WAITING'
             WHEN job.state = 'HELD' THEN coalesce(job.reasons[1], 'UNKNOWN')
             WHEN failed.finished_at > copies.accepted_at THEN coalesce(failed.reasons[1], 'UNKNOWN')
             WHEN entries.newer THEN 'NOT_ASKED' END AS why,
        entries.allergies, entries.repeats, entries.missing, copies.noted
    FROM copies LEFT JOIN entries ON entries.id = copies.id
    LEFT JOIN carerecords_uploadjob AS job ON job.patient_id = copies.id AND job.kind = 'UPLOAD'
        AND job.state IN ('WAITING', 'HELD')
    LEFT JOIN failed ON failed.patient_id = copies.id)
SELECT practice_id, band, why, count(*), count(why),
    count(*) FILTER (WHERE why IS NOT NULL AND allergies), count(*) FILTER (WHERE why IS NOT NULL AND repeats),
    count(*) FILTER (WHERE why IS NOT NULL AND missing), count(*) FILTER (WHERE why IS NOT NULL AND noted)
FROM told GROUP BY practice_id, band, why
"""


@dataclass(frozen=True)
class Tally:
    """Copies, those out of date, and of these: carrying allergies, carrying repeat medicines, lacking an
    allergy or repeat medicine that began or ended since, and saying themselves that they are kept up no more."""

    copies: int = 0
    stale: int = 0
    allergies: int = 0
    repeats: int = 0
    missing: int = 0
    noted: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in NAMES))


NAMES = ("copies", "stale", "allergies", "repeats", "missing", "noted")


class Why(Enum):
    """Why a copy is out of date, where no reason of an upload says it."""

    WAITING = ("Waiting to be sent", Actor.NOBODY)
    NOT_ASKED = ("The record has changed since, and no upload was asked for", Actor.MANAGER)
    UNKNOWN = ("Held, and not known why", Actor.NATIONAL)

    def __init__(self, sentence: str, actor: Actor) -> None:
        self.sentence = sentence
        self.actor = actor


@dataclass
class Staleness:
    """All copies by their age, by why they are out of date, and by practice."""

    bands: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for _, name in BANDS})
    whys: dict[Why | Reason, Tally] = field(default_factory=lambda: defaultdict(Tally))
    practices: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    # By practice and band, for regions.
    cells: dict[tuple[int, str], Tally] = field(default_factory=lambda: defaultdict(Tally))

    @property
    def all(self) -> Tally:
        return sum(self.bands.values(), Tally())

    @property
    def by_why(self) -> list[tuple[Why | Reason, Tally]]:
        """The most frequent first."""
        return sorted(self.whys.items(), key=lambda item: -item[1].stale)


def staleness(practice: Practice | None, at: datetime.datetime) -> Staleness:
    """Of one practice's copies, or of all. One query."""
    query, values = statement(practice, timezone.localdate(at))
    found = Staleness()
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        for practice_id, band, why, *numbers in cursor.fetchall():
            name, tally = BANDS[band][1], Tally(*numbers)
            found.bands[name] += tally
            found.practices[practice_id] += tally
            found.cells[practice_id, name] += tally
            if why is not None:
                found.whys[_why(why)] += tally
    return found


def statement(practice: Practice | None, today: datetime.date) -> tuple[str, dict[str, Any]]:
    """The query and its values."""
    values: dict[str, Any] = {
        "today": today,
        "allergies": [kind.value for kind in ALLERGIES],
        "repeat": EntryKind.REPEAT_MEDICATION.value,
        "notice": f"{NOTICE_HASH}%",
    }
    whens = []
    for place, (months, _) in enumerate(BANDS):
        if months is None:
            whens.append(f"ELSE {place}")
        else:
            whens.append(f"WHEN sent_on > %(before_{months})s THEN {place}")
            values[f"before_{months}"] = months_before(today, months)
    of_practice = of_jobs = ""
    if practice is not None:
        values["practice"] = practice.pk
        of_practice, of_jobs = "AND patient.practice_id = %(practice)s", "AND practice_id = %(practice)s"
    return _STALE.format(of_practice=of_practice, of_practice_jobs=of_jobs, bands=" ".join(whens)), values


def _why(code: str) -> Why | Reason:
    if code in Why.__members__:
        return Why[code]
    try:
        return Reason.of(code)
    except KeyError:
        return Why.UNKNOWN
