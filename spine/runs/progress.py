"""How far a run has come, in one query over its rows and their jobs."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, F, Q

from carerecords.models import JobState
from spine.reasons import Reason
from spine.runs.models import SendingRun
from spine.runs.queries import UNSETTLED


@dataclass(frozen=True)
class Part:
    """Patients of a run who are alike. `state`: the uploads' own, for the list; none: there is no upload."""

    key: str
    label: str
    number: int
    state: str


# In the order of the page and of the picture: what is done, what is not yet, what needs somebody.
_PARTS = {
    "sent": ("Accepted by the Spine", JobState.ACCEPTED),
    "same": ("Nothing to send", JobState.CANCELLED),
    "sending": ("Being sent", JobState.SENDING),
    "doubt": ("Being checked", JobState.IN_DOUBT),
    "waiting": ("Waiting to be sent", JobState.WAITING),
    "to_come": ("Still to come", ""),
    "held": ("Held", JobState.HELD),
    "failed": ("Failed", JobState.FAILED),
    "cancelled": ("Cancelled", JobState.CANCELLED),
    "left_out": ("Left out", ""),
}
_OF_STATE = {
    JobState.ACCEPTED: "sent",
    JobState.SENDING: "sending",
    JobState.IN_DOUBT: "doubt",
    JobState.WAITING: "waiting",
    JobState.HELD: "held",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
# Of these it is not known yet what becomes of them.
_OPEN = ("sending", "doubt", "waiting", "to_come")
_TOLD = ("held", "failed", "cancelled", "left_out", "waiting")


@dataclass(frozen=True)
class Progress:
    """The parts that have anybody, and why patients are in those that want a reason."""

    parts: list[Part]
    reasons: list[tuple[str, Reason, int]]
    total: int
    done: int
    # Practices whose patients are listed, and all of them.
    listed: int
    practices: int

    def number(self, key: str) -> int:
        return next((part.number for part in self.parts if part.key == key), 0)

    @property
    def to_go(self) -> int:
        return self.total - self.done

    @property
    def quarter(self) -> int:
        """0 to 4, for what is read out: every change would be too much."""
        return self.done * 4 // self.total if self.total else 0


def progress_of(run: SendingRun) -> Progress:
    """Two queries: the rows by what became of them, and the practices."""
    rows = run.rows.values_list("job__state", "job__reasons__0", "why").order_by().annotate(Count("pk"))
    numbers: Counter[str] = Counter()
    reasons: Counter[tuple[str, Reason]] = Counter()
    for state, code, why, number in rows:
        key = _key(state, code, why)
        numbers[key] += number
        if key in _TOLD and (code or why):
            reasons[key, Reason.of(code or why)] += number
    shares = run.shares.aggregate(practices=Count("pk"), listed=Count(F("taken_at")))
    total = numbers.total()
    return Progress(
        [Part(key, *_words(key, numbers[key])) for key in _PARTS if numbers[key]],
        [(_PARTS[key][0], reason, number) for (key, reason), number in reasons.most_common()],
        total,
        total - sum(numbers[key] for key in _OPEN),
        shares["listed"],
        shares["practices"],
    )


@dataclass(frozen=True)
class PracticeProgress:
    """How far a run has come at one practice, in numbers only."""

    ods_code: str
    name: str
    to_go: int
    held: int
    failed: int
    total: int


def by_practice(run: SendingRun, most: int) -> list[PracticeProgress]:
    """The practices of a run with most to do first, then those with most held. One query over its rows."""
    to_come = Q(job=None, why="") | Q(job__state__in=UNSETTLED)
    rows = (
        run.rows.values_list("patient__practice__ods_code", "patient__practice__name")
        .order_by()
        .annotate(
            to_go=Count("pk", filter=to_come),
            held=Count("pk", filter=Q(job__state=JobState.HELD)),
            failed=Count("pk", filter=Q(job__state=JobState.FAILED)),
            total=Count("pk"),
        )
        .order_by("-to_go", "-held", "patient__practice__ods_code")
    )
    return [PracticeProgress(*row) for row in rows[:most]]


def _words(key: str, number: int) -> tuple[str, int, str]:
    label, state = _PARTS[key]
    return label, number, state


def _key(state: str | None, code: str | None, why: str) -> str:
    if state is None:
        return "left_out" if why else "to_come"
    if state == JobState.CANCELLED and code and code.startswith("store."):
        return "same"
    return _OF_STATE[JobState(state)]
