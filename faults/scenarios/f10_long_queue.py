"""F10: a long queue stopped, everything killed and started again, resumed; beside the same with none waiting.

Ten thousand uploads in the whole run. `bench/stop.py` has the stop beside a million jobs.
"""

import signal
import time
from pathlib import Path
from statistics import median

from bench.switches import Switchers
from faults import people
from faults.nursery import Sender
from faults.site import wait_until
from faults.trial import Trial

QUEUED = 10_000
STOPS = 15
# A stop beside the queue, and the memory of a sender that worked it off, as parts of the same without.
SLOWER, LARGER = 1.5, 1.2
# What a stop takes on a busy machine says nothing below this.
NOISE_SECONDS = 0.02


def run(trial: Trial) -> None:
    from django.db import connection

    queued = trial.times(QUEUED, least=1000)
    surgeries = people.surgeries(10, queued // 10)
    admins, nursery = Switchers(), trial.site.nursery
    few = surgeries[0].patients[:100]
    people.decide(surgeries[0], few, consent=True)
    small = _resident_at_the_end(trial)
    empty = _stops(admins)
    admins.stop()
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    full = _stops_again(admins)
    senders = [nursery.start(sends=1) for _ in range(2)]
    time.sleep(1)
    trial.keep()
    for sender in senders:
        sender.signal(signal.SIGKILL)
    trial.site.ground.postgres.stop()
    trial.site.ground.postgres.start()
    connection.close()
    admins.resume()
    nursery.start(sends=0, recovers=1)
    began = time.monotonic()
    large = _resident_at_the_end(trial)
    took = time.monotonic() - began
    trial.inject(f"{queued} uploads stopped, senders killed, PostgreSQL restarted, uploads resumed")
    trial.figure(f"{queued / took:.0f} uploads a second of one sender")
    bound = max(SLOWER * empty, empty + NOISE_SECONDS)
    trial.within("a stop beside the queue", full * 1e3, bound * 1e3, "ms")
    trial.within("a sender's memory after the queue", large / small, LARGER, "times that after a hundred")


def _resident_at_the_end(trial: Trial) -> float:
    """Megabytes of a new sender once nothing waits any more."""
    sender = trial.site.nursery.start(sends=1)
    wait_until(lambda: people.open_jobs() == 0, 300, "the queue at its end", every=0.2)
    size = _resident(sender)
    sender.stop()
    return size


def _resident(sender: Sender) -> float:
    status = Path(f"/proc/{sender.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _stops(admins: Switchers) -> float:
    """The middle of some stops, each followed by its end."""
    took = []
    for _ in range(STOPS):
        took.append(admins.stop().took)
        admins.resume()
    return median(took)


def _stops_again(admins: Switchers) -> float:
    """The same where all is stopped already, and stays so. The first resuming is not measured."""
    took = []
    for _ in range(STOPS):
        admins.resume()
        took.append(admins.stop().took)
    return median(took)
