"""F8: each bell of the broker delivered ten times, a storm of tasks, real workers and senders at the same jobs."""

import redis

from faults import people
from faults.site import wait_until
from faults.trial import Trial

TIMES, STORM = 10, 300
QUEUE = "celery"


def run(trial: Trial) -> None:
    from celery import current_app

    site = trial.site
    surgeries = people.surgeries(4, trial.times(150, least=40))
    broker = site.start_broker()
    for surgery in surgeries:
        for place in range(0, len(surgery.patients), 10):
            people.decide(surgery, surgery.patients[place : place + 10], consent=True)
    with redis.Redis(unix_socket_path=str(broker.socket)) as line:
        bells = line.lrange(QUEUE, 0, -1)
        for bell in bells:
            line.rpush(QUEUE, *([bell] * (TIMES - 1)))
        storm = trial.times(STORM, least=60)
        for number in range(storm):
            current_app.send_task(("spine.tasks.send_due", "spine.tasks.recover")[number % 2])
        for name in ("first", "second"):
            site.start_worker(name)
        for _ in range(2):
            site.nursery.start(sends=4, recovers=1, limit=1, rest=0.001)
        wait_until(lambda: people.open_jobs() == 0, 120, "every upload at its end")
        trial.keep()
        wait_until(lambda: line.llen(QUEUE) == 0, 120, "every bell answered")
    patients = sum(len(each.patients) for each in surgeries)
    trial.inject(
        f"{len(bells)} bells {TIMES} times each, {storm} tasks more, two workers and eight senders at {patients} uploads"
    )
