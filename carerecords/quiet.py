"""How long a change waited for the uploads in flight, which those were, and since when none has begun.

The figure is what an admin who presses a switch wants to know: from click to quiet. It is stored with
the change (docs/adr/0120-quiet-is-stored-with-the-change.md).
"""

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from carerecords import fence
from carerecords.formats import nhs_time_with_seconds
from carerecords.models import JobKind, Practice, Quieted, UploadJob

# A scope of the fence -> asked again behind it: ids of the uploads that were on their way meanwhile.
Watch = Callable[[int], Callable[[], Collection[int]]]
_watches: list[Watch] = []


def provide(watch: Watch) -> None:
    """Called once, when the floor that sends starts."""
    _watches[:] = [watch]


def _watch(scope: int) -> Callable[[], Collection[int]]:
    if not _watches:
        raise LookupError("No floor knows which uploads are in flight.")
    return _watches[0](scope)


@dataclass(frozen=True)
class Quiet:
    """`since`: from then on no upload began under the old rule. `waited`: for those in flight."""

    clicked_at: datetime.datetime
    since: datetime.datetime
    waited: datetime.timedelta
    in_flight: frozenset[int] = frozenset()

    @property
    def sentence(self) -> str:
        seconds = self.waited.total_seconds()
        waited = f"{seconds:.2f}" if seconds >= 0.01 else "under 0.01"
        return (
            f"No upload has begun since {nhs_time_with_seconds(self.since)} "
            f"(waited {waited} seconds for uploads in flight)."
        )

    def store(self, kind: Quieted.Kind, subject: int) -> Quieted:
        """Stores it with the change, in its transaction. `subject` is the id of the changed row."""
        return Quieted.objects.create(
            kind=kind,
            subject=subject,
            clicked_at=self.clicked_at,
            quiet_at=self.since,
            waited=self.waited,
            in_flight=sorted(self.in_flight),
        )


@contextmanager
def changing(scope: int, at: datetime.datetime, *, began: float | None = None) -> Iterator[Quiet]:
    """`fence.changing`, with what it waited. `at` is the moment of the click.

    `began` is the same moment on the monotonic clock, where work went on since. Inside, the fence is
    held: whatever was in flight is answered or past its time, and nothing begins before the change has
    committed and is seen. Raises `LookupError` if no floor can tell what is in flight.
    """
    asked = time.monotonic()
    in_flight = _watch(scope)
    with fence.changing(scope):
        granted = time.monotonic()
        since = at + datetime.timedelta(seconds=granted - (asked if began is None else began))
        yield Quiet(at, since, datetime.timedelta(seconds=granted - asked), frozenset(in_flight()))


@contextmanager
def changing_all(scopes: Sequence[int], at: datetime.datetime) -> Iterator[Quiet]:
    """`changing` of several scopes, in the order in which they are given, as one change.

    It is quiet when the last of them is; what each waited adds up, since they were asked for in turn.
    """
    began = time.monotonic()
    with ExitStack() as fences:
        each = [fences.enter_context(changing(scope, at, began=began)) for scope in scopes]
        yield Quiet(
            at,
            max(one.since for one in each),
            sum((one.waited for one in each), datetime.timedelta()),
            frozenset().union(*(one.in_flight for one in each)),
        )


@dataclass(frozen=True)
class Told:
    """What one reader is told. `uploads`: those of their own practice that were in flight."""

    quieted: Quieted
    uploads: list[UploadJob]

    @property
    def count(self) -> int:
        return len(self.quieted.in_flight)

    @property
    def since(self) -> str:
        """The moment of quiet, with its seconds."""
        return nhs_time_with_seconds(self.quieted.quiet_at)

    @property
    def milliseconds(self) -> int:
        """From the click to quiet."""
        return round((self.quieted.quiet_at - self.quieted.clicked_at).total_seconds() * 1000)


def told(kind: Quieted.Kind, subjects: Collection[int], practice: Practice | None) -> dict[int, Told]:
    """By subject, for those that have it. Uploads are named to `practice` alone: None is told counts.

    Two queries at most.
    """
    found = list(Quieted.objects.filter(kind=kind, subject__in=subjects)) if subjects else []
    theirs: dict[int, UploadJob] = {}
    if practice is not None:
        ids = [job for one in found for job in one.in_flight]
        mine = UploadJob.objects.filter(pk__in=ids, practice=practice).exclude(kind=JobKind.WITHDRAWAL)
        jobs = mine if ids else ()
        theirs = {job.pk: job for job in jobs}
    return {one.subject: Told(one, [theirs[job] for job in one.in_flight if job in theirs]) for one in found}


def told_of(kind: Quieted.Kind, subject: int, practice: Practice | None) -> Told | None:
    """`told` of one change; None where none is stored, as for one that took effect by the calendar."""
    return told(kind, [subject], practice).get(subject)
