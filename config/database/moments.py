"""How moments come from the database: in UTC, a tenth of the time that Django's own way takes for each.

That one is written in Python around a regular expression, 3.7 microseconds a moment; a claim reads two for each job.
"""

import datetime

from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader


class UtcLoader(TimestamptzLoader):
    """Reads what PostgreSQL writes of a `timestamptz`, whatever the session's time zone is."""

    # Django asks for it.
    timezone = datetime.UTC

    def load(self, data: Buffer) -> datetime.datetime:
        try:
            moment = datetime.datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            # What Python has no moment for, such as infinity: psycopg says so.
            return super().load(data)
        return moment if moment.tzinfo is datetime.UTC else moment.astimezone(datetime.UTC)
