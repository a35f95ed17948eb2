"""What every test runs under: the personas, a shut network, tables emptied after each test."""

import ipaddress
import re
import socket

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from carerecords import database_clock
from tests.copied_database import django_db_modify_db_settings  # noqa: F401 - a fixture
from tests.personas import *  # fixtures, found by name

# Made by the migrations from the models alone, so each test would make them again as they are.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """Empties the database after a transactional test in a fifth of the time of Django's flush.

    That is a TRUNCATE of every table, which append-only tables refuse, and then every permission made anew.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: empty_database())
        yield


def empty_database():
    """Deletes the rows of the tables that have any, without triggers and foreign keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - KEPT)
        cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables))
        filled = [table for (table,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="session", autouse=True)
def shut_network():
    """Refuses connections and look-ups beyond this machine: a test that needs them is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        look_up = socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(_local(host), *rest, **more))
        yield


@pytest.fixture
def one_clock(monkeypatch):
    """For tests that travel in time: the database's clock cannot, so this process's stands for it."""
    monkeypatch.setattr(database_clock, "now", timezone.now)


def _guarded(connect):
    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _local(address[0])
        return connect(self, address)

    return guarded


def _local(host):
    """The host, if it is this machine; else raises."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::") or _is_loopback(name):
        return host
    raise RuntimeError(f"A test reached for {name}; only this machine is allowed.")


def _is_loopback(name):
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_CHANCE = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}|(?<![0-9])999[0-9]{7}(?![0-9])")


def pytest_collection_modifyitems(items):
    """Refuses names that differ from process to process: two that share the tests would not agree on them."""
    wild = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if wild:
        raise pytest.UsageError(f"A test is named after an address of memory; give it ids: {wild[0]}")


def pytest_make_parametrize_id(val):
    """A case whose value holds a fresh id or NHS number is named alike in every process and run."""
    text = val if isinstance(val, str) else repr(val)
    return _CHANCE.sub("new", text) if _CHANCE.search(text) else None
