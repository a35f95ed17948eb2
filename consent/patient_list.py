"""The practice's patients, a page at a time. The number of queries does not grow with the rows."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from carerecords.keyset import Key, newest_first, page_of
from carerecords.models import JobState, Patient, Practice, UploadJob
from carerecords.models.patient import PatientQuerySet
from carerecords.models.upload_job import OPEN_STATES
from carerecords.search import Wanted, condition
from consent import listed
from consent.codes import ADULT
from consent.list_query import AgeBand, LetterSent, ListQuery, Registered, Sort, UploadStanding
from consent.listed import Listed
from consent.usual_gps import UsualGp
from consent.verdicts import years_before

SIZE = 50
# A search that finds more than this finds nobody: the next thing to type is another fact.
MOST_FOUND = 200
OLD = 65
NEWLY_REGISTERED = datetime.timedelta(days=60)
LETTER_WINDOW = datetime.timedelta(weeks=12)
_NAME = tuple(f"carerecords_patient.{column}" for column in ("family_name", "given_name", "id"))
_ORDER = {
    Sort.NAME: Key(_NAME),
    Sort.DECIDED: Key((newest_first("carerecords_patient.consent_decided_on"), *_NAME)),
}


@dataclass(frozen=True)
class PatientPage:
    """One page. `query` is what was asked, on the first page if the place asked for is gone."""

    query: ListQuery
    rows: Sequence[Listed]
    total: int
    matched: int
    has_previous: bool = False
    has_next: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-self.matched // SIZE))

    @property
    def number(self) -> int:
        """Which page this is. By key, so the address tells; the ends of the list are certain."""
        if not self.has_previous:
            return 1
        return self.pages if not self.has_next else min(max(2, self.query.page), self.pages)

    @property
    def found_too_many(self) -> bool:
        return not self.rows and self.matched > MOST_FOUND


def patient_page(
    practice: Practice,
    query: ListQuery,
    *,
    gps: Sequence[UsualGp],
    wanted: Wanted | None = None,
    by_address: bool = False,
) -> PatientPage:
    """One statement; one more where the place asked for is gone, or nobody matches.

    The list is of living, registered patients; a search also finds those who left or died.
    """
    rows = None
    if wanted is not None or query.in_force:
        rows = matching(practice, query, gps=gps, wanted=wanted, by_address=by_address)
    key, start = _ORDER[query.order], query.start
    few = None if wanted is None else MOST_FOUND + 1
    found = listed.find(practice, rows, key, start, SIZE + 1, few=few)
    if wanted is not None and found.matched > MOST_FOUND:
        return PatientPage(query, [], found.total, found.matched)
    if not found.rows and start is not None:
        query, start = query.first(select=query.select), None
        found = listed.find(practice, rows, key, start, SIZE + 1, few=few)
    page = page_of(found.rows, start, SIZE)
    return PatientPage(query, page.rows, found.total, found.matched, page.has_previous, page.has_next)


def matching(
    practice: Practice,
    query: ListQuery,
    *,
    gps: Sequence[UsualGp],
    wanted: Wanted | None = None,
    by_address: bool = False,
) -> PatientQuerySet:
    """All that the list would show on all its pages, in no order."""
    everybody = Patient.objects.of(practice)
    filters = _filters(practice, query, gps)
    if wanted is None:
        return everybody.here().filter(filters)
    return everybody.filter(filters, condition(wanted, by_address=by_address))


def in_order(patients: PatientQuerySet) -> PatientQuerySet:
    """By name, as the list has it."""
    return patients.order_by("family_name", "given_name", "id")


def newest_jobs(patients: Sequence[Patient]) -> dict[int, UploadJob]:
    """The newest upload job of each patient, by the patient's id. One query."""
    jobs = UploadJob.objects.filter(patient__in=[patient.pk for patient in patients])
    return {job.patient_id: job for job in jobs.order_by("patient_id", "-id").distinct("patient_id")}


def _filters(practice: Practice, query: ListQuery, gps: Sequence[UsualGp]) -> Q:
    found, today = Q(), timezone.localdate()
    if query.decision:
        found &= Q(consent_state=query.decision)
    if query.source:
        found &= Q(consent_source=query.source)
    if query.age:
        found &= _aged(AgeBand(query.age), today)
    if query.letter:
        found &= _written_to(LetterSent(query.letter), today)
    if query.registered:
        found &= _registered(Registered(query.registered), today)
    if query.upload:
        found &= _upload(practice, UploadStanding(query.upload))
    if query.reason:
        found &= _blocked_by(practice, query.reason)
    if query.gp:
        found &= Q(usual_gp__in=[gp.pk for gp in gps if str(gp.public_id) == query.gp])
    return found


def _upload(practice: Practice, standing: UploadStanding) -> Q:
    jobs = UploadJob.objects.filter(practice=practice)
    if standing.jobs is None:
        return ~Q(pk__in=jobs.values("patient"))
    jobs = jobs.filter(standing.jobs)
    if standing.value not in OPEN_STATES:
        jobs = jobs.filter(
            ~Exists(UploadJob.objects.filter(patient=OuterRef("patient"), pk__gt=OuterRef("pk")))
        )
    # Of a patient's jobs one is open at most, and where it is not the newest it is still what waits. To
    # look for a newer one beside each that waits took longer than the rest of the page.
    return Q(pk__in=jobs.values("patient"))


def _blocked_by(practice: Practice, code: str) -> Q:
    """Those whose open upload is held for this reason, be it the headline or one more."""
    jobs = UploadJob.objects.filter(practice=practice, state=JobState.HELD, reasons__contains=[code])
    return Q(pk__in=jobs.values("patient"))


def _aged(band: AgeBand, today: datetime.date) -> Q:
    of_age, old = years_before(today, ADULT), years_before(today, OLD)
    match band:
        case AgeBand.CHILD:
            return Q(born_on__gt=of_age)
        case AgeBand.ADULT:
            return Q(born_on__lte=of_age, born_on__gt=old)
    return Q(born_on__lte=old)


def _written_to(letter: LetterSent, today: datetime.date) -> Q:
    match letter:
        case LetterSent.NO:
            return Q(letter_sent_on__isnull=True)
        case LetterSent.RECENT:
            return Q(letter_sent_on__gt=today - LETTER_WINDOW)
        case LetterSent.EARLIER:
            return Q(letter_sent_on__lte=today - LETTER_WINDOW)
    return Q(letter_sent_on__isnull=False)


def _registered(since: Registered, today: datetime.date) -> Q:
    year_ago = years_before(today, 1)
    match since:
        case Registered.NEW:
            return Q(registered_on__gt=today - NEWLY_REGISTERED)
        case Registered.YEAR:
            return Q(registered_on__gt=year_ago)
    return Q(registered_on__lte=year_ago)


def without_unknown_gp(query: ListQuery, gps: Sequence[UsualGp]) -> ListQuery:
    """A GP who is not of the practice (any more) is no filter."""
    return query if query.gp in {str(gp.public_id) for gp in gps} else replace(query, gp="")
