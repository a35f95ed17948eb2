"""What the patient list is asked for, as its address says it. No personal text: searches are tokens."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from django.db.models import Q
from django.http import QueryDict
from django.utils.http import urlencode

from carerecords.keyset import Start
from carerecords.models import JobKind, JobState
from carerecords.models.upload_job import NEEDLESS, NEEDLESS_REASON
from carerecords.vocabulary import Term
from consent.codes import ConsentState, Source


class Sort(Term):
    """The orders of the list; each has an index."""

    NAME = "name", "family name"
    DECIDED = "decided", "date of decision, newest first"


class LetterSent(Term):
    """Whether the patient was written to."""

    YES = "yes", "Sent"
    RECENT = "recent", "Sent in the last 12 weeks"
    EARLIER = "earlier", "Sent 12 weeks ago or earlier"
    NO = "no", "Not sent"


class AgeBand(Term):
    """How old patients are: those who may not decide alone, those who may, the old."""

    CHILD = "under16", "Under 16"
    ADULT = "16to64", "16 to 64"
    OLD = "65", "65 and over"


class Registered(Term):
    """How long patients have been with the practice. A summary of the first 60 days may be incomplete."""

    NEW = "60days", "In the last 60 days"
    YEAR = "year", "In the last 12 months"
    LONGER = "longer", "More than 12 months ago"


_IS_NEEDLESS = Q(reasons__0__startswith=NEEDLESS_REASON)


class UploadStanding(Term):
    """What became of a patient's newest upload job, in the words of its tag."""

    NOT_DUE = "NOT_DUE", "Not due"
    WAITING = JobState.WAITING.value, str(JobState.WAITING.label)
    HELD = JobState.HELD.value, str(JobState.HELD.label)
    SENDING = JobState.SENDING.value, str(JobState.SENDING.label)
    IN_DOUBT = JobState.IN_DOUBT.value, str(JobState.IN_DOUBT.label)
    ACCEPTED = JobState.ACCEPTED.value, str(JobState.ACCEPTED.label)
    WITHDRAWN = "WITHDRAWN", "Withdrawn"
    NEEDLESS = "NEEDLESS", NEEDLESS
    CANCELLED = JobState.CANCELLED.value, str(JobState.CANCELLED.label)
    FAILED = JobState.FAILED.value, str(JobState.FAILED.label)

    @property
    def jobs(self) -> Q | None:
        """The condition for jobs that stand so; None for `NOT_DUE`, which is of no job."""
        match self:
            case UploadStanding.NOT_DUE:
                return None
            case UploadStanding.WITHDRAWN:
                return Q(state=JobState.ACCEPTED, kind=JobKind.WITHDRAWAL)
            case UploadStanding.ACCEPTED:
                return Q(state=JobState.ACCEPTED, kind__in=[JobKind.UPLOAD, JobKind.NOTICE])
            case UploadStanding.NEEDLESS:
                return Q(state=JobState.CANCELLED) & _IS_NEEDLESS
            case UploadStanding.CANCELLED:
                # Also those without any reason: a comparison with nothing is neither true nor false.
                return Q(state=JobState.CANCELLED) & (Q(reasons__len=0) | ~_IS_NEEDLESS)
        return Q(state=self.value)


# The value of `select` under which all that match are selected, on every page of the list.
ALL = "all"
FILTERS = ("decision", "source", "upload", "reason", "gp", "age", "letter", "registered")
# Code and sentence of each reason that may hold an upload, in the order of headlines. The reasons are
# those of the floor above, which offers them when it starts.
REASONS: dict[str, str] = {}


@dataclass(frozen=True)
class ListQuery:
    """Filters, order and place in the list. What is unknown or misspelt counts as not asked for."""

    decision: str = ""
    source: str = ""
    upload: str = ""
    reason: str = ""
    gp: str = ""
    age: str = ""
    letter: str = ""
    registered: str = ""
    sort: str = ""
    s: str = ""
    after: str = ""
    before: str = ""
    page: int = 1
    select: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """From an address's parameters."""
        sort = _one_of(Sort, asked.get("sort", ""))
        after = _uuid(asked.get("after", ""))
        before = "" if after else _uuid(asked.get("before", ""))
        return cls(
            decision=_one_of(ConsentState, asked.get("decision", "")),
            source=_one_of(Source, asked.get("source", "")),
            upload=_one_of(UploadStanding, asked.get("upload", "")),
            reason=asked.get("reason", "") if asked.get("reason") in REASONS else "",
            gp=_uuid(asked.get("gp", "")),
            age=_one_of(AgeBand, asked.get("age", "")),
            letter=_one_of(LetterSent, asked.get("letter", "")),
            registered=_one_of(Registered, asked.get("registered", "")),
            sort="" if sort == Sort.NAME else sort,
            s=_token(asked.get("s", "")),
            after=after,
            before=before,
            page=_page(asked.get("page", "")) if after or before else 1,
            select=ALL if asked.get("select") == ALL else "",
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """From what `str()` wrote: the place in the list to which a form leads back."""
        return cls.of(QueryDict(text[:500]).dict())

    def __str__(self) -> str:
        return urlencode({name: value for name, value in vars(self).items() if value and value != 1})

    @property
    def order(self) -> Sort:
        return Sort(self.sort) if self.sort else Sort.NAME

    @property
    def start(self) -> Start | None:
        """The row after which the page begins, or before which it ends; None for the first page."""
        if not (self.after or self.before):
            return None
        return Start(uuid.UUID(self.after or self.before), backwards=not self.after)

    @property
    def in_force(self) -> dict[str, str]:
        """The filters that narrow the list, by name."""
        return {name: getattr(self, name) for name in FILTERS if getattr(self, name)}

    def first(self, **changes: str) -> Self:
        """The first page of the list with other filters or another order.

        Nobody stays selected whom the user has not seen matching: `select` is asked for again.
        """
        return replace(self, **{"select": ""} | changes | {"after": "", "before": ""}, page=1)

    def selecting(self, select: str) -> Self:
        """The same page with all that match selected, or none."""
        return replace(self, select=select)

    def at(self, page: int, *, after: uuid.UUID | None = None, before: uuid.UUID | None = None) -> Self:
        """Another page of the same list."""
        return replace(self, page=page, after=str(after or ""), before=str(before or ""))


def _one_of(kind: type[Enum], text: str) -> str:
    return text if text in {member.value for member in kind} else ""


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError:
        return ""


def _token(text: str) -> str:
    return text if text.isascii() and text.isalnum() and len(text) <= 32 else ""


def _page(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) else 1
