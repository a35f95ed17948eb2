"""How many jobs a batch takes, and how many messages it sends, learnt from the batches before. Pure."""

LARGEST_BATCH = 500


# How much larger a batch is tried than the one before, once the most was found: a sixteenth.
STEP = 16


class BatchSize:
    """Two sizes, since most of the jobs may go or none: what may not go costs the store nothing.

    `jobs` grows while batches leave room for messages, and shrinks to what was of use where jobs had to be
    put back. `messages` is what went in the time to begin, and at most what the store's rate lets go in it.
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
        if put_back:
            self.jobs = max(1, taken - put_back)
        elif tried < self.messages:
            self.jobs = min(LARGEST_BATCH, 2 * self.jobs)
        if done < tried:
            self._found_the_most = True
            self.messages = min(self._most, max(self._connections, done))
        elif tried:
            larger = tried + max(1, tried // STEP) if self._found_the_most else 2 * tried
            self.messages = min(self._most, max(self.messages, larger))
