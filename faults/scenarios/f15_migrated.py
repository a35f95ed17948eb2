"""F15: the tables migrated, forward and back, while senders of before work; they go on with the new schema."""

import time

from faults import people
from faults.site import wait_until
from faults.trial import Trial, spread

TIMES = 3
JOBS_KEPT_DUE = 60


def run(trial: Trial) -> None:
    surgeries = people.surgeries(3, trial.times(200, least=60))
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    for _ in range(2):
        trial.site.nursery.start(sends=2, recovers=1, limit=8, rest=0.01)
    took = []
    for number in range(TIMES):
        for backwards in (False, True):
            if people.open_jobs() < JOBS_KEPT_DUE:
                people.ask_for_updates(surgeries[number], surgeries[number].patients)
            time.sleep(trial.dice.uniform(0.05, 0.3))
            began = time.monotonic()
            _migrate(backwards=backwards)
            took.append(time.monotonic() - began)
    _migrate(backwards=False)
    people.ask_for_updates(surgeries[0], surgeries[0].patients)
    # A row reads otherwise with another column, so only from here on.
    trial.keep()
    left = wait_until(lambda: people.open_jobs() == 0, 90, "every upload at its end")
    trial.inject(
        f"{2 * TIMES + 1} migrations while uploads were sent: columns, a table, and an index on the job's table"
    )
    trial.figure(f"a migration takes {spread(took)}; all sent {left:.1f} s after the last")


def _migrate(*, backwards: bool) -> None:
    """What an additive migration of the next release would do; nothing of it is in the product."""
    from django.db import connection, migrations, models
    from django.db.migrations.executor import MigrationExecutor

    class NextRelease(migrations.Migration):
        operations = [
            migrations.AddField("receipt", "next_release_note", models.TextField(null=True)),
            migrations.AddField("uploadattempt", "next_release_size", models.IntegerField(db_default=0)),
            migrations.CreateModel("NextRelease", [("id", models.BigAutoField(primary_key=True))]),
        ]

    next_release = NextRelease("next_release", "spine")
    state = MigrationExecutor(connection).loader.project_state()
    with connection.schema_editor(atomic=True) as editor:
        (next_release.unapply if backwards else next_release.apply)(state, editor)
    with connection.cursor() as cursor:
        cursor.execute(_NO_INDEX if backwards else _INDEX)


_INDEX = "CREATE INDEX CONCURRENTLY next_release_jobs ON carerecords_uploadjob (requested_at)"
_NO_INDEX = "DROP INDEX CONCURRENTLY next_release_jobs"
