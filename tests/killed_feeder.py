"""A worker that feeds a run and dies in its second chunk, before this commits: `python -m tests.killed_feeder RUN CHUNK`."""

import os
import signal
import sys
import uuid

import django

django.setup()

from django.utils import timezone  # noqa: E402 - the settings come first

from spine.runs import feeding  # noqa: E402

_whole, _chunks = feeding._name_jobs, []


def dies(*args):
    _chunks.append(args)
    if len(_chunks) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    _whole(*args)


feeding._name_jobs, feeding.CHUNK = dies, int(sys.argv[2])
feeding.feed(uuid.UUID(sys.argv[1]), timezone.now)
