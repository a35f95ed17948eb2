"""How many jobs a batch takes, and how many messages it sends, learnt from the batches before. Pure."""

import math

LARGEST_BATCH = 500

# How much larger a batch is tried than the one before, once the most was found: a sixteenth; or a quarter, where it took
# less than half of its time.
STEP, LARGE_STEP = 16, 4
# Of the time to begin, so much is used: the next batch's messages may take longer.
MOST_OF_THE_TIME = 0.8


class BatchSize:
    """Two sizes, since most of the jobs may go or none: what may not go costs the store nothing.

    `jobs` is as many as the last batch would have needed for the next one's messages: a job that has to be put back
    has cost a claim, a decision and a write. Where none could go, it doubles. `messages` is what goes in most of the
    time to begin, and at most what the store's rate lets go in it. It doubles until that was found, and then feels its
    way, as TCP does, but not up to the end of the time: a message that comes too late has cost a question, a decision
    and an intent.
    """

    def __init__(self, connections: int, most: float) -> None:
        self._connections = connections
        self._most = int(min(most, LARGEST_BATCH))
        self._found_the_most = False
        self.jobs = 2 * connections
        self.messages = min(2 * connections, self._most)

    def learn(self, *, taken: int, put_back: int, tried: int, done: int, part: float) -> None:
        """After a batch of `taken` jobs, `tried` messages of which `done` left, in that `part` of the time to begin."""
        if done < tried or part > MOST_OF_THE_TIME:
            self._found_the_most = True
            sure = math.ceil(done * MOST_OF_THE_TIME / max(part, MOST_OF_THE_TIME))
            self.messages = min(self._most, max(self._connections, sure))
        elif tried:
            self.messages = min(self._most, max(self.messages, self._larger(tried, part)))
        used = taken - put_back
        if tried:
            self.jobs = min(LARGEST_BATCH, max(1, math.ceil(self.messages * used / tried)))
        else:
            self.jobs = max(1, used) if put_back else min(LARGEST_BATCH, 2 * self.jobs)

    def _larger(self, tried: int, part: float) -> int:
        """So many more may be tried. Once the most was found: carefully, but where there is room for twice as many."""
        if not self._found_the_most:
            return 2 * tried
        return tried + max(1, tried // (STEP if 2 * part > MOST_OF_THE_TIME else LARGE_STEP))
