"""A sender that stops itself as a frozen machine would: `python -m tests.frozen_sender POINT SECONDS`, then SIGCONT.

POINT is "before" or "after" the sends of its one batch; SECONDS, when its fence falls. Its lease is over at
once, so that others may go on.
"""

import datetime
import os
import signal
import sys

import django

django.setup()

from spine.sending import pipeline  # noqa: E402 - the settings come first
from spine.sending.store import Store  # noqa: E402


class Freezing(Store):
    def send(self, going, *, when_quiet, **more):
        def freeze():
            os.kill(os.getpid(), signal.SIGSTOP)

        if sys.argv[1] == "before":
            freeze()
            return super().send(going, when_quiet=when_quiet, **more)
        return super().send(going, when_quiet=freeze, **more)


pipeline.FENCE_TIMEOUT_MS = int(sys.argv[2]) * 1000
pipeline.HELD_SECONDS = int(sys.argv[2]) - 1
pipeline.lease = lambda: datetime.timedelta(seconds=-1)
print(pipeline.send_batch(Freezing()).sent)
