"""F12: PostgreSQL's disk full, then that of its write-ahead log, while uploads are sent and people decide; then that of the logs.

It has a PostgreSQL of its own, on file systems of a few megabytes. Where a full one ends it, it is started again
and again, as the launcher and containers do.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count

import psycopg

from config.embedded.errors import CannotStart
from config.embedded.postgres import Postgres
from config.embedded.services import Service
from faults import browsers, people
from faults import ground as grounds
from faults.beside import Beside
from faults.browsers import NOT_SAVED, SAVED, Clerk, Form, Page
from faults.disks import Disk, small_disk
from faults.ground import Ground
from faults.site import wait_until
from faults.trial import Trial, spread

ROUNDS = 2
DATA_MIB, WAL_MIB, LOGS_MIB = 256, 160, 64
SETTINGS = (
    *(grounds.WITNESSED, "min_wal_size=32MB", "max_wal_size=64MB"),
    # Else it would go on in old segments for long, and need no new ones.
    "wal_recycle=off",
)
FULL_SECONDS = (2.0, 4.0)
JOBS_KEPT_DUE = 60
# A decision every so many seconds; so many while nobody can write a line of a log, which are sent within the other.
PAUSE, UNLOGGED, SENT_SECONDS = 0.1, 30, 60.0
PAGE_BYTES = 4096
# Each has sites of its own names: the stores' server is the usual one.
_numbers = count(1)
NO_SPACE = b"No space left on device"


@dataclass(kw_only=True)
class SmallGround(Ground):
    """Three small disks: for PostgreSQL's data, for its write-ahead log, and for what everybody logs."""

    data: Disk
    wal: Disk
    all_logs: Disk

    def look_after_server(self) -> None:
        """Starts PostgreSQL again if it has ended; it may not be able to, and is tried again the next time."""
        if self.postgres.process is None or self.postgres.process.poll() is not None:
            with suppress(CannotStart):
                self.postgres.start()

    def said(self, what: bytes) -> int:
        """How often PostgreSQL's log says so."""
        return self.postgres.log.read_bytes().count(what)


@contextmanager
def ground(usual: Ground) -> Iterator[SmallGround]:
    """The same with small disks. Raises `NotRun` where none can be mounted."""
    with ExitStack() as ends:
        data, wal, logs = (
            ends.enter_context(small_disk(usual.folder / f"small-{name}", size))
            for name, size in (("data", DATA_MIB), ("wal", WAL_MIB), ("logs", LOGS_MIB))
        )
        log = logs.folder / "postgres.log"
        server = grounds.server(ends, data.folder, "postgres", *SETTINGS, log=log)
        server.stop()
        _move_wal(server, wal)
        server.start()
        grounds.make_empty(server)
        yield SmallGround(
            *(usual.folder, server, usual.stores, usual.mutant, logs.folder, f"small{next(_numbers)}"),
            data=data,
            wal=wal,
            all_logs=logs,
        )


def _move_wal(server: Postgres, disk: Disk) -> None:
    """As `initdb --waldir` would have it."""
    here, there = server.folder / "pg_wal", disk.folder / "pg_wal"
    shutil.move(here, there)
    for path in (there, *there.rglob("*")):
        shutil.chown(path, server.account.uid, server.account.gid)
    here.symlink_to(there)


def run(trial: Trial) -> None:
    from carerecords.models import UploadJob
    from spine.sending import pipeline

    site, under = trial.site, trial.site.ground
    assert isinstance(under, SmallGround)
    desks, *others = people.surgeries(3, trial.times(360, least=160))
    for surgery in others:
        people.decide(surgery, surgery.patients, consent=True)
    site.start_broker()
    services = [site.start_worker(), site.start_clock()]
    desk = _Desk(Clerk(site.start_web(), desks.gp), browsers.pages(desks.patients))
    site.nursery.start(sends=2, recovers=1)
    again = []
    for _ in range(trial.times(ROUNDS)):
        for disk in (under.data, under.wal):
            again.append(_full(trial, under, disk, others, desk))
            trial.keep()
    limit = pipeline.lease().total_seconds() + 5
    left = wait_until(lambda: people.insist(people.open_jobs) == 0, limit + 60, "every upload at its end")
    trial.inject(
        f"each of two disks full {len(again) // 2} times, with {under.said(NO_SPACE)} lines about it in PostgreSQL's log; "
        f"it ended {under.said(b'PANIC')} times by itself"
    )
    trial.inject(f"{desk.answers.total()} decisions meanwhile: " + desk.told())
    trial.figure(f"sending again {spread(again)} after there was room")
    trial.within("everything at its end after the last fault", left, limit)
    trial.must(
        desk.answers[NOT_SAVED], "nobody was told that nothing was saved: the disks were not full enough"
    )
    _unlogged(trial, under, desk, services)
    burnt = UploadJob.objects.filter(state="FAILED").count()
    trial.must(burnt == 0, f"{burnt} jobs were burnt by full disks")


