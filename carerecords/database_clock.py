"""The clock that all processes share: the database's.

What is due, what a decision goes by and when it was taken must not hang on the machine that a worker happens to run
on: one whose clock is fast would send before an undo window is over. Cost: one statement without a table.
"""

import datetime

from django.db import connection


def now() -> datetime.datetime:
    """The moment at which it is asked, also inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment
