"""F4: PostgreSQL stopped at once five times, connections cut at COMMIT and anywhere else; the store goes on."""

import signal
import time

import psycopg

from faults import people
from faults.site import wait_until
from faults.trial import Trial, spread

STOPS, CUTS = 5, 150
LOSES_COMMITS = 0.05
JOBS_KEPT_DUE = 60


def run(trial: Trial) -> None:
    from carerecords.models import UploadJob
    from spine.sending import pipeline

    surgeries = people.surgeries(3, trial.times(120, least=50))
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    nursery = trial.site.nursery
    for number in range(3):
        nursery.start(sends=1, recovers=1, limit=8, nth=number, loses_commits=LOSES_COMMITS)
    again = [_stopped(trial, surgeries) for _ in range(trial.times(STOPS, least=2))]
    cut = _cut(trial, surgeries)
    lost = sum("database" in note for one in nursery.senders for note in one.notes())
    nursery.stop_all()
    nursery.start(sends=2, recovers=1)
    limit = pipeline.lease().total_seconds() + 5
    left = wait_until(lambda: people.open_jobs() == 0, limit + 60, "every upload at its end")
    trial.inject(
        f"{len(again)} immediate stops of PostgreSQL, {cut} connections cut, senders met {lost} errors of the database"
    )
    trial.figure(f"sending again {spread(again)} after the server was told to start")
    trial.within("everything at its end after the last fault", left, limit)
    burnt = UploadJob.objects.filter(state="FAILED").count()
    trial.must(burnt == 0, f"{burnt} jobs were burnt by the outage")


def _stopped(trial: Trial, surgeries: list[people.Surgery]) -> float:
    """How long after the start of the server the store is sent something again."""
    _fed(trial, surgeries)
    time.sleep(trial.dice.uniform(0.3, 1.0))
    server = trial.site.ground.postgres
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait()
    time.sleep(trial.dice.uniform(0.1, 1.0))
    before = trial.site.last_sequence()
    began = time.monotonic()
    server.start()
    _fed(trial, surgeries)
    wait_until(lambda: trial.site.last_sequence() > before, 60, "sending again after a stop of PostgreSQL")
    return time.monotonic() - began


def _cut(trial: Trial, surgeries: list[people.Surgery]) -> int:
    """Ends sessions of senders by chance, wherever they are."""
    wanted, cut = trial.times(CUTS, least=20), 0
    trial.keep()
    with psycopg.connect(trial.site.database_url, autocommit=True) as connection:
        while cut < wanted:
            _fed(trial, surgeries)
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND state <> 'idle' "
                "AND pid <> ALL (%s) AND backend_type = 'client backend'",
                [trial.site.name, [connection.info.backend_pid, _our_own()]],
            ).fetchall()
            if found:
                connection.execute("SELECT pg_terminate_backend(%s)", list(trial.dice.choice(found)))
                cut += 1
            time.sleep(trial.dice.uniform(0, 0.05))
    return cut


def _our_own() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _fed(trial: Trial, surgeries: list[people.Surgery]) -> None:
    """Records change, so that there is work; tried again by a person while the database is away."""
    surgery = trial.dice.choice(surgeries)
    patients = trial.dice.sample(surgery.patients, len(surgery.patients) // 2)
    if people.insist(people.open_jobs) < JOBS_KEPT_DUE:
        people.insist(lambda: people.ask_for_updates(surgery, patients))
