"""The first process of a test run migrates its database; the others copy what it made.

Migrating takes ten seconds of a processor, and a copy a third of one.
"""

import os
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tests.localstore_process import server_url

# Any number that no other lock of the server's own database has.
LOCK = 5_400


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        yield
        return
    name, creation = f"migrated_{run}", connection.creation
    make = creation.create_test_db

    def make_or_copy(*args, **options):
        with _alone() as server:
            found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if found:
                connection.settings_dict["TEST"]["TEMPLATE"] = name
            made = make(*args, **options)
            if not found:
                connection.close()
                _copy(server, made, name)
            return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "create_test_db", make_or_copy)
        yield
    with _alone() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


@contextmanager
def _alone():
    """A connection to the server itself, held by one process at a time."""
    with psycopg.connect(server_url(), autocommit=True) as server:
        # However long the first one migrates.
        server.execute("SET lock_timeout = 0")
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield server


def _copy(server, made, name):
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    server.execute(copy.format(sql.Identifier(name), sql.Identifier(made)))
