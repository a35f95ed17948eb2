"""The totals shown on the store's page: counted once at the start, then kept by the one writer."""

from __future__ import annotations

from collections import Counter

from psycopg import AsyncConnection

from spine.localstore import arrivals as a
from spine.localstore.arrivals import Arrival, Verdict
from spine.localstore.vocabulary import NO

_COUNT = """
SELECT count(*) FILTER (WHERE outcome = 'accepted'),
       count(*) FILTER (WHERE outcome = 'refused'),
       count(*) FILTER (WHERE outcome = 'replayed'),
       count(*) FILTER (WHERE outcome = 'read'),
       count(*) FILTER (WHERE outcome = 'accepted' AND is_blank)
FROM ledger
"""


class Tallies:
    """Counts of ledger lines by outcome, and of blank summaries accepted."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.blank = 0

    async def load(self, connection: AsyncConnection) -> None:
        """Count afresh from the ledger."""
        row = await (await connection.execute(_COUNT)).fetchone()
        assert row is not None
        self.outcomes = Counter(dict(zip((a.ACCEPTED, a.REFUSED, a.REPLAYED, a.READ), row, strict=False)))
        self.blank = row[4]

    def count(self, arrivals: list[Arrival], verdicts: list[Verdict]) -> None:
        """Add a committed batch."""
        self.outcomes.update(verdict.outcome for verdict in verdicts)
        self.blank += sum(
            1 for x, y in zip(arrivals, verdicts, strict=True) if x.is_blank and y.outcome == a.ACCEPTED
        )


async def standing(connection: AsyncConnection) -> tuple[int, int]:
    """Return (current summaries, patients whose permission is No) as they stand."""
    query = "SELECT (SELECT count(*) FROM current_summary), (SELECT count(*) FROM permission WHERE code = %s)"
    row = await (await connection.execute(query, [NO])).fetchone()
    assert row is not None
    return row[0], row[1]
