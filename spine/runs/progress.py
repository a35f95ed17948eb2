"""How far a run has come, in one query over its rows and their jobs."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, F, Q

from carerecords.models import JobState
from spine.reasons import Reason
from spine.runs.codes import RunState
from spine.runs.models import SendingRun
from spine.runs.queries import UNSETTLED
from spine.uploads.endings import Ending, ending_of


@dataclass(frozen=True)
class Part:
    """Patients of a run who are alike. `state` and `ended`: what the list is narrowed to; no state: there is
    no upload.
    """

    key: str
    label: str
    number: int
    state: str
    ended: str = ""


# In the order of the page and of the picture: what is done, what is not yet, what needs somebody.
_PARTS = {
    "sent": ("Accepted by the Spine", JobState.ACCEPTED),
    "same": (Ending.NEEDLESS.label, JobState.CANCELLED, Ending.NEEDLESS),
    "sending": ("Being sent", JobState.SENDING),
    "doubt": ("Being checked", JobState.IN_DOUBT),
    "waiting": ("Waiting to be sent", JobState.WAITING),
    "to_come": ("Still to come", ""),
    "held": ("Held", JobState.HELD),
    "failed": ("Failed", JobState.FAILED),
    "stopped": (Ending.WITH_RUN.label, JobState.CANCELLED, Ending.WITH_RUN),
    "unasked": ("Not asked for before the run was cancelled", ""),
    "cancelled": (Ending.OTHERWISE.label, JobState.CANCELLED, Ending.OTHERWISE),
    "left_out": ("Left out", ""),
}
_OF_STATE = {
    JobState.ACCEPTED: "sent",
    JobState.SENDING: "sending",
    JobState.IN_DOUBT: "doubt",
    JobState.WAITING: "waiting",
    JobState.HELD: "held",
    JobState.FAILED: "failed",
}
_OF_ENDING = {Ending.NEEDLESS: "same", Ending.WITH_RUN: "stopped", Ending.OTHERWISE: "cancelled"}
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
    def stopped(self) -> int:
        """Of a cancelled run: what would have gone on, had it not been cancelled."""
        return self.number("stopped") + self.number("unasked")

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
    is_over = run.state == RunState.CANCELLED
    for state, code, why, number in rows:
        key = _key(state, code, why, is_over)
        numbers[key] += number
        if key in _TOLD and (code or why):
            reasons[key, Reason.of(code or why)] += number
    shares = run.shares.aggregate(practices=Count("pk"), listed=Count(F("taken_at")))
    total = numbers.total()
    return Progress(
        [_part(key, numbers[key]) for key in _PARTS if numbers[key]],
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
    to_come = Q(job__state__in=UNSETTLED)
    if run.state != RunState.CANCELLED:
        to_come |= Q(job=None, why="")
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


def _part(key: str, number: int) -> Part:
    label, *listed = _PARTS[key]
    return Part(key, label, number, *listed)


def _key(state: str | None, code: str | None, why: str, is_over: bool) -> str:
    if state is None:
        return "left_out" if why else "unasked" if is_over else "to_come"
    return _OF_ENDING[ending_of(code)] if state == JobState.CANCELLED else _OF_STATE[JobState(state)]
