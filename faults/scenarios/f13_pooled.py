"""F13: PgBouncer with transaction pooling between the senders and PostgreSQL."""

from faults.trial import NotRun, Trial


def run(trial: Trial) -> None:
    raise NotRun("PgBouncer is in none of the packages that the lock files can name")
