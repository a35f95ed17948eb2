"""What a worker's process does as it begins. In a process of its own: it stays so."""

import json
import subprocess
import sys

BEGIN = """
import gc, json
from celery.signals import worker_process_init
from config.celery import COLLECTED_AFTER
before = gc.get_freeze_count()
worker_process_init.send(sender=None)
loop = []
loop.append(loop)
del loop
print(json.dumps([before, gc.get_freeze_count(), gc.get_threshold()[0] == COLLECTED_AFTER, gc.isenabled(), gc.collect()]))
"""


def test_the_collector_leaves_alone_what_is_loaded_and_still_finds_cycles():
    began = subprocess.run([sys.executable, "-c", BEGIN], capture_output=True, text=True, check=True)
    before, frozen, rarely, enabled, found = json.loads(began.stdout)
    assert before == 0
    assert frozen > 10_000
    assert rarely and enabled
    assert found >= 1
