"""F14: 32 people of one practice record decisions while bulk runs set hundreds; no deadlock, and reports are right.

Through the product's actions, with a connection each; `bench/ticks.py` has eight of them through the web server.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from faults import people
from faults.site import wait_until
from faults.trial import Trial, spread

PEOPLE, EACH, SETS = 32, 25, 20


def run(trial: Trial) -> None:
    surgery = people.surgeries(1, trial.times(600, least=200))[0]
    trial.site.nursery.start(sends=2, recovers=1)
    each, sets, over = trial.times(EACH, least=6), trial.times(SETS, least=5), threading.Event()
    with ThreadPoolExecutor(PEOPLE + 1) as crowd:
        bulk = crowd.submit(_bulk, surgery, sets, trial.dice.random(), over)
        ticks = [crowd.submit(_ticks, surgery, each, trial.dice.random()) for _ in range(PEOPLE)]
        took = [second for one in ticks for second in one.result()]
        over.set()
        bulk.result()
    trial.keep()
    wait_until(lambda: people.open_jobs() == 0, 120, "every upload at its end")
    trial.inject(
        f"{len(took)} decisions of {PEOPLE} people at one practice, and bulk runs of half its patients meanwhile"
    )
    trial.figure(f"a decision takes {spread(took)}")
    trial.within("deadlocks", _deadlocks(trial), 0, "")


def _ticks(surgery: people.Surgery, number: int, seed: float) -> list[float]:
    from django.db import connection

    dice, took = random.Random(seed), []
    try:
        for _ in range(number):
            began = time.monotonic()
            people.decide(surgery, [dice.choice(surgery.patients)], consent=dice.random() < 0.7)
            took.append(time.monotonic() - began)
    finally:
        connection.close()
    return took


def _bulk(surgery: people.Surgery, least: int, seed: float, over: threading.Event) -> None:
    from django.db import connection

    dice, done = random.Random(seed), 0
    try:
        while done < least or not over.is_set():
            some = dice.sample(surgery.patients, len(surgery.patients) // 2)
            people.decide(surgery, some, consent=dice.random() < 0.7)
            done += 1
    finally:
        connection.close()


def _deadlocks(trial: Trial) -> int:
    with psycopg.connect(trial.site.database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0
