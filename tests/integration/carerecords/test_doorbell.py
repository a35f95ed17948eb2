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
import json, os, signal, sys, time, django
django.setup()
from carerecords import doorbell
began = time.monotonic()
print(json.dumps({"rang": doorbell.ring(), "answers": doorbell.answers(), "seconds": time.monotonic() - began}))
"""


# A broker that comes back is heard again soon.
RING_AGAIN = (
    RING
    + """
os.kill(int(sys.argv[1]), signal.SIGCONT)
began = time.monotonic()
while not (doorbell.answers() and doorbell.ring()):
    time.sleep(0.1)
print(json.dumps({"seconds": time.monotonic() - began}))
"""
)


def ring(url, program=RING, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return said if len(said) > 1 else said[0]


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


def test_a_frozen_broker_costs_little_and_is_heard_again_when_it_thaws(broker):
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        frozen, thawed = ring(broker.url, RING_AGAIN, str(broker.process.pid))
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    assert (frozen["rang"], frozen["answers"]) == (False, False)
    # One wait for the ring, and none to find out what the ring has found out already.
    assert frozen["seconds"] < 6
    assert thawed["seconds"] < 10
