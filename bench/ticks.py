"""A decision recorded by a POST, as the list's short form sends it: eight members of staff of one practice at once,
beside a page of ready bytes.

Every tick writes the event, the patient's state, the upload job, the access log and a bell, and draws the row.
"""

import datetime
import uuid
from collections.abc import Callable, Iterator
from statistics import median, quantiles
from urllib.parse import urlencode

from bench import people, serving
from bench.harness import Ratio
from bench.serving import BROWSERS, asked, get, post, rate

ROUNDS = 4
SECONDS = 1.5


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(10_000)
    staff = [gp, *people.more_gps(practice, BROWSERS - 1)]
    ours = {"DJANGO_SETTINGS_MODULE": "bench.peers.settings", "BENCH_PAGE_BYTES": "4000"}
    bare = ours | {"DJANGO_SETTINGS_MODULE": "bench.peers.bare_settings"}
    cookies = [serving.session_of(user) for user in staff]
    ticks = _ticks(people.undecided(practice), cookies)
    before = _deadlocks()
    took: list[float] = []
    rates: dict[str, list[float]] = {"ticks": [], "static": [], "behind": []}
    with serving.web(ours) as product, serving.web(bare) as nothing:
        for number in range(ROUNDS + 1):
            found = asked(product, ticks, SECONDS, says=b"recorded for")
            others = {
                "static": rate(nothing, get("/peers/static/"), SECONDS / 2),
                "behind": rate(product, get("/peers/behind-log-in/", cookies[0]), SECONDS / 2),
            }
            if number:
                took += found.took
                for name, figure in ({"ticks": found.rate} | others).items():
                    rates[name].append(figure)
    each = {name: median(figures) for name, figures in rates.items()}
    yield Ratio(
        "a tick",
        "of the speed of a ready answer from bare Django",
        each["ticks"] / each["static"],
        goal=0.10,
        note=f"{each['ticks']:,.0f} ticks/s of eight people, bare {each['static']:,.0f}/s; {serving.load()}",
    )
    yield Ratio(
        "a tick",
        "of the speed of a ready answer behind the same log-in",
        each["ticks"] / each["behind"],
        note=f"that {each['behind']:,.0f}/s",
    )
    in_order = quantiles(took, n=100)
    yield Ratio(
        "a tick, the slowest in a hundred",
        "times the middle one",
        in_order[98] / in_order[49],
        goal=4,
        at_most=True,
        note=f"{in_order[49] * 1e3:.0f} ms, {in_order[98] * 1e3:.0f} ms; {len(took):,} ticks",
    )
    yield Ratio("deadlocks", "in all of it", _deadlocks() - before, goal=0, at_most=True)


def _ticks(patients: list[str], cookies: list[str]) -> list[Callable[[], bytes | None]]:
    """For each browser what it sends next; no patient is decided for twice."""
    waiting = iter(patients)

    def sends(cookie: str) -> Callable[[], bytes | None]:
        def next_tick() -> bytes | None:
            patient = next(waiting, None)
            return None if patient is None else tick(patient, cookie)

        return next_tick

    return [sends(cookie) for cookie in cookies]


def tick(patient: str, cookies: str, **other: str) -> bytes:
    """The short form of a patient's row, sent with an answer of today. `other`: fields with other values."""
    today = datetime.date.today()  # noqa: DTZ011 - of this machine, as the form's boxes have it
    answers: dict[str, object] = {
        "preference": "EXPRESS_CORE",
        "source": "IN_PERSON",
        "decided_on_day": today.day,
        "decided_on_month": today.month,
        "decided_on_year": today.year,
        "reference": "",
        "note": "",
        "seen": "",
        "form_key": uuid.uuid4(),
        "from": "",
    }
    answers |= other
    return post(f"/patients/{patient}/consent/new/", cookies, urlencode(answers), HX_Request="true")


def _deadlocks() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (found,) = cursor.fetchone() or (0,)
    return int(found)
