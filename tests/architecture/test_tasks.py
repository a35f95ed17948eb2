"""Tasks carry no patient data: keyword-only ids at most."""

import inspect

from celery import current_app

from carerecords.doorbell import SEND_DUE
from spine.runs.actions import FEED
from tests.architecture.source import ROOT


def _tasks():
    current_app.loader.import_default_modules()
    import spine.tasks  # noqa: F401

    return {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}


def test_tasks_take_keyword_only_ids():
    tasks = _tasks()
    assert tasks
    for name, task in tasks.items():
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
            assert parameter.name.endswith("_id") or parameter.name.endswith("_ids"), name


def test_the_doorbell_rings_tasks_that_are_there():
    assert {SEND_DUE, FEED} <= set(_tasks())


def test_beat_knows_only_tasks_that_are_there(settings):
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in _tasks()


def test_a_module_holds_one_room():
    """No module grows past 400 lines."""
    for package in ("carerecords", "consent", "boycott", "spine", "reports", "demo", "config"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
