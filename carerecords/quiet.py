"""How long a change waited for the uploads in flight, and since when none has begun.

The figure is what an admin who presses a switch wants to know: from click to quiet.
"""

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from carerecords import fence
from carerecords.formats import nhs_time_with_seconds


@dataclass(frozen=True)
class Quiet:
    """`since`: from then on no upload began under the old rule. `waited`: for those in flight."""

    since: datetime.datetime
    waited: datetime.timedelta

    @property
    def sentence(self) -> str:
        seconds = self.waited.total_seconds()
        waited = f"{seconds:.2f}" if seconds >= 0.01 else "under 0.01"
        return (
            f"No upload has begun since {nhs_time_with_seconds(self.since)} "
            f"(waited {waited} seconds for uploads in flight)."
        )


@contextmanager
def changing(scope: int, at: datetime.datetime) -> Iterator[Quiet]:
    """`fence.changing`, with what it waited. `at` is the moment of the click.

    Inside, the fence is held: whatever was in flight is answered, and nothing begins before the
    change has committed and is seen.
    """
    begun = time.monotonic()
    with fence.changing(scope):
        waited = datetime.timedelta(seconds=time.monotonic() - begun)
        yield Quiet(at + waited, waited)
