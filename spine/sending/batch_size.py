"""How many jobs a batch takes, and how many messages it sends, learnt from the batches before. Pure."""

import math

LARGEST_BATCH = 500


# How much larger a batch is tried than the one before, once the most was found: a sixteenth.
STEP = 16


class BatchSize:
    """Two sizes, since most of the jobs may go or none: what may not go costs the store nothing.

    `jobs` is as many as the last batch would have needed for the next one's messages: a job that has to be put back
    has cost a claim, a decision and a write. Where none could go, it doubles. `messages` is what went in the time to begin, and at most what the store's rate lets go in it.
    It doubles until some did not go in time, and then feels its way, as TCP does: a message that comes too
    late has cost a question, a decision and an intent.
    """

    def __init__(self, connections: int, most: float) -> None:
        self._connections = connections
        self._most = int(min(most, LARGEST_BATCH))
        self._found_the_most = False
        self.jobs = 2 * connections
        self.messages = min(2 * connections, self._most)

    def learn(self, *, taken: int, put_back: int, tried: int, done: int) -> None:
        """After a batch of `taken` jobs, `tried` messages of which `done` left in time."""
        if done < tried:
            self._found_the_most = True
            self.messages = min(self._most, max(self._connections, done))
        elif tried:
            larger = tried + max(1, tried // STEP) if self._found_the_most else 2 * tried
            self.messages = min(self._most, max(self.messages, larger))
        used = taken - put_back
        if tried:
            self.jobs = min(LARGEST_BATCH, max(1, math.ceil(self.messages * used / tried)))
        else:
            self.jobs = max(1, used) if put_back else min(LARGEST_BATCH, 2 * self.jobs)
