"""The doorbell rings a real broker, and costs a page little when the broker is away.

In a process of its own: Celery's app takes its broker once, when it is first used.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole_product import broker  # noqa: F401

ROOT = Path(__file__).resolve().parents[3]
RING = """
import json, time, django
django.setup()
from carerecords import doorbell
began = time.monotonic()
print(json.dumps({"rang": doorbell.ring(), "answers": doorbell.answers(), "seconds": time.monotonic() - began}))
"""


def ring(url):
    done = subprocess.run(
        [sys.executable, "-c", RING],
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_it_rings(broker):
    said = ring(broker.url)
    assert (said["rang"], said["answers"]) == (True, True)


def test_a_broker_that_is_away_costs_little_and_fails_nothing(broker):
    said = ring(broker.url.replace("/broker", "/nobody"))
    assert (said["rang"], said["answers"]) == (False, False)
    assert said["seconds"] < 5


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "amqp://guest:guest@127.0.0.1:9//"])
def test_one_that_refuses_costs_little_too(url):
    said = ring(url)
    assert (said["rang"], said["answers"]) == (False, False)
    assert said["seconds"] < 5


def test_a_frozen_broker_costs_little_and_fails_nothing(broker):
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        said = ring(broker.url)
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    assert (said["rang"], said["answers"]) == (False, False)
    assert said["seconds"] < 15
