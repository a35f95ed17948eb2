"""F3: the broker killed, away while people decide, and emptied again and again; a real worker and clock."""

import time

import redis

from faults import people
from faults.site import wait_until
from faults.trial import Trial

AWAY_SECONDS = 3.0
FLUSHES = 20
# After the broker is back, all is done within this; while it is away, a decision is recorded within the other.
RESUMED_SECONDS, TICK_SECONDS = 60.0, 6.0


def run(trial: Trial) -> None:
    site = trial.site
    surgery = people.surgeries(1, trial.times(240, least=80))[0]
    some = len(surgery.patients) // 4
    waiting = [surgery.patients[place : place + some] for place in range(0, 4 * some, some)]
    broker = site.start_broker()
    services = [site.start_worker(), site.start_clock()]

    def done() -> bool:
        # As the launcher and containers do: a worker that the broker leaves with a message in hand ends at times.
        restarts.extend(filter(None, (service.look_after() for service in services)))
        return people.open_jobs() == 0

    restarts: list[str] = []
    people.decide(surgery, waiting[0], consent=True)
    wait_until(done, 60, "uploads by the bell")
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    trial.within("a decision while the broker is away", _recorded(surgery, waiting[1]), TICK_SECONDS)
    time.sleep(AWAY_SECONDS)
    _recorded(surgery, waiting[2])
    broker.start()
    resumed = wait_until(done, 120, "uploads after the broker came back")
    trial.within("all sent after the broker came back", resumed, RESUMED_SECONDS)
    trial.keep()
    line = redis.Redis(unix_socket_path=str(broker.socket))
    for patient in waiting[3][:FLUSHES]:
        people.decide(surgery, [patient], consent=True)
        line.flushall()
        time.sleep(trial.dice.uniform(0, 0.2))
    people.decide(surgery, waiting[3], consent=True)
    line.flushall()
    resumed = wait_until(done, 120, "uploads after the broker was emptied")
    trial.within("all sent after it was emptied", resumed, RESUMED_SECONDS)
    line.close()
    trial.inject(
        f"the broker killed, {AWAY_SECONDS:.0f} s away with {2 * some} decisions meanwhile, emptied {FLUSHES + 1} times"
    )
    trial.figure(f"{len(restarts)} workers or clocks ended by themselves, and were started again")


def _recorded(surgery: people.Surgery, patients: list[int]) -> float:
    began = time.monotonic()
    people.decide(surgery, patients, consent=True)
    return time.monotonic() - began