class _Desk:
    """Somebody who records decisions all the while, each of another patient who had decided nothing."""

    def __init__(self, clerk: Clerk, pages: list[Page]) -> None:
        self.clerk, self._waiting = clerk, pages
        self.answers: Counter[str] = Counter()

    def next(self) -> Form | None:
        if not self._waiting:
            return None
        # No log may hold what people write: PostgreSQL's quotes statements that it could not do.
        form = self.clerk.record(self._waiting.pop(), note=f"{people.MARKER} asked for it")
        self.answers[form.answer] += 1
        return form

    def told(self) -> str:
        """How often people were told what."""
        return ", ".join(f"{number} {answer}" for answer, number in self.answers.most_common())

    def settle(self) -> Iterator[str]:
        """Every answer was so; and what was not saved is, once, when the same form is sent again."""
        yield from browsers.untrue(self.clerk.forms)
        for form in self.clerk.forms:
            if form.answer != SAVED:
                self.clerk.send(form)
        yield from browsers.untrue(self.clerk.forms)
        left = sum(form.answer != SAVED for form in self.clerk.forms)
        if left:
            yield f"{left} decisions were not taken again once there was room"


def _full(
    trial: Trial, under: SmallGround, disk: Disk, surgeries: list[people.Surgery], desk: _Desk
) -> float:
    """One disk full for some seconds; how long after there is room the store is sent something again."""

    def goes_on() -> None:
        under.look_after_server()
        _feed(trial, surgeries)

    def struck() -> bool:
        disk.fill()
        if disk is under.wal:
            _ask_for_wal(under)
        goes_on()
        return under.said(NO_SPACE) > before

    def sends_again() -> bool:
        goes_on()
        return trial.site.last_sequence() > sent

    people.insist(lambda: _feed(trial, surgeries))
    before = under.said(NO_SPACE)
    with Beside(desk.next, PAUSE):
        wait_until(struck, 60, f"PostgreSQL finds {disk.folder.name} full", every=0.1)
        end = time.monotonic() + trial.dice.uniform(*FULL_SECONDS)
        while time.monotonic() < end:
            struck()
            time.sleep(0.1)
        disk.make_room()
        sent = trial.site.last_sequence()
        took = wait_until(sends_again, 60, "sending again once there was room")
    for lie in desk.settle():
        trial.must(False, lie)
    return took


def _feed(trial: Trial, surgeries: list[people.Surgery]) -> None:
    """Records change, so that there is work. What the database does not take now is left."""
    from django.db import Error, connection

    surgery = trial.dice.choice(surgeries)
    try:
        if people.open_jobs() < JOBS_KEPT_DUE:
            people.ask_for_updates(surgery, trial.dice.sample(surgery.patients, len(surgery.patients) // 3))
    except Error:
        connection.close()


def _ask_for_wal(under: SmallGround) -> None:
    """A new segment of the write-ahead log, as an archive's time-out asks for one."""
    with suppress(psycopg.Error), psycopg.connect(under.postgres.url("postgres"), autocommit=True) as line:
        line.execute("SELECT pg_switch_wal()")


def _unlogged(trial: Trial, under: SmallGround, desk: _Desk, services: list[Service]) -> None:
    """Nobody can write a line of a log: decisions are recorded all the same, and sent by the worker."""
    trial.site.nursery.stop_all()
    restarts: list[str] = []
    files = list(under.all_logs.folder.rglob("*.log"))
    under.all_logs.fill()
    before = sum(file.stat().st_size for file in files)
    forms = [desk.next() for _ in range(UNLOGGED)]

    def sent() -> bool:
        restarts.extend(filter(None, (service.look_after() for service in services)))
        return people.open_jobs() == 0

    took = wait_until(sent, 2 * SENT_SECONDS, "decisions without logs sent")
    grown = sum(file.stat().st_size for file in files) - before
    under.all_logs.make_room()
    told = Counter(form.answer for form in forms if form)
    trial.inject(f"{told[SAVED]} decisions recorded and sent while the disk of {len(files)} logs was full")
    trial.within("decisions without logs, sent", took, SENT_SECONDS)
    trial.must(told.total() == told[SAVED] == UNLOGGED, f"without logs people were told {dict(told)}")
    trial.must(not restarts, f"{len(restarts)} processes ended because they could not log")
    # The last page of each file had a little room.
    trial.must(grown < len(files) * PAGE_BYTES, f"logs grew by {grown} bytes on a full disk")
