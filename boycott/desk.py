"""One desk for all work on policy: whoever drafts, sends, approves or suspends takes it, one at a time.

Such work is rare and human, and one piece of it reaches into others (an approval suspends what it
overtakes). With one lock, taken before the fence, two of them can neither deadlock nor miss each other;
senders of uploads never touch it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

# First key of a two-part advisory lock; the fence's is another.
NAMESPACE = 0x5C13


@contextmanager
def taken() -> Iterator[None]:
    """Inside: a transaction that no other work on policy runs beside."""
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [NAMESPACE])
        yield
