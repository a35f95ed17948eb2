"""The Celery app: workers that send, and a beat that sweeps.

Messages carry no patient data; a task looks in the database for what is due.
"""

import os
from typing import Any

from celery import Celery, Task
from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("care_records")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def keep_good_connections(sender: Task, **_: Any) -> None:
    """The database's connection stays from task to task by Django's own rules: while it answers, and for ten minutes.

    Celery would close it before and after each task, and connecting anew was most of what a bell took to wake a worker
    (docs/adr/0157).
    """
    if not sender.request.is_eager:
        close_old_connections()
