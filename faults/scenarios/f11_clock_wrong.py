"""F11: senders whose clocks are an hour and a day off, either way, beside one that is right; the policy switched, some killed.

The clock of the database cannot be set here without setting that of the whole machine.
"""

import time

from bench.switches import Switchers
from faults import hooks, people
from faults.site import wait_until
from faults.trial import Trial

HOUR, DAY = 3600.0, 86_400.0
OFF = (HOUR, -HOUR, DAY, -DAY)
ROUNDS = 12
BATCH = 6


def run(trial: Trial) -> None:
    from spine.sending import pipeline

    surgeries = people.surgeries(4, trial.times(120, least=60))
    admins, nursery = Switchers(), trial.site.nursery
    admins.change(holds=False)
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    for off in (*OFF, 0.0):
        nursery.start(sends=2, recovers=1, limit=BATCH, clock_off=off, rest=0.02)
    doomed = [
        nursery.start(limit=BATCH, clock_off=off, dies_at=point) for off in OFF for point in hooks.POINTS[:2]
    ]
    rounds = trial.times(ROUNDS, least=4)
    for number in range(rounds):
        people.ask_for_updates(surgeries[number % 4], surgeries[number % 4].patients)
        time.sleep(trial.dice.uniform(0.05, 0.3))
        admins.change(holds=number % 2 == 0)
        some = trial.dice.sample(surgeries[number % 4].patients, 10)
        people.decide(surgeries[number % 4], some, consent=number % 3 == 0)
    trial.keep()
    admins.change(holds=False)
    died = sum(not one.is_alive for one in doomed)
    limit = pipeline.lease().total_seconds() + 5
    took = wait_until(lambda: people.open_jobs() == 0, limit + 30, "every upload at its end")
    trial.inject(
        f"clocks off by an hour and a day, either way, in {len(OFF)} senders; {died} such killed; {rounds} switches"
    )
    trial.within("everything at its end", took, limit)
