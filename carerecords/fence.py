"""The fence: no send begins after a change of a shared fact commits.

Senders hold it shared from decision to the last send; a change of position, stance, rollout or
stop takes it exclusive. It is a PostgreSQL advisory lock of transaction level: fair (a waiting
change blocks new senders at once), safe behind a transaction pooler, and gone with its session.
A row lock `FOR SHARE` starved the change for over a minute, and schemes that only read let sends
begin afterwards (docs/adr/0002-fence.md has the figures).

The two scopes: the nation, and one practice, so that a practice's answer does not wait for the
rest of the country.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from carerecords.many_rows import integers
from carerecords.models.fact_clock import NATIONAL

# First key of the two-part advisory lock: keeps ours apart from anybody else's.
NAMESPACE = 0x5C12

_BUMP = """
INSERT INTO carerecords_factclock (scope, number) VALUES (%s, nextval('carerecords_fact_number'))
ON CONFLICT (scope) DO UPDATE SET number = excluded.number, changed_at = now()
"""


@contextmanager
def changing(scope: int = NATIONAL) -> Iterator[None]:
    """Inside: a transaction that no sender of this scope runs beside. Held jobs are asked again.

    `scope` is `NATIONAL` or a practice's id. Waits for the sends in flight (one send time-out at
    most). Keep the work inside short: senders of the scope wait for it.
    """
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            # Its own statement, before any that reads: READ COMMITTED takes a snapshot per statement.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAMESPACE, scope])
            cursor.execute(_BUMP, [scope])
        yield


# In one message to the server: a statement each, so one after the other.
_SHARE = """
SET LOCAL idle_in_transaction_session_timeout = %s;
SELECT pg_advisory_xact_lock_shared(%s, %s);
SELECT pg_advisory_xact_lock_shared(%s, practice) FROM unnest(%s::int[]) AS practice
"""


def share(cursor: CursorWrapper, practice_ids: Iterable[int], *, idle_ms: int) -> None:
    """Takes the nation's fence and those practices' shared, for the rest of the transaction.

    Always the nation first and practices in order, so that two senders cannot deadlock. The server ends the session
    where its client says nothing for `idle_ms` milliseconds.
    """
    cursor.execute(_SHARE, [idle_ms, NAMESPACE, NATIONAL, NAMESPACE, integers(sorted(set(practice_ids)))])


def keep_patients(cursor: CursorWrapper, patient_ids: Iterable[int]) -> None:
    """Keeps the facts of these patients still for the rest of the transaction.

    Whoever changes such a fact locks the patient's row first (`PatientQuerySet.lock`) and so waits
    for this batch. `FOR KEY SHARE` leaves other writes to the row, and rows that refer to it, free.
    """
    cursor.execute(
        "SELECT id FROM carerecords_patient WHERE id = ANY(%s::bigint[]) ORDER BY id FOR KEY SHARE",
        [integers(set(patient_ids))],
    )


def sender_connection() -> BaseDatabaseWrapper:
    """A second connection to the same database, for the transaction that only holds the fence.

    The sender's own connection commits its decisions and receipts meanwhile.
    """
    return transaction.get_connection().copy()
