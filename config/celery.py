"""The Celery app: workers that send, and a beat that sweeps.

Messages carry no patient data; a task looks in the database for what is due.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("care_records")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
