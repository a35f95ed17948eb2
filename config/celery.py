"""The Celery app: workers that send, and a beat that sweeps.

Messages carry no patient data; a task looks in the database for what is due.
"""

import gc
import os
from typing import Any

from celery import Celery, Task
from celery.signals import task_postrun, task_prerun, worker_process_init
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("care_records")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# New objects until the collector of reference cycles looks at them: some batches' worth.
COLLECTED_AFTER = 50_000


@task_prerun.connect
@task_postrun.connect
def keep_good_connections(sender: Task, **_: Any) -> None:
    """The database's connection stays from task to task by Django's own rules: while it answers, and for ten minutes.

    Celery would close it before and after each task, and connecting anew was most of what a bell took to wake a worker
    (docs/adr/0157).
    """
    if not sender.request.is_eager:
        close_old_connections()


@worker_process_init.connect
def calm_collector(**_: Any) -> None:
    """Keeps Python's collector from walking through all of Django again and again while a batch is at work.

    A batch makes many objects and hardly a cycle (its fence's connection is one); the collector took 60 to 90
    microseconds of the 700 of an upload. What a worker has loaded by now stays as long as it does.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 10, 10)
