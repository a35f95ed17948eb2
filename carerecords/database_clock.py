"""The clock that all processes share: the database's.

What is due, what a decision goes by and when it was taken must not hang on the machine that a worker happens to run
on: one whose clock is fast would send before an undo window is over. Cost: one statement without a table.
"""

import datetime

from django.db import connection
from django.utils import timezone

# Clocks that are kept in step are no further apart, and a moment is then as good by either.
IN_STEP = datetime.timedelta(seconds=1)


def now() -> datetime.datetime:
    """The moment at which it is asked, also inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment


def of(moment: datetime.datetime) -> datetime.datetime:
    """A moment that this machine's clock gave, by the database's: moved by as much as the two are apart.

    The same moment where they are in step, as far as one question can tell.
    """
    asked = timezone.now()
    there = now()
    half = (timezone.now() - asked) / 2
    apart = there - asked - half
    return moment if abs(apart) <= IN_STEP + half else moment + apart
