"""F14: 32 people of one practice record decisions, while bulk runs set hundreds and files of decisions are imported.

Eight of the people are at browsers, and the others go through the product's actions, with a connection each.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TypeVar

import psycopg

from faults import browsers, people
from faults.browsers import CHANGED, SAVED, Clerk
from faults.files import Importer
from faults.site import wait_until
from faults.trial import Trial, spread

PEOPLE, AT_BROWSERS, EACH = 32, 8, 25
SETS, FILES = 20, 6
# So many of the decisions are consents.
CONSENT, PAUSE = 0.7, 0.2
Result = TypeVar("Result")


def run(trial: Trial) -> None:
    from carerecords.models import Patient

    surgery = people.surgeries(1, trial.times(600, least=200))[0]
    numbers = list(Patient.objects.filter(practice=surgery.practice).values_list("nhs_number", flat=True))
    clerks = _clerks(trial, surgery)
    trial.site.nursery.start(sends=2, recovers=1)
    importer, over = Importer(surgery), threading.Event()
    each = trial.times(EACH, least=6)
    aside = [
        partial(_again, trial.times(SETS, least=5), over, partial(_set_half, surgery, _dice(trial))),
        partial(
            _again, trial.times(FILES, least=2), over, partial(_import_half, importer, numbers, _dice(trial))
        ),
    ]
    crowd = [partial(_tick, surgery, _dice(trial)) for _ in range(PEOPLE - len(clerks))]
    crowd += [partial(_fill_in, clerk, surgery, _dice(trial)) for clerk in clerks]
    with ThreadPoolExecutor(PEOPLE + len(aside)) as threads:
        beside = [threads.submit(_closing, work) for work in aside]
        ticks = [threads.submit(_closing, partial(_timed, each, step)) for step in crowd]
        took = [one.result() for one in ticks]
        over.set()
        for one in beside:
            one.result()
    trial.keep()
    wait_until(lambda: people.open_jobs() == 0, 120, "every upload at its end")
    trial.inject(
        f"{sum(map(len, took))} decisions of {PEOPLE} people at one practice, {len(clerks)} of them at browsers; bulk runs of half "
        f"its patients meanwhile, and {importer.files} files of {importer.rows:,} decisions ({importer.changed:,} recorded)"
    )
    by_action, in_browsers = list(chain(*took[: -len(clerks)])), list(chain(*took[-len(clerks) :]))
    trial.figure(f"a decision takes {spread(by_action)}; in a browser {spread(in_browsers)}")
    _told(trial, clerks)
    trial.within("deadlocks", _deadlocks(trial), 0, "")


def _clerks(trial: Trial, surgery: people.Surgery) -> list[Clerk]:
    from carerecords.permissions import Role

    port = trial.site.start_web()
    return [Clerk(port, people.user(Role.GP, surgery.practice)) for _ in range(AT_BROWSERS)]


def _dice(trial: Trial) -> random.Random:
    """Of a thread's own: what it does does not depend on the others' pace."""
    return random.Random(trial.dice.random())


def _closing(work: Callable[[], Result]) -> Result:
    """Work of a thread, with a connection to the database of its own."""
    from django.db import connection

    try:
        return work()
    finally:
        connection.close()


def _timed(number: int, step: Callable[[], object]) -> list[float]:
    """How long each of so many steps took."""
    took = []
    for _ in range(number):
        began = time.monotonic()
        step()
        took.append(time.monotonic() - began)
    return took


def _again(least: int, over: threading.Event, step: Callable[[], object]) -> None:
    """So many times, and on until the others are done. With a pause after each, as between people's clicks."""
    done = 0
    while done < least or not over.is_set():
        step()
        done += 1
        time.sleep(PAUSE)


def _tick(surgery: people.Surgery, dice: random.Random) -> None:
    people.decide(surgery, [dice.choice(surgery.patients)], consent=dice.random() < CONSENT)


def _fill_in(clerk: Clerk, surgery: people.Surgery, dice: random.Random) -> None:
    preference = "EXPRESS_CORE" if dice.random() < CONSENT else "EXPRESS_DISSENT"
    clerk.record(browsers.pages([dice.choice(surgery.patients)])[0], preference=preference)


def _set_half(surgery: people.Surgery, dice: random.Random) -> None:
    some = dice.sample(surgery.patients, len(surgery.patients) // 2)
    people.decide(surgery, some, consent=dice.random() < CONSENT)


def _import_half(importer: Importer, numbers: list[str], dice: random.Random) -> None:
    importer.send_in(dice.sample(numbers, len(numbers) // 2), consent=dice.random() < CONSENT)


def _told(trial: Trial, clerks: list[Clerk]) -> None:
    """At browsers, each is saved or told that somebody else was there first; what is saved is there."""
    from consent.models import ConsentEvent

    answers = Counter(form.answer for clerk in clerks for form in clerk.forms)
    trial.figure(
        "at browsers: " + ", ".join(f"{number} {answer}" for answer, number in answers.most_common())
    )
    others = answers.total() - answers[SAVED] - answers[CHANGED]
    trial.must(not others, f"{others} people at browsers were told of errors")
    stored = ConsentEvent.objects.filter(recorded_by__in=[clerk.user for clerk in clerks]).count()
    trial.must(stored == answers[SAVED], f"{answers[SAVED]} decisions saved at browsers, {stored} are there")


def _deadlocks(trial: Trial) -> int:
    with psycopg.connect(trial.site.database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0
