"""Gives the tests a PostgreSQL server of their own, before Django reads its settings.

pytest-django reads the settings before any conftest, so this is a plugin named on pytest's command
line (pyproject.toml). A DATABASE_URL from outside is used as it is. Workers of xdist inherit the
environment of the process that started them, and so its server.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config.embedded.discovery import find_postgres
from config.embedded.postgres import FOR_TESTS, Postgres
from config.embedded.processes import server_account

ENVIRONMENT = {
    "CARE_ENV": "test",
    "DJANGO_SETTINGS_MODULE": "config.settings",
    # Nothing listens there: a test that needs a broker or a store starts one and says so.
    "CELERY_BROKER_URL": "memory://",
    "SPINE_BASE_URL": "http://127.0.0.1:9/summary-care-record/FHIR/R4",
}

_server: Postgres | None = None
_folder: Path | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    os.environ.update(ENVIRONMENT)
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Also after Ctrl-C; a test run that is killed takes its server with it."""
    if _server is not None:
        _server.stop()
        shutil.rmtree(_folder, ignore_errors=True)
        del os.environ["DATABASE_URL"]


def _start():
    global _server, _folder
    account = server_account()
    _folder = Path(tempfile.mkdtemp(prefix="care-test-"))
    account.own(_folder)
    _server = Postgres(
        find_postgres(),
        _folder / "data",
        _folder / "s",
        account,
        log=_folder / "postgres.log",
        settings=FOR_TESTS,
    )
    _server.start()
    _server.create_database("care")
    return _server.url("care")
